"""Give every machine a host: where it is, where its document says, or where most memory is free.

This is the simple rule that the farm starts with. Balance, failure domains, affinity, N+1 and the
reasons against each host are the work of the placement capability that replaces it; what calls
`place` stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.kinds.domain import DomainSpec, volume_addresses
from reconciler.kinds.match import match
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.quantity import format_size
from reconciler.model.resource import Applied, Desired, Observed, World
from reconciler.ports.hypervisor import Accelerator


@dataclass(frozen=True, slots=True)
class Room:
    """What a host offers this environment, before anything is on it.

    `share_bytes` and `share_cpus` are the environment's quota on a host of another environment,
    None on its own. `accelerator` is how the host runs guests. `open` is False for a host in
    maintenance. `cpu_model` is what guests get there unless they say otherwise. `lacks` are the
    sorts and names of bridges that networks make on other hosts only.
    """

    host: str
    memory_bytes: int
    pools: frozenset[str]
    accelerator: Accelerator = "kvm"
    share_bytes: int | None = None
    share_cpus: int | None = None
    open: bool = True
    cpu_model: str | None = None
    lacks: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A machine for which there is no host, with the reason and the way out.

    `parts` are its volumes, which share its fate, and the names under which any of them was seen.
    """

    address: Address
    reason: str
    position: Position | None = None
    parts: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Placement:
    """The desired resources with their hosts; machines without one are left out of them."""

    desired: tuple[Desired[Any], ...]
    unplaced: tuple[Unplaced, ...]


def place(
    environment: str,
    desired: Sequence[Desired[Any]],
    rooms: Iterable[Room],
    world: World,
    applied: Mapping[Address, Applied] | None = None,
) -> Placement:
    """Choose hosts. The same input always gives the same choice.

    A machine stays where it or one of its volumes was last seen unless its document names a host.
    One that nobody has seen may be on a host that cannot be looked at, and so belongs there.
    """
    table = _Table.of(environment, rooms, world)
    machines = [want for want in desired if isinstance(want.spec, DomainSpec)]
    found = match(environment, desired, world).found
    known = {want.address: _known_host(want, found, applied or {}) for want in machines}
    growing = {want.address for want in machines if _grows(want, found.get(want.address))}
    hosts: dict[Address, str] = {}
    unplaced: list[Unplaced] = []

    def turn(want: Desired[Any]) -> tuple[int, int, str]:
        return _turn(want, known[want.address], grows=want.address in growing)

    for want in sorted(machines, key=turn):
        chosen = table.choose(want, known[want.address], grows=want.address in growing)
        if isinstance(chosen, Unplaced):
            unplaced.append(replace(chosen, parts=_parts(want, found)))
        else:
            hosts[want.address] = chosen
    return Placement(tuple(_with_hosts(desired, hosts, table.rooms)), tuple(unplaced))


