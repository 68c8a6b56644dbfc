"""The documents of the journal that say how an environment is: `status.json` and the drift."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # as in reconciler.plan.show.json

from reconciler.errors import Stalled
from reconciler.model.address import Address, Scope
from reconciler.model.condition import Condition
from reconciler.model.plain import to_plain
from reconciler.model.resource import Applied
from reconciler.model.standing import Drifted, Failing, Hold, Quarantined
from reconciler.plan.plan import Plan
from reconciler.plan.show.drift_page import drift_page
from reconciler.plan.show.json import drift_document, json_text
from reconciler.plan.show.misfit import misfits
from reconciler.plan.show.stamps import check_commit, check_time


@dataclass(frozen=True, slots=True)
class Status:
    """What the journal remembers of an environment.

    `revision` is the commit that was applied last, `ready_revision` the last one after which
    everything was well. `hold` says why the environment is left alone; None means that it is not.
    `scopes` are those that were looked at; `refused` is the newest commit that was not applied.
    `ready_since` is since when (RFC 3339) just `ready_revision` has been Ready without a break;
    empty while it is not. `holds` are what people want left alone, which stand in files of their
    own, as what was rolled back does, `quarantined`. `branch` is the one `revision` was followed
    from; empty if that is not known. `failing` is the commit that fails and never was Ready.
    `drifted` is what drifts and still does.
    """

    environment: str
    revision: str = ""
    ready_revision: str = ""
    conditions: tuple[Condition, ...] = ()
    applied: Mapping[Address, Applied] = field(default_factory=dict)
    hold: str | None = None
    scopes: tuple[Scope, ...] = ()
    refused: str = ""
    ready_since: str = ""
    holds: tuple[Hold, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    branch: str = ""
    failing: Failing | None = None
    drifted: Mapping[Address, Drifted] = field(default_factory=dict)


_Commit = Annotated[str, Field(pattern=r"^([0-9a-f]{40})?$")]


@with_config(ConfigDict(extra="ignore", strict=True))
class _Document(TypedDict, total=False):
    """The form of `status.json`. What a newer version writes besides is skipped."""

    environment: str
    revision: _Commit
    ready_revision: _Commit
    conditions: list[Condition]
    applied: dict[str, Applied]
    hold: str | None
    scopes: list[Scope]
    refused: _Commit
    ready_since: str
    branch: str
    failing: Failing | None
    drifted: dict[str, Drifted]


_adapter = cache(TypeAdapter)


def status_json(status: Status) -> bytes:
    """A status as `status.json`: sorted, a line per value, so that a difference is what changed."""
    document = {
        "environment": status.environment,
        "revision": status.revision,
        "ready_revision": status.ready_revision,
        "conditions": [to_plain(condition) for condition in status.conditions],
        "applied": {str(address): to_plain(was) for address, was in status.applied.items()},
        "hold": status.hold,
        "scopes": [to_plain(scope) for scope in sorted(status.scopes, key=str)],
        "refused": status.refused,
        "ready_since": status.ready_since,
        "branch": status.branch,
        "failing": to_plain(status.failing) if status.failing else None,
        "drifted": {str(address): to_plain(was) for address, was in status.drifted.items()},
    }
    return json_text(document).encode()


def read_status(content: bytes) -> Status:
    """The status that a `status.json` says. What is missing in it is blank.

    Raises:
        Stalled: it says none; nothing may be decided on a journal that cannot be read.
    """
    try:
        document: _Document = _adapter(_Document).validate_json(content)
        applied = {Address.parse(each): was for each, was in document.get("applied", {}).items()}
        drifted = {Address.parse(each): was for each, was in document.get("drifted", {}).items()}
        _check_stamps(document)
    except ValidationError as error:
        raise _unreadable(misfits(error)) from error
    except ValueError as error:
        raise _unreadable(str(error)) from error
    if not document.get("environment"):
        raise _unreadable("environment: it is missing")
    for scope in document.get("scopes", ()):
        if re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", scope.name) is None:
            raise _unreadable(f"scopes: {scope.name[:80]!r} is no host or zone")
    return Status(
        environment=document["environment"],
        revision=document.get("revision", ""),
        ready_revision=document.get("ready_revision", ""),
        conditions=tuple(document.get("conditions", ())),
        applied=applied,
        hold=document.get("hold"),
        scopes=tuple(document.get("scopes", ())),
        refused=document.get("refused", ""),
        ready_since=document.get("ready_since", ""),
        branch=document.get("branch", ""),
        failing=document.get("failing"),
        drifted=drifted,
    )


def drift_json(plan: Plan) -> bytes:
    """`drift.json`: the drift in a plan; equal for equal drift, whatever the commit is."""
    return json_text(drift_document(plan)).encode()


def drift_markdown(plan: Plan, known: Mapping[Address, Drifted]) -> bytes:
    """`drift.md`: the same for people, with what is known of each drift."""
    return drift_page(plan, known).encode()


def _check_stamps(document: _Document) -> None:
    failing = document.get("failing")
    if failing is not None:
        check_commit(failing.commit)
        check_time(failing.since)
    if since := document.get("ready_since"):
        check_time(since)


def _unreadable(reason: str) -> Stalled:
    return Stalled(
        f"status.json in the journal cannot be read: {reason}",
        "restore the file as it is in an earlier commit of the journal",
    )
