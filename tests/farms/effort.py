"""How many examples a property is tried with."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100


def examples(number: int) -> settings:
    """So many in a steady run, and as many more as the profile asks of others."""
    return settings(max_examples=number * settings().max_examples // USUAL)
