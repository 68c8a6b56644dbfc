"""F14, F15: a host that does not answer costs the deadline, and what it does later is harmless."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Conflict, Unreachable
from tests.remotes.sshd import ADDRESS, Sshd, descendants, running_sshd, silence

DEADLINE = timedelta(seconds=1)
ALLOWED_SECONDS = 2.0  # the deadline and a second


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


def seconds_until_unreachable(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        call()
    return time.monotonic() - begun


def test_a_kept_connection_to_a_frozen_host(sshd: Sshd, shell: Shell) -> None:
    shell.run(["true"])
    sshd.freeze()
    waited = seconds_until_unreachable(lambda: shell.run(["true"], deadline=DEADLINE))
    assert waited < ALLOWED_SECONDS
    sshd.thaw()
    assert shell.run(["true"]).exit_code == 0


def test_a_new_connection_to_a_frozen_host(sshd: Sshd) -> None:
    sshd.freeze()
    shell = sshd.shell(connect_deadline=DEADLINE)
    assert seconds_until_unreachable(lambda: shell.run(["true"])) < ALLOWED_SECONDS


def test_a_server_that_says_nothing(sshd: Sshd) -> None:
    with silence() as port:
        shell = sshd.shell(connect_deadline=DEADLINE, port=port)
        assert seconds_until_unreachable(lambda: shell.run(["true"])) < ALLOWED_SECONDS


def test_a_host_that_freezes_while_a_command_runs(sshd: Sshd, shell: Shell) -> None:
    shell.run(["true"])
    threading.Timer(0.3, sshd.freeze).start()
    waited = seconds_until_unreachable(lambda: shell.run(["sleep", "20"], deadline=DEADLINE))
    assert waited < ALLOWED_SECONDS


def test_a_host_that_freezes_while_it_is_sent_a_file(
    sshd: Sshd, shell: Shell, tmp_path: Path
) -> None:
    shell.run(["true"])
    sshd.freeze()
    content = b"x" * 20 * 1024**2  # more than the buffers on the way hold
    argv = ["sh", "-c", 'cat >"$1"', "sh", str(tmp_path / "file")]
    waited = seconds_until_unreachable(lambda: shell.run(argv, stdin=content, deadline=DEADLINE))
    assert waited < ALLOWED_SECONDS


def test_nobody_waits_longer_than_his_own_deadline_for_others(sshd: Sshd, shell: Shell) -> None:
    sshd.freeze()
    slow = threading.Thread(
        target=lambda: seconds_until_unreachable(
            lambda: shell.run(["true"], deadline=timedelta(seconds=6))
        )
    )
    slow.start()
    _until(shell._opening.locked)
    waited = seconds_until_unreachable(lambda: shell.run(["true"], deadline=DEADLINE))
    assert waited < ALLOWED_SECONDS
    slow.join()


def test_a_write_that_a_thawed_host_finds_does_not_take_effect(
    sshd: Sshd, shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    shell.write_file(str(path), b"old")
    open_channel = shell._channel

    def freeze_before_the_command(what: str, ends: float) -> Any:
        opened = open_channel(what, ends)
        sshd.freeze()
        return opened

    shell._channel = freeze_before_the_command  # type: ignore[method-assign] # plants the fault
    argv = ["sh", "-c", 'echo late >"$1"', "sh", str(path)]
    seconds_until_unreachable(lambda: shell.run(argv, deadline=DEADLINE))
    time.sleep(1)  # noqa: TID251 - until its time is over on the host's clock as well
    sshd.thaw()
    sshd.shell().run(["true"])
    _until_idle(sshd)
    assert path.read_bytes() == b"old"


def test_threads_do_not_pile_up(sshd: Sshd, shell: Shell) -> None:
    shell.run(["true"])
    before = threading.active_count()
    sshd.freeze()
    for _ in range(5):
        seconds_until_unreachable(lambda: shell.run(["true"], deadline=timedelta(seconds=0.2)))
    sshd.thaw()
    shell.run(["true"])
    _until(lambda: threading.active_count() <= before)


def test_a_command_that_does_not_want_to_end_keeps_the_next_writer_waiting(
    sshd: Sshd, shell: Shell
) -> None:
    """F15: no two writers interleave, not even after one was given up."""
    stubborn = ["sh", "-c", "trap '' TERM; sleep 60; sleep 60"]
    seconds_until_unreachable(lambda: shell.run(stubborn, deadline=DEADLINE, exclusive=True))
    with pytest.raises(Conflict, match="another reconciler is still changing the host"):
        shell.run(["true"], deadline=2 * DEADLINE, exclusive=True)
    assert shell.run(["true"], deadline=2 * DEADLINE).exit_code == 0  # who only reads may
    assert shell.run(["true"], deadline=timedelta(seconds=25), exclusive=True).exit_code == 0


def test_writers_take_turns(sshd: Sshd, shell: Shell, tmp_path: Path) -> None:
    log = tmp_path / "log"
    argv = ["sh", "-c", 'echo in >>"$1"; sleep 0.1; echo out >>"$1"', "sh", str(log)]
    other = sshd.shell()
    other._fence = shell._fence  # else whoever comes second is refused, which is F21
    threads = [
        threading.Thread(target=each.run, args=(argv,), kwargs={"exclusive": True})
        for each in (shell, other) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert log.read_text().split() == ["in", "out"] * 6


@pytest.mark.libvirt
def test_libvirt_over_ssh_to_a_frozen_host(sshd: Sshd, tmp_path: Path) -> None:
    program = SshProgram(tmp_path / "ssh", sshd.access(connect_deadline=timedelta(minutes=2)))
    connection = LibvirtConnection(
        "virt1", "", deadline=DEADLINE, dial=lambda: program.dial(ADDRESS)
    )
    sshd.freeze()
    waited = seconds_until_unreachable(lambda: connection.run("look", lambda raw: raw))
    assert waited < ALLOWED_SECONDS
    _until(lambda: not _lines())  # the thread that hung came back
    assert not [each for each in _children() if "ssh" in _command(each)]
    program.close()


def _lines() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "libvirt-virt1"]


def _children() -> list[int]:
    return descendants(_own_process())


def _own_process() -> int:
    return int(Path("/proc/self").resolve().name)


def _command(process: int) -> str:
    try:
        text = Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
    return text if "/config" in text else ""


def _until_idle(sshd: Sshd) -> None:
    names = {"sh", "bash", "timeout", "sleep"}

    def is_idle() -> bool:
        return not [each for each in sshd.sessions() if _name(each) in names]

    _until(is_idle)


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def _until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)  # noqa: TID251 - bounded polling of other processes
