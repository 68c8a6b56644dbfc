"""Git-flow from end to end: feature, develop, release, master, the tag, and the merge back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.story.people import LINUX, FlowDesk


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The farm is what develop and master say, and no release was ever made."""
    desk = FlowDesk.of(tmp_path_factory.mktemp("flow"))
    desk.sync_all()
    return desk.root


@pytest.fixture
def desk(tmp_path: Path, begun: Path) -> FlowDesk:
    shutil.copytree(begun / "origin.git", tmp_path / "origin.git")
    shutil.copy(begun / "world.yaml", tmp_path)
    return FlowDesk(tmp_path)


def released(desk: FlowDesk, version: str = "v0.1.0", to: int = 3) -> str:
    """A whole release; gives master's commit."""
    desk.grow("develop", to)
    desk.sync("development")
    done = desk.run("promote", "development", "staging", "--release", version)
    assert done.exit_code == 0, done.output
    desk.sync("staging")
    head = desk.merge(f"release/{version}", "master")
    desk.sync("production")
    return head


def test_a_feature_goes_through_develop_and_a_release_to_master(desk: FlowDesk) -> None:
    desk.branch("feature/memory", "develop")
    desk.grow("feature/memory", 3)
    merged = desk.merge("feature/memory", "develop")
    desk.sync("development")
    assert "release/v0.1.0 is now at" in desk.run("promote", "development", "staging").output
    assert desk.head("release/v0.1.0") == merged
    desk.sync("staging")
    offered = desk.run("promote", "staging", "production")
    assert offered.exit_code == 0
    assert "open a pull request from release/v0.1.0 into master" in offered.output
    brought = desk.merge("release/v0.1.0", "master")
    said = desk.sync("production")
    assert f"tagged v0.1.0 at {brought[:7]} of production" in said
    assert "merged v0.1.0 back into develop" in said
    assert desk.git("cat-file", "-t", "v0.1.0") == "tag"
    assert desk.git("rev-parse", "v0.1.0^{commit}") == brought
    assert f"- Change {LINUX}" in desk.git("tag", "-n99", "--list", "v0.1.0")
    assert desk.git("merge-base", "--is-ancestor", brought, "develop") == ""
    assert desk.events("production") == ["sync", "sync"]


def test_the_merge_back_changes_nothing_and_is_made_once(desk: FlowDesk) -> None:
    released(desk)
    head = desk.head("develop")
    assert desk.tree("develop") == desk.tree("master")
    assert "nothing to do" in desk.sync("development")
    for _ in range(3):
        desk.sync_all()
    assert desk.head("develop") == head
    assert desk.tags() == ["v0.1.0"]
    assert "back-merge" not in " ".join(desk.branches())


def test_between_two_releases_staging_stays_as_it_is(desk: FlowDesk) -> None:
    released(desk)
    assert "nothing to do" in desk.sync("staging")
    desk.delete("release/v0.1.0")
    assert "nothing to do" in desk.sync("staging")
    assert desk.condition("staging", "Ready")[0] == "True"
    assert "no release is open" in desk.run("status", "-e", "staging").output
    assert desk.events("staging") == ["sync"]


