"""Libvirt's own networks: seen, made, changed while they run, and given their reservations.

libvirt changes ranges and reservations of a network that runs. For all else it must stop, and then
whoever is plugged in hangs in the air: that waits until nobody is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Interface
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.network_xml import (
    definition_of,
    network_xml,
    range_xml,
    reservation_xml,
    reservations_of,
)
from reconciler.drivers.libvirt_.reading import interface_elements
from reconciler.drivers.libvirt_.xmltext import parse, whole_number
from reconciler.drivers.network_soundness import unsound_reservations
from reconciler.drivers.refusal import Missing, Refused
from reconciler.ports.libvirt_networks import NetworkDefinition, NetworkState, outdated
from reconciler.ports.network_facts import Reservation

STORED = libvirt.VIR_NETWORK_XML_INACTIVE
IN_CONFIG = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
WHILE_IT_RUNS = libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE
_ADD = libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST
_DELETE = libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE
_RESERVATION = libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST
_RANGE = libvirt.VIR_NETWORK_SECTION_IP_DHCP_RANGE
_FIRST = -1  # the first part of the network that fits


def listing(connection: Any) -> Iterator[NetworkState]:
    """Every network that is stored."""
    for network in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_PERSISTENT):
        yield _state(connection, network)


def define(connection: Any, wanted: NetworkDefinition) -> None:
    """Store it, start it, and bring what runs along as far as nobody notices.

    Raises:
        Refused: no host can have such a network.
    """
    network = _find(connection, wanted.name)
    known = network.XMLDesc(STORED) if network is not None else None
    text = network_xml(wanted, known)
    if known is None or definition_of(parse(known)) != definition_of(parse(text)):
        network = connection.networkDefineXML(text)
    if not network.autostart():
        network.setAutostart(1)
    if not network.isActive():
        network.create()
        return
    _bring_along(connection, network)


def remove(connection: Any, name: str) -> None:
    """Stop it and forget it.

    Raises:
        Refused: somebody is plugged in.
    """
    network = _find(connection, name)
    if network is None:
        return
    if network.isActive():
        if users := _users(connection, parse(network.XMLDesc(0))):
            raise Refused(f"{users} interfaces of machines are plugged into network {name}")
        network.destroy()  # libvirt's word for stopping
    network.undefine()


def reserve(connection: Any, name: str, environment: str, entries: tuple[Reservation, ...]) -> None:
    """Make these the reservations of the environment, in what is stored and in what runs.

    Raises:
        Missing: there is no such network.
        Refused: no network can have such reservations.
    """
    if reasons := list(unsound_reservations(entries)):
        raise Refused("; ".join(reasons))
    network = _find(connection, name)
    if network is None:
        raise Missing(f"there is no network {name}")
    for xml, where in _places(network):
        present = reservations_of(parse(network.XMLDesc(xml)))
        gone = outdated(environment, present, entries)
        new = [each for each in entries if each not in set(present) - set(gone)]
        for entry in gone:
            network.update(_DELETE, _RESERVATION, _FIRST, reservation_xml(entry), where)
        for entry in new:
            network.update(_ADD, _RESERVATION, _FIRST, reservation_xml(entry), where)


def _state(connection: Any, network: Any) -> NetworkState:
    stored = parse(network.XMLDesc(STORED))
    definition, reservations = definition_of(stored), reservations_of(stored)
    is_running = bool(network.isActive())
    running = parse(network.XMLDesc(0)) if is_running else stored
    live, kept = definition_of(running), reservations_of(running)
    address = definition.address
    return NetworkState(
        name=definition.name,
        bridge=definition.bridge,
        subnet=str(IPv4Interface(address).network) if address else None,
        definition=definition,
        reservations=reservations,
        running=is_running,
        autostart=bool(network.autostart()),
        users=_users(connection, running, look_closer=live != definition) if is_running else 0,
        live=None if live == definition else live,
        live_reservations=None if kept == reservations else kept,
    )


def _bring_along(connection: Any, network: Any) -> None:
    """Ranges at once; for all else the network stops and starts again if nobody is plugged in."""
    stored, running = parse(network.XMLDesc(STORED)), parse(network.XMLDesc(0))
    wanted, has = definition_of(stored), definition_of(running)
    is_elsewhere = (wanted.address, wanted.lease_seconds) != (has.address, has.lease_seconds)
    if has.ranges != wanted.ranges and not is_elsewhere:
        for text in set(has.ranges) - set(wanted.ranges):
            _update_range(network, _DELETE, text, has.lease_seconds)
        for text in wanted.ranges:
            if text not in has.ranges:
                _update_range(network, _ADD, text, wanted.lease_seconds)
        has = replace(has, ranges=wanted.ranges)
    if has != wanted and not _users(connection, running):
        network.destroy()
        network.create()


def _update_range(network: Any, command: int, text: str, lease_seconds: int | None) -> None:
    network.update(command, _RANGE, _FIRST, range_xml(text, lease_seconds), WHILE_IT_RUNS)


def _places(network: Any) -> Iterable[tuple[int, int]]:
    """What is stored and what runs: how each is read, and how it is changed."""
    yield STORED, IN_CONFIG
    if network.isActive():
        yield 0, WHILE_IT_RUNS


def _users(connection: Any, running: Any, *, look_closer: bool = True) -> int:
    """How many interfaces are plugged in: as libvirt counts them, or else into its bridge by name.

    The latter costs a look at each machine that runs.
    """
    counted = whole_number(running.get("connections", "0"))
    bridge = running.find("bridge")
    if counted or not look_closer or bridge is None:
        return counted
    machines = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    return sum(
        element.find(f"source[@bridge='{bridge.get('name')}']") is not None
        for machine in machines
        for element in interface_elements(parse(machine.XMLDesc(0)))
    )


def _find(connection: Any, name: str) -> Any:
    try:
        return connection.networkLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_NETWORK:
            raise
        return None
