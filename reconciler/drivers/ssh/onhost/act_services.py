"""Services: enabled, running, masked, and begun anew so that they read their files again."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.look_services import ENABLED, RUNNING
from reconciler.drivers.ssh.onhost.look_services import seal as seal_of
from reconciler.drivers.ssh.onhost.remembered import Remembered
from reconciler.drivers.ssh.onhost.sums import sum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_NEVER_DISABLED = ENABLED - {"enabled"}
_ASKED = "LoadState,UnitFileState,ActiveState,NeedDaemonReload"
_SECONDS = 100.0  # more than systemd itself waits for a service by default
_HOW = {"restart": "try-restart", "reload": "try-reload-or-restart"}


def set_service(
    batch: Batch,
    unit: str,
    *,
    enabled: bool | None = None,
    running: bool | None = None,
    masked: bool | None = None,
) -> None:
    """Enable, start, mask, or the contrary; what is None is left as it is.

    Raises:
        Refused: there is no such unit, or it does not do so.
    """
    state = _state_of(batch, unit)["LoadState"]
    if state == "masked" and masked is False:
        _systemctl(batch, "unmask", unit)
        state = _state_of(batch, unit)["LoadState"]
    if state == "not-found":
        if enabled or running:
            raise Refused(f"there is no unit {unit} here: declare the package that brings it")
    else:
        _enable(batch, unit, enabled=enabled)
        _begin(batch, unit, running=running)
    if masked and state != "masked":
        _systemctl(batch, "mask", unit)
    if enabled is False and _state_of(batch, unit)["UnitFileState"] in _NEVER_DISABLED:
        remedy = "leave `enabled` out, or write `masked: true`"
        raise Refused(f"{unit} cannot be disabled, because others start it: {remedy}")


def restart_service(batch: Batch, unit: str, how: str = "restart") -> None:
    """Let a service read its files again. One that does not run will read them when it starts.

    Raises:
        Refused: there is no such unit, or it does not come back.
    """
    state = _state_of(batch, unit)
    if state["LoadState"] == "not-found":
        raise Refused(f"there is no unit {unit} here: declare the package that brings it")
    sums = _sums(batch, unit)
    _systemctl(batch, _HOW[how], unit)
    if state["ActiveState"] in RUNNING:
        batch.restarted[unit] = sums


def seal(batch: Batch, unit: str, paths: Sequence[str]) -> dict[str, Any] | None:
    """What the mark of a service holds: the sums of the files that it has read."""
    known = Remembered.of(batch.directory, batch.root)
    begun = batch.restarted.get(unit)
    told = seal_of(unit, list(paths), known, is_fresh=begun is not None)
    if told is not None and begun is not None:
        # What it found when it began, whatever the files say by now.
        told["reads"] = {path: begun[path] for path in paths if path in begun}
    return told


def _enable(batch: Batch, unit: str, *, enabled: bool | None) -> None:
    if enabled is None:
        return
    _systemctl(batch, "enable" if enabled else "disable", unit)
    if enabled and _state_of(batch, unit)["UnitFileState"] not in ENABLED:
        raise Refused(f"{unit} cannot be enabled: its unit does not say when it is to start")


def _begin(batch: Batch, unit: str, *, running: bool | None) -> None:
    if running is None:
        return
    is_fresh = running and _state_of(batch, unit)["ActiveState"] not in RUNNING
    sums = _sums(batch, unit) if is_fresh else {}
    _systemctl(batch, "start" if running else "stop", unit)
    if is_fresh and _state_of(batch, unit)["ActiveState"] == "inactive":
        why = "it has ended, or its conditions are not met"
        raise Refused(f"{unit} was started and does not run: {why} (see systemctl status {unit})")
    if is_fresh:
        batch.restarted[unit] = sums


def _sums(batch: Batch, unit: str) -> dict[str, str | None]:
    return {path: sum_of(batch.root, path) for path in batch.reads.get(unit, ())}


def _state_of(batch: Batch, unit: str) -> dict[str, str]:
    """What systemd knows of a unit, after reading files that have changed since it last did."""
    state = _show(batch, unit)
    if state["NeedDaemonReload"] == "yes" or state["LoadState"] == "not-found":
        batch.must("systemctl", "daemon-reload", what="let systemd read its units again")
        state = _show(batch, unit)
    return state


def _show(batch: Batch, unit: str) -> dict[str, str]:
    show = ("systemctl", "show", f"--property={_ASKED}", "--", unit)
    lines = batch.must(*show, what=f"ask for {unit}", seconds=30).stdout.splitlines()
    return {**dict.fromkeys(_ASKED.split(","), ""), **dict(line.split("=", 1) for line in lines)}


def _systemctl(batch: Batch, verb: str, unit: str) -> None:
    words = ("systemctl", "--no-ask-password", "--quiet", verb, "--", unit)
    ran = batch.run(words, seconds=_SECONDS)
    if ran.code:
        cause = f"{ran.complaint} (journalctl --unit={unit} tells more)"
        raise Refused(f"cannot {verb} {unit}: {cause}")
