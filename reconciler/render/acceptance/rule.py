"""How a field of a spec is said in a document, or why no document says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.fields import REFERENCE
from reconciler.config.merge import NamePath
from reconciler.kinds.base.file import CHANGED, STRANGE, SUM
from reconciler.model.quantity import format_size


class Unsayable(ValueError):
    """A value that no document can say, with the reason."""


@dataclass(frozen=True, slots=True)
class Written:
    """A document says it: at `path` in the item that describes the resource.

    `words` turns the value as it was seen into that of the document. `on_top`: it is a field of
    the document itself.
    """

    path: NamePath
    words: Callable[[Any], Any] = lambda value: value
    on_top: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """No document says it, and why, with what to do instead."""

    reason: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list of items that have names: how their fields are said, and why not the whole item."""

    fields: Mapping[str, Written | Refused]
    gone: Written | Refused
    new: Refused


Rule = Written | Refused | Items


def size(value: Any) -> str:
    """Bytes as a size with its unit."""
    return format_size(int(value))


def text(value: Any) -> str:
    """A text that may stand in a document: known, and without references to secrets.

    Raises:
        Unsayable: it is not, and must not be taken for it.
    """
    said = str(value)
    if said.startswith((SUM, f"{CHANGED} (", f"{STRANGE} (")):
        message = "what it says is not known here: it is too large, or secret"
        raise Unsayable(message)
    if REFERENCE in said:
        message = f"it holds {REFERENCE}, which would be filled in from then on: write it by hand"
        raise Unsayable(message)
    return said


def texts(value: Any) -> list[str]:
    """Texts in their order."""
    return [text(each) for each in value]
