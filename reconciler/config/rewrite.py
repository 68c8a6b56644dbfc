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
    document = _document(documents, kind, name)
    document.setdefault(key, []).extend(_plain(item, 1) for item in items)
    return _dumped(documents)


def with_item(  # noqa: PLR0917 (where the item is, what tells it, and what it becomes)
    text: str,
    kind: str,
    name: str,
    key: str,
    which: Mapping[str, str],
    fields: Mapping[str, Any] | None,
) -> str:
    """The text of a file with one item of a list of one of its documents changed.

    `which` tells the item from the others. Of `fields` those that are None are taken away; without
    any, the item is.

    Raises:
        KeyError: the file has no such document, or the document no such item.
    """
    documents = list(_yaml().load_all(text))
    items = _document(documents, kind, name).get(key) or []
    found = [at for at, item in enumerate(items) if which.items() <= dict(item).items()]
    if not found:
        raise KeyError(f"{kind} {name}: {key}: {' '.join(which.values())}")
    if fields is None:
        del items[found[0]]
    else:
        _change(items[found[0]], fields)
    return _dumped(documents)


def _change(item: Any, fields: Mapping[str, Any]) -> None:
    for field, value in fields.items():
        if value is None:
            item.pop(field, None)
        elif field in item:
            item[field] = _in_place(item[field], value)
        else:
            item.insert(len(item) - 1, field, _plain(value, 1))


def _in_place(before: Any, value: Any) -> Any:
    """The value, in the style of a list that was there; comments at items that stay are kept."""
    if not isinstance(before, list) or not isinstance(value, list | tuple):
        return _plain(value, 1)
    for at in reversed([at for at, each in enumerate(before) if each not in value]):
        del before[at]
    before.extend(_plain(each, 1) for each in value if each not in before)
    return before


def _document(documents: Sequence[Any], kind: str, name: str) -> Any:
    for each in documents:
        if each and (each.get("kind"), each.get("name")) == (kind, name):
            return each
    raise KeyError(f"{kind} {name}")


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
