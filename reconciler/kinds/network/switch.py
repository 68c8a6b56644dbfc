"""Kind `switch`: a bridge of Open vSwitch, with the host's own interface on it.

Open vSwitch keeps the bridge over boots; its interface gets its addresses from files. What others
plugged into it, guests above all, is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from reconciler.kinds.base.kind import MADE, BaseKind, is_missing
from reconciler.kinds.base.management import safety_of_network
from reconciler.kinds.network.link import INTERFACE, asked_of
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutSwitch, RemoveSwitch
from reconciler.ports.network_facts import Route, SwitchFact, TextFile

Datapath = Literal["system", "netdev"]


@dataclass(frozen=True, slots=True)
class SwitchSpec:
    """A switch. `addresses`, `routes` and `mtu` are those of the host's own interface on it.

    `files` set that up at boot. `datapath` is empty where there is no switch. `is_made`: it was not
    there before us.
    """

    host: str
    name: str
    datapath: str = "system"
    ports: tuple[str, ...] = ()
    mtu: int | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] = ()
    is_up: bool = True
    files: tuple[TextFile, ...] = ()
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: SwitchSpec) -> Question:
    return Question("switch", spec.name, asked_of(spec.files, spec.ports, spec.routes))


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> SwitchSpec | None:
    fact, is_made = facts.answers[question], mark is not None and mark.note == MADE
    if fact is None:
        return SwitchSpec(host, question.name, "", is_up=False, is_made=is_made)
    if not isinstance(fact, SwitchFact) or (mark is None and not fact.datapath):
        return None  # files and routes alone are no switch
    return SwitchSpec(
        host,
        question.name,
        fact.datapath,
        fact.ports,
        fact.mtu,
        fact.addresses,
        fact.routes,
        fact.is_up,
        fact.files,
        is_made,
        after=tuple(_ports_of(host, fact)),
    )


def _ports_of(host: str, fact: SwitchFact) -> Iterator[Address]:
    """What may be plugged in of what we make, so that it goes after the switch."""
    for port in fact.ports:
        yield from (Address(kind, port, host) for kind in ("bond", "vlan"))


def _make(wanted: SwitchSpec, seen: SwitchSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del changed
    paths, was_routes = _paths(wanted), seen.routes if seen else ()
    act = PutSwitch(
        wanted.name,
        cast("Datapath", wanted.datapath),
        wanted.files,
        wanted.ports,
        wanted.mtu,
        wanted.addresses,
        wanted.routes,
        tuple(path for path in (_paths(seen) if seen else ()) if path not in paths),
        tuple(route for route in was_routes if route not in wanted.routes),
    )
    return (act,)


def _drop(seen: SwitchSpec) -> tuple[Act, ...]:
    is_there = bool(seen.datapath or seen.files or seen.routes)
    act = RemoveSwitch(seen.name, _paths(seen), seen.routes, keeps=not seen.is_made)
    return (act,) if is_there else ()


def _paths(spec: SwitchSpec) -> tuple[str, ...]:
    return tuple(file.path for file in spec.files)


def _note(wanted: SwitchSpec, seen: SwitchSpec | None) -> str:
    del wanted
    return MADE if seen is None or seen.is_made else ""


def _cost(wanted: SwitchSpec, seen: SwitchSpec | None) -> Disruption:
    """Another datapath: all that is plugged in is cut off for a moment."""
    is_other = seen is not None and seen.datapath not in {"", wanted.datapath}
    return Disruption.RESTART if is_other else Disruption.LIVE


def _safety(spec: SwitchSpec, owner: Owner) -> Safety | None:
    address = Address("switch", owner.name, spec.host)
    return safety_of_network(address, owner.digest, _paths(spec))


SWITCH = BaseKind(
    "switch",
    SwitchSpec,
    _question,
    _read,
    _make,
    _drop,
    note=_note,
    is_new=is_missing,
    cost=_cost,
    drop_cost=Disruption.RESTART,
    safety=_safety,
    takes=INTERFACE,
)
