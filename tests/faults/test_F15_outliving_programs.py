"""F15: what a program of ours started on a host does not go on without the lock."""

from __future__ import annotations

from reconciler.drivers.ssh import command
from reconciler.drivers.ssh.onhost import host


def test_a_program_that_ignores_its_end_is_killed_before_we_are() -> None:
    assert host.KILL_AFTER_SECONDS + 1 < command.KILL_AFTER_SECONDS
    assert f"timeout -k {command.KILL_AFTER_SECONDS} " in command.in_time(["true"], 1)[2]
