"""Programs that a look asks: cut short in time and in length, and nobody is waited for in vain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.programs import MISSING, TOO_LATE, ask

MEBIBYTE = 1024**2


def test_what_it_says_and_complains_of() -> None:
    assert ask(["sh", "-c", "echo out; echo err >&2; exit 7"]) == (7, "out\n", "err\n")


def test_its_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    assert ask(["printf", "%s", f"$(touch {tmp_path}/x); *"])[1] == f"$(touch {tmp_path}/x); *"
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_not_there() -> None:
    assert ask(["no-such-program"])[0] == MISSING


@pytest.mark.parametrize("redirected", ["", ">&2", ">/dev/null 2>&1"])
def test_one_that_takes_too_long_is_ended_with_all_that_it_started(redirected: str) -> None:
    begun = time.monotonic()
    answer = ask(["sh", "-c", f"sleep 600 & exec sleep 601 {redirected}"], 0.3)
    assert answer == (TOO_LATE, "", "sh was not done within 0.3 s")
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("redirected", ["", ">&2"])
def test_one_that_talks_without_end_is_ended_and_not_remembered(redirected: str) -> None:
    assert ask(["sh", "-c", f"cat /dev/zero {redirected}"], 0.5)[0] == TOO_LATE


def test_a_long_answer_is_whole_and_a_longer_one_cut() -> None:
    assert len(ask(["head", "-c", str(3 * MEBIBYTE), "/dev/zero"])[1]) == 3 * MEBIBYTE
    assert len(ask(["head", "-c", str(30 * MEBIBYTE), "/dev/zero"])[1]) == 8 * MEBIBYTE


def test_what_it_leaves_behind_is_not_waited_for() -> None:
    begun = time.monotonic()
    assert ask(["sh", "-c", "sleep 5 & echo done"])[:2] == (0, "done\n")
    assert time.monotonic() - begun < 3


def test_its_input_is_at_its_end_and_its_language_plain() -> None:
    assert ask(["sh", "-c", "cat; echo $LC_ALL"])[1] == "C.UTF-8\n"
