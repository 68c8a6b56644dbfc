"""A change that could cut a host off, made with a dead man's switch armed on the host.

In one exchange the host keeps what is, starts its time, and does what it is asked. Then only
a connection that is made anew, after the change, can tell it that all is well; else it takes the
change back by itself, whatever has become of us.
"""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from secrets import token_hex
from typing import Any, Protocol

from reconciler.drivers.ssh.command import Result
from reconciler.drivers.ssh.program import PACKAGE, command_of, input_of, modules_of
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.plan.show.escape import shortened
from reconciler.ports.machine import Safety

WHAT = "change its management path"
PATIENCE = timedelta(seconds=60)  # until it is seen again after it took the change back
ATTEMPT = timedelta(seconds=45)  # at one new connection, and at taking back what failed
TOUCH = timedelta(seconds=15)
FIRES_AFTER = 0.9  # of the deadline: taking back takes time too
PAUSE_SECONDS = 1.0
_READ_ANEW = frozenset({"restart_service", "set_service"})
_MAIN = f"import sys\nfrom {PACKAGE}.switch_restore import main\nsys.exit(main())\n"


class Way(Protocol):
    """What it takes of a `Shell`: one exchange at a time, and to let go of the connection."""

    @property
    def host(self) -> str:
        """How errors call the host."""
        ...

    @property
    def directory(self) -> str:
        """Where the host keeps what is ours."""
        ...

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = ...,
        deadline: timedelta | None = ...,
        exclusive: bool = ...,
        operation: str = ...,
    ) -> Result:
        """As `Shell.run`."""
        ...

    def close(self) -> None:
        """The next exchange is over a new connection."""
        ...


def guarded(
    shell: Way,
    acts: Sequence[dict[str, Any]],
    safety: Safety,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Do the acts; they stay done only if the host lets us in anew.

    `acts` are as the host's program reads them. This returns when the change is confirmed.

    Raises:
        Conflict: an act failed, or the change cut the host off: all was taken back. Or another
            change is on trial there: nothing was done.
        Unreachable: the host was not seen again; it takes the change back by itself.
        Denied: it did not let us in to begin with.
    """
    token = token_hex(16)
    ends = monotonic() + (safety.deadline + PATIENCE).total_seconds()
    shell.run(["true"], deadline=TOUCH, operation=WHAT)  # who is away already was not cut off by us
    heard = _try(shell, token, acts, safety)
    verdict = None
    while verdict is None:
        shell.close()
        try:
            verdict = _settle(shell, token, ends - monotonic())
        except DriverError as error:
            if monotonic() >= ends:
                raise Unreachable(shell.host, WHAT, _not_seen(safety, error)) from None
            sleep(PAUSE_SECONDS)
    _judge(shell.host, verdict, heard)


def _try(
    shell: Way, token: str, acts: Sequence[dict[str, Any]], safety: Safety
) -> DriverError | None:
    """Arm and act. What we hear of it counts only if the host knows nothing of the change.

    Raises:
        Conflict: the switch could not be armed, so that nothing was done.
    """
    switch = {
        "token": token,
        "host": shell.host,
        "seconds": safety.deadline.total_seconds() * FIRES_AFTER,
        "files": list(safety.files),
        "services": list(safety.services),
        "concerns": [(str(address), digest) for address, digest in safety.concerns],
        "network": safety.network,
        "settles": not safety.services or any(act["act"] in _READ_ANEW for act in acts),
        "archive": _archive(),
    }
    task = {"directory": shell.directory, "switch": switch, "acts": list(acts)}
    stdin = input_of("switch", json.dumps(task).encode())
    deadline = safety.deadline / 2
    try:
        result = shell.run(
            command_of("switch"), stdin=stdin, deadline=deadline, exclusive=True, operation=WHAT
        )
    except Unreachable as error:
        return error
    told = _lines(result.stdout)
    refusal = next((each["refused"] for each in told if "refused" in each), None)
    if refusal is not None:
        raise Conflict(shell.host, WHAT, f"{shortened(str(refusal))}; nothing was changed")
    return Conflict(shell.host, WHAT, result.complaint) if result.exit_code else None


def _settle(shell: Way, token: str, left_seconds: float) -> dict[str, Any]:
    """What the host says over a new connection.

    Raises:
        DriverError: nothing, or nothing that can be understood.
    """
    task = json.dumps({"directory": shell.directory, "token": token}).encode()
    result = shell.run(
        command_of("switch_settle"),
        stdin=input_of("switch_settle", task),
        deadline=min(ATTEMPT, timedelta(seconds=max(left_seconds, 1))),
        exclusive=True,
        operation=WHAT,
    )
    verdict = next((each for each in _lines(result.stdout) if "outcome" in each), None)
    if result.exit_code or verdict is None:
        raise Conflict(shell.host, WHAT, result.complaint or "no answer that can be understood")
    return verdict


def _judge(host: str, verdict: dict[str, Any], heard: DriverError | None) -> None:
    outcome = verdict["outcome"]
    if outcome == "confirmed":
        return
    if outcome == "unknown":
        raise heard or Conflict(host, WHAT, "the host knows nothing of the change")
    error = shortened(str(verdict.get("error")))
    if outcome == "refused":
        raise Conflict(host, WHAT, error)
    if outcome == "failed":
        raise Conflict(host, WHAT, f"{error}; {_story(verdict)}")
    cause = (
        f"the change cut the host off, and was taken back there: {_story(verdict)}. It is not "
        "tried again by itself: change the document, or push a commit that takes it back"
    )
    raise Conflict(host, WHAT, cause)


def _story(verdict: dict[str, Any]) -> str:
    """What the host tells of how it took the change back, in words that act on no terminal."""
    event = verdict.get("event")
    if not isinstance(event, dict):
        return "it is still at it"
    back = _words(event.get("back")) or "nothing had to be"
    trouble = _words(event.get("problems"))
    told = f"{event.get('why')} ({event.get('when')}); put back: {back}"
    return shortened(told + (f"; but not well: {trouble}" if trouble else ""))


def _words(given: object) -> str:
    return ", ".join(map(str, given)) if isinstance(given, list) else ""


def _not_seen(safety: Safety, last: DriverError) -> str:
    seconds = safety.deadline.total_seconds()
    return (
        f"the host has let nobody in since the change was made ({last.cause}). It takes the change "
        f"back by itself within {seconds:.0f} s, also if it is started anew; look at its console"
    )


def _lines(stdout: bytes) -> list[dict[str, Any]]:
    """The lines of an answer that are objects; others are none of ours."""
    found = []
    for line in stdout.splitlines():
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            found.append(told)
    return found


@cache
def _archive() -> str:
    """The program that takes a change back, whole in one file, in base64."""
    modules = {f"{PACKAGE}.{name}": text for name, text in modules_of("switch_restore").items()}
    parents = PACKAGE.split(".")
    files = {f"{'/'.join(parents[: n + 1])}/__init__.py": "" for n in range(len(parents))}
    files |= {f"{name.replace('.', '/')}.py": text for name, text in modules.items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "__main__.py": _MAIN}.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without the time: the same each time
    return base64.b64encode(stream.getvalue()).decode()
