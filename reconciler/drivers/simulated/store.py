"""The simulated farm as `world.yaml`: text for people to read and edit, and for git to keep.

Sizes are written with units (`memory: 2 GiB`), what is as usual is left out, and a name is the key
and not said again.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from io import StringIO
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import SafeRepresenter

from reconciler.drivers.simulated.state import FarmState
from reconciler.errors import SettingsError
from reconciler.model.quantity import format_size, parse_size

Plain = dict[str, Any]
Place = tuple[int | str, ...]
SUFFIX = "_bytes"
SECTIONS = ("hosts", "nameservers")
WIDEST_LINE = 2**20
# What the parser is known to raise on text that is no YAML.
_PARSER_ERRORS = (
    YAMLError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)


class Writer:
    """Writes states of one farm, and again only what changed since the last time."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._written: dict[tuple[str, str], tuple[object, str]] = {}

    def dump(self, state: FarmState) -> str:
        """The farm as YAML text, sorted; `load` gives it back."""
        parts = [self._section(name, getattr(state, name)) for name in SECTIONS]
        rest = FarmState(missing_images=state.missing_images, faults=state.faults)
        if rest != FarmState():
            parts.append(_yaml(_plain_of(rest)))
        return "".join(parts) or "{}\n"

    def _section(self, section: str, items: Mapping[str, object]) -> str:
        if not items:
            return ""
        texts = [self._item(section, name, items[name]) for name in sorted(items)]
        return f"{section}:\n" + textwrap.indent("".join(texts), "  ")

    def _item(self, section: str, name: str, item: object) -> str:
        known = self._written.get((section, name))
        if known is not None and known[0] is item:
            return known[1]
        plain = _plain_of(FarmState(**{section: {name: item}}))  # type: ignore[arg-type]
        text = _yaml(plain[section])
        self._written[section, name] = (item, text)
        return text


def dump(state: FarmState) -> str:
    """The farm as YAML text, sorted; `load` gives it back."""
    return Writer().dump(state)


def load(text: str, file: str = "world.yaml") -> FarmState:
    """The farm that the text describes; an empty text is an empty farm.

    Raises:
        SettingsError: it describes none; every reason is given, with its line.
    """
    plain = _parsed(text, file)
    reasons = [*_enter_sizes(plain), *_enter_names(plain)]
    state = FarmState()
    try:
        state = _adapter().validate_json(orjson.dumps(plain))
    except ValidationError as error:
        reasons += [(tuple(each["loc"]), each["msg"]) for each in error.errors()]
    except TypeError as error:
        reasons.append(((), str(error)))
    if reasons:
        node = YAML(typ="safe").compose(text)
        located = sorted(_located(node, place, why) for place, why in reasons)
        raise SettingsError(file, [text for _, text in located])
    return state


@cache
def _adapter() -> TypeAdapter[FarmState]:
    return TypeAdapter(FarmState)


def _plain_of(state: FarmState) -> Plain:
    plain: Plain = _adapter().dump_python(state, mode="json", exclude_defaults=True)
    for _, parent, key in _sizes(plain):
        if parent.get(key + SUFFIX) is not None:
            parent[key] = format_size(parent.pop(key + SUFFIX))
    for _, _, parent in _named(plain):
        parent.pop("name", None)
    return plain


def _yaml(plain: Plain) -> str:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.width = WIDEST_LINE
    yaml.representer.add_representer(str, _text)
    stream = StringIO()
    yaml.dump(plain, stream)
    return stream.getvalue()


def _text(representer: SafeRepresenter, text: str) -> ScalarNode:
    """A text of several lines is shown as such."""
    style = "|" if "\n" in text else None
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _parsed(text: str, file: str) -> Plain:
    try:
        plain = YAML(typ="safe").load(text)
    except _PARSER_ERRORS as error:
        reason = " ".join(str(error).split())
        raise SettingsError(file, [f"it is no YAML: {reason}"]) from None
    if plain is None:
        return {}
    if not isinstance(plain, dict):
        raise SettingsError(file, ["it must be a mapping with hosts and nameservers"])
    return plain


def _enter_sizes(plain: Plain) -> Iterator[tuple[Place, str]]:
    """Turn sizes into bytes; gives those that are none."""
    for place, parent, key in _sizes(plain):
        if key not in parent:
            continue
        try:
            parent[key + SUFFIX] = parse_size(str(parent.pop(key)))
        except ValueError as error:
            parent[key + SUFFIX] = 1
            yield (*place, key), str(error)


def _enter_names(plain: Plain) -> Iterator[tuple[Place, str]]:
    """Put the names that are keys to where they belong; gives those that are said again."""
    for place, name, parent in _named(plain):
        if parent.setdefault("name", name) != name:
            yield (*place, "name"), f"the key says {name}; leave the name out here"


def _sizes(farm: Plain) -> Iterator[tuple[Place, Plain, str]]:
    """Every place of a size: where it is, the mapping it is in and its key there."""
    for at, host in _children(farm, ("hosts",)):
        yield at, host, "memory"
        for place, pool in _children(host, (*at, "pools")):
            yield from _sizes_of_pool(place, pool)
        for domain_at, domain in _children(host, (*at, "domains")):
            for place, definition in _definitions(domain_at, domain):
                yield place, definition, "memory"
                yield place, definition, "memory_maximum"


def _sizes_of_pool(at: Place, pool: Plain) -> Iterator[tuple[Place, Plain, str]]:
    yield at, pool, "capacity"
    for place, volume in _children(pool, (*at, "volumes")):
        yield place, volume, "capacity"
    for place, trashed in _children(pool, (*at, "trash")):
        if isinstance(trashed.get("volume"), dict):
            yield (*place, "volume"), trashed["volume"], "capacity"


def _named(farm: Plain) -> Iterator[tuple[Place, str, Plain]]:
    """Every mapping whose name is the key of it or of its parent."""
    for at, host in _children(farm, ("hosts",)):
        for domain_at, domain in _children(host, (*at, "domains")):
            for place, definition in _definitions(domain_at, domain):
                yield place, str(domain_at[-1]), definition
    for at, server in _children(farm, ("nameservers",)):
        for place, zone in _children(server, (*at, "zones")):
            yield place, str(place[-1]), zone


def _definitions(at: Place, domain: Plain) -> Iterator[tuple[Place, Plain]]:
    for key in ("definition", "runs_on"):
        if isinstance(domain.get(key), dict):
            yield (*at, key), domain[key]
    for place, snapshot in _children(domain, (*at, "snapshots")):
        yield from _definitions(place, snapshot)


def _children(parent: Plain, place: Place) -> Iterator[tuple[Place, Plain]]:
    children = parent.get(str(place[-1]))
    if isinstance(children, dict):
        for name, child in children.items():
            if isinstance(child, dict):
                yield (*place, name), child


def _located(node: Node | None, place: Place, why: str) -> tuple[int, str]:
    """The line of what the reason is about, and the reason with that line and the dotted path."""
    line = 1
    for step in place:
        node = _step(node, step)
        if node is None:
            break
        line = node.start_mark.line + 1
    path = ".".join(str(step).removesuffix(SUFFIX) for step in place)
    return line, f"line {line}: {path}: {why}" if path else why


def _step(node: Node | None, step: int | str) -> Node | None:
    children: dict[int | str, Node] = {}
    if isinstance(node, SequenceNode):
        children = dict(enumerate(node.value))
    if isinstance(node, MappingNode):
        children = {key.value: value for key, value in node.value}
    return children.get(step) or children.get(str(step).removesuffix(SUFFIX))
