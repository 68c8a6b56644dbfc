"""Kind `package`: a Debian package that is there, at a version perhaps, or is not to be there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.ports.acts import Act, HoldPackage, InstallPackage, RemovePackage
from reconciler.ports.facts import ABSENT, Facts, Mark, PackageFact, Question


@dataclass(frozen=True, slots=True)
class PackageSpec:
    """A package. `held`: it stays at its version when the machine is upgraded."""

    host: str
    name: str
    state: Literal["present", "absent"] = "present"
    version: str | None = None
    held: bool | None = None
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: PackageSpec) -> Question:
    return Question("package", spec.name, (ABSENT,) if spec.state == "absent" else ())


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> PackageSpec | None:
    del mark
    fact = facts.answers[question]
    if isinstance(fact, PackageFact):
        return PackageSpec(host, question.name, "present", fact.version, fact.is_held)
    return PackageSpec(host, question.name, "absent") if fact is None else None


def _make(
    wanted: PackageSpec, seen: PackageSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    was_held = seen is not None and bool(seen.held)
    let_go = (HoldPackage(wanted.name, held=False),) if was_held else ()
    if wanted.state == "absent":
        return (*let_go, RemovePackage(wanted.name))
    if seen is not None and not changed & {"state", "version"}:
        return (HoldPackage(wanted.name, held=bool(wanted.held)),)
    held = was_held if wanted.held is None else wanted.held
    hold = (HoldPackage(wanted.name, held=True),) if held else ()
    return (*let_go, InstallPackage(wanted.name, wanted.version), *hold)


def _drop(seen: PackageSpec) -> tuple[Act, ...]:
    """It stays: nobody knows what has come to need it."""
    del seen
    return ()


def _cost(wanted: PackageSpec, seen: PackageSpec | None) -> Disruption:
    del seen
    return Disruption.RESTART if wanted.state == "absent" else Disruption.LIVE


PACKAGE = BaseKind("package", PackageSpec, _question, _read, _make, _drop, cost=_cost)
