"""Switches of Open vSwitch and the tunnels between them: what is to change, in one transaction.

What others plugged into a switch stays there, and tunnels of others stay as they are.
"""

from __future__ import annotations

import json
import os
from ipaddress import ip_address, ip_interface

from reconciler.drivers.ssh.onhost.act_interfaces import drop_routes, interfaces_now, set_interface
from reconciler.drivers.ssh.onhost.boot_files import (
    expect_tool,
    put_files,
    refuse_earlier,
    refuse_others,
    tell_tools,
)
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.ovs import IPSEC, LISTED, OURS, PEER, VSCTL, switches_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from reconciler.drivers.ssh.onhost.ovs import Port, Switches

    Command = tuple[str, ...]

_ENCRYPTER = "openvswitch-ipsec"


def put_switch(  # noqa: PLR0913 (the fields of the act)
    batch: Batch,
    *,
    name: str,
    datapath: str,
    files: Sequence[Mapping[str, str]] = (),
    ports: Sequence[str] = (),
    mtu: int | None = None,
    addresses: Sequence[str] | None = None,
    routes: Sequence[Mapping[str, str]] = (),
    former_files: Sequence[str] = (),
    former_routes: Sequence[Mapping[str, str]] = (),
) -> None:
    """Make a switch, or set it right, now and at the next boot.

    Raises:
        Refused: a port is not there or somebody else's, another thing has its name, or Open
            vSwitch does not run.
    """
    there = _listed(batch)
    _refuse_other(batch, there, name)
    expect_tool(batch, files)
    refuse_others(batch, name)
    for port in ports:
        refuse_earlier(batch, files, port)
    _refuse_ports(batch, there, name, ports)
    _transact(batch, f"set up switch {name}", switch_commands(there, name, datapath, ports, mtu))
    _refuse_unserved(batch, name, datapath)
    changed = put_files(batch, files, former_files)
    set_interface(
        batch,
        name,
        mtu=None,  # which is Open vSwitch's to set
        addresses=addresses,
        routes=routes,
        former_routes=former_routes,
        movable=ports,
    )
    tell_tools(batch, changed, [name])


def remove_switch(
    batch: Batch,
    *,
    name: str,
    files: Sequence[str] = (),
    routes: Sequence[Mapping[str, str]] = (),
    keeps: bool = False,
) -> None:
    """Take a switch away, or, if it `keeps`, only what we brought to it.

    Raises:
        Refused: a machine or somebody else's port is plugged in, or Open vSwitch does not run.
    """
    there = _listed(batch)
    if name in there.bridges and not keeps:
        _refuse_users(there, name)
    drop_routes(batch, name, routes)
    changed = put_files(batch, (), files)
    if name in there.bridges:
        ours = [each.name for each in _ours(there, name)]
        unmarked = [("remove", "port", port, "external_ids", OURS) for port in ours]
        _transact(batch, f"remove switch {name}", unmarked if keeps else [("del-br", name)])
    tell_tools(batch, changed, [name])


def put_tunnels(
    batch: Batch,
    switch: str,
    ports: Sequence[Mapping[str, Any]],
    ipsec: Sequence[str] = (),
) -> None:
    """Make just these our tunnels of a switch; no ports, no tunnels.

    Raises:
        Refused: there is no such switch, the name of an end is taken, or Open vSwitch cannot.
    """
    there = _listed(batch)
    if switch not in there.bridges:
        if ports:
            raise Refused(f"there is no switch {switch} here")
        return
    _refuse_ends(there, switch, ports)
    _refuse_loops(batch, switch, ports)
    _refuse_clear(batch, ipsec)
    _transact(batch, f"connect {switch}", tunnel_commands(there, switch, ports, ipsec))
    _refuse_flawed(_listed(batch), ports)


def switch_commands(
    there: Switches, name: str, datapath: str, ports: Sequence[str], mtu: int | None
) -> list[Command]:
    """What makes a switch of what is there. Without a controller it switches by itself."""
    new = [] if name in there.bridges else [("add-br", name)]
    gone = [each.name for each in _ours(there, name) if each.name not in ports]
    return [
        *new,
        ("set", "bridge", name, f"datapath_type={datapath}", "fail_mode=standalone"),
        *(("del-port", name, port) for port in gone),
        *(command for port in ports for command in _plug(there, name, port)),
        *([("set", "interface", name, f"mtu_request={mtu}")] if mtu is not None else []),
    ]


def _plug(there: Switches, bridge: str, port: str) -> Iterator[Command]:
    now = there.ports.get(port)
    if now is not None and now.bridge != bridge:
        yield ("del-port", now.bridge, port)
    yield ("--may-exist", "add-port", bridge, port)
    yield ("set", "port", port, f"external_ids:{OURS}=port")


def tunnel_commands(
    there: Switches, switch: str, ports: Sequence[Mapping[str, Any]], ipsec: Sequence[str]
) -> list[Command]:
    """What makes our tunnels of those that are there: first what goes, so that nothing loops."""
    wanted = {port["name"] for port in ports}
    ours = [port for port in there.ports.values() if port.peer]
    gone = [port for port in ours if port.bridge == switch and port.name not in wanted]
    moved = [port for port in ours if port.bridge != switch and port.name in wanted]
    words = zip(IPSEC, ipsec)  # noqa: B905 (`strict` is of Python 3.10)
    settings = [f"other_config:{name}={json.dumps(value)}" for name, value in words]
    return [
        *(("del-port", port.bridge, port.name) for port in sorted([*gone, *moved], key=_name)),
        *([("set", "Open_vSwitch", ".", *settings)] if settings else []),
        *(command for port in ports for command in _end(switch, port)),
    ]


