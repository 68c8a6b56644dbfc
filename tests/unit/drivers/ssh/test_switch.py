"""What the reconciler sends for a change on trial, and what it makes of the answers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.switch import guarded
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.model.address import Address
from reconciler.ports.machine import Safety

SAFETY = Safety(("/etc/x",), ("ssh",), ((Address("file", "x", "virt1"), "d"),))
DONE = Result(0, b"", b"")
NOT_HEARD = Unreachable("virt1", "change", "the connection broke")
UNKNOWN = Result(0, b'{"outcome": "unknown", "event": null}', b"")


@dataclass
class Script:
    """A host that says what is written down for it; the last word again and again."""

    answers: list[Result | DriverError]
    host: str = "virt1"
    directory: str = "/var/lib/reconciler"
    now: float = 0.0
    closed: int = 0
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def close(self) -> None:
        self.closed += 1

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        deadline: timedelta | None = None,
        exclusive: bool = False,
        operation: str = "",
    ) -> Result:
        del argv, exclusive, operation, deadline
        self.now += 1
        if stdin:
            length, _, rest = stdin.partition(b"\n")
            self.tasks.append(json.loads(rest[int(length) :]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, DriverError):
            raise answer
        return answer


def change(script: Script, *acts: str) -> None:
    given = [{"act": act} for act in acts]
    guarded(script, given, SAFETY, sleep=script.sleep, monotonic=lambda: script.now)


def says(**told: Any) -> Result:
    return Result(0, json.dumps(told).encode(), b"")


def test_only_a_connection_made_after_the_change_confirms_it() -> None:
    script = Script([DONE, DONE, says(outcome="confirmed")])
    change(script, "put_file")
    assert script.closed == 1
    assert script.tasks[1] == {
        "directory": "/var/lib/reconciler",
        "token": script.tasks[0]["switch"]["token"],
    }


@pytest.mark.parametrize(
    ("acts", "settles"),
    [(["put_file"], False), (["put_file", "restart_service"], True), (["set_service"], True)],
)
def test_only_who_begins_a_service_anew_knows_that_its_files_are_good(
    acts: list[str], settles: bool
) -> None:
    script = Script([DONE, DONE, says(outcome="confirmed")])
    change(script, *acts)
    assert script.tasks[0]["switch"]["settles"] == settles


def test_it_is_asked_again_until_the_host_is_back() -> None:
    script = Script([DONE, NOT_HEARD, NOT_HEARD, NOT_HEARD, says(outcome="confirmed")])
    change(script)
    assert script.closed == 3


def test_what_never_began_is_told_as_what_was_heard() -> None:
    with pytest.raises(Unreachable, match="the connection broke"):
        change(Script([DONE, NOT_HEARD, UNKNOWN]))


def test_a_refusal_to_arm_is_not_asked_about() -> None:
    script = Script([DONE, Result(1, b'{"refused": "no room\\u001b[2J"}', b"")])
    with pytest.raises(Conflict, match=r"no room\\x1b\[2J; nothing was changed"):
        change(script)
    assert script.closed == 0


def test_another_writer_is_no_trial() -> None:
    script = Script([DONE, Conflict("virt1", "change", "another reconciler has changed it")])
    with pytest.raises(Conflict, match="another reconciler"):
        change(script)
    assert script.closed == 0


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense", b"[" * 100_000, b"[1]", b'{"outcome": "confirmed"', b"\xff\xfe"],
)
def test_an_answer_that_says_nothing_confirms_nothing(answer: bytes) -> None:
    script = Script([DONE, DONE, Result(0, answer, b"")])
    with pytest.raises(Unreachable, match="no answer that can be understood"):
        change(script)
    assert script.now < 200


@pytest.mark.parametrize(
    "event", [None, 7, {}, {"why": "\x1b[2J" * 1000, "back": 3, "problems": {"a": 1}}]
)
def test_whatever_a_host_tells_is_shown_as_text(event: Any) -> None:
    with pytest.raises(Conflict) as caught:
        change(Script([DONE, DONE, says(outcome="undone", event=event)]))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1500


def test_what_takes_the_change_back_runs_alone(tmp_path: Path) -> None:
    script = Script([DONE, DONE, says(outcome="confirmed")])
    change(script)
    program = tmp_path / "restore.pyz"
    program.write_bytes(base64.b64decode(script.tasks[0]["switch"]["archive"]))
    argv = [sys.executable, "-I", "-S", str(program), str(tmp_path)]
    (tmp_path / "switch").mkdir()
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
