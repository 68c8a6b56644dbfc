"""What a command on a host goes on saying, over a real sshd on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.ssh.shell import AT_ONCE, Shell
from reconciler.drivers.ssh.stream import LONGEST_LINE_BYTES, Stream
from reconciler.errors import Conflict, DriverError, Unreachable
from tests.remotes.sshd import Sshd, running_sshd

COUNT = ["sh", "-c", "echo $$; while sleep 0.05; do echo tick; done"]


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path) as server:
        yield server


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[Shell]:
    shell = sshd.shell()
    yield shell
    sshd.thaw()
    shell.close()


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)  # noqa: TID251 - bounded polling of another process


def is_gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists()


def impatient(stream: Stream) -> Stream:
    stream._quiet_seconds = stream._answer_seconds = 0.5
    return stream


def test_lines_come_as_they_are_said(shell: Shell) -> None:
    with shell.stream(COUNT) as stream:
        lines = iter(stream)
        assert int(next(lines)) > 0
        assert [next(lines) for _ in range(3)] == [b"tick"] * 3


def test_a_command_that_ends_well_is_the_end_of_its_lines(shell: Shell) -> None:
    with shell.stream(["printf", "one\\ntwo\\nrest"]) as stream:
        assert list(stream) == [b"one", b"two"]


def test_its_arguments_arrive_as_they_are(shell: Shell) -> None:
    with shell.stream(["printf", "%s\\n", "a b", "$HOME", "; exit 7", "-x"]) as stream:
        assert list(stream) == [b"a b", b"$HOME", b"; exit 7", b"-x"]


def test_a_command_that_fails_says_why(shell: Shell) -> None:
    argv = ["sh", "-c", "echo first; echo broken >&2; exit 7"]
    stream = shell.stream(argv, operation="watch")
    with stream, pytest.raises(Conflict, match="virt1: watch: broken"):
        list(stream)


def test_who_closes_it_ends_the_command_there(shell: Shell) -> None:
    with shell.stream(COUNT) as stream:
        process = int(next(iter(stream)))
        assert not is_gone(process)
    until(lambda: is_gone(process))


def test_a_silent_command_ends_too(shell: Shell) -> None:
    argv = ["sh", "-c", "echo $$; exec sleep 600"]
    with shell.stream(argv) as stream:
        process = int(next(iter(stream)))
    until(lambda: is_gone(process))


def test_it_is_closed_from_another_thread(shell: Shell) -> None:
    stream = shell.stream(["sleep", "600"])
    threading.Timer(0.2, stream.close).start()
    assert list(stream) == []


def test_the_command_ends_with_the_connection(sshd: Sshd, shell: Shell) -> None:
    stream = shell.stream(COUNT)
    lines = iter(stream)
    process = int(next(lines))
    sshd.break_connections()
    with pytest.raises(Unreachable, match="the connection broke"):
        list(lines)
    until(lambda: is_gone(process))


def test_a_host_that_freezes_is_found_out(sshd: Sshd, shell: Shell) -> None:
    stream = impatient(shell.stream(["sleep", "600"]))
    sshd.freeze()
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        list(stream)
    assert time.monotonic() - begun < 5


def test_a_quiet_host_that_answers_is_left_alone(shell: Shell) -> None:
    stream = impatient(shell.stream(["sh", "-c", "sleep 2; echo at last"]))
    assert list(stream) == [b"at last"]


def test_a_line_without_end_is_not_gathered(shell: Shell) -> None:
    stream = shell.stream(["head", "-c", str(4 * LONGEST_LINE_BYTES), "/dev/zero"])
    with stream, pytest.raises(Conflict, match="a line without end"):
        list(stream)


def test_it_takes_no_place_from_commands(shell: Shell) -> None:
    with shell.stream(["sleep", "600"]):
        done: list[int] = []
        argv = ["sleep", "0.3"]

        def run() -> None:
            with suppress(DriverError):
                done.append(shell.run(argv, deadline=timedelta(seconds=20)).exit_code)

        threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [0] * AT_ONCE
