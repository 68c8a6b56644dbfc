"""What every document has: a kind, a name, and perhaps a line for people."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reconciler.config.fields import Label, OneLine
from reconciler.config.part import Part

EnvironmentName = Literal["development", "staging", "production"]


class Document(Part):
    """What all documents have."""

    name: Label = Field(description="The name, one DNS label.")
    description: OneLine = Field("", description="What it is for, in one line, for people.")
