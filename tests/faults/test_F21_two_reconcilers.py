"""F21: of two reconcilers only the one that looked last changes a host, whatever woke up late."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Conflict
from tests.remotes.sshd import Sshd, running_sshd

REFUSED = "another reconciler has changed this host since it was looked at"


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path) as server:
        yield server


@pytest.fixture
def open_shell(sshd: Sshd) -> Iterator[Callable[[], Shell]]:
    """Each call is another reconciler."""
    opened: list[Shell] = []

    def shell() -> Shell:
        opened.append(sshd.shell())
        return opened[-1]

    yield shell
    sshd.thaw()
    for each in opened:
        each.close()


def look(shell: Shell) -> None:
    SshMachine(shell, lambda _: "").look(())


def write(shell: Shell, path: Path, text: str, **options: Any) -> None:
    argv = ["sh", "-c", 'echo "$1" >>"$2"', "sh", text, str(path)]
    shell.output(argv, exclusive=True, **options)


def test_the_one_who_looked_earlier_is_refused_until_he_looks_again(
    open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    first, second, log = open_shell(), open_shell(), tmp_path / "log"
    look(first)
    look(second)
    write(first, log, "first")
    with pytest.raises(Conflict, match=REFUSED):
        write(second, log, "second")
    look(second)
    write(second, log, "second")
    with pytest.raises(Conflict, match=REFUSED):
        write(first, log, "late")
    assert log.read_text().split() == ["first", "second"]


def test_reading_a_list_for_a_change_is_no_look(
    open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    first, second, log = open_shell(), open_shell(), tmp_path / "log"
    look(first)
    write(second, log, "second")
    first.read_file(str(log))
    with pytest.raises(Conflict, match=REFUSED):
        write(first, log, "late")
    first.look_at_file(str(log))
    write(first, log, "first")


def test_files_are_fenced_as_commands_are(open_shell: Callable[[], Shell], tmp_path: Path) -> None:
    first, second = open_shell(), open_shell()
    look(first)
    second.write_file(str(tmp_path / "file"), b"second")
    with pytest.raises(Conflict, match=REFUSED):
        first.write_file(str(tmp_path / "file"), b"late")
    assert (tmp_path / "file").read_bytes() == b"second"


def test_a_new_connection_does_not_count_as_a_look(
    open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    first, second, log = open_shell(), open_shell(), tmp_path / "log"
    look(first)
    write(second, log, "second")
    first.close()
    with pytest.raises(Conflict, match=REFUSED):
        write(first, log, "late")


def test_what_a_frozen_connection_delivers_late_is_refused(
    sshd: Sshd, open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    first, second, log = open_shell(), open_shell(), tmp_path / "log"
    look(first)
    serving = sshd.sessions()
    open_channel, is_sent = first._channel, threading.Event()

    def freeze_before_the_command(what: str, ends: float) -> Any:
        opened = open_channel(what, ends)
        for process in serving:
            os.kill(process, signal.SIGSTOP)
        is_sent.set()
        return opened

    first._channel = freeze_before_the_command  # type: ignore[method-assign] # plants the fault
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(write, first, log, "late")
        assert is_sent.wait(20)
        try:
            look(second)
            write(second, log, "second")
        finally:
            for process in serving:
                os.kill(process, signal.SIGCONT)
        with pytest.raises(Conflict, match=REFUSED):
            late.result()
    assert log.read_text().split() == ["second"]


def changes_when_told(directory: Path, port: int, log: Path, orders: Connection) -> None:
    """A reconciler of its own: looks, and writes each time that it is told."""
    shell = Sshd(directory, port).shell()
    look(shell)
    orders.send("looked")
    while (text := orders.recv()) is not None:
        try:
            write(shell, log, text)
            orders.send("written")
        except Conflict as error:
            orders.send(str(error))
    shell.close()


def test_a_reconciler_that_was_paused_is_refused_when_it_goes_on(
    sshd: Sshd, open_shell: Callable[[], Shell], tmp_path: Path
) -> None:
    log, second = tmp_path / "log", open_shell()
    ours, theirs = multiprocessing.Pipe()
    paused = multiprocessing.get_context("spawn").Process(
        target=changes_when_told, args=(sshd.directory, sshd.port, log, theirs), daemon=True
    )
    paused.start()
    assert paused.pid is not None
    try:
        assert ours.poll(60)
        assert ours.recv() == "looked"
        ours.send("before")
        assert ours.poll(60)
        assert ours.recv() == "written"
        os.kill(paused.pid, signal.SIGSTOP)
        ours.send("late")
        look(second)
        write(second, log, "second")
        os.kill(paused.pid, signal.SIGCONT)
        assert ours.poll(60)
        assert REFUSED in ours.recv()
        assert log.read_text().split() == ["before", "second"]
    finally:
        os.kill(paused.pid, signal.SIGCONT)
        paused.kill()
        paused.join()
