"""The observed world as files of the journal, and back: one file per scope.

So a difference of two journal commits is what really changed, and a pull request can be planned
without reaching any host. Only what is managed is written: the serial of a zone is not.

The files are YAML with a line per field, in which every value is JSON: text is always quoted, so
that nothing is ever read as another type, and a thousand domains are written in milliseconds.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any, Literal
from urllib.parse import quote, unquote

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from reconciler.errors import ConfigError
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address, Scope
from reconciler.model.plain import from_plain, to_plain, to_short
from reconciler.model.position import Position, Problem
from reconciler.model.resource import Observed, Owner, World
from reconciler.plan.show.misfit import misfits

FOLDER = "world"
UNKNOWN = "unknown"
_PATH = re.compile(
    rf"\A{FOLDER}/(?P<kind>host|base|zone)-(?P<name>[^@/]+)(?:@(?P<server>[^@/]+))?\.yaml\Z"
)
_SCOPES: Mapping[str, Literal["host", "base", "zone"]] = {
    "host": "host",
    "base": "base",
    "zone": "zone",
}
_PLAIN_KEY = re.compile(r"\A[a-z]+(?:@[A-Za-z0-9.-]{1,255})?/[A-Za-z0-9._-]{1,255}\Z")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_REMEDY = "these files are the reconciler's own; restore them from the journal"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode


def world_files(world: World, scopes: Iterable[Scope] = ()) -> dict[str, bytes]:
    """The world as files by path (`world/host-virt1.yaml`).

    `scopes` are those that were looked at: one that holds nothing has its file too, which tells it
    from one that nobody looked at.
    """
    seen: dict[Scope, list[Observed[Any]]] = defaultdict(list)
    for each in world.observed:
        seen[scope_of(each)].append(each)
    return {
        path_of(scope): _file(seen.get(scope, ()), world.unknown.get(scope))
        for scope in sorted({*scopes, *seen, *world.unknown}, key=path_of)
    }


def load_world(files: Mapping[str, bytes]) -> World:
    """The world that the files below `world/` tell of; other files are skipped.

    Raises:
        ConfigError: a file is not one that `world_files` writes. Every such file is named.
    """
    observed: list[Observed[Any]] = []
    unknown: dict[Scope, str] = {}
    problems: list[Problem] = []
    for path in sorted(_paths(files)):
        try:
            scope, document = _scope(path), _parsed(path, files[path])
            if (reason := document.pop(UNKNOWN, None)) is not None:
                unknown[scope] = str(reason)
            observed += _Reader(path).resources(document)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return World(tuple(observed), unknown)


def scopes_in(files: Mapping[str, bytes]) -> frozenset[Scope]:
    """The scopes that were looked at, by the names of the files.

    Raises:
        ConfigError: a name below `world/` is no scope's.
    """
    return frozenset(_scope(path) for path in _paths(files))


def scope_of(seen: Observed[Any]) -> Scope:
    """The scope whose look finds the resource."""
    kind = KIND_BY_NAME[seen.address.kind]
    host = None if kind.is_bound else kind.host(seen.spec)
    return Scope("host", host) if host is not None else min(kind.scopes((seen.spec,), ()))


def path_of(scope: Scope) -> str:
    """The path of a scope's file. `_scope` is its inverse."""
    server = f"@{_as_word(scope.server)}" if scope.server else ""
    return f"{FOLDER}/{scope.kind}-{_as_word(scope.name)}{server}.yaml"


def _scope(path: str) -> Scope:
    match = _PATH.match(path)
    if match is None:
        raise ConfigError([Problem(Position(path), "the file is no scope's", _REMEDY)])
    server = _from_word(match["server"]) if match["server"] else None
    return Scope(_SCOPES[match["kind"]], _from_word(match["name"]), server)


def _as_word(name: str) -> str:
    """A name as it can stand in a path: `64/26.2.0.192.in-addr.arpa` has a slash."""
    return quote(name, safe="").replace("~", "%7E").replace("%", "=")


