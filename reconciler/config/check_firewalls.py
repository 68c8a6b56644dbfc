"""What firewalls must not say: rules between zones that are not there, forwards to nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from reconciler.config.check_addresses import lacking_machines
from reconciler.config.firewall import Firewall
from reconciler.config.names import Names, unknown
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

SSH = 22
HOST_ZONE, ANY_ZONE = "host", "any"
_WITH_PORTS = ("tcp", "udp")
At = Callable[..., Position]


def firewall_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the firewalls."""
    first: dict[str, str] = {}
    for firewall in documents.firewalls.values():
        at = partial(documents.position, "Firewall", firewall.name)
        yield from served_hosts(documents, "Firewall", firewall.name, firewall.hosts, names)
        for host in firewall.hosts:
            other = first.setdefault(host, firewall.name)
            if other != firewall.name:
                where = documents.position("Firewall", other, "hosts")
                what = f"host {host} has firewall {firewall.name}, and {other} ({where})"
                yield Problem(at("hosts"), what, "a host has one; put the rules into it")
        yield from _doubles(firewall, at)
        yield from _zone_problems(firewall, at, names)
        yield from _rule_problems(firewall, at)
        yield from _masquerade_problems(firewall, at)
        yield from _forward_problems(documents, firewall, at, names)


def served_hosts(
    documents: Documents, kind: str, name: str, hosts: Sequence[str], names: Names
) -> Iterator[Problem]:
    """The hosts of a document that makes something of them: there, ours, and each once."""
    position = documents.position(kind, name, "hosts")
    for host in sorted(set(hosts)):
        known = documents.hosts.get(host)
        if hosts.count(host) > 1:
            yield Problem(position, f"host {host} is there twice", "remove one of them")
        if names.lack("Host", host):
            yield unknown(position, "host", host, names.of("Host"))
        elif known is not None and known.environment != documents.environment:
            what = f"host {host} of {kind} {name} belongs to {known.environment}"
            folder = f"environments/{known.environment}/"
            remedy = f"write the document in {folder}, or name hosts of {documents.environment}"
            yield Problem(position, what, remedy)


def _doubles(firewall: Firewall, at: At) -> Iterator[Problem]:
    for key in ("zones", "rules", "masquerade", "forwards"):
        names = [each.name for each in getattr(firewall, key)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            what = f"firewall {firewall.name} has {name} twice among its {key}"
            yield Problem(at(key, name), what, "rename one of them")


def _zone_problems(firewall: Firewall, at: At, names: Names) -> Iterator[Problem]:
    for zone in firewall.zones:
        position = at("zones", zone.name)
        if zone.name in {HOST_ZONE, ANY_ZONE}:
            yield Problem(position, f"{zone.name} is no name for a zone", "rename it")
        if not (zone.interfaces or zone.networks or zone.sources):
            what = f"zone {zone.name} of firewall {firewall.name} says nothing"
            remedy = f"write its interfaces, networks or sources; all zones are `{ANY_ZONE}`"
            yield Problem(position, what, remedy)
        for network in zone.networks:
            if names.lack("Network", network):
                path = at("zones", zone.name, "networks")
                yield unknown(path, "network", network, names.of("Network"))


def _rule_problems(firewall: Firewall, at: At) -> Iterator[Problem]:
    known = [zone.name for zone in firewall.zones]
    for rule in firewall.rules:
        path = partial(at, "rules", rule.name)
        yield from _zone(path("from"), rule.from_zone, [*known, HOST_ZONE, ANY_ZONE])
        yield from _zone(path("to"), rule.to_zone, [*known, HOST_ZONE, ANY_ZONE])
        if rule.ports and rule.protocol not in _WITH_PORTS:
            said = f"protocol {rule.protocol}" if rule.protocol else "no protocol"
            what = f"rule {rule.name} of firewall {firewall.name} has ports, and {said}"
            yield Problem(path("ports"), what, "write `protocol: tcp` or `udp`, or no ports")


def _masquerade_problems(firewall: Firewall, at: At) -> Iterator[Problem]:
    known = [zone.name for zone in firewall.zones]
    for each in firewall.masquerade:
        path = partial(at, "masquerade", each.name)
        yield from _zone(path("from"), each.from_zone, known)
        yield from _zone(path("to"), each.to_zone, known)
        if each.from_zone == each.to_zone:
            what = f"masquerade {each.name} leads from {each.from_zone} to itself"
            yield Problem(path("to"), what, "name the zone that it goes out to")


def _forward_problems(
    documents: Documents, firewall: Firewall, at: At, names: Names
) -> Iterator[Problem]:
    known = [zone.name for zone in firewall.zones]
    first: dict[tuple[str, int], str] = {}
    for each in firewall.forwards:
        path = partial(at, "forwards", each.name)
        yield from _zone(path("from"), each.from_zone, [*known, ANY_ZONE])
        other = first.setdefault((each.protocol, each.port), each.name)
        if other != each.name:
            what = f"forwards {other} and {each.name} both take {each.protocol} port {each.port}"
            yield Problem(path("port"), what, f"choose another; see {at('forwards', other)}")
        if each.port == SSH:
            what = f"forward {each.name} would take port {SSH}, which is our way to the host"
            yield Problem(path("port"), what, "choose another port of the host")
        if (each.machine is None) == (each.address is None):
            lack = "neither machine nor address" if each.machine is None else "machine and address"
            yield Problem(path(), f"forward {each.name} has {lack}", "write one of them")
        elif each.machine is not None:
            yield from has_address(documents, each.machine, path("machine"), names)


def has_address(
    documents: Documents, machine: str, position: Position, names: Names
) -> Iterator[Problem]:
    """A machine that something is sent to is there, and its address is known."""
    if names.lack("VirtualMachine", machine):
        yield unknown(position, "machine", machine, names.of("VirtualMachine"))
    elif (known := documents.machines.get(machine)) is not None:
        attached = [each for each in known.networks if each.network in documents.networks]
        if not any(each.address for each in attached) and not _is_to_get_one(documents, machine):
            what = f"machine {machine} has no address that it could be reached by"
            yield Problem(position, what, "give it one in a partition for machines")


def _is_to_get_one(documents: Documents, machine: str) -> bool:
    """Whether `allocate` writes one, of which it is told elsewhere."""
    return any(each.name == machine for each, _, _ in lacking_machines(documents))


def _zone(position: Position, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        yield unknown(position, "zone", name, known)
