"""Bridges, VLANs and bonds: made by `ip` at once, and by files at each boot.

The kernel is brought to what is wanted first, whether a tool for the boot runs or not; one that
runs is then told of its new files, and finds all as they say.
"""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.act_interfaces import (
    drop_routes,
    interfaces_now,
    set_interface,
)
from reconciler.drivers.ssh.onhost.boot_files import (
    expect_tool,
    put_files,
    refuse_earlier,
    refuse_others,
    tell_tools,
)
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.interfaces import Interfaces, ends_of, on_top_of
from reconciler.drivers.ssh.onhost.state import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Route = Mapping[str, str]

MONITOR_MILLISECONDS = 100  # how often a bond looks whether its members have a carrier
_MASTERS = ("bridge", "bond", "switch")


class Wanted:
    """What an interface is to be made of: a VLAN of its parent, a bond of its members."""

    __slots__ = ("mode", "name", "parent", "ports", "type", "vlan")

    def __init__(
        self, name: str, kind: str, ports: Sequence[str], own: tuple[str | None, int | None, str]
    ) -> None:
        """`own` are the parent and the number of a VLAN, and the mode of a bond."""
        self.name = name
        self.type = kind
        self.ports = tuple(ports)
        self.parent, self.vlan, self.mode = own

    def words(self) -> tuple[str, ...]:
        """What `ip link add` is told."""
        if self.type == "vlan":
            start = ("link", self.parent or "", "name", self.name)
            return (*start, "type", "vlan", "id", str(self.vlan))
        if self.type == "bond":
            more = ("mode", self.mode, "miimon", str(MONITOR_MILLISECONDS))
            return ("name", self.name, "type", "bond", *more)
        return ("name", self.name, "type", "bridge")


def put_interface(  # noqa: PLR0913 (the fields of the act)
    batch: Batch,
    *,
    name: str,
    type: str,  # noqa: A002 (the field of the act)
    files: Sequence[Mapping[str, str]],
    ports: Sequence[str] = (),
    parent: str | None = None,
    vlan: int | None = None,
    mode: str | None = None,
    former_files: Sequence[str] = (),
    former_ports: Sequence[str] = (),
    **has: Any,
) -> None:
    """Make a bridge, a VLAN or a bond, or set it right, now and at each boot.

    What it `has` is as `set_interface` says.

    Raises:
        Refused: a part of it is not there or belongs to something else, another thing has its
            name, or is set up by others; nothing was done. Or the kernel does not do it.
    """
    wanted = Wanted(name, type, ports, (parent, vlan, mode or ""))
    interfaces = interfaces_now(batch)
    _refuse(batch, interfaces, wanted)
    expect_tool(batch, files)
    refuse_others(batch, name)
    for port in ports:
        refuse_earlier(batch, files, port)
    changed = put_files(batch, files, former_files)
    _make(batch, interfaces, wanted)
    _plug_in(batch, wanted)
    set_interface(batch, name, movable=ports, **has)
    tell_tools(batch, changed, (name, *ports))
    # Not before: a tool that runs, and still has its old files in mind, plugs them in again.
    _plug_out(batch, name, former_ports)


def remove_interface(
    batch: Batch,
    *,
    name: str,
    type: str,  # noqa: A002 (the field of the act)
    files: Sequence[str],
    routes: Sequence[Route] = (),
    keeps: bool = False,
) -> None:
    """Take an interface away, now and at each boot; with `keeps` only what we added to it.

    Raises:
        Refused: guests or containers are plugged into it, something lies on it, or it is another
            thing by now.
    """
    interfaces = interfaces_now(batch)
    is_there = name in interfaces.links and not keeps
    if is_there:
        _refuse_type(interfaces, name, type)
        _refuse_ends(interfaces, name)
    drop_routes(batch, name, routes)
    ports = interfaces.plugged(name) if is_there else []
    if is_there:
        _ip(batch, f"remove {type} {name}", "link", "delete", "dev", name, "type", type)
    for port in ports:  # a bond leaves its members down
        _ip(batch, f"set {port} up", "link", "set", "dev", port, "up")
    tell_tools(batch, put_files(batch, (), files), ())


