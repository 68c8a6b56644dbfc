"""Questions about commands: what their checks say, all asked side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from reconciler.drivers.ssh.onhost.programs import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

CHECK_SECONDS = 10.0
_LONGEST_MESSAGE = 200
_AT_ONCE = 8


def commands(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any]]:
    """The answers about commands: a check that ends well says that nothing is to be done."""
    del known
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(_checked, questions)


def _checked(question: dict[str, Any]) -> dict[str, Any]:
    if not question["details"]:
        return {"is_done": False, "message": ""}
    code, out, err = ask(question["details"], CHECK_SECONDS)
    message = " ".join((out or err).split())[:_LONGEST_MESSAGE]
    return {"is_done": code == 0, "message": message}
