"""The operator's settings, `reconciler.yaml`: what the repository they protect must not decide.

Every setting has a default. There is a setting only for what the program does: a capability that
needs more of the operator brings its settings along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from reconciler.config.document import EnvironmentName
from reconciler.config.documents import DisruptionName
from reconciler.config.fields import Duration, Mail, OneLine, Percent
from reconciler.config.forge_settings import ForgeSettings
from reconciler.config.gates import GateSettings
from reconciler.config.hook_settings import Hooks, Listen
from reconciler.config.image_settings import ImageSettings
from reconciler.config.part import File, Many, Part
from reconciler.config.promotion_settings import PromotionSettings, ReleaseSettings
from reconciler.config.secret_settings import SecretSettings
from reconciler.config.signer_settings import SignerSettings
from reconciler.model.quantity import format_duration

ENVIRONMENTS: tuple[EnvironmentName, ...] = ("development", "staging", "production")
SHORTEST = timedelta(seconds=1)
_PATTERN = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._/*-]{0,199}\Z")
_ACCOUNT = re.compile(r"\A[a-z_][a-z0-9_-]{0,31}\Z")


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < SHORTEST:
        message = f"must be at least {format_duration(SHORTEST)}"
        raise ValueError(message)
    return value


def _branch_pattern(value: str) -> str:
    if _PATTERN.match(value) is None or ".." in value or "//" in value or value.endswith("/"):
        message = "must be the name of a branch, in which * stands for anything"
        raise ValueError(message)
    return value


def _account(value: str) -> str:
    if _ACCOUNT.match(value) is None:
        message = "must be the name of an account: a-z, 0-9, _ and -, at most 32 letters"
        raise ValueError(message)
    return value


def _some_unlike(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        message = "must name at least one"
        raise ValueError(message)
    if len(set(values)) < len(values):
        message = "must not name anything twice"
        raise ValueError(message)
    return values


Pause = Annotated[Duration, AfterValidator(_at_least_a_second)]
Account = Annotated[str, AfterValidator(_account)]
Pattern = Annotated[str, AfterValidator(_branch_pattern)]
Patterns = Annotated[Many[Pattern], AfterValidator(_some_unlike)]
Selection = Annotated[Many[EnvironmentName], AfterValidator(_some_unlike)]


class RepositorySettings(Part):
    """Where the config repository is, and how it is reached."""

    url: OneLine = Field(
        ".",
        repr=False,
        description="The config repository: a directory, `ssh://`, `https://` or `user@host:path`.",
    )
    deadline: Pause = Field(
        timedelta(seconds=60), description="How long the repository may take to answer."
    )
    ssh_key: File | None = Field(
        None, description="The private key for ssh, readable by its owner only; else ssh's own."
    )
    known_hosts: File | None = Field(
        None, description="The host keys to trust, writable by its owner only; else ssh's own."
    )


class BranchSettings(Part):
    """Which branches feed which environment, the preferred first."""

    development: Patterns = Field(
        ("development", "develop"), description="Branches that feed development."
    )
    staging: Patterns = Field(
        ("staging", "release/v*", "hotfix/v*"),
        description="Branches that feed staging: of several, the newest that is still open.",
    )
    production: Patterns = Field(
        ("production", "main", "master"), description="Branches that feed production."
    )

    @model_validator(mode="after")
    def _feeds_one_environment(self) -> BranchSettings:
        seen: dict[str, str] = {}
        for environment, patterns in self.by_environment().items():
            for pattern in patterns:
                if pattern in seen:
                    message = f"{pattern} feeds both {seen[pattern]} and {environment}; choose one"
                    raise ValueError(message)
                seen[pattern] = environment
        return self

    def by_environment(self) -> Mapping[str, tuple[str, ...]]:
        """The patterns of each environment."""
        return {environment: getattr(self, environment) for environment in ENVIRONMENTS}


class FarmSettings(Part):
    """Which farm is managed: the real one, or a simulated one in a file."""

    kind: Literal["real", "simulated"] = Field("real", description="The hosts, or a simulation.")
    file: File | None = Field(
        None,
        description="The file a simulated farm lives in; else `world.yaml` in the state directory.",
    )

    @model_validator(mode="after")
    def _only_a_simulation_has_a_file(self) -> FarmSettings:
        if self.kind == "real" and self.file is not None:
            message = "only a simulated farm has a file; remove it, or set kind: simulated"
            raise ValueError(message)
        return self


class HostSettings(Part):
    """How the hosts of a real farm are reached: by ssh, with one key."""

    user: Account = Field(
        "root", description="The account on the hosts. It must be allowed everything."
    )
    ssh_key: File | None = Field(
        None, description="The private key that the hosts let in, readable by its owner only."
    )
    known_hosts: File | None = Field(
        None,
        description="The hosts' keys, by address. No other key is trusted. "
        "Writable by its owner only.",
    )
    port: int = Field(22, ge=1, le=65535, description="The port of ssh.")
    deadline: Pause = Field(
        timedelta(seconds=60), description="How long a host may take to answer."
    )

    def missing(self) -> tuple[str, ...]:
        """What a real farm still needs, and how it is made."""
        reasons = []
        if self.ssh_key is None:
            reasons.append(
                "hosts.ssh_key is not set; make a key without a passphrase "
                "(ssh-keygen -t ed25519 -N '' -f KEY), add KEY.pub to the authorized_keys of the "
                "hosts, and name KEY here"
            )
        if self.known_hosts is None:
            reasons.append(
                "hosts.known_hosts is not set; collect the keys "
                "(ssh-keyscan -t ed25519 ADDRESS >> FILE), compare each fingerprint "
                "(ssh-keygen -lf FILE) with the host's own, on its console, and name FILE here"
            )
        return tuple(reasons)


class JournalSettings(Part):
    """Where events are recorded, and in whose name."""

    url: OneLine | None = Field(
        None, repr=False, description="A repository of its own for the journal; else the config's."
    )
    name: OneLine = Field("reconciler", min_length=1, description="The author of its commits.")
    email: Mail = Field("reconciler@localhost", description="The mail address of the author.")


class CommitSettings(Part):
    """How the commits are made that go to branches of people: rollbacks, merges, releases."""

    signing_key: File | None = Field(
        None,
        description="The private ssh key they are signed with, without a passphrase, readable by "
        "its owner only; else they are not signed.",
    )


class DeletionFloor(Part):
    """How much one commit may delete at most, whatever the repository says."""

    machines_percent: Percent = Field(100, description="Part of the machines; one may always go.")
    records_percent: Percent = Field(100, description="Part of a zone's record sets.")


class PolicyFloor(Part):
    """What the Environment document may tighten, and never loosen."""

    suspend: bool = Field(default=False, description="Plan and report, but change nothing.")
    prune: bool = Field(default=True, description="Whether what is not described may be deleted.")
    drift: Literal["heal", "report"] = Field("heal", description="What may be done about drift.")
    rollback_after: Pause | None = Field(
        None, description="How long a new commit may fail at most before it is rolled back."
    )
    max_disruption: DisruptionName = Field("data-loss", description="The most a change may cost.")
    max_deletions: DeletionFloor = Field(DeletionFloor(), description="How much may go at once.")


class PolicySettings(Part):
    """A floor for each environment."""

    development: PolicyFloor = Field(PolicyFloor(), description="The floor of development.")
    staging: PolicyFloor = Field(PolicyFloor(), description="The floor of staging.")
    production: PolicyFloor = Field(PolicyFloor(), description="The floor of production.")

    def floor(self, environment: str) -> PolicyFloor:
        """The floor of one environment.

        Raises:
            KeyError: there is no such environment.
        """
        floors = {
            "development": self.development,
            "staging": self.staging,
            "production": self.production,
        }
        return floors[environment]


class Settings(Part):
    """Everything the operator decides."""

    repository: RepositorySettings = Field(
        RepositorySettings(), description="The config repository."
    )
    branches: BranchSettings = Field(
        BranchSettings(), description="Which branches feed which environment."
    )
    environments: Selection = Field(ENVIRONMENTS, description="The environments to look after.")
    farm: FarmSettings = Field(FarmSettings(), description="The farm that is managed.")
    hosts: HostSettings = Field(HostSettings(), description="How the hosts are reached.")
    images: ImageSettings = Field(ImageSettings(), description="What images may be.")
    secrets: SecretSettings = Field(SecretSettings(), description="What decrypts secrets.")
    state_directory: File = Field(
        Path("/var/lib/reconciler"),
        description="Where the mirror, the spool and the lock are; for the owner only.",
    )
    interval: Pause = Field(
        timedelta(seconds=60), description="How often the repository is asked for news."
    )
    full_look: Pause = Field(
        timedelta(minutes=5),
        description="How often each environment is looked at in full, news or not.",
    )
    trash_kept: Pause = Field(
        timedelta(days=7), description="How long volumes stay in the trash before they are deleted."
    )
    journal: JournalSettings = Field(JournalSettings(), description="The record of events.")
    commits: CommitSettings = Field(
        CommitSettings(), description="Commits on the branches of people."
    )
    policy: PolicySettings = Field(
        PolicySettings(), description="What repositories may tighten and never loosen."
    )
    gates: GateSettings = Field(
        GateSettings(), description="What new commits must be, whatever the repository says."
    )
    promotion: PromotionSettings = Field(
        PromotionSettings(), description="What promotions may do by themselves."
    )
    releases: ReleaseSettings = Field(
        ReleaseSettings(), description="What follows when a release has reached production."
    )
    signers: SignerSettings = Field(
        SignerSettings(), description="Whose signatures count; never told by the repository."
    )
    forge: ForgeSettings | None = Field(
        None, description="The forge of the config repository, which is told what happens."
    )
    listen: Listen | None = Field(
        None,
        description="Where `run` listens for webhooks: `127.0.0.1:8080`, or `unix:` and the whole "
        "path of a socket. Without TLS, which a proxy adds. Without it nothing listens.",
    )
    hooks: Hooks = Field({}, description="Webhooks by name: each is `POST /hooks/NAME`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is told on standard error."
    )

    @property
    def world_file(self) -> Path:
        """The file of a simulated farm."""
        return self.farm.file or self.state_directory / "world.yaml"
