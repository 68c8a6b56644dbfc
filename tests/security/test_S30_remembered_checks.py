"""S30: a check that was asked once is not run for ever: only whoever asks now has it run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.drivers.ssh.answers import look_of
from reconciler.drivers.ssh.onhost.look import look
from reconciler.ports.facts import CommandFact, Question

OWNER = {"environment": "production", "name": "puppet", "digest": "d"}


def looked(directory: Path, *asked: dict[str, Any]) -> bytes:
    lines = look(asked, str(directory))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_the_mark_of_a_command_does_not_run_its_check(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    old = {"about": "command", "name": "puppet", "details": ["touch", str(trace)]}
    mark = {"kind": "command", "owner": OWNER, "question": old, "note": "", "seal": None}
    (tmp_path / "base.json").write_text(json.dumps({"version": 1, "marks": [mark]}))
    new = {**old, "details": ["true"]}

    answers = look_of("virt1", [], looked(tmp_path)).facts.answers
    assert list(answers.values()) == [None]
    now = Question("command", "puppet", ("true",))
    answers = look_of("virt1", [now], looked(tmp_path, new)).facts.answers
    assert answers[now] == CommandFact(is_done=True, message="")
    assert not trace.exists()

    looked(tmp_path, old)
    assert trace.exists(), "who asks for it has it run"
