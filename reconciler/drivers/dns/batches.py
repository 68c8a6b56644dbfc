"""The order in which parts of a large change go to a server, so that no name breaks in between.

All that changes at one name is a unit, which goes in one message. A unit whose new records point at
a name waits until that name is there; a name that loses records waits until what pointed at it
points elsewhere. Units that wait for each other go in one message. So in between, a target resolves
if it did before and will after. What the registry writes (`_reconciler`) goes last, as it came.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from reconciler.config.records import parse, target_of
from reconciler.drivers.refusal import Refused
from reconciler.kinds.zone_registry import REGISTRY, is_mark
from reconciler.ports.nameserver import RecordSet, ZoneUpdate

APEX = "@"
_ADDRESSES = frozenset({"A", "AAAA"})
_POINTING = frozenset({"CNAME", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SRV", "SVCB"})
_Edges = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is at one name before a change and after it."""

    name: str
    before: tuple[RecordSet, ...]
    after: tuple[RecordSet, ...]

    @property
    def is_loss(self) -> bool:
        """Whether it loses a type of records, or becomes an alias of another name."""
        aliases = tuple(record for record in self.before if record.type == "CNAME")
        return bool(_types(self.before) - _types(self.after) or set(aliases) - set(self.after))

    @property
    def is_steady(self) -> bool:
        """Whether it has an address all the time."""
        return bool(_types(self.before) & _types(self.after) & _ADDRESSES)

    @property
    def urgency(self) -> tuple[int, int]:
        """What only comes goes first, what only goes last; parents come before and go after."""
        depth = self.name.count(".")
        if not self.after:
            return 2, -depth
        return int(self.is_loss), depth


@dataclass(frozen=True, slots=True)
class _Ground:
    """What changes in a zone, and whether a name in it, before or after, is a wildcard."""

    zone: str
    units: Mapping[str, Unit]
    has_wildcards: bool


def in_parts(
    update: ZoneUpdate,
    records: Collection[RecordSet],
    size_of: Callable[[str], int],
    room_bytes: int,
) -> tuple[ZoneUpdate, ...]:
    """The update in parts that fit, in the order in which they may go.

    `records` are those of the zone now, `size_of` tells the bytes that the change of a name takes.
    SOA timers go with the last part.

    Raises:
        Refused: names depend on each other, and are too many for one message.
    """
    units = units_of(update, records)
    has_wildcards = any(_is_wildcard(record.name) for record in (*records, *update.put))
    ordered = in_order(units, update.zone, has_wildcards=has_wildcards)
    steps = [*ordered, *([name] for name in _marks(update))]
    packed = list(_packed(steps, size_of, room_bytes)) or [[]]
    last = len(packed) - 1
    return tuple(
        _part(update, frozenset(names), with_timers=number == last)
        for number, names in enumerate(packed)
    )


def units_of(update: ZoneUpdate, records: Iterable[RecordSet]) -> dict[str, Unit]:
    """What changes by name, but for the marks of the registry."""
    names = {name_of(key) for key in update.remove} | {record.name for record in update.put}
    before: dict[str, dict[str, RecordSet]] = defaultdict(dict)
    for record in records:
        if record.name in names:
            before[record.name][record.key] = record
    after = {name: dict(before[name]) for name in names}
    for key in update.remove:
        after[name_of(key)].pop(key, None)
    for record in update.put:
        after[record.name][record.key] = record
    return {
        name: Unit(name, tuple(before[name].values()), tuple(after[name].values()))
        for name in sorted(names)
        if not _is_registry(name)
    }


def in_order(
    units: Mapping[str, Unit], zone: str, *, has_wildcards: bool = False
) -> list[list[str]]:
    """The names in the order in which they may change; those of one list at once."""
    waits = _waits(_Ground(zone, units, has_wildcards))
    groups = _cycles(units, waits)
    group_of = {name: number for number, names in enumerate(groups) for name in names}
    before = [{group_of[each] for name in names for each in waits[name]} for names in groups]
    after: dict[int, list[int]] = defaultdict(list)
    open_waits = []
    for number, needed in enumerate(before):
        needed.discard(number)
        open_waits.append(len(needed))
        for each in needed:
            after[each].append(number)
    ready = [(_urgency(units, names), number) for number, names in enumerate(groups)]
    heap = [entry for entry in ready if not open_waits[entry[1]]]
    heapify(heap)
    ordered = []
    while heap:
        _, number = heappop(heap)
        ordered.append(sorted(groups[number]))
        for each in after[number]:
            open_waits[each] -= 1
            if not open_waits[each]:
                heappush(heap, ready[each])
    return ordered


def _urgency(units: Mapping[str, Unit], names: Iterable[str]) -> tuple[tuple[int, int], str]:
    return max((units[name].urgency, name) for name in names)


def _waits(ground: _Ground) -> _Edges:
    """For each name those that must have changed before."""
    units = ground.units
    waits: _Edges = {name: set() for name in units}
    for unit in units.values():
        _wait_for_targets(ground, unit, waits)
    for name in units:
        if _is_wildcard(name):
            _wait_for_wildcard(units, name, waits)
    for name, needed in waits.items():
        needed.discard(name)
    return waits


