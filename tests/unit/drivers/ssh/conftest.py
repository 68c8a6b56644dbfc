"""A loopback sshd for a whole module, and a shell on it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.drivers.ssh.shell import Shell
from tests.remotes.sshd import Sshd, running_sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[Shell]:
    shell = sshd.shell()
    yield shell
    shell.close()
