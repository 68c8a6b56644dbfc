"""What systemd is told."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.daemon.supervisor import Supervisor


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(10)
        yield channel


def test_the_state_is_told_to_the_socket_of_the_environment(inbox: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": inbox.getsockname(), "WATCHDOG_USEC": "30000000"}
    supervisor = Supervisor.from_environment(environment)
    supervisor.ready()
    supervisor.alive()
    supervisor.stopping()
    assert [inbox.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0reconciler-test-{os.getpid()}")
        channel.settimeout(10)
        Supervisor(f"@reconciler-test-{os.getpid()}").ready()
        assert channel.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("environment", "watched"),
    [
        ({}, False),
        ({"WATCHDOG_USEC": "1"}, True),
        ({"WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid())}, True),
        ({"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, False),
    ],
)
def test_only_the_process_that_is_watched_says_that_it_lives(
    environment: dict[str, str], watched: bool
) -> None:
    assert Supervisor.from_environment(environment).watched is watched


def test_nobody_is_told_without_a_supervisor() -> None:
    Supervisor().ready()
    Supervisor(watched=True).alive()


def test_a_supervisor_that_is_gone_is_only_mentioned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Supervisor(str(tmp_path / "gone")).ready()
    assert "cannot be told READY=1" in caplog.text
