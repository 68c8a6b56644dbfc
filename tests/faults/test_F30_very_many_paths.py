"""F30: a host with very many declared files is listened to as far as one command can name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.drivers.ssh.command import line_of, while_heard
from reconciler.drivers.ssh.events import listening
from tests.remotes.sshd import Sshd, running_sshd

MANY = tuple(f"/srv/{number:04}/{'x' * 380}" for number in range(1000))
LARGEST_WORD_BYTES = 131_072  # of Linux: MAX_ARG_STRLEN


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path) as server:
        yield server


def test_the_line_is_one_that_a_shell_can_be_given(sshd: Sshd) -> None:
    argv = listening(("/etc", *MANY))
    assert "/etc" in argv
    assert len(line_of(while_heard(argv), is_fed=True)) < LARGEST_WORD_BYTES
    shell = sshd.shell()
    assert shell.run(["true", *argv]).exit_code == 0
    shell.close()


def test_few_are_all_listened_to_in_their_order() -> None:
    assert listening(("/srv/long", "/etc"))[-2:] == ["/srv/long", "/etc"]