def _wait_for_targets(ground: _Ground, unit: Unit, waits: _Edges) -> None:
    """Under wildcards a name may also lose by coming into being, and win by going away."""
    units = ground.units
    old, new = _targets(unit.before, ground.zone), _targets(unit.after, ground.zone)
    for name in _answering(new - old, units):
        if not units[name].is_steady and (units[name].after or ground.has_wildcards):
            waits[unit.name].add(name)
    for name in _answering(old - new, units):
        is_new = ground.has_wildcards and not units[name].before
        if not units[name].is_steady and (units[name].is_loss or is_new):
            waits[name].add(unit.name)


def _wait_for_wildcard(units: Mapping[str, Unit], wildcard: str, waits: _Edges) -> None:
    """What a wildcard answered and gets records of its own has them first, and the reverse."""
    below = wildcard.removeprefix("*")
    unit = units[wildcard]
    for name, other in units.items():
        if name in {wildcard, APEX} or not name.endswith(below):
            continue
        if unit.is_loss and other.after:
            waits[wildcard].add(name)
        if unit.after and not other.after:
            waits[name].add(wildcard)


def _targets(records: Iterable[RecordSet], zone: str) -> set[tuple[str, bool]]:
    """The names inside the zone that these records point at, and whether as an alias."""
    found = set()
    for record in records:
        if record.type not in _POINTING:
            continue
        for value in record.values:
            try:
                target = target_of(record.type, parse(record.type, value)) or ""
            except ValueError:
                continue
            if target == f"{zone}.":
                found.add((APEX, record.type == "CNAME"))
            elif target.endswith(f".{zone}."):
                found.add((target.removesuffix(f".{zone}."), record.type == "CNAME"))
    return found


def _answering(targets: Iterable[tuple[str, bool]], units: Mapping[str, Unit]) -> Iterator[str]:
    """The changing names that may answer for these: themselves, or wildcards above them."""
    for target, _ in targets:
        labels = target.split(".")
        wildcards = (".".join(("*", *labels[n:])) for n in range(1, len(labels)))
        yield from (name for name in (target, *wildcards, "*") if name in units)


def _cycles(names: Iterable[str], waits: _Edges) -> list[list[str]]:
    """The names in groups: those that wait for each other are together (Kosaraju's algorithm)."""
    needed_by: _Edges = defaultdict(set)
    for name, needed in waits.items():
        for each in needed:
            needed_by[each].add(name)
    seen: set[str] = set()
    finished = [each for name in names for each in _reached(name, waits, seen)]
    seen = set()
    groups = [list(_reached(name, needed_by, seen)) for name in reversed(finished)]
    return [group for group in groups if group]


def _reached(start: str, edges: _Edges, seen: set[str]) -> Iterator[str]:
    """What can be reached and was not seen, what is farther away first."""
    if start in seen:
        return
    seen.add(start)
    path = [(start, iter(sorted(edges.get(start, ()))))]
    while path:
        name, rest = path[-1]
        step = next((each for each in rest if each not in seen), None)
        if step is None:
            path.pop()
            yield name
        else:
            seen.add(step)
            path.append((step, iter(sorted(edges.get(step, ())))))


def _packed(
    steps: Iterable[Sequence[str]], size_of: Callable[[str], int], room_bytes: int
) -> Iterator[list[str]]:
    names: list[str] = []
    used = 0
    for step in steps:
        size = sum(map(size_of, step))
        if size > room_bytes:
            shown = ", ".join(step[:5])
            raise Refused(f"{len(step)} names ({shown}, …) must change at once and are too many")
        if names and used + size > room_bytes:
            yield names
            names, used = [], 0
        names += step
        used += size
    if names:
        yield names


def _marks(update: ZoneUpdate) -> list[str]:
    """The names of the registry in the order in which they are put; the last is the very last."""
    gone = [name_of(key) for key in update.remove]
    put = [record.name for record in update.put if is_mark(record)]
    return list(
        dict.fromkeys([name for name in gone if _is_registry(name) and name not in put] + put)
    )


def _part(update: ZoneUpdate, names: frozenset[str], *, with_timers: bool) -> ZoneUpdate:
    return replace(
        update,
        put=tuple(record for record in update.put if record.name in names),
        remove=tuple(key for key in update.remove if name_of(key) in names),
        absent=tuple(key for key in update.absent if name_of(key) in names),
        timers=update.timers if with_timers else None,
    )


def _is_wildcard(name: str) -> bool:
    return name == "*" or name.startswith("*.")


def _is_registry(name: str) -> bool:
    return name == REGISTRY or name.endswith(f".{REGISTRY}")


def _types(records: Iterable[RecordSet]) -> frozenset[str]:
    return frozenset(record.type for record in records)


def name_of(key: str) -> str:
    """The name in a key such as `www/A`; the name may hold a slash itself."""
    return key.rpartition("/")[0]


def type_of(key: str) -> str:
    """The type in a key such as `www/A`."""
    return key.rpartition("/")[2]
