"""Marks: what is remembered on the host of the things that are ours there.

The mark of a file seals its content, that of a service the contents that it was last begun with.
"""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.directory import directory_of
from reconciler.drivers.ssh.onhost.host import Refused
from reconciler.drivers.ssh.onhost.originals import forget as forget_original
from reconciler.drivers.ssh.onhost.originals import keep
from reconciler.drivers.ssh.onhost.state import marks, put_marks
from reconciler.drivers.ssh.onhost.sums import sum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reconciler.drivers.ssh.onhost.host import Batch

SECRET = "secret"  # noqa: S105 (the word in a question)


def put_mark(batch: Batch, mark: Mapping[str, Any]) -> None:
    """Remember whose a thing is."""
    known = marks(batch)
    key = mark["kind"], mark["question"]["name"]
    before = known.get(key, {})
    if mark["question"]["about"] == "file":
        _keep_original(batch, mark["question"]["name"])
    known[key] = {**mark, "seal": _seal(batch, mark["question"], before)}
    if known[key] != before:
        put_marks(batch, known)


def forget(batch: Batch, kind: str, question: Mapping[str, Any]) -> None:
    """Take the mark of a thing away."""
    known = marks(batch)
    if known.pop((kind, question["name"]), None) is not None:
        put_marks(batch, known)
    # After the mark: as long as there is one, what was there before may have to come back.
    if question["about"] == "file":
        forget_original(batch, question["name"])


def _seal(batch: Batch, question: Mapping[str, Any], before: Mapping[str, Any]) -> Any:
    name = question["name"]
    if question["about"] == "service":
        from reconciler.drivers.ssh.onhost.act_services import seal

        return seal(batch, name, question["details"])
    if question["about"] != "file":
        return None
    if name in batch.written:
        return batch.written[name]
    # The content of a secret is known by its seal alone: what lies there by now may be another's.
    if SECRET in question["details"]:
        return before.get("seal")
    return sum_of(batch.root, name)


def _keep_original(batch: Batch, path: str) -> None:
    try:
        directory, name = directory_of(batch, path)
    except Refused:
        return
    with directory:
        keep(batch, path, directory, name)
