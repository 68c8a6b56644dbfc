"""What the operator lets promotions and releases do by themselves."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reconciler.config.part import Part


class PromotionSettings(Part):
    """Whether `promote --direct` may push the merge, for each environment that takes one."""

    staging: Literal["branch", "direct"] = Field(
        "branch", description="Only a branch to open a pull request from, or the merge itself."
    )
    production: Literal["branch", "direct"] = Field(
        "branch", description="Only a branch to open a pull request from, or the merge itself."
    )

    def allows_direct(self, environment: str) -> bool:
        """Whether a merge may be pushed to the environment's branch."""
        ways = {"staging": self.staging, "production": self.production}
        return ways.get(environment) == "direct"


class ReleaseSettings(Part):
    """What follows when a release or hotfix branch of git-flow has reached production."""

    tag: bool = Field(default=True, description="Tag production's commit `vX.Y.Z`.")
    back_merge: bool = Field(
        default=True, description="Merge production back into development's branch."
    )
