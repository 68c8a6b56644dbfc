"""Kind `sysctl`: a setting of the kernel, now and for the next boot."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.kinds.base.management import safety_of_sysctl
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act, ForgetSysctl, SetSysctl
from reconciler.ports.facts import Facts, Mark, Question, SysctlFact
from reconciler.ports.machine import Safety


@dataclass(frozen=True, slots=True)
class SysctlSpec:
    """A kernel setting. `persisted` is what it becomes at the next boot because of us."""

    host: str
    name: str
    value: str
    persisted: str | None = None
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: SysctlSpec) -> Question:
    return Question("sysctl", spec.name)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> SysctlSpec | None:
    """The kernel puts tabs between words; people put blanks."""
    del mark
    fact = facts.answers[question]
    if fact is None:
        return SysctlSpec(host, question.name, "")
    if not isinstance(fact, SysctlFact):
        return None
    return SysctlSpec(host, question.name, " ".join(fact.value.split()), fact.persisted)


def _make(wanted: SysctlSpec, seen: SysctlSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del seen, changed
    return (SetSysctl(wanted.name, wanted.value),)


def _drop(seen: SysctlSpec) -> tuple[Act, ...]:
    return (ForgetSysctl(seen.name),) if seen.persisted is not None else ()


def _safety(spec: SysctlSpec, owner: Owner) -> Safety | None:
    return safety_of_sysctl(Address("sysctl", owner.name, spec.host), spec.name, owner.digest)


SYSCTL = BaseKind("sysctl", SysctlSpec, _question, _read, _make, _drop, safety=_safety)
