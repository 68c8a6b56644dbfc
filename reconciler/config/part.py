"""What the models of documents and settings are made of: closed, strict, frozen mappings."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Strict

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(strict=False)]


class Part(BaseModel):
    """A mapping inside a document: closed, strict and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
