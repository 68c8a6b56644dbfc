"""S24: nobody's approval counts for their own work, however the work is dressed up."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.gitops.forges.port import Approval, PullRequest
from tests.remotes.origin import NOON
from tests.scenes.gated import Gated, shut, web


class OnePull:
    """A forge with one pull request."""

    def __init__(self, pull: PullRequest, *approvals: Approval) -> None:
        self.pull, self.given = pull, approvals

    def pull_requests(self, _commit: str) -> tuple[PullRequest, ...]:
        return (self.pull,)

    def approvals(self, _number: int) -> tuple[Approval, ...]:
        return self.given


@pytest.fixture
def scene(tmp_path: Path) -> Gated:
    gated = Gated(tmp_path)
    gated.allow(gated.alice, gated.bob)
    return gated


def digest(scene: Gated) -> str:
    """Of what production's head asks for."""
    return shut(scene.sync())["approval"].remedy.partition("approve/production/")[2][:16]


@pytest.mark.parametrize("is_hidden", [False, True], ids=["old commit", "empty commit on it"])
def test_a_merge_that_keeps_an_older_tree_is_work_of_who_made_it(
    scene: Gated, is_hidden: bool
) -> None:
    old = str(scene.origin.head("production"))
    scene.bob.commit("production", scene.tree(3), message="Grow")
    scene.sync()
    new, tree = str(scene.origin.head("production")), scene.alice.tree(old)
    scene.ask(approvals=1)
    kept = scene.alice.commit("scratch", tree, old, message="Nothing") if is_hidden else old
    merge = scene.alice.commit("production", tree, kept, new, message="Merge")
    wanted = digest(scene)
    scene.alice.tag(f"approve/production/{wanted}", merge)
    assert "0 of 1" in shut(scene.sync())["approval"].message
    assert scene.gib() == 3
    scene.alice.git("tag", "--delete", f"approve/production/{wanted}")
    scene.bob.tag(f"approve/production/{wanted}", merge)
    assert scene.sync().refusal is None
    assert scene.gib() == 2


def test_who_opened_the_pull_request_does_not_count_whatever_author_the_commits_name(
    scene: Gated,
) -> None:
    scene.ask(approvals=1)
    commit = scene.origin.commit("production", web(3), message="Grow")  # by nobody in particular
    wanted = digest(scene)
    pull = PullRequest(7, "Grow", "feature", "production", commit, "", author="Mallory")
    scene.forge = OnePull(pull, Approval("mallory", commit, wanted, NOON))  # type: ignore[assignment] # only what is asked
    assert "0 of 1" in shut(scene.sync())["approval"].message
    scene.forge = OnePull(pull, Approval("bob", commit, wanted, NOON))  # type: ignore[assignment] # only what is asked
    assert scene.sync().refusal is None
    assert scene.gib() == 3