def _refuse(batch: Batch, interfaces: Interfaces, wanted: Wanted) -> None:
    """All reasons why it cannot be made, at once."""
    if wanted.name in interfaces.links:
        _refuse_type(interfaces, wanted.name, wanted.type)
        if not _is_like(interfaces, wanted):  # and so made anew; what is ours comes back
            known = {each for _, each in marks(batch)}
            lost = on_top_of(interfaces, wanted.name)
            _refuse_loss(wanted.name, [each for each in lost if each not in known])
    parts = [*wanted.ports, *([wanted.parent] if wanted.parent else [])]
    missing = [part for part in parts if part not in interfaces.links]
    reasons = [f"there is no interface {part} here" for part in missing]
    ours = {each for kind, each in marks(batch) if kind in _MASTERS}
    for port in wanted.ports:
        master = None if port in missing else interfaces.master(port)
        if master not in {None, wanted.name} and master not in ours:
            reasons.append(f"{port} is plugged into {master}, which is not ours to change")
    if reasons:
        raise Refused(f"{'; '.join(reasons)}: change the document, or the host by hand")


def _refuse_type(interfaces: Interfaces, name: str, kind: str) -> None:
    there = interfaces.kind(name)
    if there != kind:
        what = f"{name} is there, and is no {kind} ({there})"
        raise Refused(f"{what}: rename or remove it by hand, or change the document")


def _refuse_ends(interfaces: Interfaces, name: str) -> None:
    ends = list(ends_of(interfaces, name))
    if ends:
        what = f"guests or containers are plugged into {name} ({', '.join(ends)})"
        raise Refused(f"{what}: stop or move them first")
    _refuse_loss(name, on_top_of(interfaces, name))


def _refuse_loss(name: str, lost: Sequence[str]) -> None:
    """The kernel asks nobody: what is made of an interface goes with it."""
    if lost:
        what = f"{', '.join(lost)} would go with {name}"
        raise Refused(f"{what}: remove what is not needed by hand, or stop the guest")


def _make(batch: Batch, interfaces: Interfaces, wanted: Wanted) -> None:
    """Make it; one that is made of something else is made anew, in the same place."""
    name, master = wanted.name, None
    if name in interfaces.links:
        if _is_like(interfaces, wanted):
            return
        master = interfaces.master(name)
        _ip(batch, f"remove {name}", "link", "delete", "dev", name, "type", wanted.type)
    _ip(batch, f"make {wanted.type} {name}", "link", "add", *wanted.words())
    if master:
        _ip(batch, f"plug {name} into {master}", "link", "set", "dev", name, "master", master)


def _is_like(interfaces: Interfaces, wanted: Wanted) -> bool:
    data = interfaces.data(wanted.name)
    if wanted.type == "vlan":
        parent = interfaces.links[wanted.name].get("link")
        return (parent, data.get("id")) == (wanted.parent, wanted.vlan)
    return wanted.type != "bond" or data.get("mode") == wanted.mode


def _plug_in(batch: Batch, wanted: Wanted) -> None:
    interfaces = interfaces_now(batch)
    for port in wanted.ports:
        if interfaces.master(port) != wanted.name:
            if wanted.type == "bond":  # takes only members that are down
                _ip(batch, f"set {port} down", "link", "set", "dev", port, "down")
            words = ("link", "set", "dev", port, "master", wanted.name)
            _ip(batch, f"plug {port} into {wanted.name}", *words)
        _ip(batch, f"set {port} up", "link", "set", "dev", port, "up")


def _plug_out(batch: Batch, name: str, ports: Sequence[str]) -> None:
    interfaces = interfaces_now(batch)
    for port in ports:
        if port in interfaces.links and interfaces.master(port) == name:
            _ip(batch, f"plug {port} out", "link", "set", "dev", port, "nomaster")
            _ip(batch, f"set {port} up", "link", "set", "dev", port, "up")


def _ip(batch: Batch, what: str, *words: str) -> None:
    batch.must("ip", *words, what=what, seconds=30)
