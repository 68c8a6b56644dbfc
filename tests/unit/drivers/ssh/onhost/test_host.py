"""Programs that are run on a host: to their end, or to the end of their time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.host import ENVIRONMENT, Ran, Refused, run_program, shortened


def python(source: str, *, seconds: float = 20) -> Ran:
    return run_program([sys.executable, "-I", "-S", "-c", source], seconds=seconds)


def test_what_a_program_says_comes_back_apart() -> None:
    ran = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (ran.code, ran.stdout, ran.stderr) == (3, "out\n", "err\n")


def test_of_a_long_answer_the_end_comes_back() -> None:
    ran = python("print('x' * 3_000_000 + 'end')")
    assert ran.stdout.endswith("xend\n")
    assert len(ran.stdout) <= 2 * 1024**2


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(Refused, match="there is no program /no/such here"):
        run_program(["/no/such"])


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    source = f"import os, time; open({str(pid)!r}, 'w').write(str(os.fork())); time.sleep(600)"
    with pytest.raises(Refused, match="was not done within 1 s"):
        python(source, seconds=1)
    child = pid.read_text()
    assert child in {"", "0"} or not _lives(child)


def _lives(pid: str) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_what_a_program_leaves_in_the_background_is_not_waited_for() -> None:
    began = time.monotonic()
    source = "import os, time\nif os.fork() == 0: time.sleep(5)\nelse: print('done')"
    assert python(source).stdout == "done\n"
    assert time.monotonic() - began < 4


def test_programs_see_a_fixed_environment_and_no_input() -> None:
    ran = python("import os, sys; print(sorted(os.environ), os.getcwd(), repr(sys.stdin.read()))")
    assert ran.stdout == f"{sorted(ENVIRONMENT)} / ''\n"


def test_no_file_of_ours_is_open_in_a_program() -> None:
    reading, writing = os.pipe()
    try:
        ran = python("import os; print(sorted(os.listdir('/proc/self/fd')))")
        assert str(writing) not in ran.stdout
    finally:
        os.close(reading)
        os.close(writing)


def test_a_complaint_is_one_short_line_that_acts_on_no_terminal() -> None:
    said = shortened("a\x1b[31m\n\tb " + "x" * 900)
    assert said.startswith("…")
    assert len(said) == 501
    assert shortened("a\x1b[31m\n\tb") == "a [31m b"
    assert Ran(7).complaint == "exit code 7"
