"""Patches and stacks: from what stands in the files to one complete document each.

Precedence, from lowest to highest: the farm's defaults, the stack chain from its root, the
document, the environment's patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from reconciler.config.documents import Host, HostDefaults, MachineDefaults, VirtualMachine
from reconciler.config.merge import ABSENT, Located, only, overlay
from reconciler.config.names import Names, unknown
from reconciler.config.parse import shown
from reconciler.model.position import Position, Problem

Key = tuple[str, str]
Layers = tuple[Located, ...]
ENVIRONMENTS = "environments"
LONGEST_CHAIN = 16
MOST_INHERITED = 1000  # values; each machine has them once more in memory
MOST_OF_HOSTS = 10_000  # the same for a host, of which there are few
MOST_OF_HOSTS_IN_ALL = 2_000_000
_FARM, _STACK = "Farm", "Stack"


@dataclass(frozen=True, slots=True)
class _Family:
    """Those of a kind inherit the fields `given`: from the farm's `key`, and from stacks."""

    key: str
    given: frozenset[str]


_FAMILIES: Mapping[str, _Family] = {
    VirtualMachine.__name__: _Family("defaults", frozenset(MachineDefaults.model_fields)),
    Host.__name__: _Family("host_defaults", frozenset(HostDefaults.model_fields)),
}
HEIRS = frozenset(_FAMILIES)


