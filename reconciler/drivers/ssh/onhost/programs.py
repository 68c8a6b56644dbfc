"""Programs of a host that a look asks: each with a deadline, in plain English, and cut short."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}
_MOST_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 16
_POLL_SECONDS = 0.05
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
    with process:
        told = _gathered(process, seconds)
        if told is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return TOO_LATE, "", f"{argv[0]} was not done within {seconds:g} s"
    out, err = (each.decode(errors="replace") for each in told)
    return process.returncode, out, err


def _gathered(process: subprocess.Popen[bytes], seconds: float) -> list[bytearray] | None:
    """The beginning of what it says and of what it complains of; None if it is not done in time.

    What it started and left behind may keep its ends open, and is not waited for.
    """
    ends = time.monotonic() + seconds
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    kept = [bytearray() for _ in streams]
    with selectors.DefaultSelector() as selector:
        for stream, said in zip(streams, kept):  # noqa: B905 (`strict` is of Python 3.10)
            selector.register(stream, selectors.EVENT_READ, said)
        while selector.get_map():
            is_over = process.poll() is not None
            left = ends - time.monotonic()
            ready = selector.select(min(max(left, 0), 0 if is_over else _POLL_SECONDS))
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                key.data.extend(chunk[: max(_MOST_BYTES - len(key.data), 0)])
                if not chunk:
                    selector.unregister(key.fileobj)
            if is_over and not ready:
                return kept
            if left <= 0:
                return None
    try:
        process.wait(max(ends - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return None
    return kept


def complaint_of(argv: Sequence[str], answer: tuple[int, str, str]) -> OSError:
    """The error of a program that failed, in a line."""
    said = " ".join((answer[2] or answer[1]).split())[:300]
    return OSError(f"{argv[0]}: {said or f'exit code {answer[0]}'}")
