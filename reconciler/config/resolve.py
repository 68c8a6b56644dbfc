"""Patches and stacks: from what stands in the files to one complete document each.

Precedence, from lowest to highest: the farm's defaults, the stack chain from its root, the
document, the environment's patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.config.merge import Located, overlay, without
from reconciler.model.position import Position, Problem

Key = tuple[str, str]
ENVIRONMENTS = "environments"
_NOT_INHERITED = frozenset({"kind", "name", "description", "inherits"})
_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Level:
    """Documents of one level: the shared ones, or those of one environment."""

    documents: Mapping[Key, Located]


def level_of(documents: Iterable[tuple[Key, Located]], problems: list[Problem]) -> Level:
    """Index a level; two documents of one kind and name are a problem."""
    level: dict[Key, Located] = {}
    for key, located in documents:
        if key in level:
            what = f"{key[0]} {key[1]} is there twice, first at {level[key].position()}"
            problems.append(Problem(located.position(), what, "rename or remove one of them"))
        else:
            level[key] = located
    return Level(level)


def patched(shared: Level, own: Level, problems: list[Problem]) -> dict[Key, Located]:
    """The shared documents with the environment's patches, and the environment's own.

    A patch that says `absent: true` leaves the shared document out of the environment.
    """
    result = dict(shared.documents)
    for key, located in own.documents.items():
        absent = located.value.get(_ABSENT)
        if absent is not None and (absent is not True or key not in shared.documents):
            problems.append(_misused_absent(key, located))
        elif absent:
            del result[key]
        elif key in shared.documents:
            result[key] = overlay(shared.documents[key], located)
        else:
            result[key] = located
    for key, located in shared.documents.items():
        if _ABSENT in located.value:
            problems.append(_misused_absent(key, located))
    return result


def completed(documents: Mapping[Key, Located], problems: list[Problem]) -> dict[Key, Located]:
    """Every virtual machine with what its stacks and the farm give it."""
    stacks = {name: located for (kind, name), located in documents.items() if kind == "Stack"}
    farm = next((each for (kind, _), each in documents.items() if kind == "Farm"), None)
    ground = _defaults(farm)
    result = dict(documents)
    for key, located in documents.items():
        if key[0] == "VirtualMachine":
            complete = ground
            for stack in _chain(located, stacks, problems):
                complete = overlay(complete, without(stack, _NOT_INHERITED))
            document = overlay(complete, located)
            marks = {**document.marks, (): located.position()}
            result[key] = Located(document.value, marks)
    for name in stacks:
        _check_chain(name, stacks, problems)
    return result


def _defaults(farm: Located | None) -> Located:
    defaults = farm.value.get("defaults") if farm else None
    if farm is None or not isinstance(defaults, dict):
        return Located({}, {})
    marks = {path[1:]: mark for path, mark in farm.marks.items() if path[:1] == ("defaults",)}
    return Located(defaults, marks)


def _chain(
    machine: Located, stacks: Mapping[str, Located], problems: list[Problem]
) -> list[Located]:
    """The stacks of a machine, the root of the chain first."""
    name = machine.value.get("stack")
    if name is None:
        return []
    if name not in stacks:
        problems.append(_unknown(machine.position(("stack",)), name, stacks))
        return []
    return [stacks[each] for each in reversed(list(_ancestry(str(name), stacks)))]


def _ancestry(name: str, stacks: Mapping[str, Located]) -> Iterator[str]:
    seen: set[str] = set()
    current: object = name
    while isinstance(current, str) and current in stacks and current not in seen:
        seen.add(current)
        yield current
        current = stacks[current].value.get("inherits")


def _check_chain(name: str, stacks: Mapping[str, Located], problems: list[Problem]) -> None:
    parent = stacks[name].value.get("inherits")
    if not isinstance(parent, str):
        return
    position = stacks[name].position(("inherits",))
    if parent not in stacks:
        problems.append(_unknown(position, parent, stacks))
        return
    path = list(_ancestry(name, stacks))
    if stacks[path[-1]].value.get("inherits") == name:
        circle = " -> ".join([*path, name])
        problems.append(Problem(position, f"stacks inherit in a circle: {circle}", "break it"))


def _unknown(position: Position, name: object, stacks: Mapping[str, Located]) -> Problem:
    near = get_close_matches(str(name), stacks, 1)
    remedy = f"did you mean {near[0]}?" if near else "write the stack, or name another"
    return Problem(position, f"there is no stack {name}", remedy)


def _misused_absent(key: Key, located: Located) -> Problem:
    what = f"absent leaves a shared document out of an environment; {key[0]} {key[1]} is none"
    remedy = "write `absent: true` in a patch below environments/, or remove the document"
    return Problem(located.position((_ABSENT,)), what, remedy)
