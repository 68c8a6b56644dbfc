"""What documents of kind Ignore say: drift that is left alone now, and which of them are idle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from reconciler.config.ignore import Ignore
from reconciler.config.repository import Documents
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.position import Problem
from reconciler.model.resource import Desired
from reconciler.model.standing import Ignored
from reconciler.render.written import spec_path

TIME = "%Y-%m-%dT%H:%M:%SZ"


def ignored_at(documents: Documents, now: datetime) -> tuple[Ignored, ...]:
    """The drift that may stay now."""
    each = documents.ignores.values()
    return tuple(_ignored(documents, ignore) for ignore in each if now < ignore.until)


def ignore_notes(
    documents: Documents, desired: Iterable[Desired[Any]], now: datetime
) -> tuple[Problem, ...]:
    """The documents that do nothing: their time is over, or nothing is as they say."""
    if not documents.ignores:
        return ()
    wanted = tuple(desired)
    found = (
        problem
        for ignore in documents.ignores.values()
        for problem in _notes(documents, ignore, wanted, now)
    )
    return tuple(sorted(found))


def _notes(
    documents: Documents, ignore: Ignore, desired: Iterable[Desired[Any]], now: datetime
) -> Iterator[Problem]:
    def problem(key: str, what: str, remedy: str) -> Problem:
        position = documents.position("Ignore", ignore.name, key)
        return Problem(position, f"Ignore {ignore.name} {what}", remedy)

    if ignore.until <= now:
        ended = ignore.until.strftime(TIME)
        yield problem("until", f"ended {ended}: its drift is healed", "remove it, or extend it")
        return
    said = _ignored(documents, ignore)
    about = [each for each in desired if said.is_about(each.address)]
    if not about:
        what = f"is about {ignore.resource}, which nothing in git is"
        yield problem("resource", what, "write the address as plan and drift do, or remove it")
        return
    spec = KIND_BY_NAME[about[0].address.kind].spec
    known = {each.name for each in fields(spec) if each.compare}
    for written, path in zip(ignore.fields, said.fields, strict=True):
        if path.partition(".")[0] not in known:
            what = f"names the field {written}, which {about[0].address} does not have"
            yield problem("fields", what, f"fields are {', '.join(sorted(known))}")


def _ignored(documents: Documents, ignore: Ignore) -> Ignored:
    kind = ignore.resource.partition("/")[0].partition("@")[0]
    return Ignored(
        ignore.name,
        ignore.resource,
        ignore.until.strftime(TIME),
        ignore.reason,
        tuple(spec_path(kind, each) for each in ignore.fields),
        documents.position("Ignore", ignore.name),
    )
