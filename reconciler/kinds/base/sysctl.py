"""Kind `sysctl`: a setting of the kernel, now and for the next boot."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.ports.acts import Act, ForgetSysctl, SetSysctl
from reconciler.ports.facts import Facts, Mark, Question, SysctlFact


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
    del mark
    fact = facts.answers[question]
    if not isinstance(fact, SysctlFact):
        return None
    return SysctlSpec(host, question.name, fact.value, fact.persisted)


def _make(wanted: SysctlSpec, seen: SysctlSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del seen, changed
    return (SetSysctl(wanted.name, wanted.value),)


def _drop(seen: SysctlSpec) -> tuple[Act, ...]:
    return (ForgetSysctl(seen.name),) if seen.persisted is not None else ()


SYSCTL = BaseKind("sysctl", SysctlSpec, _question, _read, _make, _drop)
