"""S18: a host is told secrets by standard input alone, and what it answers is told without them."""

from __future__ import annotations

import getpass
import grp
import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from reconciler.config.secrets import read_secrets
from reconciler.drivers.redact import MASK, redact
from reconciler.drivers.secrets import Keyring
from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.task import Task
from reconciler.errors import Conflict, Denied, DriverError, Unreachable
from reconciler.model.secret import SealedSecret
from reconciler.ports.acts import PutFile
from tests.remotes.sshd import Sshd, running_sshd
from tests.sealed.canaries import CANARIES, leaks
from tests.sealed.sealing import Reader, seal

# What a careless checker does: it shows its argument's content in many ways, and all processes.
CHECKER = """#!/bin/sh
for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do cat "$file" 2>/dev/null; done >{seen}
printf '\\n%s ' "$@" >>{seen}
for to in 1 2; do
    cat "$1" >&$to; base64 -w 0 "$1" >&$to; od -An -tx1 "$1" | tr -d ' \\n' >&$to
    cut -c 3- "$1" >&$to
done
exit {code}
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def secrets(reader: Reader) -> tuple[SealedSecret, ...]:
    text = seal(CANARIES, [reader.recipient])
    return tuple(read_secrets("secrets/canaries.sops.yaml", text.encode()).sealed.values())


@pytest.fixture
def machine(sshd: Sshd, reader: Reader, tmp_path: Path) -> Iterator[SshMachine]:
    keyring = Keyring({"production": reader.write(tmp_path / "age.txt")})
    shell = sshd.shell()
    machine = SshMachine(shell, partial(keyring.reveal, "production"))
    yield machine
    shell.close()


def put(path: Path, secrets: tuple[SealedSecret, ...], *check: str) -> PutFile:
    content = "".join(f"{each.reference.key} = {each.reference}\n" for each in secrets)
    group = grp.getgrgid(os.getgid()).gr_name
    return PutFile(str(path), content, "0600", getpass.getuser(), group, secrets, check)


def checker(directory: Path, code: int) -> Path:
    script = directory / "check"
    script.write_text(CHECKER.format(seen=directory / "seen", code=code), "utf-8")
    script.chmod(0o755)
    return script


def test_the_values_arrive_and_no_argument_or_environment_holds_them(
    machine: SshMachine, secrets: tuple[SealedSecret, ...], tmp_path: Path
) -> None:
    script, path = checker(tmp_path, 0), tmp_path / "app.conf"
    machine.do([put(path, secrets, str(script), "{}")])
    content = path.read_text("utf-8")
    assert all(f"{key} = {value}\n" in content for key, value in CANARIES.items())
    assert path.stat().st_mode & 0o777 == 0o600
    seen = (tmp_path / "seen").read_bytes()
    assert b"python3" in seen
    assert leaks(seen) == []


def test_a_checker_that_shows_what_it_was_given_gives_nothing_away(
    machine: SshMachine, secrets: tuple[SealedSecret, ...], tmp_path: Path
) -> None:
    script, path = checker(tmp_path, 1), tmp_path / "app.conf"
    with pytest.raises(Conflict) as caught:
        machine.do([put(path, secrets, str(script), "{}")])
    assert "app.conf" in str(caught.value)
    assert leaks(repr(caught.value) + str(caught.value)) == []
    assert not path.exists()
    assert [each for each in tmp_path.iterdir() if leaks(each.read_bytes())] == []


@pytest.mark.parametrize("there", ["", "missing/deeper/app.conf", "seen/app.conf"])
def test_a_file_that_cannot_be_written_gives_nothing_away(
    machine: SshMachine, secrets: tuple[SealedSecret, ...], tmp_path: Path, there: str
) -> None:
    (tmp_path / "seen").touch()
    with pytest.raises(DriverError) as caught:
        machine.do([put(tmp_path / there, secrets)])
    assert leaks(repr(caught.value) + str(caught.value)) == []


def test_nothing_is_sent_when_a_secret_cannot_be_decrypted(
    sshd: Sshd, secrets: tuple[SealedSecret, ...], tmp_path: Path
) -> None:
    keyring = Keyring({"production": Reader().write(tmp_path / "age.txt")})
    shell = sshd.shell()
    machine = SshMachine(shell, partial(keyring.reveal, "production"))
    with pytest.raises(Denied, match="canaries"):
        machine.do([put(tmp_path / "app.conf", secrets)])
    shell.close()
    assert not (tmp_path / "app.conf").exists()


def test_a_host_that_does_not_answer_gives_nothing_away(
    sshd: Sshd, reader: Reader, secrets: tuple[SealedSecret, ...], tmp_path: Path
) -> None:
    keyring = Keyring({"production": reader.write(tmp_path / "age.txt")})
    shell = sshd.shell(deadline=timedelta(seconds=2), connect_deadline=timedelta(seconds=2))
    machine = SshMachine(shell, partial(keyring.reveal, "production"))
    sshd.stop()
    try:
        with pytest.raises(Unreachable) as caught:
            machine.do([put(tmp_path / "app.conf", secrets)])
    finally:
        sshd.start()
        shell.close()
    assert leaks(repr(caught.value) + str(caught.value)) == []


def test_what_the_program_on_the_host_says_as_it_dies_gives_nothing_away(
    reader: Reader, secrets: tuple[SealedSecret, ...], tmp_path: Path
) -> None:
    keyring = Keyring({"production": reader.write(tmp_path / "age.txt")})
    task = Task.of([put(tmp_path / "x", secrets)], partial(keyring.reveal, "production"))
    assert leaks(repr(task)) == []
    for value in list(CANARIES.values())[::6]:
        for said in (value, repr({"content": value}), value.encode().hex()):
            result = Result(1, b"", f"Traceback: ValueError: {said}\n".encode())
            with pytest.raises(Conflict) as caught:
                task.expect_done("virt1", result)
            assert leaks(str(caught.value)) == []
            assert MASK in str(caught.value)


def test_all_canaries_are_taken_out_of_any_text() -> None:
    text = " ".join(CANARIES.values())
    assert leaks(text)
    assert leaks(redact(text, CANARIES.values())) == []
