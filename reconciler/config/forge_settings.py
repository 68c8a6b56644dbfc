"""The operator's settings for a forge: where pull requests and commit statuses are told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import quote

from pydantic import Field, model_validator

from reconciler.config.fields import Interval
from reconciler.config.forge_fields import BLANK, ApiUrl, Link, Project
from reconciler.config.part import File, Part

DEFAULT_URLS = {"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}
_API_PATHS = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}


class ForgeSettings(Part):
    """The forge of the config repository. Without a token nothing is told there, or asked."""

    kind: Literal["github", "gitlab", "gitea", "forgejo"] = Field(
        description="Which forge it is; never guessed."
    )
    url: ApiUrl | None = Field(
        None,
        description="Where its API is, such as `https://git.example.org/api/v1`; "
        "else that of github.com or gitlab.com.",
    )
    project: Project = Field(description="The project there: `owner/name`, or a GitLab path or id.")
    token_file: File | None = Field(
        None, description="The file with the token, readable by its owner only."
    )
    ca_file: File | None = Field(
        None, description="The certificates that the forge's must lead to; else the system's."
    )
    deadline: Interval = Field(
        timedelta(seconds=15), description="How long one call may take in all."
    )
    comments: bool = Field(
        default=False, description="Whether merged pull requests are told what became of them."
    )
    link: Link | None = Field(
        None,
        description="Where a commit status leads instead of to the journal's record on the forge; "
        "`{environment}`, `{commit}` and `{record}` are filled in.",
    )

    @model_validator(mode="after")
    def _is_somewhere(self) -> ForgeSettings:
        if self.url is None and self.kind not in DEFAULT_URLS:
            message = f"url is missing: where the API of {self.kind} is"
            raise ValueError(message)
        if self.kind != "gitlab" and self.project.count("/") != 1:
            message = f"project must be owner/name on {self.kind}"
            raise ValueError(message)
        return self

    @property
    def api(self) -> str:
        """The address of the API, without a slash at its end."""
        return self.url or DEFAULT_URLS[self.kind]

    @property
    def page(self) -> str | None:
        """The address of the project for people; None if it cannot be told from its number."""
        if self.project.isdigit():
            return None
        base = self.api.removesuffix(_API_PATHS[self.kind])
        if self.kind == "github" and base == DEFAULT_URLS["github"]:
            base = "https://github.com"
        return f"{base}/{quote(self.project)}"

    def commit_page(self, commit: str) -> str | None:
        """The address of a commit for people, if it can be told."""
        way = "/-/commit/" if self.kind == "gitlab" else "/commit/"
        return f"{self.page}{way}{commit}" if self.page else None

    def status_link(self, environment: str, commit: str, record: str | None) -> str | None:
        """Where a commit status leads: as `link` says, else to the journal's `record`."""
        if self.link is None:
            return self.commit_page(record) if record else None
        filled = {"environment": environment, "commit": commit, "record": record or ""}
        return BLANK.sub(lambda found: filled[found[1]], self.link)
