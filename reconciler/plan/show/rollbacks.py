"""Rollbacks as files of the journal, one for each, so that two who write at once lose nothing.

Such a file is the decision: what else a rollback takes follows from it, whoever made it and
wherever it was cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import Stalled
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Is
from reconciler.model.plain import to_plain
from reconciler.model.standing import Quarantined
from reconciler.plan.show.json import json_text
from reconciler.plan.show.misfit import misfits
from reconciler.plan.show.stamps import check_commit, check_time
from reconciler.plan.show.status import Status

FOLDER = "rollbacks/"
_adapter = cache(TypeAdapter)


def rollback_path(rollback: Quarantined) -> str:
    """The file of a rollback."""
    return f"{FOLDER}{rollback.commit}.json"


def rollback_json(rollback: Quarantined) -> bytes:
    """A rollback as the content of its file."""
    return json_text(to_plain(rollback)).encode()


def read_rollbacks(files: Mapping[str, bytes]) -> tuple[Quarantined, ...]:
    """The rollbacks in the files of a journal, the oldest first.

    Raises:
        Stalled: one cannot be read; what it keeps out might come in then.
    """
    found = (_read(path, files[path]) for path in files if path.startswith(FOLDER))
    return tuple(sorted(found, key=lambda each: (each.since, each.commit)))


def rolled_back(status: Status) -> Status:
    """The status as it is by the rollbacks: what was taken back is not in force any more."""
    taken_back = {each.commit: each for each in status.quarantined}
    last = taken_back.get(status.revision)
    if last is None:
        return status
    message = f"{last.commit[:7]} was taken back, {last.good[:7]} is in force: {last.reason}"
    told = Condition(ConditionType.ROLLED_BACK, Is.TRUE, "RolledBack", message, last.since)
    others = tuple(each for each in status.conditions if each.type is not told.type)
    return replace(
        status,
        revision=last.good,
        ready_revision=last.good,
        ready_since="",
        failing=None,
        conditions=(*others, told),
    )


def is_back(status: Status) -> bool:
    """Whether what is in force was gone back to, and nothing else was followed since."""
    return any(each.type is ConditionType.ROLLED_BACK for each in status.conditions)


def _read(path: str, content: bytes) -> Quarantined:
    try:
        read: Quarantined = _adapter(Quarantined).validate_json(content)
        for each in (read.tree, read.commit, read.good):
            check_commit(each)
        check_time(read.since)
    except ValueError as error:
        wrong = misfits(error) if isinstance(error, ValidationError) else error
        raise Stalled(
            f"{path} in the journal cannot be read: {wrong}",
            "restore the file as it is in an earlier commit of the journal, or remove it",
        ) from error
    return read
