"""Services of the management path: how they are, and how they become that again."""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.switch_site import QUICK_SECONDS, SLOW_SECONDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

_VERBS = {"enabled": "enable", "disabled": "disable", "masked": "mask"}
_PROPERTIES = "Id,LoadState,ActiveState,UnitFileState,InvocationID"
_RUNNING = ("active", "activating", "reloading")


def services_of(site: Site, units: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How the services are that are known here, by their own names. `run` names the run of one.

    Raises:
        OSError: systemd does not answer.
    """
    names = [unit if "." in unit else f"{unit}.service" for unit in units]
    if not names:
        return {}
    code, output = site.run(
        ["systemctl", "show", f"--property={_PROPERTIES}", *names], b"", QUICK_SECONDS
    )
    if code:
        raise OSError(f"systemctl show: {output[:300]}")
    blocks = (block.splitlines() for block in output.strip().split("\n\n"))
    told = [dict(line.split("=", 1) for line in block if "=" in line) for block in blocks]
    return {
        each["Id"]: {
            "is_active": each["ActiveState"] in _RUNNING,
            "enabled": each["UnitFileState"],
            "run": each["InvocationID"],
        }
        for each in told
        if each.get("LoadState") in ("loaded", "masked")
    }


def put_service_back(site: Site, unit: str, was: dict[str, Any], *, is_new_boot: bool) -> None:
    """Let a service be as it was, with its files of old: enabled or not, running or not.

    While the host starts nothing is waited for: what waits for us would wait for ever.

    Raises:
        OSError: systemd refused.
    """
    now = services_of(site, [unit]).get(unit, {})
    if now.get("enabled") != was["enabled"] and was["enabled"] in _VERBS:
        if now.get("enabled") == "masked":
            _systemctl(site, "unmask", unit)
        _systemctl(site, _VERBS[was["enabled"]], unit)
    site.run(["systemctl", "reset-failed", unit], b"", QUICK_SECONDS)
    if is_new_boot:
        _systemctl(site, "--no-block", "try-restart" if was["is_active"] else "stop", unit)
    elif was["is_active"] or now.get("is_active"):
        _systemctl(site, "restart" if was["is_active"] else "stop", unit)


def _systemctl(site: Site, *words: str) -> None:
    code, output = site.run(["systemctl", *words], b"", SLOW_SECONDS)
    if code:
        raise OSError(f"systemctl {' '.join(words)}: {' '.join(output.split())[:300]}")