@dataclass(frozen=True)
class _Table:
    """The rooms, and what is taken of them by whoever is already there."""

    rooms: Mapping[str, Room]
    unseen: frozenset[str]
    used: dict[str, int]
    ours: dict[str, int]
    cpus: dict[str, int]

    @classmethod
    def of(cls, environment: str, rooms: Iterable[Room], world: World) -> _Table:
        table = cls({room.host: room for room in rooms}, world.unknown_hosts, {}, {}, {})
        for seen in world.others(environment):
            if isinstance(seen.spec, DomainSpec) and seen.spec.host:
                table.used[seen.spec.host] = (
                    table.used.get(seen.spec.host, 0) + seen.spec.memory_bytes
                )
        return table

    def choose(self, want: Desired[Any], known: str | None, *, grows: bool) -> str | Unplaced:
        """The host of one machine, whose room is then taken."""
        spec: DomainSpec = want.spec
        if known is not None and known not in self.rooms and spec.host is None:
            reason = (
                f"it was last seen on {known}, which offers this environment no room any more; "
                f"bring {known} back, or move the machine by giving it a host"
            )
            return Unplaced(want.address, reason, want.position)
        home = spec.host or known or self._perhaps(spec)
        refusals = {
            host: self._refusal(
                host, spec, comes=host != known and host not in self.unseen, grows=grows
            )
            for host in ([home] if home else sorted(self.rooms))
        }
        fitting = [host for host, refusal in refusals.items() if not refusal]
        if not fitting:
            reasons = "; ".join(refusals.values()) or "there is no host"
            return Unplaced(want.address, reasons, want.position)
        chosen = max(fitting, key=self._merit)
        self._take(chosen, spec)
        return chosen

    def _perhaps(self, spec: DomainSpec) -> str | None:
        """The first host that may already have the machine although nobody saw it."""
        hosts = sorted(self.unseen & self.rooms.keys())
        return next((host for host in hosts if not self._refusal(host, spec, comes=False)), None)

    def _refusal(self, host: str, spec: DomainSpec, *, comes: bool, grows: bool = False) -> str:
        """Why the host cannot have the machine. One that stays as it is needs no room."""
        room = self.rooms.get(host)
        if room is None:
            return f"{host} offers this environment no room"
        missing = sorted({disk.pool for disk in spec.disks} - room.pools)
        if missing:
            return f"{host} has no pool {', '.join(missing)}"
        plugs = {(each.switch, each.bridge) for each in spec.interfaces}
        if lacking := sorted(bridge for _, bridge in plugs & room.lacks):
            return f"{host} is not among the hosts of the network of {', '.join(lacking)}"
        if comes and not room.open:
            return f"{host} is in maintenance"
        return self._shortage(room, spec) if comes or grows else ""

    def _shortage(self, room: Room, spec: DomainSpec) -> str:
        free = self._free(room)
        if free < spec.memory_bytes:
            return f"{room.host} has {format_size(max(free, 0))} of memory left for it"
        taken = self.cpus.get(room.host, 0)
        if room.share_cpus is not None and taken + spec.vcpus > room.share_cpus:
            return f"{room.host} shares {room.share_cpus} cpus, {taken} are taken"
        return ""

    def _free(self, room: Room) -> int:
        ours = self.ours.get(room.host, 0)
        left = room.memory_bytes - self.used.get(room.host, 0) - ours
        return left if room.share_bytes is None else min(left, room.share_bytes - ours)

    def _merit(self, host: str) -> tuple[float, tuple[int, ...]]:
        """The freest, then the first by name."""
        room = self.rooms[host]
        return (self._free(room) / (room.share_bytes or room.memory_bytes or 1), _reverse(host))

    def _take(self, host: str, spec: DomainSpec) -> None:
        self.ours[host] = self.ours.get(host, 0) + spec.memory_bytes
        self.cpus[host] = self.cpus.get(host, 0) + spec.vcpus


def _parts(want: Desired[Any], found: Mapping[Address, Observed[Any]]) -> frozenset[Address]:
    volumes = volume_addresses(want.address.name, want.spec)
    return volumes | {found[each].address for each in (want.address, *volumes) if each in found}


def _known_host(
    want: Desired[Any],
    found: Mapping[Address, Observed[Any]],
    applied: Mapping[Address, Applied],
) -> str | None:
    """Where the machine is: as seen, else as one of its volumes, else as last remembered."""
    volumes = sorted(volume_addresses(want.address.name, want.spec))
    for address in (want.address, *volumes):
        if address in found:
            host: str | None = found[address].spec.host
            return host
    for name in (want.address, want.formerly):
        if name is not None and name in applied:
            return applied[name].host
    return None


def _grows(want: Desired[Any], found: Observed[Any] | None) -> bool:
    """Whether it is there and is to have more of its host than now."""
    if found is None:
        return False
    more_memory: bool = want.spec.memory_bytes > found.spec.memory_bytes
    return more_memory or bool(want.spec.vcpus > found.spec.vcpus)


def _turn(want: Desired[Any], known: str | None, *, grows: bool) -> tuple[int, int, str]:
    """Those that stay as they are come first, then those that grow, the pinned, and the large."""
    stays = known is not None and want.spec.host in {None, known}
    rank = (1 if grows else 0) if stays else 2 if want.spec.host else 3
    return (rank, -want.spec.memory_bytes, want.address.name)


def _reverse(host: str) -> tuple[int, ...]:
    """Sorts names backwards, so that the first name wins a tie of `max`."""
    return tuple(-ord(letter) for letter in host)


def _with_hosts(
    desired: Sequence[Desired[Any]], hosts: Mapping[Address, str], rooms: Mapping[str, Room]
) -> Iterator[Desired[Any]]:
    homes = dict(hosts)
    for want in desired:
        if isinstance(want.spec, DomainSpec) and (home := hosts.get(want.address)):
            homes |= dict.fromkeys(volume_addresses(want.address.name, want.spec), home)
    for want in desired:
        home = homes.get(want.address)
        if isinstance(want.spec, DomainSpec) and home:
            yield replace(want, spec=_at(want.spec, rooms[home]))
        elif isinstance(want.spec, VolumeSpec) and home:
            yield replace(want, spec=replace(want.spec, host=home))
        elif not isinstance(want.spec, DomainSpec | VolumeSpec):
            yield want


def _at(spec: DomainSpec, room: Room) -> DomainSpec:
    """The machine as that host runs it."""
    model = spec.cpu_model or room.cpu_model
    return replace(spec, host=room.host, accelerator=room.accelerator, cpu_model=model)
