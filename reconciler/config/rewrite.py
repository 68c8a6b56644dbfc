"""Writing documents back: new ones as text, and additions to those that people wrote.

Comments and order stay, which is all that the round-trip mode of the YAML library is used for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

WIDTH = 100


def document_text(document: Mapping[str, Any], schema: str = "") -> str:
    """A new document; `schema` is the path of its JSON Schema, for editors."""
    head = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    return head + _dumped([_plain(document)])


def with_items(
    text: str, kind: str, name: str, key: str, items: Sequence[Mapping[str, Any]]
) -> str:
    """The text of a file with items added to a list of one of its documents.

    Raises:
        KeyError: the file has no document of that kind and name.
    """
    documents = list(_yaml().load_all(text))
    wanted = [
        each for each in documents if each and (each.get("kind"), each.get("name")) == (kind, name)
    ]
    if not wanted:
        raise KeyError(f"{kind} {name}")
    wanted[0].setdefault(key, []).extend(_plain(item, 1) for item in items)
    return _dumped(documents)


def _dumped(documents: Sequence[Any]) -> str:
    stream = StringIO()
    _yaml().dump_all(documents, stream)
    return stream.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = WIDTH
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _plain(value: Any, depth: int = 0) -> Any:
    """The value for the library: mappings inside lists stand on one line, as people write them."""
    if isinstance(value, Mapping):
        made = CommentedMap((key, _plain(each, depth + 1)) for key, each in value.items())
        if depth:
            made.fa.set_flow_style()
        return made
    if isinstance(value, str) and ":" in value:  # which the C parser takes for a key's, unquoted
        return SingleQuotedScalarString(value)
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value]
    return value
