"""What `run` serves: only if something listens, with the settings in force."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest

from reconciler.cli.served import Served, webhook_answers
from reconciler.config.settings import Settings
from reconciler.daemon.clock import ManualClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Next, Reason
from reconciler.errors import SettingsError
from tests.webhooks.lines import delivery, exchange, head, status
from tests.webhooks.receiver import settings_of
from tests.webhooks.senders import START, Sample, push_of, signed

HEALTH, READINESS = head("GET", "/healthz", {}), head("GET", "/readyz", {})
PUSH = delivery(signed(push_of("github")), "github")


def a_loop() -> Loop:
    timing = Timing(ManualClock(), NoAlarms(), lambda: 0.0)
    return Loop(["staging"], lambda *_: Next(), tuple, pace=Pace(), timing=timing)


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings(hooks=settings_of(tmp_path)).model_copy(update=more)


def listening(tmp_path: Path) -> tuple[Settings, str]:
    where = f"unix:{tmp_path / 'web.sock'}"
    return settings(tmp_path, listen=where), where


def test_without_an_address_nothing_listens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Served(settings(tmp_path), a_loop(), ManualClock()) as served:
        served.take_over(Settings())
    assert "nothing listens; set listen" in caplog.text
    caplog.clear()
    with Served(Settings(), a_loop(), ManualClock()):
        assert caplog.text == ""


def test_it_is_ready_once_everything_was_looked_at(tmp_path: Path) -> None:
    given, where = listening(tmp_path)
    loop = a_loop()
    with Served(given, loop, ManualClock()):
        assert status(where, HEALTH) == 200
        assert status(where, READINESS) == 503
        loop.stop()
        loop.run(lambda: None)
        assert status(where, READINESS) == 503


def test_new_settings_bring_and_take_webhooks(tmp_path: Path) -> None:
    given, where = listening(tmp_path)
    assert int(ManualClock().now().timestamp()) == START
    with Served(given, a_loop(), ManualClock()) as served:
        assert status(where, PUSH) == 202
        served.take_over(Settings())
        assert status(where, PUSH) == 404
        served.take_over(given)
        assert status(where, PUSH) == 202


def reasons_after(push: Sample, tmp_path: Path) -> frozenset[Reason]:
    """Why the environment's first turn is taken when the push has come before it."""
    given, where = listening(tmp_path)
    turns: queue.Queue[frozenset[Reason]] = queue.Queue()

    def turn(_name: str, reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        turns.put(reasons)
        return Next()

    timing = Timing(ManualClock(), NoAlarms(), lambda: 0.0)
    loop = Loop(["staging"], turn, tuple, pace=Pace(), timing=timing)
    with Served(given, loop, ManualClock()):
        assert status(where, delivery(signed(push), push.kind)) == 202
        thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
        thread.start()
        first = turns.get(timeout=10)
        loop.stop()
        thread.join(10)
    return first


def test_a_tag_lets_all_environments_be_looked_at(tmp_path: Path) -> None:
    tag = Sample("gitea", "push", {"ref": "refs/tags/approve/staging/0a1b"})
    assert Reason.PUSH in reasons_after(tag, tmp_path)


def test_a_branch_only_lets_the_repository_be_asked(tmp_path: Path) -> None:
    assert Reason.PUSH not in reasons_after(push_of("gitea"), tmp_path)


def test_what_stands_in_the_way_is_said_at_the_start() -> None:
    given = Settings(listen="192.0.2.1:80")
    with pytest.raises(SettingsError, match=r"listen: 192\.0\.2\.1:80: this machine"):
        Served(given, a_loop(), ManualClock()).__enter__()


def test_a_checkup_tells_of_each_webhook(tmp_path: Path) -> None:
    given = settings(tmp_path)
    given.hooks["github"].secret_file.write_text("short\n")
    answers = {each.name: each for each in webhook_answers(given)}
    assert "nothing listens" in answers["webhooks"].problem
    assert "there is no POST /hooks/github" in answers["webhook github"].problem
    assert not answers["webhook gitea"].problem
    assert list(webhook_answers(Settings())) == []


def test_health_says_when_the_loop_stands_still(tmp_path: Path) -> None:
    given, where = listening(tmp_path)
    clock = ManualClock()
    timing = Timing(clock, NoAlarms(), lambda: 0.0)
    loop = Loop(["staging"], lambda *_: Next(), tuple, pace=Pace(), timing=timing)
    with Served(given, loop, clock):
        clock.advance(Pace().longest_turn)
        assert b"\r\n\r\nstalled" in exchange(where, HEALTH)
