"""Hotfixes, with the names of git-flow and with plain ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.story.people import LINUX, FlowDesk

DIRECT = "promotion: {production: direct}\n"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release v1.0.0 is out, and merged back."""
    desk = FlowDesk.of(tmp_path_factory.mktemp("hotfix"))
    desk.sync_all()
    desk.grow("develop", 2)
    desk.sync("development")
    desk.run("promote", "development", "staging", "--release", "v1.0.0")
    desk.sync("staging")
    desk.merge("release/v1.0.0", "master")
    desk.sync_all()
    assert desk.tags() == ["v1.0.0"]
    return desk.root


@pytest.fixture
def desk(tmp_path: Path, begun: Path) -> FlowDesk:
    shutil.copytree(begun / "origin.git", tmp_path / "origin.git")
    shutil.copy(begun / "world.yaml", tmp_path)
    return FlowDesk(tmp_path)


def run(desk: FlowDesk, *arguments: str, exit_code: int = 0) -> str:
    done = desk.run(*arguments)
    assert done.exit_code == exit_code, done.output
    return done.output


def test_a_hotfix_goes_to_master_and_back_to_develop(desk: FlowDesk) -> None:
    assert "hotfix/v1.0.1 is now at" in run(desk, "hotfix", "start", "v1.0.1")
    assert desk.head("hotfix/v1.0.1") == desk.head("master")
    assert "nothing to do" in desk.sync("staging"), "there is no work in it yet"
    mend = desk.grow("hotfix/v1.0.1", 3)
    early = run(desk, "hotfix", "finish", "v1.0.1", exit_code=1)
    assert f"staging follows hotfix/v1.0.1, and {mend[:7]} is not Ready there yet" in early
    desk.sync("staging")
    assert desk.in_force("staging") == mend
    said = run(desk, "hotfix", "finish", "v1.0.1")
    assert "open a pull request from hotfix/v1.0.1 into master" in said
    brought = desk.merge("hotfix/v1.0.1", "master")
    said = desk.sync("production")
    assert "tagged v1.0.1" in said
    assert "merged v1.0.1 back into develop" in said
    assert desk.git("rev-parse", "v1.0.1^{commit}") == brought
    assert "memory: 3 GiB" in desk.git("show", f"develop:{LINUX}")
    assert "nothing to do" in desk.sync("staging")


def test_a_hotfix_beside_an_open_release_reaches_it_too(desk: FlowDesk) -> None:
    desk.put({"README.md": "news\n"}, "develop")
    desk.sync("development")
    run(desk, "promote", "development", "staging")
    desk.sync("staging")
    run(desk, "hotfix", "start", "v1.0.1")
    desk.grow("hotfix/v1.0.1", 3)
    desk.settings.write_text(desk.settings.read_text() + DIRECT)
    assert "master is now at" in run(desk, "hotfix", "finish", "v1.0.1", "--direct")
    said = desk.sync("production")
    assert "merged v1.0.1 back into develop" in said
    assert "merged v1.0.1 back into release/v1.1.0" in said
    assert "memory: 3 GiB" in desk.git("show", f"release/v1.1.0:{LINUX}")
    desk.sync("staging")
    assert desk.in_force("staging") == desk.head("release/v1.1.0")
    desk.merge("release/v1.1.0", "master")
    desk.sync("production")
    assert desk.tags() == ["v1.0.0", "v1.0.1", "v1.1.0"]


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("v1.0.0", "v1.0.0 is not above v1.0.0, the newest there is"),
        ("v0.9", "v0.9.0 is not above v1.0.0"),
        ("one", "'one' is no version"),
    ],
)
def test_a_version_that_is_not_new_is_refused(desk: FlowDesk, version: str, reason: str) -> None:
    assert reason in run(desk, "hotfix", "start", version, exit_code=1)


def test_one_hotfix_at_a_time(desk: FlowDesk) -> None:
    run(desk, "hotfix", "start", "v1.0.1")
    assert "hotfix/v1.0.1 is open" in run(desk, "hotfix", "start", "v1.0.2", exit_code=1)
    desk.grow("hotfix/v1.0.1", 3)
    assert "hotfix/v1.0.1 is open" in run(desk, "hotfix", "start", "v1.0.2", exit_code=1)
    desk.merge("hotfix/v1.0.1", "master")
    desk.sync("production")
    assert "hotfix/v1.0.2 is now at" in run(desk, "hotfix", "start", "v1.0.2")


