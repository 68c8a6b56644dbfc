"""Switches of Open vSwitch on a simulated host and their tunnels, as functions from base to base.

A switch's own interface is one of the host's links, of the type `switch`, and so are its ports.
Whether packets go through a tunnel is not simulated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import links, services
from reconciler.drivers.simulated.base.routes import (
    asked_of,
    blackholes_of,
    unicast,
    with_blackholes,
)
from reconciler.drivers.simulated.base.state import Base, Link, OpenSwitch
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutSwitch, PutTunnels, RemoveSwitch
from reconciler.ports.network_facts import SwitchFact, TunnelFact, TunnelPort

SWITCH = "switch"  # the type of a switch's own interface
PACKAGE = "openvswitch-switch"
ENCRYPTER = "openvswitch-ipsec"


def switch_fact(base: Base, question: Question) -> SwitchFact | None:
    """What is told of a switch, or None."""
    name, asked = question.name, asked_of(base, question)
    found = tuple(links.files_there(base, (each for each in asked if each.startswith("/"))))
    known = base.switches.get(name) if _runs(base, PACKAGE) else None
    link = base.links.get(name) if known else None
    blackholes = blackholes_of(base, asked)
    if known is None or link is None:
        is_left = bool(found or blackholes)
        return SwitchFact("", is_up=False, routes=blackholes, files=found) if is_left else None
    return SwitchFact(
        known.datapath,
        tuple(port for port in links.plugged(base, name) if port in known.ours or port in asked),
        link.mtu,
        link.is_up,
        tuple(sorted(link.addresses)),
        tuple(sorted((*link.routes, *blackholes))),
        found,
    )


def tunnel_fact(base: Base, name: str) -> TunnelFact | None:
    """What is told of the tunnels of a switch; None if there is none."""
    known = base.switches.get(name)
    if known is None or not known.ends or not _runs(base, PACKAGE):
        return None
    is_encrypted = any(end.remote_name for end in known.ends)
    return TunnelFact(tuple(sorted(known.ends)), known.ipsec if is_encrypted else ())


def put_switch(base: Base, act: PutSwitch) -> Base:
    """Make it, or set it right.

    Raises:
        Refused: Open vSwitch does not run, a port is not there or somebody else's, or another
            thing has its name.
    """
    _expect(base)
    _refuse_other(base, act.name)
    _refuse_ports(base, act.name, act.ports)
    base = links.put_files(base, act.files, act.former_files)
    known, link = base.switches.get(act.name), base.links.get(act.name, Link(SWITCH))
    gone = [port for port in (known.ours if known else ()) if port not in act.ports]
    after = replace(known or OpenSwitch(), datapath=act.datapath, ours=tuple(sorted(act.ports)))
    addresses = link.addresses if act.addresses is None else act.addresses
    inner = replace(
        link,
        mtu=act.mtu or link.mtu,
        is_up=True,
        addresses=addresses,
        routes=unicast(link.routes, act.routes, act.former_routes),
    )
    changed = {port: replace(base.links[port], master=None) for port in gone if port in base.links}
    for port in act.ports:
        own = tuple(each for each in base.links[port].addresses if each not in addresses)
        changed[port] = replace(base.links[port], master=act.name, is_up=True, addresses=own)
    base = _with(base, act.name, after)
    base = with_blackholes(base, act.routes, act.former_routes)
    return _with_links(base, {**base.links, act.name: inner, **changed})


def remove_switch(base: Base, act: RemoveSwitch) -> Base:
    """Take it away, or only what we brought to it; its ports stay.

    Raises:
        Refused: Open vSwitch does not run, or a guest is plugged in.
    """
    _expect(base)
    known = base.switches.get(act.name)
    users = [port for port in links.plugged(base, act.name) if known and port not in known.ours]
    if users and not act.keeps:
        message = f"{', '.join(users)} is plugged into switch {act.name}"
        raise Refused(message)
    base = links.put_files(base, (), act.files)
    base = with_blackholes(base, (), act.routes)
    if known is None:
        return base
    if act.keeps:
        link = base.links[act.name]
        routes = tuple(route for route in link.routes if route not in act.routes)
        base = _with(base, act.name, replace(known, ours=()))
        return _with_links(base, {**base.links, act.name: replace(link, routes=routes)})
    rest = {name: each for name, each in base.links.items() if name != act.name}
    rest |= {port: replace(rest[port], master=None) for port in known.ours if port in rest}
    return _with_links(_with(base, act.name, None), rest)


def put_tunnels(base: Base, act: PutTunnels) -> Base:
    """Make just these its tunnels.

    Raises:
        Refused: there is no such switch, an end's name is taken, or nobody would encrypt.
    """
    _expect(base)
    known = base.switches.get(act.switch)
    if known is None:
        if act.ports:
            message = f"there is no switch {act.switch} here"
            raise Refused(message)
        return base
    taken = sorted({end.name for end in act.ports} & _names_elsewhere(base, act.switch))
    if taken:
        message = f"{taken[0]} is a port of another switch, and not ours"
        raise Refused(message)
    _refuse_loops(base, act)
    if act.ipsec and not _runs(base, ENCRYPTER):
        message = f"{ENCRYPTER} does not run here: declare the package and the service"
        raise Refused(message)
    return _with(base, act.switch, replace(known, ends=act.ports, ipsec=act.ipsec or known.ipsec))


def with_ends(base: Base, name: str, ends: Iterable[TunnelPort]) -> Base:
    """The base with just these ends on a switch that is there."""
    return _with(base, name, replace(base.switches[name], ends=tuple(ends)))


def _refuse_loops(base: Base, act: PutTunnels) -> None:
    for address in base.links[act.switch].addresses:
        for end in act.ports:
            if ip_address(end.remote) in ip_interface(address).network:
                where = f"{end.remote} of {end.peer} is reached through {act.switch} itself"
                message = f"{where}: name another network as the tunnel's underlay"
                raise Refused(message)


def _names_elsewhere(base: Base, switch: str) -> frozenset[str]:
    return frozenset(name for name, link in base.links.items() if link.master not in {None, switch})


def _with(base: Base, name: str, after: OpenSwitch | None) -> Base:
    if base.switches.get(name) == after:
        return base
    rest = {each: known for each, known in base.switches.items() if each != name}
    return replace(base, switches=rest if after is None else {**rest, name: after})


def _with_links(base: Base, after: Mapping[str, Link]) -> Base:
    return base if base.links == after else replace(base, links=after)


def _runs(base: Base, unit: str) -> bool:
    known = services.named(base, unit)
    return unit in base.packages and known is not None and known.running


def _expect(base: Base) -> None:
    if PACKAGE not in base.packages:
        message = f"there is no ovs-vsctl here: declare the package {PACKAGE}"
        raise Refused(message)
    if not _runs(base, PACKAGE):
        message = "cannot ask Open vSwitch: database connection failed"
        raise Refused(message)


def _refuse_other(base: Base, name: str) -> None:
    known = base.links.get(name)
    if known is not None and known.type != SWITCH:
        message = f"{name} is there, and is no switch ({known.type})"
        raise Refused(message)


def _refuse_ports(base: Base, name: str, ports: Iterable[str]) -> None:
    ours = {port for known in base.switches.values() for port in known.ours}
    reasons = [f"{port} is not there" for port in ports if port not in base.links]
    for port in ports:
        master = base.links[port].master if port in base.links else None
        if master not in {None, name} and port not in ours:
            reasons.append(f"{port} is part of {master}")
    if reasons:
        message = f"{'; '.join(sorted(reasons))}: nothing was done"
        raise Refused(message)
