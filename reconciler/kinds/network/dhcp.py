"""Kinds `subnet` and `reservations`: what a DHCP server gives to whom in a network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.kinds.base.kind import MADE, BaseKind, is_missing, name_of
from reconciler.model.address import Address
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.network_acts import PutReservations, PutSubnet, RemoveSubnet
from reconciler.ports.network_facts import (
    DhcpOption,
    Reservation,
    ReservationsFact,
    SubnetFact,
)


@dataclass(frozen=True, slots=True)
class SubnetSpec:
    """A subnet that a server serves. `pools` are `first-last`, sorted, as are the options.

    `is_made`: it was not there before us. `names` is the zone in which clients get names; what
    others let it do with names is not told.
    """

    host: str
    network: str
    environment: str
    subnet: str
    interface: str
    pools: tuple[str, ...] = ()
    options: tuple[DhcpOption, ...] = ()
    lease_seconds: int = 3600
    next_server: str = ""
    boot_file: str = ""
    names: str = ""
    is_served: bool = True
    is_persisted: bool = True
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ReservationsSpec:
    """What an environment reserves in a subnet, sorted."""

    host: str
    network: str
    environment: str
    subnet: str
    entries: tuple[Reservation, ...] = ()
    is_served: bool = True
    is_persisted: bool = True
    after: tuple[Address, ...] = field(default=(), compare=False)


def subnet_address(host: str, network: str) -> Address:
    """The subnet of a network on a server."""
    return Address("subnet", network, host)


def reservations_address(host: str, network: str, environment: str) -> Address:
    """What an environment reserves of a network on a server."""
    return Address("reservations", f"{network}.{environment}", host)


def _subnet_question(spec: SubnetSpec) -> Question:
    return Question("subnet", spec.network, (spec.subnet, spec.environment))


def _read_subnet(
    host: str, question: Question, facts: Facts, mark: Mark | None
) -> SubnetSpec | None:
    """Where the network has another subnet there, that is what is seen."""
    fact = facts.answers[question]
    subnet, environment = question.details
    is_made = _is_made(subnet, facts, mark)
    if fact is None:
        nothing = SubnetSpec(host, question.name, environment, subnet, "", lease_seconds=0)
        return replace(nothing, is_served=False, is_persisted=False, is_made=is_made)
    if not isinstance(fact, SubnetFact):
        return None
    return SubnetSpec(
        host,
        question.name,
        environment,
        fact.subnet,
        fact.interface,
        fact.pools,
        fact.options,
        fact.lease_seconds,
        fact.next_server,
        fact.boot_file,
        fact.names,
        fact.is_served,
        fact.is_persisted,
        is_made=is_made,
        after=tuple(Address(kind, name_of(fact.interface), host) for kind in ("bridge", "switch")),
    )


def _is_made(subnet: str, facts: Facts, mark: Mark | None) -> bool:
    """Whether it was not there before us; one whose network has another name now has its mark."""
    if mark is not None:
        return mark.note == MADE
    others = (each for each in facts.marks if each.kind == "subnet" and each.note == MADE)
    return any(each.question.details[:1] == (subnet,) for each in others)


def _make_subnet(
    wanted: SubnetSpec, seen: SubnetSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    act = PutSubnet(
        wanted.network,
        wanted.environment,
        wanted.subnet,
        wanted.interface,
        wanted.pools,
        wanted.options,
        wanted.lease_seconds,
        wanted.next_server,
        wanted.boot_file,
        wanted.names,
    )
    return (act,)


def _drop_subnet(seen: SubnetSpec) -> tuple[Act, ...]:
    return (RemoveSubnet(seen.network, seen.subnet),) if seen.is_made else ()


def _subnet_note(wanted: SubnetSpec, seen: SubnetSpec | None) -> str:
    del wanted
    return MADE if seen is None or seen.is_made else ""


def _reservations_question(spec: ReservationsSpec) -> Question:
    details = (spec.network, spec.subnet, spec.environment)
    return Question("reservations", f"{spec.network}.{spec.environment}", details)


def _read_reservations(
    host: str, question: Question, facts: Facts, mark: Mark | None
) -> ReservationsSpec | None:
    del mark
    fact = facts.answers[question]
    network, subnet, environment = question.details
    inside = (Address("subnet", name_of(network), host),)
    nothing = ReservationsSpec(
        host, network, environment, subnet, is_served=False, is_persisted=False, after=inside
    )
    if fact is None:
        return nothing
    if not isinstance(fact, ReservationsFact):
        return None
    return replace(
        nothing,
        entries=fact.entries,
        is_served=fact.is_served,
        is_persisted=fact.is_persisted,
    )


def _make_reservations(
    wanted: ReservationsSpec, seen: ReservationsSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    return (PutReservations(wanted.network, wanted.subnet, wanted.environment, wanted.entries),)


def _drop_reservations(seen: ReservationsSpec) -> tuple[Act, ...]:
    return (PutReservations(seen.network, seen.subnet, seen.environment, ()),)


SUBNET = BaseKind(
    "subnet",
    SubnetSpec,
    _subnet_question,
    _read_subnet,
    _make_subnet,
    _drop_subnet,
    note=_subnet_note,
    is_new=is_missing,
)
RESERVATIONS = BaseKind(
    "reservations",
    ReservationsSpec,
    _reservations_question,
    _read_reservations,
    _make_reservations,
    _drop_reservations,
)