def test_a_hotfix_that_was_never_begun_cannot_be_finished(desk: FlowDesk) -> None:
    assert "there is no branch hotfix/v1.0.1" in run(
        desk, "hotfix", "finish", "v1.0.1", exit_code=1
    )


def test_a_merge_back_that_conflicts_waits_on_a_branch(desk: FlowDesk) -> None:
    desk.grow("develop", 8)
    desk.sync("development")
    run(desk, "hotfix", "start", "v1.0.1")
    desk.grow("hotfix/v1.0.1", 3)
    before = desk.head("develop")
    brought = desk.merge("hotfix/v1.0.1", "master")
    said = desk.sync("production")
    branch = f"back-merge/develop/{brought[:7]}"
    assert f"to be merged back into develop by somebody: it conflicts in {LINUX}" in said
    assert desk.head(branch) == brought
    assert desk.head("develop") == before
    assert "merged back" not in desk.sync("production"), "it is told once"
    clone = desk._clone("develop")
    assert clone.exists()
    desk.merge(branch, "develop", "--strategy-option=ours", "--no-ff", "--message=Resolve")
    desk.sync_all()
    assert len([name for name in desk.branches() if name.startswith("back-merge/")]) == 1


def test_a_protected_develop_gets_the_merge_back_as_a_branch(desk: FlowDesk) -> None:
    hook = desk.remote / "hooks" / "update"
    run(desk, "hotfix", "start", "v1.0.1")
    desk.grow("hotfix/v1.0.1", 3)
    brought = desk.merge("hotfix/v1.0.1", "master")
    hook.write_text('#!/bin/sh\n[ "$1" != refs/heads/develop ] || { echo protected; exit 1; }\n')
    hook.chmod(0o755)
    said = desk.sync("production")
    assert "to be merged back into develop by somebody" in said
    hook.unlink()
    desk.merge(f"back-merge/develop/{brought[:7]}", "develop", "--ff-only")
    desk.sync_all()
    assert desk.tree("develop") == desk.tree("master")


def test_what_a_person_reverted_in_master_is_not_taken_from_develop_silently(
    desk: FlowDesk,
) -> None:
    run(desk, "hotfix", "start", "v1.0.1")
    desk.revert("hotfix/v1.0.1", desk.git("rev-parse", "v1.0.0"), "--mainline=1")
    desk.merge("hotfix/v1.0.1", "master")
    before = desk.head("develop")
    said = desk.sync("production")
    assert "somebody reverted work in production" in said
    assert desk.head("develop") == before


def test_a_refused_tag_is_tried_again(desk: FlowDesk) -> None:
    hook = desk.remote / "hooks" / "update"
    hook.write_text("#!/bin/sh\ncase $1 in refs/tags/*) echo no tags; exit 1;; esac\n")
    hook.chmod(0o755)
    run(desk, "hotfix", "start", "v1.0.1")
    desk.grow("hotfix/v1.0.1", 3)
    desk.merge("hotfix/v1.0.1", "master")
    assert "the tag v1.0.1 was not taken" in desk.sync("production")
    hook.unlink()
    assert "tagged v1.0.1" in desk.sync("production")


def test_S31_its_own_merges_never_keep_it_busy(desk: FlowDesk) -> None:
    """A release, its tag and its merge back: then no turn writes anything more."""
    run(desk, "hotfix", "start", "v1.0.1")
    desk.grow("hotfix/v1.0.1", 3)
    desk.merge("hotfix/v1.0.1", "master")
    desk.sync_all()
    desk.sync_all()
    before = desk.git("for-each-ref")
    for _ in range(4):
        desk.sync_all()
    assert desk.git("for-each-ref") == before


def test_with_plain_names_a_hotfix_is_merged_without_staging(tmp_path: Path) -> None:
    desk = FlowDesk.of(tmp_path, ("development", "staging", "production"))
    desk.sync_all()
    run(desk, "hotfix", "start", "v0.0.1")
    desk.grow("hotfix/v0.0.1", 3)
    desk.settings.write_text(desk.settings.read_text() + DIRECT)
    assert "production is now at" in run(desk, "hotfix", "finish", "v0.0.1", "--direct")
    desk.sync("production")
    assert desk.tags() == [], "releases are made with the names of git-flow only"
