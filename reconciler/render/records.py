"""Hand-written record values in the one form in which servers answer them."""

from __future__ import annotations

from reconciler.config.records import absolute, canonical

__all__ = ["absolute", "presentation"]


def presentation(kind: str, value: str, zone: str) -> str:
    """The canonical presentation form of one value of a record of this type."""
    return canonical(kind, value, zone)
