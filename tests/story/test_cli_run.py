"""`run`: the loop from the command line, and what it calls."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.command import Given
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.slots import Reason
from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.faults import Fault
from reconciler.errors import SourceUnavailable, Unreachable, VerifyError
from tests.story.desk import WEB, Desk

ROOT = Path(__file__).parents[2]
WOKEN = frozenset({Reason.PUSH})
PROGRAM = "from reconciler.cli.main import main; main()"


@contextmanager
def keeping(desk: Desk) -> Iterator[Keeper]:
    settings = settings_of(Given(config=desk.settings))
    with open_repository(settings) as repository:
        repository.fetch()
        yield Keeper(repository, surroundings(repository, "production"), settings)


def look(keeper: Keeper) -> timedelta | None:
    return keeper.look("production", WOKEN, threading.Event()).delay


def test_a_poll_tells_whose_branch_moved(desk: Desk) -> None:
    with keeping(desk) as keeper:
        assert list(keeper.poll()) == []
        desk.edit(WEB, "size: 8 GiB", "size: 12 GiB", branch="staging")
        assert list(keeper.poll()) == ["staging"]
        assert list(keeper.poll()) == []


def test_the_first_poll_after_the_remote_was_away_wakes_all(desk: Desk) -> None:
    with open_repository(settings_of(Given(config=desk.settings))) as repository:
        around = surroundings(repository, "production")
        keeper = Keeper(repository, around, repository.settings)
        assert sorted(keeper.poll()) == ["development", "production", "staging"]


def test_a_turn_without_any_commit_leaves_the_time_to_the_loop(new_desk: Desk) -> None:
    new_desk.git("branch", "-D", "production")
    with keeping(new_desk) as keeper:
        assert look(keeper) is None


def test_the_journal_moves_no_environment(desk: Desk) -> None:
    with keeping(desk) as keeper:
        by_hand.stop_domain(desk.farm, desk.host_of("production-mail"), "production-mail")
        look(keeper)
        assert desk.git("log", "-1", "--format=%s", "reconciler/production").startswith("heal")
        assert list(keeper.poll()) == []


class Meanwhile:
    """Ports through which somebody else is seen at work just after a machine was started."""

    def __init__(self, ports: Any, work: Callable[[], None]) -> None:
        self._ports, self._work = ports, work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ports, name)

    def hypervisor(self, host: str) -> Meanwhile:
        return Meanwhile(self._ports.hypervisor(host), self._work)

    def start_domain(self, name: str) -> None:
        self._ports.start_domain(name)
        self._work()


def test_what_is_changed_by_hand_while_a_turn_heals_is_seen_to_at_once(desk: Desk) -> None:
    def stop(domain: str) -> None:
        by_hand.stop_domain(desk.farm, desk.host_of(domain), domain)

    stop("production-mail")
    with keeping(desk) as keeper:
        ports: Any = Meanwhile(keeper.around.ports, lambda: stop("production-web-1"))
        around = replace(keeper.around, ports=ports)
        surprised = Keeper(keeper.repository, around, keeper.settings)
        assert look(surprised) == timedelta(seconds=1)
        assert look(keeper) == timedelta(minutes=5)
        assert look(keeper) == timedelta(minutes=5)
        assert (
            desk.farm.state.hosts[desk.host_of("production-web-1")]
            .domains["production-web-1"]
            .running
        )


def test_a_remote_that_is_away_is_an_error_of_the_poll_alone(desk: Desk) -> None:
    with keeping(desk) as keeper:
        desk.remote.rename(desk.root / "away.git")
        with pytest.raises(SourceUnavailable):
            keeper.poll()
        look(keeper)


def test_an_environment_has_its_own_interval(desk: Desk) -> None:
    with keeping(desk) as keeper:
        assert look(keeper) == timedelta(minutes=5)
        assert keeper.look("development", WOKEN, threading.Event()).delay == timedelta(minutes=1)


def test_what_failed_is_tried_again_soon(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    desk.farm.add_fault(Fault(operation="grow_volume", mode="fails-before"))
    with keeping(desk) as keeper, pytest.raises(VerifyError, match="volume/web-1-data"):
        look(keeper)


def test_a_host_that_is_away_is_asked_again_soon(desk: Desk) -> None:
    desk.farm.add_fault(Fault(where="virt2"))
    with keeping(desk) as keeper, pytest.raises(Unreachable, match="virt2"):
        look(keeper)


def test_a_refused_commit_waits_for_the_next_one(desk: Desk) -> None:
    desk.edit("stacks/debian-web.yaml", "memory: 2 GiB", "memmory: 2 GiB")
    with keeping(desk) as keeper:
        assert look(keeper) == timedelta(minutes=5)


def test_a_turn_that_is_told_to_stop_begins_nothing(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    stopping = threading.Event()
    stopping.set()
    before = desk.farm.state
    with keeping(desk) as keeper:
        keeper.look("production", WOKEN, stopping)
    assert desk.farm.state == before


def test_a_turn_is_told_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.edit("stacks/debian-web.yaml", "memory: 2 GiB", "memmory: 2 GiB")
    caplog.set_level("INFO", "reconciler")
    with keeping(desk) as keeper:
        look(keeper)
        said = [record.levelname for record in caplog.records]
        look(keeper)
    assert set(said) == {"WARNING"}
    assert len(caplog.records) == len(said)
    assert "did you mean memory?" in caplog.text


def test_new_settings_are_in_force_at_the_next_turn(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with keeping(desk) as keeper:
        text = desk.settings.read_text("utf-8")
        desk.settings.write_text(
            text.replace("url: ", "deadline: 9s, url: ")
            + "policy: {production: {suspend: true}}\n",
            "utf-8",
        )
        keeper.take_over(settings_of(Given(config=desk.settings)))
        assert "repository changed" in caplog.text
        host = desk.host_of("production-mail")
        by_hand.stop_domain(desk.farm, host, "production-mail")
        look(keeper)
        assert not desk.farm.state.hosts[host].domains["production-mail"].running


def test_the_loop_runs_until_it_is_told_to_stop(desk: Desk) -> None:
    command = [sys.executable, "-c", PROGRAM, "--config", str(desk.settings), "run"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        waited_for = {"development", "staging", "production"}
        seen = []
        for line in process.stderr:
            seen.append(line)
            waited_for -= {name for name in waited_for if f"{name} at " in line}
            if not waited_for:
                break
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 0, "".join(seen) + rest
    assert "nothing to do" in "".join(seen)
