"""Questions about our tables of the packet filter: what the file says, and what the kernel has."""

from __future__ import annotations

import hashlib
import json
import os

from reconciler.drivers.ssh.onhost.paths import read_small
from reconciler.drivers.ssh.onhost.rulesets import (
    beside_of,
    beside_path,
    in_kernel,
    in_scratch,
    path_of,
    unit_of,
    unit_path,
    wanted_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

REMEMBERED = "rulesets.json"  # in our directory: by table the sums of a text, and of what it became
_MOST_BYTES = 4 << 20


def rulesets(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about tables. Without `nft` nothing is loaded."""
    for question in questions:
        table = question["name"]
        content = read_small(known.path(path_of(table)), _MOST_BYTES)
        there = in_kernel(table)
        if content is None and there is None:
            yield None
            continue
        source = None if content is None else content.decode(errors="replace")
        yield {
            "source": source,
            "is_loaded": _is_loaded(source, there, table, known),
            "is_persisted": source is None or _is_persisted(table, known),
        }


def _is_loaded(source: str | None, there: str | None, table: str, known: Remembered) -> bool:
    """Whether the kernel has what the file means."""
    if not source or there is None:
        return False
    meant = in_scratch(known.path(path_of(table)), table)
    return _is_as_before(source, there, table, known) if meant is None else there == meant


def _is_as_before(source: str, there: str, table: str, known: Remembered) -> bool:
    """Where nothing can be tried: whether the kernel has what it had when this text was new."""
    path = f"{known.directory}/{REMEMBERED}"
    now = [_sum_of(source), _sum_of(there)]
    try:
        told = dict(json.loads(read_small(path) or b"{}"))
    except (ValueError, TypeError):
        told = {}
    before = told.get(table)
    if isinstance(before, list) and before[:1] == now[:1]:
        return before == now
    os.makedirs(known.directory, mode=0o700, exist_ok=True)  # noqa: PTH103
    new = f"{path}.{os.getpid()}"
    with open(new, "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(json.dumps({**told, table: now}))
    os.replace(new, path)  # noqa: PTH105
    return True


def _sum_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_persisted(table: str, known: Remembered) -> bool:
    """Whether a boot brings it back."""
    wanted = {unit_path(table): unit_of(table), beside_path(table): beside_of(table)}
    is_enabled = os.path.lexists(known.path(wanted_path(table)))
    return is_enabled and all(
        read_small(known.path(path)) == text.encode() for path, text in wanted.items()
    )