def _from_word(word: str) -> str:
    return unquote(word.replace("=", "%"))


def _paths(files: Iterable[str]) -> Iterator[str]:
    return (path for path in files if path.startswith(f"{FOLDER}/"))


def _file(seen: Iterable[Observed[Any]], unknown: str | None) -> bytes:
    texts: dict[Address, list[str]] = defaultdict(list)
    for each in seen:
        texts[each.address].append("".join(f"{line}\n" for line in _resource(each)))
    parts = [f"{UNKNOWN}: {_json(unknown)}\n"] if unknown is not None else []
    parts += [_key(str(each)) + "".join(sorted(texts[each])) for each in sorted(texts)]
    return ("".join(parts) or "{}\n").encode()


def _resource(seen: Observed[Any]) -> Iterator[str]:
    if seen.owner is not None:
        yield f"- owner: {_json(to_plain(seen.owner))}"
        yield "  spec:"
    else:
        yield "- spec:"
    for name, value in _managed(seen.spec).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"    {name}:"
            yield from (f"    - {_json(item)}" for item in value)
        else:
            yield f"    {name}: {_json(value)}"


def _managed(spec: Any) -> dict[str, Any]:
    """The fields that are compared; one that is not managed is null."""
    return {each.name: to_short(getattr(spec, each.name)) for each in fields(spec) if each.compare}


def _key(text: str) -> str:
    """A key with its colon; a long one has to be announced by a question mark."""
    if _PLAIN_KEY.match(text):
        return f"{text}:\n"
    return f"? {_json(text)}\n:\n"


def _json(value: object) -> str:
    """JSON in which everything that is not ASCII is escaped as YAML escapes it."""
    text = _encode(value)
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_ASCII.sub(lambda match: f"\\U{ord(match[0]):08x}", text)


def _parsed(path: str, content: bytes) -> dict[str, Any]:
    """The mapping that the file is."""
    if any(mark in _QUOTED.sub(b"", content) for mark in (b"&", b"*", b"!")):
        what = "anchors, aliases and tags have no place here"
        raise ConfigError([Problem(Position(path), what, _REMEDY)])
    try:
        document = YAML(typ="safe", pure=False).load(BytesIO(content))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        position = Position(path, mark.line + 1, mark.column + 1) if mark else Position(path)
        what = f"not valid YAML: {error.problem}"
        raise ConfigError([Problem(position, what, _REMEDY)]) from error
    except Exception as error:  # the C parser lets many kinds escape
        what = f"the file cannot be read as YAML ({type(error).__name__})"
        raise ConfigError([Problem(Position(path), what, _REMEDY)]) from error
    if not isinstance(document, dict):
        what = "the file is not a mapping of addresses"
        raise ConfigError([Problem(Position(path), what, _REMEDY)])
    return document


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the resources of one file."""

    path: str

    def resources(self, document: Mapping[str, Any]) -> list[Observed[Any]]:
        found: list[Observed[Any]] = []
        problems: list[Problem] = []
        for key, entries in document.items():
            try:
                address = self._address(key)
                found += [self._resource(address, entry) for entry in self._entries(entries)]
            except ValueError as error:
                reason = misfits(error) if isinstance(error, ValidationError) else str(error)
                problems.append(Problem(Position(self.path), f"{key}: {reason}", _REMEDY))
        if problems:
            raise ConfigError(problems)
        return found

    def _address(self, key: object) -> Address:
        address = Address.parse(str(key))
        if address.kind not in KIND_BY_NAME:
            message = f"{address.kind} is no kind of resource"
            raise ValueError(message)
        return address

    def _entries(self, entries: object) -> list[Mapping[str, Any]]:
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            message = "it is no list of resources"
            raise ValueError(message)
        return entries

    def _resource(self, address: Address, entry: Mapping[str, Any]) -> Observed[Any]:
        spec = from_plain(KIND_BY_NAME[address.kind].spec, entry.get("spec"))
        owner = entry.get("owner")
        return Observed(address, spec, from_plain(Owner, owner) if owner is not None else None)