def test_staging_passes_from_one_release_to_the_next(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    desk.grow("develop", 4)
    desk.sync("development")
    assert "release/v0.2.0 is now at" in desk.run("promote", "development", "staging").output
    desk.sync("staging")
    assert desk.in_force("staging") == desk.head("release/v0.2.0")
    assert desk.condition("staging", "Ready")[0] == "True"


def test_a_release_that_does_not_descend_from_the_last_one_is_passed_to(desk: FlowDesk) -> None:
    """It was cut from develop without the fix that only the release and master have."""
    released(desk)
    cut = desk.git("rev-parse", "develop^1")
    desk.grow("release/v0.1.0", 5)
    desk.sync("staging")
    desk.merge("release/v0.1.0", "master")
    desk.sync("production")
    desk.branch("release/v0.2.0", cut)
    desk.put({"README.md": "next\n"}, "release/v0.2.0")
    desk.sync("staging")
    assert desk.in_force("staging") == desk.head("release/v0.2.0")


def test_a_release_whose_work_is_nowhere_else_is_not_passed_over(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    desk.branch("release/v0.2.0", "develop")
    applied = desk.grow("release/v0.2.0", 4)
    desk.sync("staging")
    desk.branch("release/v0.3.0", "develop")
    desk.put({"README.md": "next\n"}, "release/v0.3.0")
    said = desk.sync("staging", exit_code=1)
    assert "does not descend from it" in said
    assert desk.in_force("staging") == applied
    assert desk.condition("staging", "Ready") == ("False", "HistoryRewritten")


def test_a_release_that_is_forced_holds_staging(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    desk.branch("release/v0.2.0", "develop")
    applied = desk.grow("release/v0.2.0", 4)
    desk.sync("staging")
    desk.force("release/v0.2.0", desk.git("rev-parse", "develop"))
    desk.grow("release/v0.2.0", 8)
    desk.sync("staging", exit_code=1)
    assert desk.in_force("staging") == applied
    assert desk.condition("staging", "Ready") == ("False", "HistoryRewritten")
    assert desk.events("staging")[-1] == "hold"


def test_an_open_release_is_brought_up(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    for to in (4, 5):
        head = desk.grow("develop", to)
        desk.sync("development")
        assert desk.run("promote", "development", "staging").exit_code == 0
        assert desk.head("release/v0.2.0") == head
    assert "release/v0.3.0" not in desk.branches()


def test_a_release_with_a_fix_that_develop_lacks_is_not_mixed(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    desk.branch("release/v0.2.0", "develop")
    fix = desk.put({"README.md": "fixed\n"}, "release/v0.2.0")
    desk.sync("staging")
    desk.grow("develop", 4)
    desk.sync("development")
    refused = desk.run("promote", "development", "staging")
    assert refused.exit_code == 1
    assert f"diverged: release/v0.2.0 has 1 commit that develop lacks ({fix[:7]}" in refused.output
    assert "git merge origin/release/v0.2.0" in refused.output
    desk.merge("release/v0.2.0", "develop")
    desk.sync("development")
    assert desk.run("promote", "development", "staging").exit_code == 0
    assert desk.tree("release/v0.2.0") == desk.tree("develop")


def test_a_version_that_is_not_the_newest_is_refused(desk: FlowDesk) -> None:
    released(desk)
    desk.sync("development")
    desk.grow("develop", 4)
    desk.sync("development")
    refused = desk.run("promote", "development", "staging", "--release", "v0.0.9")
    assert refused.exit_code == 1
    assert "version: release/v0.0.9 is not above v0.1.0" in refused.output


def test_a_release_is_tagged_although_its_branch_is_gone(desk: FlowDesk) -> None:
    desk.grow("develop", 3)
    desk.sync("development")
    desk.run("promote", "development", "staging")
    desk.sync("staging")
    brought = desk.merge("release/v0.1.0", "master")
    desk.delete("release/v0.1.0")
    desk.sync("production")
    assert desk.git("rev-parse", "v0.1.0^{commit}") == brought


@pytest.mark.parametrize("how", ["squash", "rebase", "fast-forward"])
def test_a_release_that_came_without_a_merge_commit_is_tagged(desk: FlowDesk, how: str) -> None:
    desk.put({"README.md": "a quick mend\n"}, "master")
    desk.merge("master", "develop")
    desk.grow("develop", 3)
    desk.sync("development")
    desk.run("promote", "development", "staging")
    desk.sync("staging")
    if how == "squash":
        brought = desk.squash("release/v0.1.0", "master", "Grow (#12)")
    elif how == "rebase":
        brought = desk.rebase("release/v0.1.0", "master")
    else:
        brought = desk.merge("release/v0.1.0", "master", "--ff-only")
    assert "tagged v0.1.0" in desk.sync("production")
    assert desk.git("rev-parse", "v0.1.0^{commit}") == brought
    assert "nothing to do" in desk.sync("staging")
    desk.delete("release/v0.1.0")
    assert "nothing to do" in desk.sync("staging")


def test_an_octopus_of_features_is_released_as_one(desk: FlowDesk) -> None:
    names = ("one", "two", "three")
    for name in names:
        desk.branch(f"feature/{name}", "develop")
        desk.put({f"docs/{name}.md": name}, f"feature/{name}")
    others = [f"origin/feature/{name}" for name in names[:-1]]
    merged = desk.merge("feature/three", "develop", "--no-ff", "--message=Three at once", *others)
    assert len(desk.git("rev-parse", f"{merged}^@").split()) == 4
    desk.sync("development")
    said = desk.run("promote", "development", "staging").output
    assert all(f"Change docs/{name}.md" in said for name in names)
    desk.sync("staging")
    desk.merge("release/v0.1.0", "master")
    desk.sync("production")
    assert desk.tags() == ["v0.1.0"]
    assert all(f"docs/{name}.md" in desk.git("tag", "-n99", "-l", "v0.1.0") for name in names)


def test_the_main_branch_may_be_renamed(desk: FlowDesk) -> None:
    released(desk)
    desk.git("branch", "--move", "develop", "development")
    desk.git("branch", "--move", "master", "production")
    desk.sync_all()
    assert desk.condition("development", "Ready")[0] == "True"
    desk.grow("development", 4)
    desk.sync("development")
    assert "release/v0.2.0 is now at" in desk.run("promote", "development", "staging").output


def test_an_empty_release_branch_is_neither_followed_nor_tagged(desk: FlowDesk) -> None:
    """Somebody made it at master's commit, and has not committed yet."""
    released(desk)
    desk.put({"README.md": "a quick mend\n"}, "master")
    desk.branch("hotfix/v0.1.1", "master")
    for environment in ("production", "staging"):
        desk.sync(environment)
    assert desk.tags() == ["v0.1.0"]


def test_a_merge_that_a_person_reverts_is_taken_back_like_any_change(desk: FlowDesk) -> None:
    merged = released(desk)
    reverted = desk.revert("master", merged, "--mainline=1")
    assert "memory_bytes: 3 GiB → 1 GiB" in desk.sync("production")
    assert desk.in_force("production") == reverted
    assert desk.condition("production", "Ready")[0] == "True"
    assert desk.events("production") == ["sync", "sync", "sync"]
    desk.sync("development")
    assert "memory: 3 GiB" in desk.git("show", f"develop:{LINUX}"), "the next release brings it"
    assert desk.tags() == ["v0.1.0"]


def test_soaking_counts_in_staging_although_its_branch_is_merged(desk: FlowDesk) -> None:
    """When master's merge is judged, the release branch is closed, and staging has no branch."""
    gates = "gates: {production: {soak: 1h}}\n"
    desk.settings.write_text(desk.settings.read_text() + gates)
    desk.grow("develop", 3)
    desk.sync("development")
    desk.run("promote", "development", "staging")
    desk.sync("staging")
    desk.grow("develop", 4)
    desk.sync("development")
    assert (
        "soak: it has been Ready in staging" in desk.run("promote", "staging", "production").output
    )
    desk.merge("release/v0.1.0", "master")
    assert "it has been Ready in staging" in desk.sync("production", exit_code=1)
