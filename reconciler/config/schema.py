"""JSON Schemas of the documents, made from the models, for editors and for checks without us.

`schemas/<kind>.json` describes a whole document, `schemas/patch/<kind>.json` one that changes a
shared document for one environment: nothing but kind and name is required, null removes, and
`absent: true` leaves out a document or an item of a list.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.document import Document
from reconciler.config.documents import (
    DOCUMENTS,
    Host,
    HostDefaults,
    MachineDefaults,
    Stack,
    VirtualMachine,
)
from reconciler.config.merge import ABSENT

INHERITED: Mapping[type[Document], frozenset[str]] = {
    Host: frozenset(HostDefaults.model_fields),
    Stack: frozenset({*HostDefaults.model_fields, *MachineDefaults.model_fields}),
    VirtualMachine: frozenset(MachineDefaults.model_fields),
}
ITEM_KEYS: Mapping[str, tuple[str, ...]] = {
    "AttachmentField": ("network",),
    "RecordField": ("name", "type"),
    "FileField": ("path",),
    "HostFileField": ("path",),
    "MountField": ("path",),
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def schema_files() -> Mapping[str, str]:
    """All schemas as text, by file name below `schemas/`."""
    return dict(_files())


def document_schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a whole document. Heirs and stacks may leave to others what they give."""
    schema = {"$schema": DIALECT, **_without_titles(model.model_json_schema(mode="validation"))}
    return _inheriting(schema, INHERITED[model]) if model in INHERITED else schema


def patch_schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a patch of such a document."""
    schema = _overlaying(document_schema(model))
    absent = {"const": True, "description": "Leave the document out of this environment."}
    schema["properties"]["absent"] = absent
    return schema


def file_name(model: type[Document]) -> str:
    """`VirtualMachine` is described in `virtual-machine.json`."""
    return _WORD.sub("-", model.__name__).lower() + ".json"


def _files() -> Iterator[tuple[str, str]]:
    for model in DOCUMENTS:
        yield file_name(model), _text(document_schema(model))
        yield f"patch/{file_name(model)}", _text(patch_schema(model))


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _inheriting(schema: Mapping[str, Any], given: frozenset[str]) -> dict[str, Any]:
    """The same where stacks and the farm may give these fields, or parts of them."""
    upper = _overlaying(schema)
    upper["required"] += sorted({*schema["required"]} - given - {*upper["required"]})
    return upper


def _overlaying(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same for what is laid over something: only names are required, and null removes."""
    upper = copy.deepcopy(dict(schema))
    upper.pop("oneOf", None)
    _relax(upper, ("kind", "name"))
    for name, part in upper.get("$defs", {}).items():
        keys = tuple(key for key in ITEM_KEYS.get(name, ("name",)) if key in part["properties"])
        _relax(part, keys)
        if keys:
            absent = {"const": True, "description": "Leave out the item of this name."}
            part["properties"][ABSENT] = absent
    return upper


def _relax(part: dict[str, Any], keys: tuple[str, ...]) -> None:
    part["required"] = list(keys)
    for name, field in part["properties"].items():
        if name not in keys:
            part["properties"][name] = _removable(field)


def _removable(field: dict[str, Any]) -> dict[str, Any]:
    null = {"type": "null"}
    if null in field.get("anyOf", ()) or "const" in field:
        return field
    described = {"description": field["description"]} if "description" in field else {}
    bare = {key: value for key, value in field.items() if key not in {"description", "default"}}
    return {**described, "anyOf": [bare, null]}


def _without_titles(value: Any) -> Any:
    """Titles only repeat the names."""
    if isinstance(value, dict):
        return {
            key: _without_titles(item)
            for key, item in value.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_without_titles(item) for item in value] if isinstance(value, list) else value
