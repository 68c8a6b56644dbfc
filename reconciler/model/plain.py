"""Specs as plain JSON values and back, and the digest that names a spec.

The plain form is the one in plans, journals and world files: fields that are None (not managed)
are left out, tuples are lists, enumerations are their values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter

DIGEST_LENGTH = 16
T = TypeVar("T")


def _fields_that_may_be_none(kind: Any) -> tuple[str, ...]:
    hints = get_type_hints(kind) if is_dataclass(kind) else {}
    return tuple(name for name, hint in hints.items() if NoneType in get_args(hint))


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)
_nullable: Callable[[Any], tuple[str, ...]] = cache(_fields_that_may_be_none)


def to_plain(value: Any) -> Any:
    """The plain JSON form of a frozen dataclass."""
    return _adapter(type(value)).dump_python(value, mode="json", exclude_none=True)


def to_short(value: Any) -> Any:
    """The plain form of what stands in a field, for people: what is by default is left out.

    `from_plain` of the whole puts it in again.
    """
    if is_dataclass(value):
        dump = _adapter(type(value)).dump_python
        return dump(value, mode="json", exclude_none=True, exclude_defaults=True)
    if isinstance(value, tuple):
        return [to_short(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def from_plain(kind: type[T], data: Any) -> T:
    """A `kind` from its plain form; what was left out there is None again.

    Raises:
        pydantic.ValidationError: the data does not fit; the error lists each misfit.
    """
    if isinstance(data, Mapping):
        data = {**dict.fromkeys(_nullable(kind)), **data}
    loaded: T = _adapter(kind).validate_python(data)
    return loaded


def digest_of(value: Any) -> str:
    """A short name for the content of a spec: equal content gives the equal name, everywhere."""
    dumped = _adapter(type(value)).dump_json(value, exclude_none=True)
    return hashlib.sha256(dumped).hexdigest()[:DIGEST_LENGTH]
