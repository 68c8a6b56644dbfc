"""What must be true of a commit before it is applied: in the Environment document, and in settings.

The same fields twice: the operator's are floors under the repository's, and all of both count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from reconciler.config.fields import (
    CommitId,
    Cron,
    Duration,
    Interval,
    Mail,
    OneLine,
    PersonName,
    TimeZone,
)
from reconciler.config.part import Many, Part

MOST_TIMES = 50
MOST_PEOPLE = 20
MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2})?$"
_DAY_LENGTH = len("2026-12-20")
_ANY_DAY_MEANING = "a day, or a day and a time, such as 2026-12-20 or 2026-12-20 18:00"


def _moment(value: str) -> str:
    if re.match(MOMENT.replace("$", r"\Z"), value) is None:
        message = f"must be {_ANY_DAY_MEANING}"
        raise ValueError(message)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        message = f"must be {_ANY_DAY_MEANING}; there is no such day or time"
        raise ValueError(message) from None
    return value


Moment = Annotated[
    str,
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": MOMENT, "maxLength": 16}),
]
People = Annotated[int, Field(ge=0, le=MOST_PEOPLE)]


class WindowField(Part):
    """A time that comes again and again."""

    opens: Cron = Field(description="When it opens, as in a crontab: `0 2 * * sat`.")
    duration: Interval = Field(description="How long it stays open.")
    timezone: TimeZone = Field("UTC", description="The time zone of `opens`.")


class FreezeField(Part):
    """A time in which nothing new is applied."""

    begins: Moment = Field(alias="from", description="When it begins; a day from its first moment.")
    until: Moment = Field(description="When it ends; a day up to its last moment.")
    reason: OneLine = Field(min_length=1, description="Why, for whoever has to wait.")
    timezone: TimeZone = Field("UTC", description="The time zone of `from` and `until`.")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> FreezeField:
        first, last = self.span()
        if last <= first:
            message = f"until ({self.until}) must be after from ({self.begins})"
            raise ValueError(message)
        return self

    def span(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first moment after it."""
        zone = ZoneInfo(self.timezone)
        first = datetime.fromisoformat(self.begins).replace(tzinfo=zone)
        if len(self.until) > _DAY_LENGTH:
            return first, datetime.fromisoformat(self.until).replace(tzinfo=zone)
        day_after = date.fromisoformat(self.until) + timedelta(days=1)
        return first, datetime.combine(day_after, time(), zone)


class GateFields(Part):
    """What must be true of a commit before it is applied."""

    signatures: Literal["none", "tag", "head", "every"] = Field(
        "none",
        description="What must be signed with an allowed key: the commit itself, every commit "
        "since the one in force, or a tag at the commit.",
    )
    sign_offs: People = Field(
        0,
        description="How many people besides an author must have signed off or reviewed, by "
        "`Signed-off-by` or `Reviewed-by`.",
    )
    sign_off_by: Annotated[Many[Mail], Field(max_length=MOST_PEOPLE)] = Field(
        (), description="Whose sign-offs count, by mail address; else anybody's."
    )
    windows: Annotated[Many[WindowField], Field(max_length=MOST_TIMES)] = Field(
        (), description="When new commits are applied: in any of these; else at any time."
    )
    freezes: Annotated[Many[FreezeField], Field(max_length=MOST_TIMES)] = Field(
        (), description="When no new commit is applied."
    )
    approvals: People = Field(
        0, description="How many people besides an author must have approved of just this plan."
    )
    approved_by: Annotated[Many[PersonName], Field(max_length=MOST_PEOPLE)] = Field(
        (),
        description="Whose approvals count: accounts at the forge, principals or fingerprints of "
        "keys; else anybody's.",
    )
    soak: Duration = Field(
        timedelta(0),
        description="How long the very tree must have been Ready in the next lower environment.",
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> GateFields:
        for count, name, people, by in (
            (self.sign_offs, "sign_offs", self.sign_off_by, "sign_off_by"),
            (self.approvals, "approvals", self.approved_by, "approved_by"),
        ):
            if people and not count:
                message = f"{by} has no effect without {name}; say how many of them"
                raise ValueError(message)
            if people and len(set(people)) < count:
                message = f"{name} is {count}, but {by} names only {len(set(people))}"
                raise ValueError(message)
        return self


class GateFloor(GateFields):
    """The operator's gates of one environment, under those of the repository."""

    let_through: Annotated[Many[CommitId], Field(max_length=MOST_TIMES)] = Field(
        (), description="For an emergency: commits that no gate stops, by their whole ids."
    )


class GateSettings(Part):
    """Gates for each environment, which repositories may add to and never take from."""

    development: GateFloor = Field(GateFloor(), description="The gates of development.")
    staging: GateFloor = Field(GateFloor(), description="The gates of staging.")
    production: GateFloor = Field(GateFloor(), description="The gates of production.")

    def by_environment(self) -> Mapping[str, GateFloor]:
        """The gates of each environment."""
        return {
            "development": self.development,
            "staging": self.staging,
            "production": self.production,
        }

    def floor(self, environment: str) -> GateFloor:
        """The gates of one environment.

        Raises:
            KeyError: there is no such environment.
        """
        return self.by_environment()[environment]
