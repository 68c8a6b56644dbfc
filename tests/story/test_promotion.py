"""Promotions between branches with plain names, pushed over https to a real git server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remotes.http_git import HttpGit, running_http_git
from tests.remotes.origin import Origin
from tests.story.people import LINUX, FlowDesk

BRANCHES = ("development", "staging", "production")
SETTINGS = """\
repository: {{url: "{url}"}}
state_directory: state
farm: {{kind: simulated, file: world.yaml}}
promotion: {{staging: direct, production: direct}}
"""
SOAK = "gates: {staging: {soak: 30m}}\n"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = FlowDesk.of(tmp_path_factory.mktemp("plain"), BRANCHES)
    desk.sync_all()
    return desk.root


@pytest.fixture
def server(tmp_path: Path, begun: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpGit]:
    shutil.copytree(begun / "origin.git", tmp_path / "origin.git")
    shutil.copy(begun / "world.yaml", tmp_path)
    with running_http_git(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: HttpGit) -> FlowDesk:
    desk = FlowDesk(tmp_path)
    origin = Origin.__new__(Origin)
    origin.path = desk.remote
    server.serve(origin)
    desk.settings.write_text(SETTINGS.format(url=server.url(origin)), encoding="utf-8")
    return desk


def promote(desk: FlowDesk, *more: str, exit_code: int = 0) -> str:
    done = desk.run("promote", "development", "staging", *more)
    assert done.exit_code == exit_code, done.output
    return done.output


def protect(desk: FlowDesk, branch: str) -> None:
    """The server takes no push to a branch, as protected branches do."""
    hook = desk.remote / "hooks" / "update"
    hook.write_text(
        f'#!/bin/sh\n[ "$1" != refs/heads/{branch} ] || {{ echo protected; exit 1; }}\n'
    )
    hook.chmod(0o755)


def test_the_branch_to_merge_points_at_what_was_ready(desk: FlowDesk, server: HttpGit) -> None:
    ready = desk.grow("development", 2)
    desk.sync("development")
    desk.put({LINUX: "kind: Stack\nname: linux\nmemori: 1 GiB\n"}, "development")
    said = promote(desk)
    assert desk.head("promote/development-staging") == ready, "not the newest commit"
    assert "memory_bytes: 1 GiB → 2 GiB" in said
    assert "open a pull request from promote/development-staging into staging" in said
    assert any(each.endswith("git-receive-pack") for each in server.asked)
    merged = desk.merge("promote/development-staging", "staging")
    desk.sync("staging")
    assert desk.in_force("staging") == merged
    assert "staging has the work of" in promote(desk)


def test_the_branch_to_merge_is_moved_on(desk: FlowDesk) -> None:
    for to in (2, 3):
        ready = desk.grow("development", to)
        desk.sync("development")
        promote(desk)
        assert desk.head("promote/development-staging") == ready
    assert "is already at" in promote(desk)


def test_a_direct_promotion_is_a_merge_of_just_that_tree(desk: FlowDesk) -> None:
    ready = desk.grow("development", 2)
    desk.sync("development")
    before = desk.head("staging")
    assert "staging follows it" in promote(desk, "--direct")
    assert desk.git("rev-parse", "staging^1", "staging^2").split() == [before, ready]
    assert desk.tree("staging") == desk.tree(ready)
    trailers = desk.git("log", "-1", "--format=%(trailers)", "staging")
    assert f"Reconciler-Promotes: {ready}" in trailers
    assert "skip ci" not in desk.git("log", "-1", "--format=%B", "staging")
    desk.sync("staging")
    assert desk.condition("staging", "Ready")[0] == "True"


def test_nothing_is_pushed_by_a_dry_run(desk: FlowDesk) -> None:
    desk.grow("development", 2)
    desk.sync("development")
    before = desk.git("for-each-ref")
    promote(desk, "--direct", "--dry-run", exit_code=2)
    assert desk.git("for-each-ref") == before


def test_a_protected_branch_gets_a_branch_beside_it(desk: FlowDesk) -> None:
    ready = desk.grow("development", 2)
    desk.sync("development")
    before = desk.head("staging")
    protect(desk, "staging")
    said = promote(desk, "--direct")
    assert "staging did not take it" in said
    assert "remote: protected" in said
    assert desk.head("staging") == before
    assert desk.head("promote/development-staging") == ready


def test_a_direct_merge_needs_the_operators_leave(desk: FlowDesk) -> None:
    text = desk.settings.read_text()
    desk.settings.write_text(text.replace("staging: direct", "staging: branch"))
    desk.grow("development", 2)
    desk.sync("development")
    assert "promotion.staging is branch in the settings" in promote(desk, "--direct", exit_code=1)


def test_all_that_stands_against_it_is_told_at_once(desk: FlowDesk) -> None:
    desk.settings.write_text(desk.settings.read_text() + SOAK)
    desk.grow("development", 2)
    fix = desk.put({"README.md": "a mend\n"}, "staging")
    desk.sync("development")
    said = promote(desk, exit_code=1)
    assert "not promoted, for 2 reasons:" in said
    assert "soak: it has been Ready in development only since" in said
    assert f"diverged: staging has 1 commit that development lacks ({fix[:7]}" in said
    assert "git merge origin/staging" in said
    assert "promote/development-staging" not in desk.branches()
    desk.settings.write_text(desk.settings.read_text().replace(SOAK, ""))
    desk.merge("staging", "development")
    desk.sync("development")
    promote(desk)


def test_a_conflict_is_told_with_its_files(desk: FlowDesk) -> None:
    desk.grow("development", 2)
    desk.grow("staging", 4)
    desk.sync("development")
    said = promote(desk, exit_code=1)
    assert f"into staging conflicts in {LINUX}" in said
    assert "merge staging back into development first" in said


def test_a_held_environment_promotes_nothing(desk: FlowDesk) -> None:
    desk.grow("development", 2)
    desk.sync("development")
    held = desk.run("hold", "development", "--reason", "a long test")
    assert held.exit_code == 0, held.output
    assert "held: development is held" in promote(desk, exit_code=1)


def test_squash_merges_do_not_stop_the_next_promotion(desk: FlowDesk) -> None:
    for to in (2, 3, 4):
        desk.grow("development", to)
        desk.sync("development")
        promote(desk)
        desk.squash("promote/development-staging", "staging", f"Promote (#{to})")
        desk.sync("staging")
        assert desk.tree("staging") == desk.tree("development")
        assert "staging has the work of" in promote(desk)
    assert len(desk.git("rev-list", "--first-parent", "staging").split()) == 4


def test_rebase_merges_do_not_stop_the_next_promotion(desk: FlowDesk) -> None:
    desk.put({"README.md": "staging's own\n"}, "staging")
    desk.merge("staging", "development")
    desk.put({"README.md": "staging's own\n\nagain\n"}, "staging")
    desk.merge("staging", "development")
    for to in (2, 3):
        desk.grow("development", to)
        desk.sync("development")
        promote(desk)
        desk.rebase("promote/development-staging", "staging")
        desk.sync("staging")
        assert desk.tree("staging") == desk.tree("development")


def test_what_a_person_reverted_after_a_squash_is_shown_to_come_again(desk: FlowDesk) -> None:
    """For git nothing has happened above: the squash and its revert together change nothing."""
    desk.grow("development", 2)
    desk.sync("development")
    promote(desk)
    merged = desk.squash("promote/development-staging", "staging", "Promote (#1)")
    desk.sync("staging")
    desk.revert("staging", merged)
    desk.sync("staging")
    desk.put({"README.md": "something else\n"}, "development")
    desk.sync("development")
    assert "memory_bytes: 1 GiB → 2 GiB" in promote(desk)


def test_the_revert_of_a_merge_is_named_with_the_way_out(desk: FlowDesk) -> None:
    desk.grow("development", 2)
    desk.sync("development")
    promote(desk)
    merged = desk.merge("promote/development-staging", "staging")
    desk.sync("staging")
    desk.revert("staging", merged, "--mainline=1")
    desk.sync("staging")
    desk.put({"README.md": "something else\n"}, "development")
    desk.sync("development")
    said = promote(desk, exit_code=1)
    assert "diverged: staging has 1 commit that development lacks" in said
    assert "Revert" in said


def test_unrelated_histories_are_never_merged(desk: FlowDesk) -> None:
    clone = desk._clone("development")
    tree = desk.git("rev-parse", "development^{tree}")
    orphan = desk.git(
        "-c", "user.name=Ada", "-c", "user.email=a@x", "commit-tree", tree, "-m", "New"
    )
    desk.force("development", orphan)
    desk.sync("development", exit_code=1)
    assert desk.condition("development", "Ready") == ("False", "HistoryRewritten")
    accepted = desk.run("sync", "-e", "development", "--accept-history")
    assert accepted.exit_code == 0, accepted.output
    desk.grow("development", 2)
    desk.sync("development")
    assert "unrelated: development and staging have no history in common" in promote(
        desk, exit_code=1
    )
    assert clone.exists()


def test_a_rewritten_lower_branch_is_never_forced_onto_the_branch_to_merge(
    desk: FlowDesk,
) -> None:
    first = desk.head("development")
    desk.grow("development", 2)
    desk.sync("development")
    promote(desk)
    offered = desk.head("promote/development-staging")
    desk.force("development", first)
    desk.grow("development", 3)
    assert desk.run("sync", "-e", "development", "--accept-history").exit_code == 0
    said = promote(desk, exit_code=1)
    assert "promote-branch: promote/development-staging cannot be moved on" in said
    assert "git push origin --delete promote/development-staging" in said
    assert desk.head("promote/development-staging") == offered


def test_a_slow_server_and_a_wrong_login_are_told_and_change_nothing(
    desk: FlowDesk, server: HttpGit
) -> None:
    desk.grow("development", 2)
    desk.sync("development")
    server.login = "bot:secret"
    said = promote(desk, exit_code=1)
    assert "Authentication failed" in said
    server.login = None
    server.failure = 503
    assert "503" in promote(desk, exit_code=1)
    server.failure = None
    promote(desk)


def test_an_environment_in_between_is_not_skipped(desk: FlowDesk) -> None:
    skipping = desk.run("promote", "development", "production")
    assert skipping.exit_code == 1
    assert "promote to staging first" in skipping.output
    backwards = desk.run("promote", "staging", "staging")
    assert backwards.exit_code == 1


def test_the_matrix_tells_what_is_where(desk: FlowDesk) -> None:
    for to in (2, 3):
        desk.grow("development", to)
        desk.sync("development")
    promote(desk)
    desk.squash("promote/development-staging", "staging", "Promote (#1)")
    desk.sync("staging")
    newest = desk.grow("development", 4)
    desk.sync("development")
    shown = desk.run("status", "--matrix").output
    assert max(map(len, shown.splitlines())) <= 100
    assert "staging: 1 commit Ready in development can be promoted" in shown
    told = desk.json("status", "--matrix")
    above = {each["environment"]: each for each in told["environments"]}
    assert above["staging"]["behind"] == 1
    assert [each["commit"] for each in above["staging"]["waiting"]] == [newest]
    assert above["production"]["behind"] == 1, "the squashed commit"
    names = ("development", "staging", "production")
    marks = [tuple(each["environments"][name] for name in names) for each in told["commits"]]
    assert marks == [
        ("in force", "awaited", "awaited"),
        ("arrived", "arrived", "awaited"),
        ("arrived", "arrived", "awaited"),
        ("arrived", "arrived", "in force"),
    ]


def test_S32_somebody_who_pushes_meanwhile_is_never_overwritten(desk: FlowDesk) -> None:
    """Between our look and our push a person's commit arrives: it is looked at again."""
    desk.grow("development", 2)
    desk.sync("development")
    theirs = desk.put({"README.md": "theirs\n"}, "staging")
    desk.branch("later", theirs)
    desk.force("staging", desk.git("rev-parse", f"{theirs}^"))
    hook = desk.remote / "hooks" / "update"
    hook.write_text(
        '#!/bin/sh\n[ "$1" = refs/heads/staging ] || exit 0\nrm -- "$0"\n'
        f"git update-ref refs/heads/staging {theirs}\n"
    )
    hook.chmod(0o755)
    said = promote(desk, "--direct", exit_code=1)
    assert f"diverged: staging has 1 commit that development lacks ({theirs[:7]}" in said
    assert desk.head("staging") == theirs
    assert not hook.exists()
