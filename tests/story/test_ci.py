"""`deploy/ci`: what is copied into other repositories parses, and does there what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.remotes.origin import git
from tests.story.desk import WEB, Desk
from tests.story.reviewing import branch

ROOT = Path(__file__).parents[2]
CI = ROOT / "deploy/ci"
SCRIPT = CI / "review"
YAMLS = sorted(CI.rglob("*.yml"))
HOSTILE = [
    "feature/$(touch${IFS}pwned)",
    "feature/`touch${IFS}pwned`",
    "feature/;touch${IFS}pwned;",
    "feature/'\"|&<>(){}",
    "feature/</details>@all",
    "feature/%0A##vso",
    "feature/\u202egnp",
    "refs/heads/production",
]


def workspace(desk: Desk, commit: str, *, depth: int | None = None) -> Path:
    """A checkout as a CI runner makes it: one commit, detached, and origin's branches."""
    work = desk.root / "work"
    shallow = (f"--depth={depth}", "--no-single-branch") if depth else ()
    git(desk.root, "clone", "--quiet", *shallow, f"file://{desk.remote}", str(work))
    git(work, "checkout", "--quiet", "--detach", commit)
    return work


def run(work: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The script as a runner starts it; nothing of the developer's environment gets in."""
    bin_ = work.parent / "bin"
    bin_.mkdir(exist_ok=True)
    program = bin_ / "reconciler"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n', "utf-8")
    program.chmod(0o755)
    environment = {
        "PATH": f"{bin_}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(work.parent),
        "PYTHONPATH": str(ROOT),
        "RECONCILER_OUT": str(work.parent / "out"),
        **variables,
    }
    return subprocess.run(
        [str(SCRIPT)],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def plan_of(work: Path) -> Any:
    return json.loads((work.parent / "out/plan.json").read_text("utf-8"))


@pytest.fixture
def proposed(desk: Desk) -> tuple[Desk, str]:
    branch(desk, "feature/more")
    return desk, desk.edit(WEB, "size: 8 GiB", "size: 12 GiB", branch="feature/more")


def github(head: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "farm/config",
        "GITHUB_API_URL": "https://git.farm.internal/api/v3",
        "GITHUB_BASE_REF": "production",
        "GITHUB_HEAD_REF": "feature/more",
        "GITHUB_REF": "refs/pull/7/merge",
        "RECONCILER_HEAD": head,
    }


def gitlab(head: str) -> dict[str, str]:
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": "https://git.farm.internal/api/v4",
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature/more",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "production",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
        "CI_COMMIT_SHA": head,
    }


def forgejo(head: str) -> dict[str, str]:
    known = {"FORGEJO_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/head", "GITHUB_SHA": head}
    return {**github(""), **known, "GITHUB_API_URL": "https://git.farm.internal/api/v1"}


def by_hand(head: str) -> dict[str, str]:
    del head
    return {"RECONCILER_BRANCH": "feature/more", "RECONCILER_INTO": "production"}


FORGES = {"github": github, "gitlab": gitlab, "forgejo": forgejo, "by hand": by_hand}


@pytest.mark.parametrize("forge", FORGES)
def test_the_script_takes_its_facts_from_each_forge(proposed: tuple[Desk, str], forge: str) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    done = run(work, FORGES[forge](head))
    assert done.returncode == 0, done.stderr
    assert "nothing is posted" in done.stderr
    plan = plan_of(work)
    assert plan["background"]["merge"]["branch"] == "feature/more"
    assert plan["background"]["merge"]["head"] == head
    assert [each["address"] for each in plan["changes"]] == ["volume/web-1-data"]
    assert sorted(each.name for each in (work.parent / "out").iterdir()) == [
        "plan.json",
        "plan.junit.xml",
        "plan.md",
        "plan.sarif",
    ]


def test_of_a_merge_that_github_made_the_head_is_its_second_parent(
    proposed: tuple[Desk, str],
) -> None:
    desk, head = proposed
    work = workspace(desk, "origin/production")
    who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@farm.internal")
    git(work, *who, "merge", "--quiet", "--no-ff", "--no-edit", head)
    variables = {**github(""), "GITHUB_SHA": git(work, "rev-parse", "HEAD")}
    assert run(work, variables).returncode == 0
    assert plan_of(work)["background"]["merge"]["head"] == head


def test_a_summary_is_the_page(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    summary = desk.root / "summary"
    run(work, {**github(head), "GITHUB_STEP_SUMMARY": str(summary)})
    assert summary.read_text("utf-8").startswith("### Plan for `production`")


def test_a_shallow_checkout_is_made_whole(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head, depth=1)
    assert run(work, github(head)).returncode == 0


def test_a_checkout_without_its_remote_is_reviewed_as_it_is(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    shutil.rmtree(desk.remote)
    done = run(work, github(head))
    assert done.returncode == 0, done.stderr
    assert "going on with the branches that are here" in done.stderr


def test_nothing_is_written_into_the_checkout(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    run(work, github(head))
    assert git(work, "status", "--porcelain") == ""


def test_the_branch_of_a_fork_may_have_any_name_of_ours(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    for name in ("production", "reconciler/production"):
        assert run(work, {**github(head), "GITHUB_HEAD_REF": name}).returncode == 0
        assert [each["address"] for each in plan_of(work)["changes"]] == ["volume/web-1-data"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_of_a_branch_is_only_a_name(proposed: tuple[Desk, str], name: str) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    done = run(work, {**github(head), "GITHUB_HEAD_REF": name})
    assert done.returncode == 0, done.stderr
    assert not list(desk.root.rglob("pwned"))
    assert plan_of(work)["background"]["merge"]["branch"] == name


@pytest.mark.parametrize("head", ["HEAD", "--all", "production", "$(touch pwned)", "0" * 40])
def test_a_head_is_a_commit_that_is_there(proposed: tuple[Desk, str], head: str) -> None:
    desk, real = proposed
    work = workspace(desk, real)
    done = run(work, github(head))
    assert done.returncode == 1
    assert "commit" in done.stderr
    assert not list(desk.root.rglob("pwned"))


def test_files_that_the_branch_planted_are_not_shown(proposed: tuple[Desk, str]) -> None:
    desk, _ = proposed
    head = desk.put({"reconciler-review/plan.md": "# Approved\n"}, "feature/more")
    work = workspace(desk, head)
    summary = desk.root / "summary"
    done = run(
        work,
        {
            **github(head),
            "RECONCILER_OUT": "reconciler-review",
            "GITHUB_STEP_SUMMARY": str(summary),
        },
    )
    assert done.returncode == 1
    assert "the branch holds reconciler-review itself" in done.stderr
    assert not summary.exists()


def test_a_link_of_the_branch_leads_the_files_nowhere(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work, outside = workspace(desk, head), desk.root / "outside"
    outside.mkdir()
    (work / "build").symlink_to(outside)
    done = run(work, by_hand(head) | {"RECONCILER_OUT": "build/review"})
    assert done.returncode == 1
    assert "a link of the branch leads build/review somewhere else" in done.stderr
    assert not list(outside.iterdir())


def test_the_token_reaches_neither_arguments_nor_environment(proposed: tuple[Desk, str]) -> None:
    desk, head = proposed
    work = workspace(desk, head)
    spy = desk.root / "spy"
    spy.mkdir()
    program = spy / "reconciler"
    program.write_text('#!/bin/sh\nenv; printf "%s\\n" "$@"\nexit 2\n', "utf-8")
    program.chmod(0o755)
    path = f"{spy}:/usr/local/bin:/usr/bin:/bin"
    done = run(work, {**github(head), "RECONCILER_TOKEN": "canary-7f3a", "PATH": path})
    assert done.returncode == 2
    assert "--forge-token-file=" in done.stdout
    assert "--pull-request=7" in done.stdout
    assert "canary-7f3a" not in done.stdout + done.stderr


@pytest.mark.parametrize("file", YAMLS, ids=lambda file: str(file.relative_to(CI)))
def test_files_for_forges_are_yaml(file: Path) -> None:
    assert YAML(typ="safe").load(file.read_text("utf-8"))


@pytest.mark.parametrize("file", YAMLS, ids=lambda file: str(file.relative_to(CI)))
def test_no_expression_of_a_forge_stands_in_a_script(file: Path) -> None:
    for script in scripts(YAML(typ="safe").load(file.read_text("utf-8"))):
        assert "${{" not in script


def scripts(node: Any) -> list[str]:
    """All that a forge hands to a shell."""
    if isinstance(node, list):
        return [text for each in node for text in scripts(each)]
    if not isinstance(node, dict):
        return []
    found = [str(node[key]) for key in ("run", "script", "before_script") if key in node]
    return found + [text for each in node.values() for text in scripts(each)]


def test_there_is_something_for_each_forge() -> None:
    assert {file.parent.name for file in YAMLS} == {"github", "gitlab", "gitea"}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="there is no shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, check=False)
    assert done.stdout.decode() == ""
