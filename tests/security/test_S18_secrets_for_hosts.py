"""S18: a secret in a file goes to its host by the standard input, and is seen nowhere else."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.program import command_of
from reconciler.drivers.ssh.task import Task
from reconciler.errors import Conflict
from reconciler.model.secret import SealedSecret, SecretReference
from reconciler.ports.acts import PutFile
from tests.remotes.sshd import Sshd, running_sshd

CANARY = "canary-7f3a\nsecond-line-of-9c1e"
SECRET = SealedSecret(SecretReference("db", "pass"), ("pass",), "ENC[x]", ("key",))
PUT = PutFile(
    "/srv/conf", "password = secret://db/pass\n", "0600", "root", "root", (SECRET,), ("check", "{}")
)


def reveal(_: SealedSecret) -> str:
    return CANARY


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path) as server:
        yield server


def test_the_value_is_in_what_the_host_reads_and_in_nothing_that_is_shown() -> None:
    task = Task.of([PUT], reveal)
    assert b"canary-7f3a" in task.stdin("/d")
    assert "canary" not in repr(task) + str(task) + str(task.acts)
    assert "canary" not in " ".join(command_of("act"))


@pytest.mark.parametrize("said", [CANARY, f"line 1: {CANARY.splitlines()[1]!r} is wrong"])
def test_what_the_host_says_of_it_is_not_repeated(said: str) -> None:
    task = Task.of([PUT], reveal)
    lines = json.dumps({"act": 0, "error": said}).encode()
    with pytest.raises(Conflict) as caught:
        task.expect_done("virt1", Result(1, lines, b""))
    told = "".join(traceback.format_exception(caught.value))
    assert "canary-7f3a" not in told
    assert "second-line" not in told


def test_what_a_broken_program_says_of_it_is_not_repeated() -> None:
    task = Task.of([PUT], reveal)
    with pytest.raises(Conflict) as caught:
        task.expect_done("virt1", Result(1, b"", f"ValueError: {CANARY}".encode()))
    assert "second-line" not in str(caught.value)


def test_no_process_of_the_host_ever_has_it_in_its_arguments_or_its_environment(
    sshd: Sshd, tmp_path: Path
) -> None:
    shell = sshd.shell()
    owner = tmp_path.owner(), tmp_path.group()
    path = str(tmp_path / "conf")
    put = PutFile(path, PUT.content, "0600", *owner, PUT.secrets, ("sh", "-c", "sleep 1", "{}"))
    machine = SshMachine(shell, reveal)
    machine.look(())
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(machine.do, [put])
        seen = bytearray()
        while not doing.done():
            for process in sshd.sessions():
                for name in ("cmdline", "environ"):
                    with suppress(OSError):
                        seen += Path(f"/proc/{process}/{name}").read_bytes()
        doing.result()
    shell.close()
    assert b"sleep 1" in seen  # the check was among what was watched
    assert b"canary" not in seen
    assert (tmp_path / "conf").read_text() == f"password = {CANARY}\n"
