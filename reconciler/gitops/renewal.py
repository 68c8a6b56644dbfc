"""A mirror made anew beside the old one, and put in its place in one step."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from reconciler.errors import SourceCorrupt, SourceError
from reconciler.gitops.git import Git
from reconciler.gitops.reach import Reach
from reconciler.gitops.store import Store
from reconciler.gitops.transport import ORIGIN_HEADS, fetch_each, fetch_everything, fetch_from

# What is nobody's but ours: records and notes, what is known to be pushed, what is kept.
_OURS = ("refs/heads/", "refs/notes/", "refs/kept/", "refs/pushed/", "refs/replaced/")
_log = logging.getLogger(__name__)


def make_anew(store: Store, reach: Reach, quiet: AbstractContextManager[object]) -> None:
    """Clone into a new directory, carry over what is ours, and swap.

    While `quiet` is held nobody writes refs of ours.

    Raises:
        SourceUnavailable: the remote cannot be cloned now. The old mirror stays.
        SourceCorrupt: some of what the remote has is broken. What is not is there nevertheless.
    """
    fresh = store.fresh()
    try:
        wire = reach.wire_patiently(fresh)
        wire.init()
        failed = _fetch_what_can_be_had(wire)
        with quiet, store.alone() as alone:
            old = store.current
            if old is not None and not alone:
                raise SourceCorrupt(
                    f"{old}: objects are broken, and another process uses the mirror; end that "
                    "process, so that the mirror can be made anew"
                )
            lost = _carry_over(reach, old, fresh) if old else ()
            store.publish(fresh)
    except BaseException:
        store.discard(fresh)
        raise
    if old is not None:
        _retire(store, reach, old, lost)
    raise_for(failed)


def raise_for(failed: Mapping[str, SourceError]) -> None:
    """Tell of branches that could not be fetched, if there are any.

    Raises:
        SourceCorrupt: there are.
    """
    if failed:
        said = "; ".join(f"branch {branch}: {error}" for branch, error in sorted(failed.items()))
        raise SourceCorrupt(f"{said}; the other branches are not concerned")


def _fetch_what_can_be_had(wire: Git) -> Mapping[str, SourceError]:
    """Everything, or at least some branches; gives those that failed."""
    try:
        fetch_everything(wire)
    except SourceCorrupt:
        failed = fetch_each(wire)
        if not wire.refs(ORIGIN_HEADS):
            raise
        return failed
    return {}


def _carry_over(reach: Reach, old: Path, fresh: Path) -> tuple[str, ...]:
    """Bring our own refs from the old repository; gives those that cannot be read there."""
    try:
        refs = reach.here(old).refs("refs/")
    except SourceError:
        return ("refs/",)
    bridge = reach.from_repository(old, fresh)
    return tuple(ref for ref in refs if ref.startswith(_OURS) and not _carried(bridge, ref))


def _carried(bridge: Git, ref: str) -> bool:
    try:
        fetch_from(bridge, (ref,))
    except SourceError:
        return False
    return True


def _retire(store: Store, reach: Reach, old: Path, lost: Sequence[str]) -> None:
    if not lost:
        _log.warning("%s: its objects were broken; the mirror was made anew", reach.remote)
        store.discard(old)
        return
    aside = store.put_aside(old)
    _log.error(
        "%s: the mirror was made anew, but %s could not be read; the old one is kept as %s",
        reach.remote,
        ", ".join(lost),
        aside,
    )
