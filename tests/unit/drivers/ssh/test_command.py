"""How a command is put for a host."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.ssh.command import TIMED_OUT, Result, in_time, line_of

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1)


def uptime_centiseconds() -> int:
    return int(float(Path("/proc/uptime").read_text().split()[0]) * 100)


@given(WORDS)
def test_the_words_of_a_line_are_the_arguments(words: list[str]) -> None:
    assert shlex.split(line_of(words, is_fed=True)) == words


def test_what_no_argument_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        line_of(["echo", "a\0b"], is_fed=True)


def run(argv: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, capture_output=True, check=False, timeout=30)


def test_a_command_in_time_runs_with_its_arguments() -> None:
    done = run(in_time(["printf", "%s|", "a b", "$HOME"], uptime_centiseconds() + 1000))
    assert (done.returncode, done.stdout) == (0, b"a b|$HOME|")


def test_a_command_that_comes_too_late_does_not_run(tmp_path: Path) -> None:
    done = run(in_time(["touch", str(tmp_path / "late")], uptime_centiseconds()))
    assert done.returncode == TIMED_OUT
    assert b"too late" in done.stderr
    assert not (tmp_path / "late").exists()


def test_a_command_is_ended_when_its_time_is_over() -> None:
    done = run(in_time(["sleep", "29"], uptime_centiseconds() + 20))
    assert done.returncode == TIMED_OUT


def test_a_complaint_is_one_line_and_not_endless() -> None:
    assert (
        Result(1, b"", b"no\n  such\xff thing\n").complaint
        == "no such\N{REPLACEMENT CHARACTER} thing"
    )
    assert len(Result(1, b"", b"x" * 10_000).complaint) == 500


def test_a_command_that_is_not_fed_finds_its_input_at_an_end() -> None:
    assert line_of(["echo", "</dev/zero"], is_fed=False) == "echo '</dev/zero' </dev/null"
