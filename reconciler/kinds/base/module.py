"""Kind `module`: a kernel module, now and at each boot."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.ports.acts import Act, ForgetModule, LoadModule
from reconciler.ports.facts import Facts, Mark, ModuleFact, Question


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """A module. `options` are given to it when it is loaded: at the next boot, if it is there."""

    host: str
    name: str
    options: str | None = None
    loaded: bool = True
    persisted: bool = True
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: ModuleSpec) -> Question:
    return Question("module", spec.name)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> ModuleSpec | None:
    del mark
    fact = facts.answers[question]
    if fact is None:
        return ModuleSpec(host, question.name, "", loaded=False, persisted=False)
    if not isinstance(fact, ModuleFact):
        return None
    return ModuleSpec(host, question.name, fact.options or "", fact.is_loaded, fact.is_persisted)


def _make(wanted: ModuleSpec, seen: ModuleSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del changed
    kept = seen.options if seen is not None else None
    options = wanted.options if wanted.options is not None else kept
    return (LoadModule(wanted.name, options or ""),)


def _drop(seen: ModuleSpec) -> tuple[Act, ...]:
    """It stays loaded: something may use it."""
    return (ForgetModule(seen.name),) if seen.persisted else ()


MODULE = BaseKind("module", ModuleSpec, _question, _read, _make, _drop)
