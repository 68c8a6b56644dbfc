"""Questions about commands: what their checks say, all asked side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from reconciler.drivers.ssh.onhost.programs import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

CHECK_SECONDS = 10.0
ALL_SECONDS = 30.0  # so that many that hang do not take the time of the whole look
_LONGEST_MESSAGE = 200
_AT_ONCE = 8


def commands(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any]]:
    """The answers about commands: a check that ends well says that nothing is to be done."""
    del known
    ends = monotonic() + ALL_SECONDS

    def checked(question: dict[str, Any]) -> dict[str, Any]:
        return _checked(question, min(CHECK_SECONDS, ends - monotonic()))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(checked, questions)


def _checked(question: dict[str, Any], seconds: float) -> dict[str, Any]:
    if not question["details"]:
        return {"is_done": False, "message": ""}
    if seconds <= 0:
        return {"is_done": False, "message": "the checks before it took all of the time"}
    code, out, err = ask(question["details"], seconds)
    message = " ".join((out or err).split())[:_LONGEST_MESSAGE]
    return {"is_done": code == 0, "message": message}
