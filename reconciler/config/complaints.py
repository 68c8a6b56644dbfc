"""What a model has against a document, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from reconciler.config.merge import ABSENT, Located, names_of
from reconciler.config.parse import shown
from reconciler.model.position import Problem

_LEAVING_OUT = "write `absent: true` for an item that a stack or the shared document has"
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
    located: Located, model: type[BaseModel], error: ValidationError, *, is_whole: bool = True
) -> Iterator[Problem]:
    """One problem for each thing the model found, at the key that is to blame.

    What is missing is not to blame where the document `is_whole` no longer for another reason.
    """
    errors = error.errors(include_url=False, include_input=False)
    for each in errors:
        kind, path = each["type"], names_of(located.value, tuple(each["loc"]))
        position = located.position(path)
        field = ".".join(map(shown, path))
        if _is_consequence(each, errors) or (kind == "missing" and not is_whole):
            continue
        if kind == "missing":
            yield Problem(position, f"{field} is missing", "add it")
        elif kind == "extra_forbidden" and path[-1] == ABSENT:
            yield Problem(position, f"{field} leaves nothing out", _LEAVING_OUT)
        elif kind == "extra_forbidden":
            parent = field.rpartition(".")[0] or located.value.get("kind", "the document")
            what = f"{parent} has no key '{shown(path[-1])}'"
            yield Problem(position, what, _near(model, each["loc"]))
        else:
            yield Problem(position, f"{field} {_words(each)}", "")


def _is_consequence(each: Any, errors: Iterable[Any]) -> bool:
    """A list is not empty if its items are wrong; nothing misses from what is to be left out."""
    location = each["loc"]
    if each["type"] == "too_short":
        return any(_is_inside(other["loc"], location) for other in errors)
    left_out = (*location[:-1], ABSENT)
    return each["type"] == "missing" and any(other["loc"] == left_out for other in errors)


def _is_inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _words(each: Any) -> str:
    kind, context = each["type"], each.get("ctx", {})
    if kind == "value_error":
        message = str(each["msg"]).removeprefix("Value error, ")
        return message if message.startswith("must ") else f"is wrong: {message}"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in {"too_short", "too_long"}:
        most = context.get("max_length")
        return f"must have at most {most} items" if most else "must not be empty"
    bounds = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
    if kind in bounds:
        key, word = bounds[kind]
        return f"must be {word} {context[key]}"
    return f"is wrong: {each['msg']}"


def _near(model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    known = _fields_at(model, path[:-1])
    near = get_close_matches(shown(path[-1]), known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known keys are {', '.join(sorted(known))}" if known else "remove it"


def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys that the mapping at a path may have, as far as the model tells."""
    schema = _schema(model)
    here: Any = schema
    for step in path:
        here = _resolved(here, schema)
        named = here.get("properties", {}).get(step) or here.get("additionalProperties")
        here = (here.get("items") if isinstance(step, int) else named) or {}
    return list(_resolved(here, schema).get("properties", {}))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _resolved(here: Any, schema: Any) -> Any:
    """Follow references and look past the null of an optional field."""
    for option in here.get("anyOf", ()):
        if option.get("type") != "null":
            here = option
            break
    reference = here.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else here
