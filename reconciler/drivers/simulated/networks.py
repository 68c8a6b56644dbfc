"""What a host does with libvirt's own networks, as pure functions from host to host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Interface

from reconciler.drivers.network_soundness import unsound_network, unsound_reservations
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.plugs import plugs
from reconciler.drivers.simulated.state import Host, Network
from reconciler.ports.libvirt_networks import NetworkDefinition, NetworkState, outdated
from reconciler.ports.network_facts import Reservation


def states_of(host: Host) -> Iterator[NetworkState]:
    """Every network as the port shows it, by name."""
    for name, network in sorted(host.networks.items()):
        stored = network.definition
        yield NetworkState(
            name=name,
            bridge=stored.bridge,
            subnet=str(IPv4Interface(stored.address).network) if stored.address else None,
            definition=stored,
            reservations=network.reservations,
            running=network.running,
            autostart=network.autostart,
            users=users_of(host, name),
            live=network.runs_on,
        )


def define(host: Host, wanted: NetworkDefinition) -> Host:
    """Make it the network, and start it.

    Raises:
        Refused: no host can have such a network, or its bridge is another's.
    """
    if reasons := [*unsound_network(wanted), *_clashes(host, wanted)]:
        raise Refused("; ".join(reasons))
    known = host.networks.get(wanted.name)
    if known is None:
        return _with(host, Network(replace(wanted, bridge=wanted.bridge or wanted.name)))
    stored = _merged(known.definition, wanted)
    live = replace(known.runs_on or known.definition, ranges=stored.ranges)
    is_same = live == stored or not known.running or not users_of(host, wanted.name)
    changed = replace(known, definition=stored, running=True, autostart=True)
    return _with(host, replace(changed, runs_on=None if is_same else live))


def remove(host: Host, name: str) -> Host:
    """Stop it and forget it.

    Raises:
        Refused: somebody is plugged in.
    """
    if users := users_of(host, name):
        raise Refused(f"{users} interfaces of machines are plugged into network {name}")
    return replace(host, networks={k: v for k, v in host.networks.items() if k != name})


def reserve(host: Host, name: str, environment: str, entries: tuple[Reservation, ...]) -> Host:
    """Make these the reservations of the environment.

    Raises:
        Missing: there is no such network.
        Refused: an address or a name is reserved for another.
    """
    network = host.networks.get(name)
    if network is None:
        raise Missing(f"there is no network {name}")
    gone = frozenset(outdated(environment, network.reservations, entries))
    after = {*(each for each in network.reservations if each not in gone), *entries}
    if reasons := list(unsound_reservations(after)):
        raise Refused("; ".join(reasons))
    return _with(host, replace(network, reservations=tuple(sorted(after))))


def users_of(host: Host, name: str) -> int:
    """How many interfaces of running machines are plugged into the network or its bridge."""
    network = host.networks.get(name)
    device = network.definition.bridge if network else None
    return sum(
        interface.bridge == (name if interface.switch == "libvirt" else device)
        for domain in host.domains.values()
        if domain.running
        for interface in domain.live.interfaces
    )


def _clashes(host: Host, wanted: NetworkDefinition) -> Iterator[str]:
    device = wanted.bridge or wanted.name
    if wanted.name not in host.networks and device in {*plugs(host), *host.base.links}:
        yield f"there is a bridge {device} already"
    for name, other in host.networks.items():
        if name != wanted.name and other.definition.bridge == device:
            yield f"bridge {device} is that of network {name}"


def _merged(known: NetworkDefinition, wanted: NetworkDefinition) -> NetworkDefinition:
    """What is wanted, and of what that leaves open, what is known. A network keeps its UUID."""
    return replace(
        wanted,
        uuid=known.uuid,
        bridge=wanted.bridge or known.bridge,
        lease_seconds=known.lease_seconds if wanted.lease_seconds is None else wanted.lease_seconds,
        domain=known.domain if wanted.domain is None else wanted.domain,
        mtu=known.mtu if wanted.mtu is None else wanted.mtu,
    )


def _with(host: Host, network: Network) -> Host:
    return replace(host, networks={**host.networks, network.definition.name: network})
