"""Kind Ignore: drift that may stay for a time, with the reason."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.config.document import Document
from reconciler.config.ignore_fields import FieldPath, Moment, Pattern, Reason
from reconciler.config.part import Many


class Ignore(Document):
    """Drift that may stay up to a time: it is shown, and not healed."""

    kind: Literal["Ignore"]
    resource: Pattern = Field(
        description="The address of the resource, as plan and drift write it; * stands for "
        "anything in its name."
    )
    fields: Annotated[Many[FieldPath], Field(max_length=50)] = Field(
        (), description="The fields; without any, all that differs, and that it is gone."
    )
    until: Moment = Field(
        description="When it is healed again: a date, which counts with its whole day in UTC, or "
        "a time."
    )
    reason: Reason = Field(description="Why it may stay, for people.")
