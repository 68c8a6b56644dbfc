"""The operator's settings for secrets: the age keys that decrypt what the repository holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from reconciler.config.part import File, Part

_OWN = "The same for {} alone: the hosts of other environments get nothing that it decrypts."


class SecretSettings(Part):
    """The age keys, each in a file that only its owner may read. Only applying needs them."""

    identity: File | None = Field(
        None, description="The age key that decrypts `secrets/*.sops.yaml`, as age-keygen makes it."
    )
    development: File | None = Field(None, description=_OWN.format("development"))
    staging: File | None = Field(None, description=_OWN.format("staging"))
    production: File | None = Field(None, description=_OWN.format("production"))

    def files(self) -> tuple[tuple[str, Path], ...]:
        """The settings that are made, with their files."""
        return tuple((name, file) for name, file in self if file is not None)

    def by_environment(self) -> Mapping[str, Path]:
        """The file of each environment that has one: its own, else that of all."""
        named = ("development", "staging", "production")
        found = ((name, getattr(self, name) or self.identity) for name in named)
        return {name: file for name, file in found if file is not None}
