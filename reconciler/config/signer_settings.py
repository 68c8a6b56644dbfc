"""The operator's settings for signers: whose keys are allowed. Never read from the repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from reconciler.config.part import File, Part


class SignerSettings(Part):
    """The keys that may sign commits and tags. The files are writable by their owner only."""

    ssh: File | None = Field(
        None,
        description="Allowed ssh keys, in the form of OpenSSH's `allowed_signers`: each line names "
        "one person, without wildcards.",
    )
    gpg: File | None = Field(
        None, description="Allowed GPG keys: public keys as `gpg --export` writes them."
    )
    revoked: File | None = Field(
        None,
        description="Revoked ssh keys: a list of public keys, or what `ssh-keygen -k` makes.",
    )

    @model_validator(mode="after")
    def _revokes_something(self) -> SignerSettings:
        if self.revoked and not self.ssh:
            message = "revoked has no effect without ssh; name the allowed keys too"
            raise ValueError(message)
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nobody's key is allowed."""
        return self.ssh is None and self.gpg is None

    def files(self) -> Mapping[str, Path]:
        """The settings that are made, with their files."""
        return {name: file for name, file in self if file is not None}
