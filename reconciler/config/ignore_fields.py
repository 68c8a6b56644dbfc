"""The types of the fields of Ignore documents: addresses with a star, and moments."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Strict, WithJsonSchema

from reconciler.config.fields import PRINTABLE, text_field

_HOST = r"[A-Za-z0-9_-]{1,63}"
_NAME = r"[A-Za-z0-9_.*@:+=~,/-]{1,200}"
ADDRESS = rf"^[a-z_]{{1,40}}(?:@{_HOST})?/{_NAME}$"
FIELD = r"^[a-z_]{1,40}(?:\.[A-Za-z0-9_./@:-]{1,100}){0,6}$"
MOMENT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$"
)
MEANING = "a date, such as 2026-12-31, or a time with its zone, such as 2026-12-31T18:00Z"


def moment(text: str) -> datetime:
    """A time in UTC. A date is the end of that day.

    Raises:
        ValueError: it is neither.
    """
    message = f"must be {MEANING}"
    if re.match(MOMENT.replace("$", r"\Z"), text) is None:
        raise ValueError(message)
    try:
        if len(text) == len("2026-12-31"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day + timedelta(days=1)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(message) from None


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        message = f"must be {MEANING}"
        raise ValueError(message)
    return moment(value)


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    Strict(strict=False),
    WithJsonSchema({"type": "string", "pattern": MOMENT}),
]
Pattern = text_field(
    ADDRESS, "the address of a resource, such as domain/web-1; * stands for anything in its name"
)
FieldPath = text_field(FIELD, "the name of a field, such as cpus or disks.data.size", 200)
Reason = text_field(rf"^{PRINTABLE}{{1,200}}$", "one line of text, at most 200 letters", 200)
