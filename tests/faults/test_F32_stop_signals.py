"""F32: told to stop, the daemon finishes its step and goes; told twice, it goes at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reconciler

CHECKOUT = str(Path(reconciler.__file__).parents[1])
DRIVER = Path(__file__).with_name("daemon_driver.py")
PATIENCE_SECONDS = 30.0


class Daemon:
    """A daemon in a process of its own."""

    def __init__(self, directory: Path, stop_within_seconds: float) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(directory), str(stop_within_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PYTHONPATH": CHECKOUT},
        )
        self.said: list[str] = []

    def until(self, line: str) -> None:
        """Read what it says up to the line."""
        assert self.process.stdout is not None
        for said in self.process.stdout:
            self.said.append(said.rstrip("\n"))
            if self.said[-1] == line:
                return
        pytest.fail(f"it ended without saying {line!r}; it said {self.said}")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends_with(self) -> int:
        assert self.process.stdout is not None
        self.said += self.process.stdout.read().splitlines()
        return self.process.wait(PATIENCE_SECONDS)

    def has(self, name: str) -> bool:
        return (self.directory / name).exists()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    made: list[Daemon] = []

    def make(stop_within_seconds: float = 30.0) -> Daemon:
        made.append(Daemon(tmp_path, stop_within_seconds))
        return made[-1]

    yield make
    for daemon in made:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_step_under_way_is_finished(
    start: Callable[..., Daemon], number: signal.Signals
) -> None:
    daemon = start()
    daemon.until("begun")
    daemon.send(number)
    daemon.until("stopping")
    assert daemon.process.poll() is None
    (daemon.directory / "go").touch()
    assert daemon.ends_with() == 0
    assert daemon.has("ended")
    assert daemon.said.count("begun") == 1


def test_an_idle_daemon_ends_at_once(start: Callable[..., Daemon], tmp_path: Path) -> None:
    (tmp_path / "idle").touch()
    daemon = start()
    daemon.until("turn timer")
    daemon.send(signal.SIGTERM)
    assert daemon.ends_with() == 0


@pytest.mark.parametrize(("second", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_told_twice_it_ends_at_once(
    start: Callable[..., Daemon], second: signal.Signals, code: int
) -> None:
    daemon = start()
    daemon.until("begun")
    daemon.send(signal.SIGTERM)
    daemon.until("stopping")
    daemon.send(second)
    assert daemon.ends_with() == code
    assert not daemon.has("ended")
    assert "asked to stop a second time: leaving at once" in daemon.said


def test_a_step_that_does_not_end_is_left_and_said_so(start: Callable[..., Daemon]) -> None:
    daemon = start(stop_within_seconds=0.2)
    daemon.until("begun")
    daemon.send(signal.SIGTERM)
    assert daemon.ends_with() == 1
    assert not daemon.has("ended")
    assert "staging: its turn did not finish in time and is left" in daemon.said


def test_a_hangup_takes_new_settings_and_looks_again(
    start: Callable[..., Daemon], tmp_path: Path
) -> None:
    (tmp_path / "idle").touch()
    (tmp_path / "settings").write_text("good", "utf-8")
    daemon = start()
    daemon.until("turn timer")
    daemon.send(signal.SIGHUP)
    daemon.until("turn manual")
    assert "reloaded" in daemon.said
    daemon.send(signal.SIGTERM)
    assert daemon.ends_with() == 0


@pytest.mark.parametrize("settings", ["bad", None], ids=["wrong", "unreadable"])
def test_a_hangup_with_bad_settings_keeps_the_old_ones(
    start: Callable[..., Daemon], tmp_path: Path, settings: str | None
) -> None:
    (tmp_path / "idle").touch()
    if settings is not None:
        (tmp_path / "settings").write_text(settings, "utf-8")
    daemon = start()
    daemon.until("turn timer")
    daemon.send(signal.SIGHUP)
    daemon.until("SIGHUP received")
    daemon.send(signal.SIGTERM)
    assert daemon.ends_with() == 0
    complaint = "settings stay in force" if settings else "SIGHUP could not be followed"
    assert any(complaint in line for line in daemon.said)
    assert "turn manual" not in daemon.said
