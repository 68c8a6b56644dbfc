"""Interfaces of a simulated host, as functions from base to base, and what it answers of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base import files
from reconciler.drivers.simulated.base.state import Base, File, Link
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutInterface, RemoveInterface
from reconciler.ports.network_facts import LinkFact, Route, TextFile

GUESTS = frozenset({"tun"})  # types of interfaces that are ends of guests
_LASTING = frozenset({"ether", "switch"})  # types of those that are there after a boot anyway
_MASTERS = frozenset({"bridge", "bond", "switch"})


def link_fact(base: Base, question: Question) -> LinkFact | None:
    """What is told of an interface; all that is asked by one name is told together."""
    name, asked = question.name, _asked(base, question)
    found = tuple(files_there(base, (each for each in asked if each.startswith("/"))))
    lost = sorted(to for to in base.blackholes if to in asked)
    blackholes = tuple(Route(to, type="blackhole") for to in lost)
    link = base.links.get(name)
    if link is None:
        is_left = bool(found or blackholes)
        return LinkFact("", is_up=False, routes=blackholes, files=found) if is_left else None
    return LinkFact(
        link.type,
        tuple(port for port in plugged(base, name) if port in asked or not is_end(base, port)),
        link.parent,
        link.vlan,
        link.mode,
        link.mtu,
        link.is_up,
        tuple(sorted(link.addresses)),
        tuple(sorted((*link.routes, *blackholes))),
        found,
    )


def files_there(base: Base, paths: Iterable[str]) -> Iterable[TextFile]:
    """Those of these files that are there, sorted by path."""
    for path in sorted(set(paths)):
        file = base.files.get(path)
        if file is not None and file.type == "file":
            yield TextFile(path, file.content)


def plugged(base: Base, name: str) -> tuple[str, ...]:
    """All that is plugged into an interface."""
    return tuple(sorted(port for port, link in base.links.items() if link.master == name))


def is_end(base: Base, port: str) -> bool:
    """Whether it is the end of a guest."""
    return base.links[port].type in GUESTS


def put_interface(base: Base, act: PutInterface) -> Base:
    """Make it, or set it right.

    Raises:
        Refused: a part of it is not there or belongs to something else, or another thing has its
            name.
    """
    _refuse(base, act)
    base = put_files(base, act.files, act.former_files)
    known = base.links.get(act.name, Link(act.type))
    after = replace(
        known,
        parent=act.parent,
        vlan=act.vlan,
        mode=act.mode,
        mtu=act.mtu or known.mtu,
        is_up=True,
        addresses=known.addresses if act.addresses is None else act.addresses,
        routes=_kept(act, known.routes),
    )
    links = {**base.links, act.name: after, **_ports(base, act)}
    lost = {route.to for route in act.former_routes if route.type == "blackhole"}
    dropped = {route.to for route in act.routes if route.type == "blackhole"}
    blackholes = tuple(sorted((set(base.blackholes) - lost) | dropped))
    if (links, blackholes) == (base.links, base.blackholes):
        return base
    return replace(base, links=links, blackholes=blackholes)


def remove_interface(base: Base, act: RemoveInterface) -> Base:
    """Take it away; its ports stay.

    Raises:
        Refused: guests are plugged into it, something lies on it, or it is another thing by now.
    """
    known = base.links.get(act.name)
    if known is not None and not act.keeps:
        _refuse_other(base, act.name, act.type)
        if ends := [port for port in plugged(base, act.name) if is_end(base, port)]:
            message = f"guests or containers are plugged into {act.name} ({', '.join(ends)})"
            raise Refused(message)
        if above := sorted(name for name, each in base.links.items() if each.parent == act.name):
            message = f"{', '.join(above)} would go with {act.name}"
            raise Refused(message)
    base = put_files(base, (), act.files)
    links = dict(base.links)
    if known is not None and act.keeps:
        kept = tuple(route for route in known.routes if route not in act.routes)
        links[act.name] = replace(known, routes=kept)
    elif known is not None:
        del links[act.name]
        links |= {port: replace(links[port], master=None) for port in plugged(base, act.name)}
    lost = {route.to for route in act.routes if route.type == "blackhole"}
    blackholes = tuple(to for to in base.blackholes if to not in lost)
    if (links, blackholes) == (base.links, base.blackholes):
        return base
    return replace(base, links=links, blackholes=blackholes)


def put_files(base: Base, wanted: Iterable[TextFile], former: Iterable[str]) -> Base:
    """Files that set interfaces up at boot, with the directories that they are in."""
    # What lies deeper goes first: a file of networkd goes with the last of its drop-ins.
    for path in sorted(former, key=lambda each: (-each.count("/"), each)):
        if path in base.files and not files.below(base, f"{path}.d"):
            base = files.written(base, path, None)
    for file in wanted:
        now = base.files.get(file.path)
        if now is None or (now.type, now.content) != ("file", file.content):
            base = files.written(base, file.path, File(content=file.content))
    return base


def as_written_down(base: Base) -> Base:
    """The interfaces after a boot: of those that are made those that a file of ours makes."""
    made = {
        name: link
        for name, link in base.links.items()
        if link.type in _LASTING or any(f"reconciler-{name}" in path for path in base.files)
    }
    links = {
        name: link if link.master in made else replace(link, master=None)
        for name, link in made.items()
    }
    return replace(base, links=links)


def _asked(base: Base, question: Question) -> frozenset[str]:
    """What the mark asks, too: what is not wanted any more is still seen."""
    kept = base.marks.get(f"{question.about} {question.name}")
    return frozenset((*question.details, *(kept.question.details if kept else ())))


def _kept(act: PutInterface, there: Iterable[Route]) -> tuple[Route, ...]:
    wanted = tuple(route for route in act.routes if route.type == "unicast")
    reached = {route.to for route in (*act.routes, *act.former_routes)}
    return tuple(sorted((*(route for route in there if route.to not in reached), *wanted)))


def _ports(base: Base, act: PutInterface) -> Mapping[str, Link]:
    """The ports, plugged in or out; an address that the interface is to have moves to it."""
    changed = {}
    for port in act.former_ports:
        if port in base.links and base.links[port].master == act.name:
            changed[port] = replace(base.links[port], master=None)
    for port in act.ports:
        link = base.links[port]
        kept = tuple(each for each in link.addresses if each not in (act.addresses or ()))
        changed[port] = replace(link, master=act.name, is_up=True, addresses=kept)
    return changed


def _refuse(base: Base, act: PutInterface) -> None:
    _refuse_other(base, act.name, act.type)
    parts = [*act.ports, *([act.parent] if act.parent else [])]
    reasons = [f"there is no interface {part} here" for part in parts if part not in base.links]
    ours = {key.partition(" ")[2] for key in base.marks if key.partition(" ")[0] in _MASTERS}
    for port in set(act.ports) & base.links.keys():
        master = base.links[port].master
        if master in base.switches:  # of which a real kernel says `ovs-system`
            reasons.append(f"{port} is plugged into switch {master}: take it out there first")
        elif master not in {None, act.name} and master not in ours:
            reasons.append(f"{port} is plugged into {master}, which is not ours to change")
    if reasons:
        raise Refused("; ".join(sorted(reasons)))


def _refuse_other(base: Base, name: str, kind: str) -> None:
    known = base.links.get(name)
    if known is not None and known.type != kind:
        message = f"{name} is there, and is no {kind} ({known.type})"
        raise Refused(message)
