"""Kind `service`: a systemd unit, and whether it has read the files that it works by.

A file that was changed is a change of each service that reads it too, and one restart, however
many of its files were changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from reconciler.kinds.base.file import CHANGED, SUM, FileSpec, note_of, secret_sum, text_sum
from reconciler.kinds.base.kind import BaseKind, marks_of
from reconciler.kinds.base.management import safety_of_service
from reconciler.model.address import Address
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act, RestartService, SetService
from reconciler.ports.facts import Facts, Mark, Question, ReadFact, ServiceFact
from reconciler.ports.machine import Safety

ANYTHING = "read"
STALE = "not read yet"
MISSING = "not there"
SECRET_SUM = "secret:"  # noqa: S105 (it stands before a fingerprint)


@dataclass(frozen=True, slots=True)
class Read:
    """A file that a service reads. `content`: a fingerprint of what it has read, or is to read.

    `read` stands for whatever is there, of a file that nobody declares.
    """

    path: str
    content: str

    @property
    def key(self) -> str:
        """What tells one from another."""
        return self.path


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A unit. `on_change` is how it is made to read its files again."""

    host: str
    unit: str
    enabled: bool | None = None
    running: bool | None = None
    masked: bool | None = None
    reads: tuple[Read, ...] = ()
    on_change: Literal["restart", "reload"] = field(default="restart", compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def read_of(path: str, spec: FileSpec | None) -> Read:
    """What a service is to have read at `path`, given what is declared there."""
    if spec is None or spec.type != "file" or spec.content is None:
        return Read(path, ANYTHING)
    if spec.secrets:
        return Read(path, SECRET_SUM + secret_sum(spec.content, spec.secrets))
    return Read(path, text_sum(spec.content))


def _question(spec: ServiceSpec) -> Question:
    return Question("service", spec.unit, tuple(read.path for read in spec.reads))


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> ServiceSpec | None:
    del mark
    fact = facts.answers[question]
    if fact is None:
        return ServiceSpec(host, question.name, enabled=False, running=False, masked=False)
    if not isinstance(fact, ServiceFact):
        return None
    files = marks_of("file", facts)
    reads = tuple(_seen(read, files.get(read.path)) for read in fact.reads)
    return ServiceSpec(host, question.name, fact.is_enabled, fact.is_running, fact.is_masked, reads)


def _seen(fact: ReadFact, mark: Mark | None) -> Read:
    note = note_of(mark)
    if not fact.is_current:
        return Read(fact.path, STALE)
    if fact.sum is None:
        return Read(fact.path, MISSING)
    if note.content is None:
        return Read(fact.path, SUM + fact.sum)
    if not fact.is_sealed:
        return Read(fact.path, CHANGED)
    return Read(fact.path, SECRET_SUM + secret_sum(note.content, note.secrets))


def _differs(desired: ServiceSpec, observed: ServiceSpec) -> tuple[FieldChange, ...]:
    """As of any spec; what does not run has nothing to read again."""
    if not observed.running:
        return diff_fields(replace(desired, reads=observed.reads), observed)
    asked = {read.path: read for read in desired.reads}
    seen = tuple(_as_asked(read, asked[read.path]) for read in observed.reads if read.path in asked)
    return diff_fields(desired, replace(observed, reads=seen))


def _as_asked(seen: Read, asked: Read) -> Read:
    return asked if asked.content == ANYTHING and seen.content != STALE else seen


def _make(
    wanted: ServiceSpec, seen: ServiceSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    """Restart before starting: what does not run yet is started once, what runs restarted once."""
    wish = wanted if seen is None else _only(wanted, changed)
    reads_anew = (seen is None and bool(wanted.reads)) or "reads" in changed
    if not reads_anew or wanted.running is False:
        return _set(wish)
    how = "restart" if seen is None else wanted.on_change
    first, last = replace(wish, running=None), replace(wish, enabled=None, masked=None)
    return (*_set(first), RestartService(wanted.unit, how), *_set(last))


def _only(wanted: ServiceSpec, changed: frozenset[str]) -> ServiceSpec:
    """The wish without what is so already."""
    return replace(
        wanted,
        enabled=wanted.enabled if "enabled" in changed else None,
        running=wanted.running if "running" in changed else None,
        masked=wanted.masked if "masked" in changed else None,
    )


def _set(wish: ServiceSpec) -> tuple[Act, ...]:
    if wish.enabled is None and wish.running is None and wish.masked is None:
        return ()
    return (SetService(wish.unit, wish.enabled, wish.running, wish.masked),)


def _drop(seen: ServiceSpec) -> tuple[Act, ...]:
    """It stays as it is: a service is not stopped because nobody speaks of it any more."""
    del seen
    return ()


def _safety(spec: ServiceSpec, owner: Owner) -> Safety | None:
    address = Address("service", owner.name, spec.host)
    return safety_of_service(address, spec.unit, (r.path for r in spec.reads), owner.digest)


SERVICE = BaseKind(
    "service",
    ServiceSpec,
    _question,
    _read,
    _make,
    _drop,
    safety=_safety,
    differs=_differs,
)
