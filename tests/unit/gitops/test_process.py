from __future__ import annotations

import os
import select
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.gitops.process import Bounds, Cut, Finished, run

LONG = Bounds(timedelta(seconds=30))
SHORT = Bounds(timedelta(seconds=0.4), patience=timedelta(seconds=0.2))
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def python(code: str, bounds: Bounds = LONG, given: bytes = b"") -> Finished:
    return run((sys.executable, "-c", code), ENVIRONMENT, bounds, given)


def test_output_remarks_and_the_way_it_ended_are_given() -> None:
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert done == Finished(3, b"out\n", "err\n")


def test_much_input_and_output_pass_without_a_jam() -> None:
    code = (
        "import sys; d = sys.stdin.buffer.read(); "
        "sys.stdout.buffer.write(d); sys.stderr.write('x' * 300000)"
    )
    given = os.urandom(3_000_000)
    done = python(code, given=given)
    assert done.output == given
    assert len(done.remarks) == 64 * 1024


def test_a_child_that_does_not_read_its_input_is_no_harm() -> None:
    assert python("pass", given=b"x" * 1_000_000).returncode == 0


def test_only_the_given_environment_is_there() -> None:
    done = python("import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))")
    assert done.output == b"['PATH']\n"


def test_the_deadline_ends_the_child_and_its_children() -> None:
    code = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print(child.pid, flush=True); child.wait()"
    )
    begun = time.monotonic()
    done = python(code, SHORT)
    assert done.cut is Cut.DEADLINE
    assert time.monotonic() - begun < 5
    assert ends(int(done.output))


def test_a_child_that_ignores_the_request_to_end_is_killed() -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print(1, flush=True); time.sleep(600)"
    )
    begun = time.monotonic()
    done = python(code, SHORT)
    assert (done.cut, done.returncode) == (Cut.DEADLINE, -signal.SIGKILL)
    assert time.monotonic() - begun < 8


def test_a_child_that_closes_its_pipes_and_stays_is_ended_too() -> None:
    code = "import os, time; os.close(1); os.close(2); os.close(0); time.sleep(600)"
    assert python(code, SHORT).cut is Cut.DEADLINE


def test_a_child_that_says_too_much_is_ended() -> None:
    done = python("while True: print('x' * 1000)", Bounds(timedelta(seconds=30), 10_000))
    assert done.cut is Cut.OUTPUT
    assert len(done.output) < 10_000 + 512 * 1024


def test_the_size_of_files_can_be_limited(tmp_path: Path) -> None:
    code = (
        "import sys; sys.stdin.read(); "  # the limit is there once input is
        f"open({str(tmp_path / 'file')!r}, 'wb').write(b'x' * 100_000)"
    )
    done = python(code, Bounds(timedelta(seconds=30), file_bytes=10_000), b"go")
    assert done.returncode != 0
    assert (tmp_path / "file").stat().st_size <= 10_000


def test_a_program_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        run(("/nonexistent/git",), ENVIRONMENT, LONG)


def ends(pid: int) -> bool:
    """Whether a process is over, or at its very end."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 2)[0])
    finally:
        os.close(descriptor)
