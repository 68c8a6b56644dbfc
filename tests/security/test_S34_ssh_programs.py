"""S34: nobody else can put a program where libvirt takes one of ours for ssh."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.ssh.access import Access


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
@pytest.mark.parametrize("place", ["state", "state/ssh"])
def test_a_directory_that_others_may_write_is_refused(
    tmp_path: Path, place: str, mode: int
) -> None:
    (tmp_path / "state/ssh").mkdir(parents=True, mode=0o700)
    (tmp_path / place).chmod(mode)
    with pytest.raises(PermissionError, match="others may write"):
        SshProgram(tmp_path / "state/ssh", Access(tmp_path / "key", tmp_path / "known_hosts"))


def test_what_is_made_is_ours_alone(tmp_path: Path) -> None:
    directory = tmp_path / "state/ssh"
    program = SshProgram(directory, Access(tmp_path / "key", tmp_path / "known_hosts"))
    dial = program.dial("192.0.2.1")
    made = [directory, dial.program.parent, dial.program]
    assert [each.stat().st_mode & 0o077 for each in made] == [0, 0, 0]
    program.close()
