"""Give every machine a host: where it is, where its document says, or where most memory is free.

This is the simple rule that the farm starts with. Balance, failure domains, affinity, N+1 and the
reasons against each host are the work of the placement capability that replaces it; what calls
`place` stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.kinds.domain import DomainKind, DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.quantity import format_size
from reconciler.model.resource import Applied, Desired, Observed, World


@dataclass(frozen=True, slots=True)
class Room:
    """What a host offers this environment, before anything is on it.

    `share_bytes` and `share_cpus` are the environment's quota on a host of another environment, None
    on its own. `open` is False for a host in maintenance.
    """

    host: str
    memory_bytes: int
    pools: frozenset[str]
    share_bytes: int | None = None
    share_cpus: int | None = None
    open: bool = True


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A machine for which there is no host, with the reason and the way out.

    `parts` are its volumes, which share its fate.
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
    """
    table = _Table.of(environment, rooms, world)
    machines = [want for want in desired if isinstance(want.spec, DomainSpec)]
    known = {
        want.address: _known_host(want, world.of(environment), applied or {}) for want in machines
    }
    hosts: dict[Address, str] = {}
    unplaced: list[Unplaced] = []
    for want in sorted(machines, key=lambda want: _turn(want, known[want.address])):
        chosen = table.choose(want, known[want.address])
        if isinstance(chosen, Unplaced):
            unplaced.append(chosen)
        else:
            hosts[want.address] = chosen
    return Placement(tuple(_with_hosts(desired, hosts)), tuple(unplaced))


@dataclass(frozen=True)
class _Table:
    """The rooms, and what is taken of them by whoever is already there."""

    rooms: Mapping[str, Room]
    used: dict[str, int]
    ours: dict[str, int]
    cpus: dict[str, int]

    @classmethod
    def of(cls, environment: str, rooms: Iterable[Room], world: World) -> _Table:
        table = cls({room.host: room for room in rooms}, {}, {}, {})
        for seen in world.others(environment):
            if isinstance(seen.spec, DomainSpec) and seen.spec.host:
                table.used[seen.spec.host] = (
                    table.used.get(seen.spec.host, 0) + seen.spec.memory_bytes
                )
        return table

    def choose(self, want: Desired[Any], known: str | None) -> str | Unplaced:
        """The host of one machine, whose room is then taken."""
        spec: DomainSpec = want.spec
        if known is not None and known not in self.rooms and spec.host is None:
            reason = (
                f"it was last seen on {known}, which offers this environment no room any more; "
                f"bring {known} back, or move the machine by giving it a host"
            )
            return _unplaced(want, reason)
        candidates = [spec.host or known] if spec.host or known else sorted(self.rooms)
        is_new = known is None
        fitting = [host for host in candidates if host and not self._refusal(host, spec, is_new)]
        if not fitting:
            reasons = "; ".join(self._refusal(host, spec, is_new) for host in candidates if host)
            return _unplaced(want, reasons or "there is no host")
        chosen = max(fitting, key=lambda host: (self._free_share(host), _reverse(host)))
        self._take(chosen, spec)
        return chosen

    def _refusal(self, host: str, spec: DomainSpec, is_new: bool) -> str:
        room = self.rooms.get(host)
        if room is None:
            return f"{host} offers this environment no room"
        missing = sorted({disk.pool for disk in spec.disks} - room.pools)
        if missing:
            return f"{host} has no pool {', '.join(missing)}"
        if not is_new:
            return ""
        if not room.open:
            return f"{host} is in maintenance"
        free = self._free(room)
        if free < spec.memory_bytes:
            return f"{host} has {format_size(max(free, 0))} of memory left for it"
        if room.share_cpus is not None and self.cpus.get(host, 0) + spec.vcpus > room.share_cpus:
            return f"{host} shares {room.share_cpus} cpus, {self.cpus.get(host, 0)} are taken"
        return ""

    def _free(self, room: Room) -> int:
        ours = self.ours.get(room.host, 0)
        left = room.memory_bytes - self.used.get(room.host, 0) - ours
        return left if room.share_bytes is None else min(left, room.share_bytes - ours)

    def _free_share(self, host: str) -> float:
        room = self.rooms[host]
        return self._free(room) / (room.share_bytes or room.memory_bytes or 1)

    def _take(self, host: str, spec: DomainSpec) -> None:
        self.ours[host] = self.ours.get(host, 0) + spec.memory_bytes
        self.cpus[host] = self.cpus.get(host, 0) + spec.vcpus


def _unplaced(want: Desired[Any], reason: str) -> Unplaced:
    parts = DomainKind().needs(want.address, want.spec)
    return Unplaced(want.address, reason, want.position, parts)


def _known_host(
    want: Desired[Any],
    seen: Mapping[Address, Observed[Any]],
    applied: Mapping[Address, Applied],
) -> str | None:
    """Where the machine is: as seen, else as one of its volumes, else as last remembered."""
    volumes = sorted(DomainKind().needs(want.address, want.spec))
    for address in (want.address, want.formerly, *volumes):
        if address is not None and address in seen:
            host: str | None = seen[address].spec.host
            return host
    for address in (want.address, want.formerly):
        if address is not None and address in applied:
            return applied[address].host
    return None


def _turn(want: Desired[Any], known: str | None) -> tuple[int, int, str]:
    """Those that have a place come first, then the pinned, then the large."""
    rank = 0 if known else 1 if want.spec.host else 2
    return (rank, -want.spec.memory_bytes, want.address.name)


def _reverse(host: str) -> tuple[int, ...]:
    """Sorts names backwards, so that the first name wins a tie of `max`."""
    return tuple(-ord(letter) for letter in host)


def _with_hosts(
    desired: Sequence[Desired[Any]], hosts: Mapping[Address, str]
) -> list[Desired[Any]]:
    homes = {
        volume: hosts.get(want.address)
        for want in desired
        if isinstance(want.spec, DomainSpec)
        for volume in DomainKind().needs(want.address, want.spec)
    }
    homes |= {
        want.address: hosts.get(want.address)
        for want in desired
        if isinstance(want.spec, DomainSpec)
    }
    placed = []
    for want in desired:
        if not isinstance(want.spec, DomainSpec | VolumeSpec):
            placed.append(want)
        elif home := homes.get(want.address):
            placed.append(replace(want, spec=replace(want.spec, host=home)))
    return placed
