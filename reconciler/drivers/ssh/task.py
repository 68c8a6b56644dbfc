"""Acts on their way to a host, and what it says of them.

Values of secrets are in the content of files by then: they go by the standard input alone, and
nothing that the host says with one of them in it is repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

from reconciler.drivers.redact import redact
from reconciler.drivers.ssh.command import Result
from reconciler.errors import Conflict
from reconciler.model.secret import SealedSecret, filled
from reconciler.plan.show.escape import shortened
from reconciler.ports.acts import (
    Act,
    InstallPackage,
    MakeVolumeGroup,
    MakeZpool,
    PutFile,
    RemovePackage,
    RunCommand,
)

CHANGE = "change its base"
DEADLINE = timedelta(seconds=60)
_NO_PROGRAM = 127
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What takes longer than a moment.
_DEADLINES: tuple[tuple[type[Any], timedelta], ...] = (
    (InstallPackage, timedelta(minutes=15)),
    (RemovePackage, timedelta(minutes=5)),
    (MakeVolumeGroup, timedelta(minutes=2)),
    (MakeZpool, timedelta(minutes=5)),
    (object, timedelta(seconds=30)),
)


@dataclass(frozen=True, slots=True)
class Task:
    """Acts, and how the host reads them. `hidden` must not be seen anywhere else."""

    acts: tuple[Act, ...]
    plain: tuple[dict[str, Any], ...] = field(repr=False)
    hidden: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, acts: Sequence[Act], reveal: Callable[[SealedSecret], str]) -> Task:
        """Put the values of secrets in.

        Raises:
            ReconcilerError: `reveal` cannot say one.
        """
        values = {
            secret: reveal(secret)
            for act in acts
            if isinstance(act, PutFile)
            for secret in act.secrets
        }
        plain = tuple(_plain(act, values) for act in acts)
        return cls(tuple(acts), plain, frozenset(values.values()))

    def stdin(self, directory: str) -> bytes:
        """What the host's program works on; `directory` is where it keeps what it remembers."""
        return json.dumps({"acts": self.plain, "directory": directory}).encode()

    @property
    def deadline(self) -> timedelta:
        """By when all of it is done."""
        return DEADLINE + sum(map(_deadline_of, self.acts), timedelta())

    def expect_done(self, host: str, result: Result) -> None:
        """Make sure that the host has done all.

        Raises:
            Conflict: it has not; the reason names the act.
        """
        done, failed = 0, None
        for line in result.stdout.splitlines():
            told = _told(line)
            if told is None or told.get("act") != done:
                raise Conflict(host, CHANGE, "its answer makes no sense")
            if "error" in told:
                failed = str(told["error"])
                break
            done += 1
        if failed is not None and done < len(self.acts):
            raise Conflict(host, str(self.acts[done]), self.masked(failed))
        refuse_failure(host, CHANGE, result, self.masked)
        if done != len(self.acts):
            raise Conflict(
                host, CHANGE, f"it did {done} of {len(self.acts)} things, and says no more"
            )

    def masked(self, text: str) -> str:
        """What a host says, on one line and without a secret in it."""
        return shortened(redact(text, self.hidden))


def refuse_failure(
    host: str, what: str, result: Result, told: Callable[[str], str] = shortened
) -> None:
    """Say why a program of ours did not run to its end.

    Raises:
        Conflict: it did not.
    """
    if result.exit_code == _NO_PROGRAM:
        cause = f"python3 is needed there; install it ({told(result.complaint)})"
        raise Conflict(host, what, cause)
    if result.exit_code:
        cause = told(result.complaint) or f"exit code {result.exit_code}"
        raise Conflict(host, what, cause)


def _plain(act: Act, values: dict[SealedSecret, str]) -> dict[str, Any]:
    bare = replace(act, secrets=()) if isinstance(act, PutFile) else act
    plain = {"act": _WORD.sub("_", type(act).__name__).lower(), **asdict(bare)}
    if isinstance(act, PutFile):
        del plain["secrets"]
        if act.secrets:
            mine = {secret.reference: values[secret] for secret in act.secrets}
            plain["content"] = filled(act.content, mine)
        plain["is_secret"] = bool(act.secrets)
    return plain


def _deadline_of(act: Act) -> timedelta:
    if isinstance(act, RunCommand):
        return timedelta(seconds=act.seconds)
    return next(deadline for kind, deadline in _DEADLINES if isinstance(act, kind))


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
