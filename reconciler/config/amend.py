"""Setting single values in documents that people wrote, found by their path; comments stay.

What is there is replaced letter by letter. Where something must be added or removed, the round-trip
mode of the YAML library does it. What comes of it is read again, and must be what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import LiteralScalarString, SingleQuotedScalarString

from reconciler.config.merge import ITEM_KEYS, NamePath, item_name
from reconciler.config.parse import parse
from reconciler.config.rewrite import WIDTH
from reconciler.errors import ConfigError

_PLAIN = re.compile(r"\A[A-Za-z/][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*\Z|\A[0-9]+ [KMGTP]?i?B\Z")
_START = re.compile(r"^(?=---(?:[ \t\n]|\Z))", re.MULTILINE)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Amendment:
    """A value for a place in a document; None takes it away, and `is_override` writes null then.

    Items of lists are found by their name, and made where they are not there.
    """

    document: tuple[str, str]
    path: NamePath
    value: Any
    is_override: bool = False


def amended(text: str, amendments: Iterable[Amendment]) -> str:
    """The text of a file with other values in it. A document that is not there yet is added.

    Raises:
        ValueError: it is written in a way that a person must change by hand.
    """
    for each in amendments:
        text = _amended(text, each)
    return text


def without_document(text: str, document: tuple[str, str]) -> str | None:
    """The text of a file without one of its documents; None if nothing would be left.

    Raises:
        ValueError: it is written in a way that a person must change by hand.
    """
    meant = [each for each in _values(text) if not _is_named(each, document)]
    if not meant:
        return None
    parts = _START.split(text)
    kept = [part for part in parts if not any(_is_named(e, document) for e in _values(part))]
    written = "".join(kept).removeprefix("---\n")
    if not _is_meant(written, meant):
        kind, name = document
        message = f"{kind} {name} must be taken out by hand"
        raise ValueError(message)
    return written


def _amended(text: str, one: Amendment) -> str:
    before = _values(text) if text.strip() else []
    meant = _meant(before, one)
    for write in (_spliced, _dumped):
        with suppress(YAMLError):  # that mode cannot read all that may be in a document: tabs, say
            written = write(text, one)
            if written is not None and _is_meant(written, meant):
                return written
    kind, name = one.document
    message = f"{kind} {name}: {'.'.join(one.path)} must be written by hand"
    raise ValueError(message)


def _is_meant(text: str, meant: Sequence[Any]) -> bool:
    try:
        return _values(text) == meant
    except ConfigError:
        return False


def _values(text: str) -> list[Any]:
    return [each.value for each in parse("", text.encode())]


def _meant(documents: Sequence[Any], one: Amendment) -> list[Any]:
    """The documents as they must read afterwards."""
    meant = [_apart(each) for each in documents]
    for each in meant:
        if _is_named(each, one.document):
            _set(each, one)
            return meant
    kind, name = one.document
    new = {"kind": kind, "name": name}
    _set(new, one)
    return [*meant, new]


def _set(here: Any, one: Amendment) -> None:
    """Put the value at its place, in plain values as in those of the round-trip mode."""
    key = ""
    for step in one.path[:-1]:
        here, key = _down(here, key, step), step
    last = one.path[-1]
    if isinstance(here, list):
        found = [at for at, item in enumerate(here) if item_name(key, item) == last]
        for at in found[:1]:
            del here[at]
        if one.is_override:
            here.append({**_naming(key, last), "absent": True})
    elif one.value is None and not one.is_override:
        here.pop(last, None)
    else:
        here[last] = one.value


def _down(here: Any, key: str, step: str) -> Any:
    """One step inwards; what is not there is made."""
    if isinstance(here, list):
        for item in here:
            if item_name(key, item) == step:
                return item
        here.append(_naming(key, step))
        return here[-1]
    if here.get(step) is None:
        here[step] = [] if step in _LISTS else {}
    return here[step]


_LISTS = frozenset(
    {
        *ITEM_KEYS,
        "bonds",
        "commands",
        "disks",
        "groups",
        "modules",
        "packages",
        "pools",
        "services",
        "sysctls",
        "users",
        "vlans",
        "volume_groups",
        "zpools",
    }
)


def _naming(key: str, name: str) -> dict[str, Any]:
    """What makes an item the one of this name."""
    fields = ITEM_KEYS.get(key, ("name",))
    parts = (name,) if len(fields) == 1 else tuple(name.rsplit("/", len(fields) - 1))
    return dict(zip(fields, parts, strict=True))


def _is_named(document: Any, wanted: tuple[str, str]) -> bool:
    is_mapping = isinstance(document, Mapping)
    return is_mapping and (document.get("kind"), document.get("name")) == wanted


def _spliced(text: str, one: Amendment) -> str | None:
    """The text with another scalar in the place of one; None if that is not all there is to do."""
    scalar = _scalar(one.value)
    if scalar is None or not text.strip():
        return None
    for root in YAML(typ="rt").compose_all(text):
        node = _node(root, one)
        if isinstance(node, ScalarNode) and node.end_mark.index > node.start_mark.index:
            if node.style in {"|", ">"}:
                return None
            start, end = node.start_mark.index, node.end_mark.index
            return f"{text[:start]}{scalar}{text[end:]}"
    return None


def _node(root: Node | None, one: Amendment) -> Node | None:
    kind, name = one.document
    if _text(_child(root, "kind")) != kind or _text(_child(root, "name")) != name:
        return None
    node, key = root, ""
    for step in one.path:
        node, key = _inner(node, key, step), step
    return node


def _inner(node: Node | None, key: str, step: str) -> Node | None:
    if not isinstance(node, SequenceNode):
        return _child(node, step)
    fields = ITEM_KEYS.get(key, ("name",))
    for item in node.value:
        if "/".join(_text(_child(item, field)) for field in fields) == step:
            found: Node = item
            return found
    return None


def _child(node: Node | None, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for each, value in node.value if each.value == key), None)


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _scalar(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or "\n" in value or not value.isprintable():
        return None
    return value if _is_plain(value) else "'" + value.replace("'", "''") + "'"


def _is_plain(value: str) -> bool:
    return _PLAIN.match(value) is not None and value.lower() not in _WORDS


def _dumped(text: str, one: Amendment) -> str | None:
    """The text as the round-trip mode writes it, with the value in it."""
    yaml = _yaml(text)
    documents = list(yaml.load_all(text)) if text.strip() else []
    found = [each for each in documents if _is_named(each, one.document)]
    if found and len(documents) > 1:
        return _in_its_part(text, one)
    styled = Amendment(one.document, one.path, _styled(one.value), one.is_override)
    if found:
        before = _kept_list(found[0], one)
        _set(found[0], styled if before is None else _within(before, styled))
        _flow_new(found[0])
        return _written(yaml, documents)
    kind, name = one.document
    new = CommentedMap({"kind": kind, "name": name})
    _set(new, styled)
    _flow_new(new)
    stream = _written(_yaml(""), [new])
    if not text.strip():
        return stream
    return f"{text}---\n{stream}" if text.endswith("\n") else f"{text}\n---\n{stream}"


def _in_its_part(text: str, one: Amendment) -> str | None:
    """The text with its one document written anew, and the others as they are."""
    parts = _START.split(text)
    for at, part in enumerate(parts):
        here = list(_yaml(part).load_all(part))
        if len(here) == 1 and _is_named(here[0], one.document):
            parts[at] = _dumped(part, one) or ""
            return "".join(parts)
    return None


def _kept_list(document: Any, one: Amendment) -> CommentedSeq | None:
    """The list of plain values that stands at the place, whose comments are to stay."""
    here, key = document, ""
    for step in one.path:
        if isinstance(here, list):
            here = next((item for item in here if item_name(key, item) == step), None)
        else:
            here = here.get(step) if isinstance(here, Mapping) else None
        key = step
    return here if isinstance(here, CommentedSeq) and isinstance(one.value, list) else None


def _within(before: CommentedSeq, one: Amendment) -> Amendment:
    wanted = list(one.value)
    for at in reversed([at for at, each in enumerate(before) if each not in wanted]):
        del before[at]
    before.extend(each for each in wanted if each not in before)
    is_same = [str(each) for each in before] == [str(each) for each in wanted]
    return Amendment(one.document, one.path, before if is_same else one.value)


def _flow_new(value: Any) -> None:
    """New mappings inside lists stand on one line, as people write them."""
    if isinstance(value, CommentedSeq | list):
        for at, each in enumerate(value):
            if type(each) is dict:
                value[at] = CommentedMap(each)
                if not any(isinstance(v, LiteralScalarString | dict | list) for v in each.values()):
                    value[at].fa.set_flow_style()
            _flow_new(value[at])
    elif isinstance(value, Mapping):
        for each in value.values():
            _flow_new(each)


def _styled(value: Any) -> Any:
    if isinstance(value, str):
        if "\n" in value:
            return LiteralScalarString(value)
        return value if _is_plain(value) else SingleQuotedScalarString(value)
    if isinstance(value, list):
        return [_styled(each) for each in value]
    return value


def _written(yaml: YAML, documents: Sequence[Any]) -> str:
    stream = StringIO()
    yaml.dump_all(documents, stream)
    return stream.getvalue()


def _yaml(text: str) -> YAML:
    """Written as the text is, as to whether lists are indented."""
    yaml = YAML(typ="rt")
    yaml.width = WIDTH if not text else 4096
    yaml.preserve_quotes = True
    is_flush = re.search(r"^[a-z_]+:[ ]*(?:#.*)?\n(?:[ ]*#.*\n)*- ", text, re.MULTILINE)
    if is_flush:
        yaml.indent(mapping=2, sequence=2, offset=0)
    else:
        yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.explicit_start = text.startswith("---\n") or None
    return yaml


def _apart(value: Any) -> Any:
    """A copy in which no two parts are one, as aliases are."""
    if isinstance(value, dict):
        return {key: _apart(each) for key, each in value.items()}
    return [_apart(each) for each in value] if isinstance(value, list) else value
