"""Kinds `bridge`, `vlan` and `bond`: interfaces that a host makes of others, now and at each boot.

What a guest or a container has plugged into a bridge is theirs. What was there before us stays when
nobody wants it any more, with all that it is made of, and loses only what we wrote and our routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from reconciler.kinds.base.kind import MADE, BaseKind, is_missing, name_of
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutInterface, RemoveInterface
from reconciler.ports.network_facts import LinkFact, Route, TextFile

INTERFACE = "interface"  # the sort of names that bridges, VLANs, bonds and switches share
LinkKind = Literal["bridge", "vlan", "bond"]


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """An interface. `type` is empty where none is there, `ports` are a bond's members, too.

    `is_made`: it was not there before us.
    """

    host: str
    name: str
    type: str
    ports: tuple[str, ...] = ()
    parent: str | None = None
    vlan: int | None = None
    mode: str | None = None
    mtu: int | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] = ()
    is_up: bool = True
    files: tuple[TextFile, ...] = ()
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def asked_of(
    files: tuple[TextFile, ...], ports: tuple[str, ...], routes: tuple[Route, ...]
) -> tuple[str, ...]:
    """What is asked by name besides an interface itself, as the details of the question."""
    return (*(file.path for file in files), *ports, *(route.to for route in routes))


def _question(kind: LinkKind, spec: LinkSpec) -> Question:
    return Question(kind, spec.name, asked_of(spec.files, spec.ports, spec.routes))


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> LinkSpec | None:
    fact, is_made = facts.answers[question], mark is not None and mark.note == MADE
    if fact is None:
        return LinkSpec(host, question.name, "", is_up=False, is_made=is_made)
    if not isinstance(fact, LinkFact) or (mark is None and not fact.type):
        return None  # files and routes alone, as of another with the same port, are no interface
    return LinkSpec(
        host,
        question.name,
        fact.type,
        fact.ports,
        fact.parent,
        fact.vlan,
        fact.mode,
        fact.mtu,
        fact.addresses,
        fact.routes,
        fact.is_up,
        fact.files,
        is_made,
        after=tuple(_parts(host, fact)),
    )


def _parts(host: str, fact: LinkFact) -> Iterator[Address]:
    """What it may be made of, as far as that is made, too: it goes before them."""
    for part in (*fact.ports, *((fact.parent,) if fact.parent else ())):
        yield from (Address(kind, name_of(part), host) for kind in ("bond", "vlan", "bridge"))


def _make(
    kind: LinkKind, wanted: LinkSpec, seen: LinkSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del changed
    paths = {file.path for file in wanted.files}
    was_files, was_routes, was_ports = (seen.files, seen.routes, seen.ports) if seen else ((),) * 3
    act = PutInterface(
        wanted.name,
        kind,
        wanted.files,
        wanted.ports,
        wanted.parent,
        wanted.vlan,
        wanted.mode,
        wanted.mtu,
        wanted.addresses,
        wanted.routes,
        tuple(file.path for file in was_files if file.path not in paths),
        tuple(route for route in was_routes if route not in wanted.routes),
        tuple(port for port in was_ports if port not in wanted.ports),
    )
    return (act,)


def _drop(kind: LinkKind, seen: LinkSpec) -> tuple[Act, ...]:
    paths = tuple(file.path for file in seen.files)
    keeps = not seen.is_made
    if keeps and not paths and not seen.routes:
        return ()
    is_there = bool(seen.type or paths or seen.routes)
    return (RemoveInterface(seen.name, kind, paths, seen.routes, keeps),) if is_there else ()


def _note(wanted: LinkSpec, seen: LinkSpec | None) -> str:
    del wanted
    return MADE if seen is None or seen.is_made else ""


def _cost(wanted: LinkSpec, seen: LinkSpec | None) -> Disruption:
    """A VLAN and a bond are made anew where they are made of something else."""
    is_there = seen is not None and seen.type == wanted.type
    is_other = seen is not None and (seen.parent, seen.vlan, seen.mode) != (
        wanted.parent,
        wanted.vlan,
        wanted.mode,
    )
    return Disruption.RESTART if is_there and is_other else Disruption.LIVE


def _safety(kind: LinkKind, spec: LinkSpec, owner: Owner) -> Safety | None:
    address = Address(kind, owner.name, spec.host)
    return safety_of_network(address, owner.digest, (file.path for file in spec.files))


def _kind(name: LinkKind) -> BaseKind[LinkSpec]:
    question: Callable[[LinkSpec], Question] = partial(_question, name)
    return BaseKind(
        name,
        LinkSpec,
        question,
        _read,
        partial(_make, name),
        partial(_drop, name),
        note=_note,
        is_new=is_missing,
        cost=_cost,
        drop_cost=Disruption.RESTART,
        safety=partial(_safety, name),
        takes=INTERFACE,
    )


BOND = _kind("bond")
VLAN = _kind("vlan")
BRIDGE = _kind("bridge")
