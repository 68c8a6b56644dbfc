"""The DHCP server of a simulated host, as functions from base to base.

What it does now and what its file says are kept apart; when it starts it reads the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base.state import Base, Reserved, Subnet
from reconciler.drivers.ssh.onhost.dhcp_sound import unsound_entries, unsound_subnet
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutReservations, PutSubnet, RemoveSubnet
from reconciler.ports.network_facts import Lease, Reservation, ReservationsFact, SubnetFact

PACKAGE = SERVICE = "kea-dhcp4-server"

Subnets = Mapping[str, Subnet]
_NONE: Subnets = {}


def now(base: Base) -> Subnets | None:
    """What the server does now, by subnet; None if it does not run."""
    service = base.services.get(SERVICE)
    if service is None or not service.running:
        return None
    has_read = service.read > base.subnets_changed
    return base.subnets_written if has_read else base.subnets


def put_subnet(base: Base, act: PutSubnet) -> Base:
    """Serve a subnet, or set right how.

    Raises:
        Refused: there is no server or interface, or what goes with it is somebody's.
    """
    _expect_server(base)
    options = [(each.name, each.value) for each in act.options]
    _expect_sound(unsound_subnet({**_fields(act), "options": options}))
    if act.interface not in base.links:
        message = f"Failed to select interface: interface '{act.interface}' doesn't exist"
        raise Refused(message)

    def change(subnets: Subnets) -> Subnets:
        former = [net for net, each in subnets.items() if each.network == act.network]
        for net in former:
            if net != act.subnet:
                _refuse_others(net, subnets[net], ours_too=False)
        kept = {net: each for net, each in subnets.items() if net not in former}
        there = subnets.get(act.subnet)
        return {**kept, act.subnet: _subnet(act, there.reservations if there else {})}

    return _changed(base, change)


def remove_subnet(base: Base, act: RemoveSubnet) -> Base:
    """Serve a subnet no more.

    Raises:
        Refused: somebody has reservations in it.
    """

    def change(subnets: Subnets) -> Subnets:
        known = subnets.get(act.subnet)
        if known is None or known.network != act.network:
            return subnets
        _refuse_others(act.subnet, known, ours_too=True)
        return {net: each for net, each in subnets.items() if net != act.subnet}

    return _changed(base, change) if PACKAGE in base.packages else base


def put_reservations(base: Base, act: PutReservations) -> Base:
    """Make just these an environment's reservations in a subnet.

    Raises:
        Refused: the server does not serve it, or an address is somebody else's.
    """
    if not act.entries and PACKAGE not in base.packages:
        return base
    _expect_server(base)
    _expect_sound(unsound_entries(_fields(each) for each in act.entries))

    def change(subnets: Subnets) -> Subnets:
        known = subnets.get(act.subnet)
        if known is None:
            if act.entries:
                message = f"the server does not serve {act.subnet} of network {act.network} yet"
                raise Refused(message)
            return subnets
        reserved = _reserved(known, act)
        return {**subnets, act.subnet: replace(known, reservations=reserved)}

    return _changed(base, change)


def subnet_fact(base: Base, question: Question) -> SubnetFact | None:
    """What there is of a subnet, or of the one that the network had until now."""
    subnet = question.details[0]
    here, there = (
        _named(subnets, question.name, subnet) for subnets in (now(base), base.subnets_written)
    )
    found = here or there
    if found is None:
        return None
    net, known = found
    return SubnetFact(
        net,
        known.interface,
        known.pools,
        known.options,
        known.lease_seconds,
        known.next_server,
        known.boot_file,
        is_served=here is not None and known.network == question.name,
        is_persisted=_without(there) == _without(found) and known.network == question.name,
        leases=_leases(base, net, known) if here else (),
        names=known.names,
    )


def reservations_fact(base: Base, question: Question) -> ReservationsFact | None:
    """What there is of an environment's reservations."""
    _, subnet, environment = question.details
    here, there = (
        _entries(subnets, subnet, environment) for subnets in (now(base), base.subnets_written)
    )
    entries = here or there
    if not entries:
        return None
    return ReservationsFact(entries, is_served=here == entries, is_persisted=there == entries)


def _changed(base: Base, change: Callable[[Subnets], Subnets]) -> Base:
    """The base with both changed, what it does now and what its file says."""
    served, written = now(base), change(base.subnets_written)
    after = _NONE if served is None else change(served)
    if written == base.subnets_written and after == (served or _NONE):
        return base
    tick = base.tick + 1
    return replace(base, subnets=after, subnets_written=written, subnets_changed=tick, tick=tick)


def _expect_server(base: Base) -> None:
    if PACKAGE not in base.packages:
        message = f"there is no /etc/kea/kea-dhcp4.conf here: declare the package {PACKAGE}"
        raise Refused(message)


def _expect_sound(reasons: Iterable[str]) -> None:
    if told := "; ".join(reasons):
        raise Refused(told)


def _fields(thing: PutSubnet | Reservation) -> dict[str, Any]:
    return {each.name: getattr(thing, each.name) for each in fields(thing)}


def _subnet(act: PutSubnet, reservations: Mapping[str, Reserved]) -> Subnet:
    return Subnet(
        act.interface,
        act.pools,
        act.options,
        act.lease_seconds,
        act.next_server,
        act.boot_file,
        act.network,
        act.names,
        reservations,
    )


def _refuse_others(net: str, known: Subnet, *, ours_too: bool) -> None:
    for mac, each in sorted(known.reservations.items()):
        if ours_too or not each.environment:
            whose = each.environment or "nobody that we know"
            message = f"subnet {net} holds the reservation {each.address or mac} of {whose}"
            raise Refused(message)


def _reserved(known: Subnet, act: PutReservations) -> dict[str, Reserved]:
    kept = {
        mac: each for mac, each in known.reservations.items() if each.environment != act.environment
    }
    for wanted in act.entries:
        for mac, each in list(kept.items()):
            is_same = not each.environment and (mac, each.address) == (wanted.mac, wanted.address)
            if is_same:
                del kept[mac]
            elif mac == wanted.mac or (wanted.address and each.address == wanted.address):
                whose = f"environment {each.environment}" if each.environment else "somebody"
                message = f"{wanted.address or wanted.mac} cannot be reserved: {whose} has done so"
                raise Refused(message)
    ours = {
        each.mac: Reserved(each.address, each.hostname, act.environment) for each in act.entries
    }
    return {**kept, **ours}


def _named(subnets: Subnets | None, network: str, subnet: str) -> tuple[str, Subnet] | None:
    for net, each in (subnets or _NONE).items():
        if net == subnet:
            return net, each
    for net, each in (subnets or _NONE).items():
        if each.network == network:
            return net, each
    return None


def _without(found: tuple[str, Subnet] | None) -> tuple[str, Subnet] | None:
    """A subnet without what is reserved in it."""
    return None if found is None else (found[0], replace(found[1], reservations={}))


def _entries(subnets: Subnets | None, subnet: str, environment: str) -> tuple[Reservation, ...]:
    known = (subnets or _NONE).get(subnet)
    reserved = known.reservations.items() if known else ()
    return tuple(
        sorted(
            Reservation(mac, each.address, each.hostname)
            for mac, each in reserved
            if each.environment == environment
        )
    )


def _leases(base: Base, net: str, known: Subnet) -> tuple[Lease, ...]:
    given = ((address, mac) for address, (mac, subnet) in base.leases.items() if subnet == net)
    return tuple(
        Lease(mac, address) for address, mac in sorted(given) if mac not in known.reservations
    )
