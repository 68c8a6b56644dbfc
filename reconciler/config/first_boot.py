"""What a new machine makes of itself when it first boots, as people write it.

There is no raw user data, no command and no template here, and no secret: what is written ends in
a seed that everyone on the host can read.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reconciler.config.fields import (
    AccountName,
    FileContent,
    FileMode,
    FileOwner,
    FilePath,
    GroupName,
    Locale,
    OneLine,
    PackageName,
    Shell,
    SshKey,
    TimeZone,
)
from reconciler.config.part import Many, Part

SEED = "seed"  # the disk that it is on


class AccountField(Part):
    """An account that people or machines log in to, by key only."""

    name: AccountName = Field(description="The name of the account.")
    description: OneLine = Field("", description="Whose it is, in one line, for people.")
    ssh_keys: Many[SshKey] = Field((), description="The public keys that open it.")
    groups: Many[GroupName] = Field((), description="The groups it is in besides its own.")
    sudo: bool = Field(default=False, description="Whether it may do everything, as root.")
    shell: Shell = Field("/bin/bash", description="Its shell.")


class FileField(Part):
    """A small file of plain text. It is no place for secrets."""

    path: FilePath = Field(description="Where it stands in the machine.")
    content: FileContent = Field(description="What it says.")
    mode: FileMode = Field("0644", description="Its permissions in octal digits, in quotes.")
    owner: FileOwner = Field("root:root", description="Whose it is: an account, or account:group.")


class FirstBoot(Part):
    """What cloud-init is told. A machine that has none of it has no seed."""

    accounts: Many[AccountField] = Field((), description="The accounts, and no others.")
    packages: Many[PackageName] = Field((), description="Packages to install: name, name=version.")
    upgrade: bool = Field(default=False, description="Whether to upgrade all packages first.")
    files: Many[FileField] = Field((), description="Files to write.")
    timezone: TimeZone | None = Field(None, description="The time zone, such as Europe/Berlin.")
    locale: Locale | None = Field(None, description="The locale, such as C.UTF-8.")
    grow: bool = Field(default=True, description="Whether the root file system fills its disk.")
    on_change: Literal["replace", "rerun", "keep"] = Field(
        "replace",
        description="What a change of this makes of a machine that is there: a new root disk, a "
        "restart in which it does this again, or nothing.",
    )
