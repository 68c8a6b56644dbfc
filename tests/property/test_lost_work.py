"""After a rollback is merged back, an ordinary merge loses nothing, whatever the history was."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.gitops.branches import DEFAULT_PATTERNS
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.lost_work import lost_work
from reconciler.gitops.flow.rollback import Rollbacks
from reconciler.gitops.flow.undone import GitHistories
from reconciler.gitops.merging import merge_trees
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.source import ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.plan.show.status import Status
from tests.remotes.origin import Origin

WHEN = datetime(2025, 6, 2, tzinfo=UTC)
BRANCHES = ("development", "staging", "production")
STEPS = st.lists(
    st.sampled_from(["work", "fix-above", "promote", "release", "back"]), min_size=0, max_size=4
)


@dataclass
class Flow:
    """Branches that people move: each change is a file of its own, so that no merge conflicts."""

    origin: Origin
    mirror: Mirror
    number: int = 0

    def head(self, branch: str) -> str:
        return self.origin.head(branch) or ""

    def work(self, branch: str) -> str:
        """A new file on a branch; gives its name."""
        self.number += 1
        name = f"file-{self.number}"
        self.origin.commit(branch, {name: b"x\n"}, message=f"Work {self.number} on {branch}")
        return name

    def merge(self, source: str, target: str) -> None:
        """What a forge does when somebody presses the button."""
        self.mirror.fetch()
        ours, theirs = self.head(target), self.head(source)
        merged = merge_trees(self.mirror.git(), ours, theirs)
        assert merged.is_clean, (source, target, merged.conflicts)
        before, after = self.files(ours), self.files(merged.tree)
        change = {name: None if name not in after else b"x\n" for name in before ^ after}
        message = f"Merge {source} into {target}"
        made = self.origin.commit(target, change, message=message, parents=(ours, theirs))
        assert self.files(made) == after

    def files(self, commit: str) -> frozenset[str]:
        git = self.mirror.git()
        try:
            return frozenset(self.origin.git("ls-tree", "--name-only", commit).split())
        except Exception:  # noqa: BLE001 - a tree that only the mirror has
            return frozenset(
                git.call("listing", "ls-tree", "--name-only", commit).output.decode().split()
            )

    def play(self, step: str) -> None:
        if step == "work":
            self.work("development")
        elif step == "fix-above":
            self.work("production")
        elif step == "promote":
            self.merge("development", "staging")
        elif step == "release":
            self.merge("staging", "production")
        else:
            self.merge("production", "development")

    def merge_what_waits(self) -> None:
        """People merge the branches beside theirs."""
        found = self.origin.git(
            "for-each-ref", "--format=%(refname:short)", "refs/heads/back-merge"
        )
        for beside in found.split():
            self.merge(beside, beside.split("/")[1])


@given(before=STEPS, between=STEPS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_ordinary_merge_brings_everything_again(before: list[str], between: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        origin = Origin(root / "origin.git")
        first = origin.commit("production", {"farm": b"x\n"})
        for branch in ("staging", "development"):
            origin.git("branch", branch, first)
        with Mirror(str(origin.path), root / "mirror") as mirror:
            check(Flow(origin, mirror), before, between)


def check(flow: Flow, before: list[str], between: list[str]) -> None:
    flow.mirror.fetch()
    for step in before:
        flow.play(step)
    good = flow.head("production")
    bad_work = {flow.work("development")}
    flow.merge("development", "staging")
    flow.merge("staging", "production")
    bad = flow.head("production")
    roll_back(flow, good, bad)
    everything = flow.files(flow.head("production")) | flow.files(flow.head("development"))
    for step in between:
        flow.play(step)
        everything |= flow.files(flow.head("production")) | flow.files(flow.head("development"))
    flow.mirror.fetch()
    histories = GitHistories(flow.mirror.git())
    assert lost_work(histories, flow.head("development"), flow.head("staging")) == ()
    flow.merge("development", "staging")
    flow.mirror.fetch()
    assert lost_work(histories, flow.head("staging"), flow.head("production")) == ()
    flow.merge("staging", "production")
    assert flow.files(flow.head("production")) >= everything | bad_work


def roll_back(flow: Flow, good: str, bad: str) -> None:
    """Take the release back and merge that back, as often as people merge what waits for them."""
    flow.mirror.fetch()
    identity = Identity("reconciler", "reconciler@farm.internal")
    rollbacks = Rollbacks(ConfigSource(flow.mirror, DEFAULT_PATTERNS), identity)
    decided = rollbacks.decide("production", bad, good, "it fails", WHEN)
    merges = BackMerges(rollbacks)
    for _ in range(3):
        merges.catch_up("production", Status("production", quarantined=(decided,)))
        flow.merge_what_waits()
        flow.mirror.fetch()
    assert flow.files(flow.head("production")) == flow.files(good)
