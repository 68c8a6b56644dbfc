"""The base of a host over ssh: this machine, over a real sshd on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.machine import SshMachine
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.ssh.task import Task
from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.acts import (
    Act,
    HoldPackage,
    InstallPackage,
    PutDirectory,
    PutFile,
    PutLink,
    PutMark,
    RunCommand,
)
from reconciler.ports.facts import CommandFact, FileFact, Mark, Question, SettingFact
from tests.remotes.sshd import Sshd, running_sshd

BROKEN = Question("command", "broken", ("false",))


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path) as server:
        yield server


@pytest.fixture
def shell(sshd: Sshd) -> Iterator[Shell]:
    shell = sshd.shell()
    yield shell
    shell.close()


@pytest.fixture
def machine(shell: Shell) -> SshMachine:
    return SshMachine(shell, lambda _: "")


def nothing(*_: object) -> str:
    return ""


def answered(stdout: str, code: int = 0, stderr: str = "") -> Result:
    return Result(code, stdout.encode(), stderr.encode())


def test_a_look_answers_what_is_asked(machine: SshMachine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    asked = (
        Question("file", str(tmp_path / "file")),
        Question("file", str(tmp_path / "none")),
        Question("command", "check", ("test", "-e", str(tmp_path / "file"))),
        BROKEN,
        Question("setting", "hostname"),
    )
    answers = machine.look(asked).answers
    file = answers[asked[0]]
    assert isinstance(file, FileFact)
    assert file.content == "content"
    assert answers[asked[1]] is None
    assert answers[asked[2]] == CommandFact(is_done=True)
    assert answers[BROKEN] == CommandFact(is_done=False)
    assert isinstance(answers[asked[4]], SettingFact)


def test_what_was_done_and_marked_is_seen_without_being_asked_for(
    machine: SshMachine, tmp_path: Path
) -> None:
    question = Question("file", str(tmp_path / "motd"))
    mark = Mark("file", Owner("production", "motd", "d1"), question, "a note")
    owner = Path(tmp_path).owner(), Path(tmp_path).group()
    put = PutFile(question.name, "hello", "0600", *owner)
    machine.look(())
    machine.do([put, PutMark(mark)])
    facts = machine.look(())
    assert facts.marks == (mark,)
    fact = facts.answers[question]
    assert isinstance(fact, FileFact)
    assert (fact.content, fact.is_sealed) == ("hello", True)


def test_the_first_act_that_fails_is_named_and_those_after_it_are_not_done(
    machine: SshMachine, tmp_path: Path
) -> None:
    machine.look(())
    in_the_way = tmp_path / "in the way"
    in_the_way.mkdir()
    acts: list[Act] = [
        PutLink(str(tmp_path / "one"), "target"),
        PutFile(str(in_the_way), "x", "0600", "root", "root"),
        PutLink(str(tmp_path / "three"), "target"),
    ]
    with pytest.raises(Conflict, match=f"virt1: write {in_the_way}: ."):
        machine.do(acts)
    assert (tmp_path / "one").is_symlink()
    assert not (tmp_path / "three").is_symlink()


def test_a_host_without_python_says_what_to_install() -> None:
    task = Task.of([PutLink("/a", "b")], nothing)
    with pytest.raises(Conflict, match="python3 is needed there; install it"):
        task.expect_done("virt1", answered("", 127, "timeout: failed to run command 'python3'"))


@pytest.mark.parametrize(
    "stdout",
    ["", '{"act": 1}\n', "hello\n", '{"act": 0}\n{"act": 0}\n', "[]\n", '{"act": 0}\n'],
)
def test_an_answer_that_does_not_tell_of_each_act_is_no_success(stdout: str) -> None:
    task = Task.of([PutLink("/a", "b"), PutLink("/c", "d")], nothing)
    with pytest.raises(Conflict):
        task.expect_done("virt1", answered(stdout))


def test_a_program_that_breaks_off_is_no_success() -> None:
    task = Task.of([PutLink("/a", "b")], nothing)
    with pytest.raises(Conflict, match="killed"):
        task.expect_done("virt1", answered('{"act": 0}\n', 1, "killed"))


@pytest.mark.parametrize(
    ("act", "least"),
    [
        (PutDirectory("/a", "0755", "root", "root"), timedelta(seconds=30)),
        (HoldPackage("linux-image-amd64", held=True), timedelta(seconds=30)),
        (InstallPackage("chrony"), timedelta(minutes=15)),
        (RunCommand("puppet", ("puppet", "agent", "-t"), 600), timedelta(seconds=600)),
    ],
)
def test_each_act_has_the_time_that_it_takes(act: PutDirectory, least: timedelta) -> None:
    one, two = Task.of([act], nothing), Task.of([act, act], nothing)
    assert one.deadline >= least
    assert two.deadline - one.deadline == least


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"marks": [{}]}', '{"marks": [7]}', "[" * 100_000]
)
def test_damaged_marks_are_an_error_that_says_what_to_do(
    machine: SshMachine, shell: Shell, text: str
) -> None:
    Path(shell.directory).mkdir(exist_ok=True)
    (Path(shell.directory) / "base.json").write_text(text)
    with pytest.raises(Conflict, match=r"virt1: look at its base: .*base.json is damaged; move it"):
        machine.look(())
