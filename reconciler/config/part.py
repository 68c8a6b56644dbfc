"""What the models of documents and settings are made of: closed, strict, frozen mappings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Strict

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(strict=False)]


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value).isprintable() or not str(value):
        message = "must be the path of a file or directory"
        raise ValueError(message)
    return Path(value)


File = Annotated[Path, BeforeValidator(_path)]


class Part(BaseModel):
    """A mapping inside a document: closed, strict and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