def _end(switch: str, port: Mapping[str, Any]) -> Iterator[Command]:
    """An end that passes nothing on to other ends, and nothing in parts.

    The source address is the kernel's to choose, by the way to the other side.
    """
    name = port["name"]
    options = {"df_default": "true", "remote_ip": port["remote"]}
    if port["tunnel_key"]:
        options["key"] = str(port["tunnel_key"])
    if port["remote_name"]:
        options["remote_name"] = port["remote_name"]
    listed = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(options.items()))
    yield ("--may-exist", "add-port", switch, name)
    yield ("set", "interface", name, f"type={port['type']}", f"options={{{listed}}}")
    yield (
        *("set", "port", name, "protected=true", "tag=[]", "trunks=[]", "vlan_mode=[]"),
        f"external_ids:{PEER}={json.dumps(port['peer'])}",
    )


def _listed(batch: Batch) -> Switches:
    if not batch.has("ovs-vsctl"):
        raise Refused("there is no ovs-vsctl here: declare the package openvswitch-switch")
    return switches_of(batch.must(*LISTED, what="ask Open vSwitch").stdout)


def _transact(batch: Batch, what: str, commands: Sequence[Command]) -> None:
    """All of it or nothing. It ends when the switch has taken it, or says why it has not."""
    words = [word for command in commands for word in ("--", *command)]
    if words:
        batch.must(*VSCTL, *words, what=what)


def _refuse_ports(batch: Batch, there: Switches, bridge: str, ports: Sequence[str]) -> None:
    """All ports that cannot be plugged in, with the reason, at once."""
    found = ((port, _why_not(batch, there, bridge, port)) for port in ports)
    reasons = [f"{port} {why}" for port, why in found if why]
    if reasons:
        raise Refused(f"{'; '.join(reasons)}: nothing was done")


def _why_not(batch: Batch, there: Switches, bridge: str, port: str) -> str:
    now = there.ports.get(port)
    if now is not None:
        is_free = now.bridge == bridge or now.is_ours
        return "" if is_free else f"is plugged into switch {now.bridge}, and not by us"
    place = batch.path(f"/sys/class/net/{port}")
    if not os.path.exists(place):  # noqa: PTH110 (pathlib is slow to import)
        return "is not there"
    try:
        return f"is part of {os.path.basename(os.readlink(place + '/master'))}"  # noqa: PTH115, PTH119
    except FileNotFoundError:
        return ""


def _refuse_other(batch: Batch, there: Switches, name: str) -> None:
    """What has the name already is no bridge of Linux, say: Open vSwitch would not mind, nor work.

    Its own interface it may find again, as after its database was lost.
    """
    if name in there.bridges:
        return
    interfaces = interfaces_now(batch)
    if name in interfaces.links and interfaces.kind(name) != "openvswitch":
        what = f"{name} is there, and is no switch ({interfaces.kind(name)})"
        raise Refused(f"{what}: rename or remove it by hand, or change the document")


def _refuse_unserved(batch: Batch, name: str, datapath: str) -> None:
    """A switch without its interface: the kernel cannot do what it is asked to."""
    if name not in interfaces_now(batch).links:
        port = _listed(batch).ports.get(name)
        error = (port.interface.get("error") if port else None) or "its interface is not there"
        remedy = ": or write `switch_datapath: netdev` for the host" if datapath == "system" else ""
        raise Refused(f"Open vSwitch does not serve {name}: {error}{remedy}")


def _refuse_users(there: Switches, bridge: str) -> None:
    users = [port.name for port in there.of(bridge) if not (port.is_ours or port.peer)]
    if users:
        listed = ", ".join(users)
        raise Refused(f"{listed} is plugged into switch {bridge}: take it out, or shut it down")


def _refuse_ends(there: Switches, switch: str, ports: Sequence[Mapping[str, Any]]) -> None:
    for port in ports:
        now = there.ports.get(port["name"])
        if now is not None and now.bridge != switch and not now.peer:
            raise Refused(f"{now.name} is a port of switch {now.bridge}, and not ours")


def _refuse_loops(batch: Batch, switch: str, ports: Sequence[Mapping[str, Any]]) -> None:
    """A tunnel that runs in itself keeps Open vSwitch from doing anything else."""
    interfaces = interfaces_now(batch)
    addresses = interfaces.addresses(switch) if switch in interfaces.links else []
    for network in (ip_interface(address).network for address in addresses):
        for port in ports:
            if ip_address(port["remote"]) in network:
                where = f"{port['remote']} of {port['peer']} is reached through {switch} itself"
                raise Refused(f"{where}: name another network as the tunnel's underlay")


def _refuse_clear(batch: Batch, ipsec: Sequence[str]) -> None:
    """Without who encrypts, Open vSwitch would send it all in clear."""
    if ipsec and batch.run(["systemctl", "is-active", "--quiet", _ENCRYPTER]).code:
        raise Refused(f"{_ENCRYPTER} does not run here: declare the package and the service")


def _refuse_flawed(there: Switches, ports: Sequence[Mapping[str, Any]]) -> None:
    for port in ports:
        now = there.ports.get(port["name"])
        error = now.interface.get("error") if now else "it is not there"
        if error:
            raise Refused(f"cannot connect with {port['peer']}: {port['name']}: {error}")


def _ours(there: Switches, bridge: str) -> list[Port]:
    return [port for port in there.of(bridge) if port.is_ours and not port.peer]


def _name(port: Port) -> str:
    return port.name