@dataclass(frozen=True, slots=True)
class Level:
    """Documents of one level: the shared ones, or those of one environment."""

    documents: Mapping[Key, Located]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every document as it counts. `incomplete` lack what a stack that is not there would give."""

    documents: Mapping[Key, Located]
    incomplete: frozenset[Key]


def level_of(documents: Iterable[tuple[Key, Located]], problems: list[Problem]) -> Level:
    """Index a level; two documents of one kind and name are a problem."""
    level: dict[Key, Located] = {}
    for key, located in documents:
        if key in level:
            what = f"{_called(key)} is there twice, first at {level[key].position()}"
            problems.append(Problem(located.position(), what, "rename or remove one of them"))
        else:
            level[key] = located
    return Level(level)


def patched(shared: Level, own: Level, problems: list[Problem]) -> dict[Key, Layers]:
    """The shared documents, each with the environment's patch on it, and the environment's own.

    A patch that says `absent: true` leaves the shared document out of the environment.
    """
    problems += (
        _misused_absent(key, located, shared)
        for level in (shared, own)
        for key, located in level.documents.items()
        if ABSENT in located.value and not _is_left_out(key, located, shared, own)
    )
    result: dict[Key, Layers] = {}
    for key, located in (*shared.documents.items(), *own.documents.items()):
        if located.value.get(ABSENT) is True:
            result.pop(key, None)
        else:
            keys = located.value.keys()
            present = only(located, keys - {ABSENT}) if ABSENT in keys else located
            result[key] = (*result.get(key, ()), present)
    return result


def completed(documents: Mapping[Key, Layers], names: Names, problems: list[Problem]) -> Resolved:
    """Every document in one piece; heirs and stacks with what stacks and the farm give them."""
    stacks = {name: layers for (kind, name), layers in documents.items() if kind == _STACK}
    too_large: set[str] = set()
    grounds: dict[str, dict[str, Located]] = {}
    for heirs, family in _FAMILIES.items():
        grounds[heirs] = _grounds(_ground(documents, family), stacks, family.given)
        too_large |= set(_drop_large(heirs, grounds[heirs], documents, problems))
    grounds[_STACK] = {
        name: _both([each[name] for each in grounds.values()]) for name in ("", *stacks)
    }
    result: dict[Key, Located] = {}
    incomplete: set[Key] = set()
    for key, layers in documents.items():
        kind, name = key
        if kind == _STACK:
            parent = _last(layers, "inherits")
            problems += _chain_problems(name, stacks, names)
        elif kind in HEIRS:
            parent = _last(layers, "stack")
            problems += _unknown(_position(layers, "stack"), parent, names)
        else:
            result[key] = reduce(overlay, layers)
            continue
        if isinstance(parent, str) and (parent not in stacks or parent in too_large):
            incomplete.add(key)
        known = grounds[kind]
        result[key] = _on(known.get(parent if isinstance(parent, str) else "", known[""]), layers)
    return Resolved(result, frozenset(incomplete))


def _both(grounds: Iterable[Located]) -> Located:
    """What is given to machines and to hosts, which is never the same field."""
    value: dict[str, Any] = {}
    marks: dict[tuple[str, ...], Position] = {}
    for each in grounds:
        value |= each.value
        marks |= each.marks
    return Located(value, marks)


def _ground(documents: Mapping[Key, Layers], family: _Family) -> Located:
    """What the farm gives every heir."""
    farms = (reduce(overlay, layers) for (kind, _), layers in documents.items() if kind == _FARM)
    farm = next(farms, Located({}, {}))
    defaults = farm.value.get(family.key)
    if not isinstance(defaults, dict):
        return Located({}, {})
    marks = {path[1:]: mark for path, mark in farm.marks.items() if path[:1] == (family.key,)}
    return only(Located(defaults, marks), family.given)


def _grounds(
    ground: Located, stacks: Mapping[str, Layers], given: frozenset[str]
) -> dict[str, Located]:
    """What each stack gives whoever is built on it; under the empty name, what the farm gives."""
    grounds = {"": ground}
    for name in stacks:
        base = ground
        for each in reversed(list(_ancestry(name, stacks))):
            if each not in grounds:
                layers = [only(layer, given) for layer in stacks[each]]
                grounds[each] = reduce(overlay, layers, base)
            base = grounds[each]
    return grounds


def _drop_large(
    heirs: str,
    grounds: dict[str, Located],
    documents: Mapping[Key, Layers],
    problems: list[Problem],
) -> Iterator[str]:
    """Empty what would fill our memory if all heirs had it; give the stacks' names."""
    most, heir = MOST_INHERITED, "machine"
    if heirs == Host.__name__:
        hosts = sum(kind == heirs for kind, _ in documents)
        most = max(MOST_INHERITED, min(MOST_OF_HOSTS, MOST_OF_HOSTS_IN_ALL // max(hosts, 1)))
        heir = "host"
    for name, ground in grounds.items():
        if (count := len(ground.marks)) > most:
            whose = f"stack {shown(name)} gives" if name else "the defaults of the farm give"
            what = f"{whose} each {heir} {count} values, {most} may be"
            layers = documents.get((_STACK, name))
            position = layers[0].position() if layers else ground.position()
            problems.append(Problem(position, what, f"move some into the {heir}s"))
            grounds[name] = Located({}, {})
            yield name


def _on(ground: Located, layers: Layers) -> Located:
    """The layers on the ground; the whole begins where the document does."""
    complete = reduce(overlay, layers, ground)
    return Located(complete.value, {**complete.marks, (): layers[0].position()})


def _ancestry(name: str, stacks: Mapping[str, Layers]) -> Iterator[str]:
    """The stack and what it is built on, until there is no more, or it comes round."""
    seen: set[str] = set()
    current: Any = name
    while isinstance(current, str) and current in stacks and current not in seen:
        if len(seen) > LONGEST_CHAIN:
            return
        seen.add(current)
        yield current
        current = _last(stacks[current], "inherits")


def _chain_problems(name: str, stacks: Mapping[str, Layers], names: Names) -> Iterator[Problem]:
    position = _position(stacks[name], "inherits")
    parent = _last(stacks[name], "inherits")
    yield from _unknown(position, parent, names)
    path = list(_ancestry(name, stacks))
    if _last(stacks[path[-1]], "inherits") == name:
        circle = " -> ".join(map(shown, [*path, name]))
        yield Problem(position, f"stacks inherit in a circle: {circle}", "break it")
    elif len(path) > LONGEST_CHAIN:
        what = f"stack {shown(name)} is built on more than {LONGEST_CHAIN} others"
        yield Problem(position, what, "inherit over fewer levels")


def _unknown(position: Position, name: Any, names: Names) -> Iterator[Problem]:
    if isinstance(name, str) and names.lack(_STACK, name):
        yield unknown(position, "stack", name, names.of(_STACK))


def _last(layers: Layers, key: str) -> Any:
    """What the uppermost layer that speaks of it says."""
    return next((layer.value[key] for layer in reversed(layers) if key in layer.value), None)


def _position(layers: Layers, key: str) -> Position:
    layer = next((layer for layer in reversed(layers) if key in layer.value), layers[0])
    return layer.position((key,))


def _called(key: Key) -> str:
    return f"{key[0]} {shown(key[1])}"


def _is_left_out(key: Key, located: Located, shared: Level, own: Level) -> bool:
    is_patch = key in shared.documents and own.documents.get(key) is located
    return is_patch and located.value[ABSENT] is True


def _misused_absent(key: Key, located: Located, shared: Level) -> Problem:
    position = located.position((ABSENT,))
    if shared.documents.get(key) is located:
        what = f"{_called(key)} is shared by all environments and cannot be absent from all"
        return Problem(position, what, f"write it into a patch below {ENVIRONMENTS}/, or remove it")
    if located.value[ABSENT] is True:
        what = f"there is no shared {_called(key)} that this environment could leave out"
        return Problem(position, what, "remove this document")
    return Problem(position, "absent must be true", "remove the key, or write `absent: true`")
