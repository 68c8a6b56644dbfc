"""JSON Schemas of the documents, made from the models, for editors and for checks without us.

`schemas/<kind>.json` describes a whole document, `schemas/patch/<kind>.json` one that changes a
shared document for one environment: nothing but kind and name is required, null removes.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.documents import DOCUMENTS, Document, MachineDefaults, VirtualMachine

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORD = re.compile(r"(?<!^)(?=[A-Z])")


def schema_files() -> Mapping[str, str]:
    """All schemas as text, by file name below `schemas/`."""
    return dict(_files())


def document_schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a whole document; what a stack may give is not required of a machine."""
    schema = {"$schema": DIALECT, **_without_titles(model.model_json_schema(mode="validation"))}
    if model is VirtualMachine:
        schema["required"] = [
            f for f in schema["required"] if f not in MachineDefaults.model_fields
        ]
    return schema


def patch_schema(model: type[Document]) -> dict[str, Any]:
    """The schema of a patch of such a document."""
    schema = copy.deepcopy(document_schema(model))
    for part in (schema, *schema.get("$defs", {}).values()):
        part.pop("required", None)
        for name, field in part.get("properties", {}).items():
            if part is not schema or name not in {"kind", "name"}:
                part["properties"][name] = _removable(field)
    schema["required"] = ["kind", "name"]
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


def _removable(field: dict[str, Any]) -> dict[str, Any]:
    described = {"description": field["description"]} if "description" in field else {}
    bare = {key: value for key, value in field.items() if key not in {"description", "default"}}
    return {**described, "anyOf": [bare, {"type": "null"}]}


def _without_titles(value: Any) -> Any:
    """Titles only repeat the names."""
    if isinstance(value, dict):
        return {
            key: _without_titles(item)
            for key, item in value.items()
            if not (key == "title" and isinstance(item, str))
        }
    return [_without_titles(item) for item in value] if isinstance(value, list) else value
