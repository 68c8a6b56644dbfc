"""What libvirt runs as ssh."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from reconciler.drivers.libvirt_.events import start_event_loop
from reconciler.drivers.libvirt_.over_ssh import SshDial, SshProgram
from reconciler.drivers.ssh.access import Access


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path / "key", tmp_path / "known_hosts")


def pretended_ssh(directory: Path) -> Path:
    """A program that is called ssh, and sleeps."""
    program = directory / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nexec sleep "${5}"\n')
    program.chmod(0o700)
    return program.parent


def start(dial: SshDial, path: Path) -> subprocess.Popen[bytes]:
    """Run the program as libvirt does, with this ssh before all others."""
    search = f"{path}:/usr/bin:/bin"
    process = subprocess.Popen([dial.program, "-p", "22", "30"], env={"PATH": search})
    number = dial.program.with_name(f"{dial.program.name}.pid")
    ends = time.monotonic() + 20
    while not (number.exists() and number.read_text().strip()):
        assert time.monotonic() < ends
        time.sleep(0.01)  # noqa: TID251 - bounded polling of another process
    return process


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "qemu+ssh://root@192.0.2.1:22/system?command="),
        ("2001:db8::1", "qemu+ssh://root@[2001:db8::1]:22/system?command="),
    ],
)
def test_the_address_is_part_of_a_uri(
    tmp_path: Path, access: Access, address: str, expected: str
) -> None:
    program = SshProgram(tmp_path / "a&b ?", access)
    uri = program.dial(address).uri
    assert uri.startswith(expected)
    assert uri.count("?") == 1
    assert uri.count("&") == 1
    program.close()


def test_a_line_that_hangs_is_ended(tmp_path: Path, access: Access) -> None:
    program = SshProgram(tmp_path / "state", access)
    # The name of the configuration is how a process of ours is known.
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text("import time; time.sleep(30)")
    dial = program.dial("192.0.2.1")
    argv = [sys.executable, str(sleeper), str(dial.program.parent / "config")]
    process = subprocess.Popen(argv)
    dial.program.with_name(f"{dial.program.name}.pid").write_text(f"{process.pid}\n")
    dial.cut()
    assert process.wait(20) == -9
    program.close()


def test_a_process_that_is_not_ours_is_left_alone(tmp_path: Path, access: Access) -> None:
    program = SshProgram(tmp_path / "state", access)
    dial = program.dial("192.0.2.1")
    process = subprocess.Popen(["sleep", "30"])  # the number was given to somebody else meanwhile
    number = dial.program.with_name(f"{dial.program.name}.pid")
    for text in (f"{process.pid}\n", "", "no number", f"{os.getpid()}\n"):
        number.write_text(text)
        dial.cut()
    assert process.poll() is None
    process.kill()
    process.wait()
    program.close()


def test_the_program_says_its_number_and_becomes_ssh(tmp_path: Path, access: Access) -> None:
    program = SshProgram(tmp_path / "state", access)
    dial = program.dial("192.0.2.1")
    process = start(dial, pretended_ssh(tmp_path))
    number = dial.program.with_name(f"{dial.program.name}.pid").read_text()
    assert int(number) == process.pid
    process.kill()
    process.wait()
    dial.clear()
    assert sorted(each.name for each in dial.program.parent.iterdir()) == ["config"]
    program.close()


def test_what_dead_processes_left_is_removed_and_the_rest_is_not(
    tmp_path: Path, access: Access
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"ssh-{gone.pid}", f"ssh-{gone.pid}.3", "ssh-1", "images", "ssh-x"):
        (tmp_path / name).mkdir()
    program = SshProgram(tmp_path, access)
    left = {each.name for each in tmp_path.iterdir()}
    assert left == {"ssh-1", "images", "ssh-x", f"ssh-{os.getpid()}"}
    program.close()


def test_two_of_one_process_do_not_meet(tmp_path: Path, access: Access) -> None:
    one, other = SshProgram(tmp_path, access), SshProgram(tmp_path, access)
    assert one.dial("192.0.2.1").program.parent != other.dial("192.0.2.1").program.parent
    other.close()
    assert one.dial("192.0.2.1").program.exists()
    one.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.libvirt
def test_one_event_loop_serves_the_process() -> None:
    assert start_event_loop() is start_event_loop()
    assert start_event_loop().is_alive()
    assert [each.name for each in threading.enumerate()].count("libvirt-events") == 1
