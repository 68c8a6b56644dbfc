"""What does not fit into a format, in one line: pydantic's findings without the values."""

from __future__ import annotations

from pydantic import ValidationError

NAMED_AT_MOST = 5


def misfits(error: ValidationError) -> str:
    """Each place with what is wrong there; of many, the first and how many more."""
    found = [_misfit(each["loc"], each["msg"]) for each in error.errors(include_url=False)]
    more = len(found) - NAMED_AT_MOST
    return "; ".join(found[:NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")


def _misfit(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, place))}: {message}" if place else message
