"""Questions about systemd units: one `systemctl show` for all, and whether they read their files.

A service has read a file if the file was last changed before the service was started or reloaded.
The mark of a service knows it better, by the sums of what the service read when we started it:
that holds whatever the clock of the host did, and for a file that was changed back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.look_files import keyed, read_sum
from reconciler.drivers.ssh.onhost.paths import Untrusted, open_file, open_parent
from reconciler.drivers.ssh.onhost.programs import ask, complaint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

_PROPERTIES = (
    "Id,Names,LoadState,ActiveState,UnitFileState,InvocationID,StateChangeTimestampMonotonic,"
    "InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,ExecMainStartTimestampMonotonic"
)
_SUFFIXES = (
    *(".service", ".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap"),
    *(".slice", ".scope", ".device"),
)
# As `systemctl is-enabled` judges: nothing is to be done for these to come up at the next boot.
ENABLED = frozenset({"enabled", "static", "alias", "indirect", "generated"})
RUNNING = frozenset({"active", "reloading", "refreshing"})


def services(
    questions: list[dict[str, Any]], known: Remembered
) -> Iterator[dict[str, Any] | Exception | None]:
    """The answers about units. `details` are the paths that a service reads."""
    units = {unit_name(question["name"]) for question in questions}
    blocks = show(sorted(units))
    for question in questions:
        block = blocks.get(unit_name(question["name"]))
        if block is None:
            yield OSError(f"systemctl says nothing about {question['name']}")
        elif block["LoadState"] == "not-found":
            yield None
        else:
            seal = known.seal("service", question["name"])
            reads = [_read(path, block, seal, known) for path in question["details"]]
            yield {**_states(block), "reads": reads}


def seal(
    name: str, paths: Sequence[str], known: Remembered, *, is_fresh: bool
) -> dict[str, Any] | None:
    """What the mark of a service is to hold: the sums of the files that it has read.

    Without `is_fresh` only of what it has surely read; with it, it was started or reloaded just now
    and has read all.
    """
    block = show([unit_name(name)]).get(unit_name(name))
    if block is None or block["ActiveState"] not in RUNNING:
        return None
    found = {path: _sum(path, known.root) for path in paths}
    if is_fresh:
        return {"state": _state(block), "reads": {path: now[0] for path, now in found.items()}}
    reads = reads_of(block, found, known.seal("service", name))
    return {"state": _state(block), "reads": reads}


def reads_of(
    block: dict[str, str], found: dict[str, tuple[str | None, float]], before: Any
) -> dict[str, str | None]:
    """The sums that a running unit has read, as far as anybody knows.

    `found` is what the files are now and when they changed, `before` the last seal. A file that has
    changed since keeps the sum that was read of it.
    """
    sums = {}
    for path, now in found.items():
        if _is_current(path, now, block, before):
            sums[path] = now[0]
        elif before and before["state"] == _state(block) and path in before["reads"]:
            sums[path] = before["reads"][path]
    return sums


def unit_name(name: str) -> str:
    """The whole name of a unit: of a service, unless it says otherwise."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def show(units: list[str]) -> dict[str, dict[str, str]]:
    """The properties of units by each of their names.

    Raises:
        OSError: systemctl cannot say.
    """
    argv = ["systemctl", "show", f"--property={_PROPERTIES}", "--"]
    answer = ask([*argv, *units])
    found = units_of(answer[1])
    if answer[0] and len(units) > 1:  # a name that it does not take hides those after it
        for unit in units:
            if unit not in found:
                found.update(units_of(ask([*argv, unit])[1]))
    elif answer[0]:
        raise complaint_of(argv, answer)
    return found


def units_of(text: str) -> dict[str, dict[str, str]]:
    """What `systemctl show` printed, by each name of each unit."""
    found: dict[str, dict[str, str]] = {}
    for block in text.split("\n\n"):
        properties = dict(line.partition("=")[::2] for line in block.splitlines())
        for name in [properties.get("Id", ""), *properties.get("Names", "").split()]:
            found[name] = properties
    return found


def _states(block: dict[str, str]) -> dict[str, bool]:
    return {
        "is_enabled": block["UnitFileState"] in ENABLED,
        "is_running": block["ActiveState"] in RUNNING,
        "is_masked": block["LoadState"] == "masked",
    }


def _read(path: str, block: dict[str, str], seal: Any, known: Remembered) -> dict[str, Any]:
    plain, changed = _sum(path, known.root)
    is_public = path in known.public_files()
    told = plain if plain is None or is_public else keyed(plain, known)
    return {
        "path": path,
        "sum": told,
        "is_current": _is_current(path, (plain, changed), block, seal),
        "is_sealed": plain is not None and plain == known.seal("file", path),
    }


def _is_current(path: str, now: tuple[str | None, float], block: dict[str, str], seal: Any) -> bool:
    """Whether the service runs with what is in the file; one that does not run will read it."""
    if block["ActiveState"] not in RUNNING:
        return True
    if seal and seal["state"] == _state(block) and path in seal["reads"]:
        return bool(seal["reads"][path] == now[0])
    return now[1] <= _read_at(block)


def _state(block: dict[str, str]) -> str:
    return f"{block['InvocationID']} {block['StateChangeTimestampMonotonic']}"


def _read_at(block: dict[str, str]) -> float:
    """When a running service last began to read its files, in seconds since the boot.

    A change of state after it became active is a reload.
    """
    changed, active, left, begun = (
        int(block.get(f"{name}TimestampMonotonic") or 0) / 1e6
        for name in ("StateChange", "ActiveEnter", "InactiveExit", "ExecMainStart")
    )
    return changed if changed > active else max(left, begun)


def _sum(path: str, root: str) -> tuple[str | None, float]:
    """The sum of a file, and when it was changed, in seconds since the boot; None without one."""
    try:
        directory, name = open_parent(path, root)
        try:
            file = open_file(directory, name)
        finally:
            os.close(directory)
    except (OSError, Untrusted):
        return None, 0.0
    try:
        ago = time.time() - os.fstat(file).st_ctime
        return read_sum(file)[0], time.monotonic() - ago
    finally:
        os.close(file)
