"""What a model has against a document, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from reconciler.config.merge import Located, names_of
from reconciler.model.position import Problem

_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text; put it in quotes if it looks like a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def complaints(
    located: Located, model: type[BaseModel], error: ValidationError
) -> Iterator[Problem]:
    """One problem for each thing the model found, at the key that is to blame."""
    for each in error.errors(include_url=False, include_input=False):
        path = names_of(located.value, tuple(each["loc"]))
        position = located.position(path)
        field = ".".join(path)
        kind = each["type"]
        if kind == "extra_forbidden":
            parent = ".".join(path[:-1]) or located.value.get("kind", "the document")
            yield Problem(position, f"{parent} has no key {path[-1]!r}", _near(model, each["loc"]))
        elif kind == "missing":
            yield Problem(position, f"{field} is missing", "add it")
        else:
            yield Problem(position, f"{field} {_words(each)}", "")


def _words(each: Any) -> str:
    kind, context = each["type"], each.get("ctx", {})
    if kind == "value_error":
        message = str(each["msg"]).removeprefix("Value error, ")
        return message if message.startswith("must ") else f"is wrong: {message}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "too_short":
        return "must not be empty"
    bounds = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
    if kind in bounds:
        key, word = bounds[kind]
        return f"must be {word} {context[key]}"
    return f"is wrong: {each['msg']}"


def _near(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    known = _fields_at(model, path[:-1])
    near = get_close_matches(str(path[-1]), known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known keys are {', '.join(sorted(known))}" if known else "remove it"


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys that the mapping at a path may have, as far as the model tells."""
    schema = model.model_json_schema()
    here: Any = schema
    for step in path:
        here = _resolved(here, schema)
        here = (
            here.get("items", {})
            if isinstance(step, int)
            else here.get("properties", {}).get(step, {})
        )
    return list(_resolved(here, schema).get("properties", {}))


def _resolved(here: Any, schema: Any) -> Any:
    """Follow references and look past the null of an optional field."""
    for option in here.get("anyOf", ()):
        if option.get("type") != "null":
            here = option
            break
    reference = here.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else here
