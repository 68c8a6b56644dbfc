"""What records must not point at: names that are not there, and aliases where none may stand.

This can be judged only when all records of a zone are known, generated ones, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.config.records import Https, Svcb, absolute, parse, target_of
from reconciler.model.position import Position, Problem
from reconciler.ports.nameserver import RecordSet

Where = Callable[[str, RecordSet], Position]
_ADDRESSES = frozenset({"A", "AAAA"})
_WANT_HOSTS = frozenset({"MX", "NS", "SRV"})  # which no alias may be (RFC 2181 §10.3, RFC 2782)
_BINDINGS = frozenset({"HTTPS", "SVCB"})
_POINT = _WANT_HOSTS | _BINDINGS | {"CNAME"}


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of some zones, absolute. `cuts` are names from which on others answer."""

    origins: frozenset[str]
    names: set[str] = field(default_factory=set)
    addressed: set[str] = field(default_factory=set)
    aliases: dict[str, tuple[str, RecordSet]] = field(default_factory=dict)
    cuts: set[str] = field(default_factory=set)

    def is_ours(self, name: str) -> bool:
        """Whether it is in one of the zones, and nobody else says what is there."""
        while name:
            if name in self.cuts:
                return False
            if name in self.origins:
                return True
            name = name.partition(".")[2]
        return False

    def answering(self, name: str) -> str:
        """The name whose records answer for this one: itself, or a wildcard around it."""
        around = name
        while name not in self.names and around and around not in self.origins:
            around = around.partition(".")[2]
            if f"*.{around}" in self.names:
                return f"*.{around}"
        return name


def target_problems(
    zones: Mapping[str, Sequence[RecordSet]], where: Where, others: Collection[str] = ()
) -> Iterator[Problem]:
    """What is wrong with the targets of all records of some zones of one view.

    `zones` are all record sets by the name of their zone, without the final dot. `where` tells
    where a record of a zone was decided. At and below the names `others`, absolute with the final
    dot, somebody else writes, so that nothing is surely missing there.
    """
    known = _known(zones, others)
    for zone, records in zones.items():
        for record in records:
            if record.type in _POINT:
                yield from _problems(zone, record, known, where)
    yield from _circles(known, where)


def _known(zones: Mapping[str, Sequence[RecordSet]], others: Collection[str]) -> _Known:
    known = _Known(frozenset(f"{zone}." for zone in zones), cuts=set(others))
    for zone, records in zones.items():
        for record in records:
            name = absolute(record.name, zone)
            known.names.add(name)
            if record.type in _ADDRESSES:
                known.addressed.add(name)
            elif record.type == "CNAME":
                known.aliases[name] = (zone, record)
            elif record.type == "NS" and record.name != "@" and name not in known.origins:
                known.cuts.add(name)
    return known


def _problems(zone: str, record: RecordSet, known: _Known, where: Where) -> Iterator[Problem]:
    for value in record.values:
        parsed = parse(record.type, value, zone)
        target = target_of(record.type, parsed)
        if target is None or target in known.addressed:
            continue
        wants_address = record.type in _WANT_HOSTS
        if isinstance(parsed, Svcb | Https):
            wants_address = parsed.priority > 0
        if fault := _fault(zone, record, target, known, wants_address=wants_address):
            what = f"the {record.type} of {absolute(record.name, zone)} points at {target}, {fault}"
            remedy = "write a record of that name, or another name"
            if alias := known.aliases.get(known.answering(target)):
                remedy = f"name the host itself; the CNAME is at {where(*alias)}"
            yield Problem(where(zone, record), what, remedy)


def _fault(
    zone: str, record: RecordSet, target: str, known: _Known, *, wants_address: bool
) -> str | None:
    """What is wrong with a target that has no address."""
    name = known.answering(target)
    if name in known.aliases:
        return "which is an alias" if record.type in _WANT_HOSTS else None
    if record.type == "NS" and record.name != "@" and _is_in(target, absolute(record.name, zone)):
        return "which has no address here; a server inside what it answers for needs one (glue)"
    if not known.is_ours(target):
        return None
    if name not in known.names:
        return "which is not there"
    return "which has no address" if wants_address and name not in known.addressed else None


def _is_in(name: str, parent: str) -> bool:
    return name == parent or name.endswith(f".{parent}")


def _circles(known: _Known, where: Where) -> Iterator[Problem]:
    """Aliases that lead back to themselves, each circle once."""
    told: set[str] = set()
    for start in known.aliases:
        path: list[str] = []
        name = start
        while name in known.aliases and name not in told and name not in path:
            path.append(name)
            name = known.aliases[name][1].values[0]
        if name in path:
            circle = path[path.index(name) :]
            zone, record = known.aliases[circle[-1]]
            what = f"the aliases {' → '.join([*circle, circle[0]])} lead in a circle"
            first = where(*known.aliases[circle[0]])
            remedy = f"point one at a host; the first is at {first}"
            yield Problem(where(zone, record), what, remedy)
        told |= {*path}
