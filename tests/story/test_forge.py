"""A forge is told how commits fare, by `sync` and by the loop, and nothing waits for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli.command import Given
from reconciler.cli.herald import heralding
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.slots import Reason
from tests.forges.bench import serving, token_file
from tests.forges.fake import FakeForge
from tests.forges.misbehaving import answering, holding
from tests.forges.project import TOKEN, Project
from tests.story.desk import WEB, Desk

PRODUCTION = "reconciler/production"
ROOT = Path(__file__).parents[2]
PROGRAM = "from reconciler.cli.main import main; main()"
WOKEN = frozenset({Reason.PUSH})
PATIENCE = timedelta(seconds=30)


@pytest.fixture(params=["github", "gitlab", "gitea"])
def forge(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    with serving(request.param, Project(any_commit=True)) as fake:
        yield fake


@pytest.fixture
def github() -> Iterator[FakeForge]:
    with serving("github", Project(any_commit=True)) as fake:
        yield fake


def connect(desk: Desk, fake: FakeForge, token: Path | None, extra: str = "") -> None:
    named = f", token_file: {token}" if token else ""
    line = f"forge: {{kind: {fake.kind}, url: '{fake.url}', project: acme/farm{named}{extra}}}\n"
    desk.settings.write_text(desk.settings.read_text("utf-8") + line, "utf-8")


def said(fake: FakeForge, commit: str, context: str = PRODUCTION) -> list[str]:
    """The states that were said of a commit, in their order."""
    told = [s for s in fake.project.statuses if (s["commit"], s["context"]) == (commit, context)]
    return [each["state"] for each in told]


@contextmanager
def telling(desk: Desk) -> Iterator[Keeper]:
    """What the loop calls, with a herald that is waited for at the end."""
    with open_repository(settings_of(Given(config=desk.settings))) as repository:
        repository.fetch()
        keeper = Keeper(repository, surroundings(repository, "production"), repository.settings)
        with heralding(repository, PATIENCE) as herald:
            assert herald is not None
            keeper.preludes.append(herald.begins)
            keeper.followups.append(herald.ended)
            yield keeper


def turn(desk: Desk, *, times: int = 1) -> None:
    """Turns of the loop."""
    with telling(desk) as keeper:
        for _ in range(times):
            keeper.look("production", WOKEN, threading.Event())


def test_a_commit_is_pending_then_well(desk: Desk, forge: FakeForge) -> None:
    connect(desk, forge, token_file(desk.root))
    head = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    assert desk.run("sync", "--environment", "production").exit_code == 0
    assert said(forge, head)[-1] == "success"
    assert set(said(forge, head)) <= {"pending", "success"}
    last = forge.project.standing(head, PRODUCTION)
    assert last is not None
    assert last["description"] == "Ready: the farm is what this commit says"


def test_the_status_leads_to_the_record_in_the_journal(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    head = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    desk.run("sync", "--environment", "production")
    last = github.project.standing(head, PRODUCTION)
    assert last is not None
    assert last["url"] == f"{github.url}/acme/farm/commit/{desk.head('reconciler/production')}"


def test_the_link_may_lead_elsewhere(desk: Desk, github: FakeForge) -> None:
    extra = ", link: 'https://status.example.org/{environment}?at={commit}'"
    connect(desk, github, token_file(desk.root), extra)
    head = desk.head("production")
    desk.run("sync", "--environment", "production")
    last = github.project.standing(head, PRODUCTION)
    assert last is not None
    assert last["url"] == f"https://status.example.org/production?at={head}"


def test_a_refused_commit_is_a_failure_with_its_reason(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    good = desk.head("production")
    bad = desk.edit(WEB, "size: 8 GiB", "size: 8 parsecs")
    assert desk.run("sync", "--environment", "production").exit_code == 1
    last = github.project.standing(bad, PRODUCTION)
    assert last is not None
    assert last["state"] in {"failure", "failed"}
    assert last["description"].startswith(f"ConfigError: {WEB}:")
    assert said(github, good)[-1] == "success"


def test_what_is_said_is_not_said_again(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    head = desk.head("production")
    turn(desk, times=4)
    assert said(github, head).count("success") == 1
    turn(desk, times=2)  # after a restart, once more at most
    assert said(github, head).count("success") <= 2


def test_without_a_token_nothing_is_told(
    desk: Desk, github: FakeForge, caplog: pytest.LogCaptureFixture
) -> None:
    connect(desk, github, None)
    assert desk.run("sync", "--environment", "production").exit_code == 0
    assert github.asked == []
    lines = [each for each in caplog.messages if "forge" in each]
    assert lines == [
        "forge: token_file is not set; the forge is told nothing, and nothing is asked of it"
    ]


def test_without_the_file_of_the_token_nothing_is_told(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, desk.root / "absent")
    assert desk.run("sync", "--environment", "production").exit_code == 0
    assert github.asked == []


def test_a_token_that_others_may_read_is_refused(desk: Desk, github: FakeForge) -> None:
    token = token_file(desk.root)
    token.chmod(0o644)
    connect(desk, github, token)
    refused = desk.run("sync", "--environment", "production")
    assert refused.exit_code == 1
    assert f"forge.token_file: others may read it (mode 0644); chmod 600 {token}" in refused.output


def test_a_turn_ends_while_the_forge_holds_its_connections(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    head = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    holds = holding()
    github.fault = holds.fault
    with telling(desk) as keeper:
        keeper.look("production", WOKEN, threading.Event())
        assert keeper.repository.chronicle.recall("production").ready_revision == head
        assert not holds.released.is_set()  # nothing of the turn waited for it
        github.fault = None
        holds.released.set()
    assert said(github, head) == ["success"]


def test_the_merged_pull_request_is_told_in_one_comment(desk: Desk, forge: FakeForge) -> None:
    connect(desk, forge, token_file(desk.root), ", comments: true")
    turn(desk)
    head = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    pull = forge.project.pull("topic", "production", "5" * 40, state="merged", brought=(head,))
    turn(desk)
    turn(desk, times=2)
    [comment] = forge.project.comments_of(pull.number)
    assert comment.body.splitlines() == [
        "<!-- reconciler/fate -->",
        f"Commit `{head[:7]}`:",
        "",
        f"- **production**: applied with `{head[:7]}`, Ready",
    ]


def test_a_pull_request_whose_commit_is_refused_is_told_why(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root), ", comments: true")
    turn(desk)
    bad = desk.edit(WEB, "size: 8 GiB", "size: 8 parsecs")
    pull = github.project.pull("topic", "production", "5" * 40, state="merged", brought=(bad,))
    turn(desk)
    [comment] = github.project.comments_of(pull.number)
    assert f"- **production**: not applied: `{bad[:7]}` is refused: `{WEB}:" in comment.body


def test_an_open_pull_request_is_not_told(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root), ", comments: true")
    pull = github.project.pull("topic", "production", desk.head("production"))
    turn(desk)
    assert github.project.comments_of(pull.number) == []


def test_the_loop_tells_the_forge_and_never_shows_the_token(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    head = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    command = [sys.executable, "-c", PROGRAM, "--config", str(desk.settings), "--verbose", "run"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert github.wait_for(lambda: "success" in said(github, head))
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        log = process.stderr.read()
    assert process.returncode == 0, log
    assert TOKEN not in log
    assert "HTTP Request" not in log


def test_a_forge_that_is_away_is_told_of_once_and_changes_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with serving("github") as gone:
        connect(desk, gone, token_file(desk.root), ", comments: true")
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    turn(desk, times=3)
    away = [each for each in caplog.messages if each.startswith("telling the forge: ")]
    assert [each.split(": ")[1] for each in away] == ["commit status", "pull request comment"]
    assert desk.git("log", "-1", "--format=%s", "reconciler/production").startswith("sync")


def test_what_was_not_taken_is_said_again_with_the_next_turn(desk: Desk, github: FakeForge) -> None:
    connect(desk, github, token_file(desk.root))
    head = desk.head("production")
    github.fault = answering(503)
    with telling(desk) as keeper:
        keeper.look("production", WOKEN, threading.Event())
        assert github.wait_for(lambda: github.asked)
        github.fault = None
        while not said(github, head):
            keeper.look("production", WOKEN, threading.Event())
    assert said(github, head) == ["success"]
