"""Programs of a host that a look asks: each with a deadline, in plain English, and cut short."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}
MISSING = 127
TOO_LATE = 124


def ask(argv: Sequence[str], seconds: float = 20) -> tuple[int, str, str]:
    """The exit code, what it says and what it complains of. 127: there is no such program."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the words are arguments, and no shell reads them
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError) as error:
        return MISSING, "", f"{argv[0]}: {error.strerror}"
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return TOO_LATE, "", f"{argv[0]} was not done within {seconds:g} s"
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def complaint_of(argv: Sequence[str], answer: tuple[int, str, str]) -> OSError:
    """The error of a program that failed, in a line."""
    said = " ".join((answer[2] or answer[1]).split())[:300]
    return OSError(f"{argv[0]}: {said or f'exit code {answer[0]}'}")
