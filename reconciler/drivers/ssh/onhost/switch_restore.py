"""Take back a change that nobody confirmed: what the dead man's switch does when it goes off.

An archive of this and what it imports lies on the host while a change is on trial. systemd runs
it when the time is over and whenever the host starts, also when nobody can come in any more.
It does all that it can, whatever fails, and may be begun anew at any point.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from reconciler.drivers.ssh.onhost.switch_files import put_back
from reconciler.drivers.ssh.onhost.switch_network import (
    has_outlived,
    let_tools_read,
    put_network_back,
    put_switches_of_network_back,
)
from reconciler.drivers.ssh.onhost.switch_rules import put_rules_back, rules_of
from reconciler.drivers.ssh.onhost.switch_services import put_service_back
from reconciler.drivers.ssh.onhost.switch_site import (
    ARMED,
    DIRECTORY,
    FIRED,
    FIRING,
    SLOW_SECONDS,
    Site,
    run_here,
    started_at,
)
from reconciler.drivers.ssh.onhost.switch_story import close_book, error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BY_BOOT = "the host was started anew before the change was confirmed"
BY_TIME = "nobody came in over a new connection in time"
TRIES = 5  # to put all back


def fire(site: Site) -> int:
    """Take the change on trial back, if there is one; 1 if its files must be tried once more."""
    site.move(ARMED, FIRING)
    record = site.read(FIRING)
    if record is None:
        close_book(site)
        return 0
    is_last = _is_last(site, record)
    is_new_boot = record["boot"] != site.boot()
    if not is_new_boot:
        _stop(record["actor"])
    taken = _Taken()
    _files_back(site, record, taken, is_new_boot=is_new_boot)
    is_whole = not taken.problems
    _network_back(site, record, taken, is_new_boot=is_new_boot)
    _services_back(site, record, taken, is_new_boot=is_new_boot)
    if not (is_whole or is_last):
        sys.stderr.write("\n".join(taken.problems) + "\n")
        return 1
    error = error_of(site, record["token"])
    record["event"] = _event(record, taken, error or (BY_BOOT if is_new_boot else BY_TIME))
    sys.stdout.write(f"{record['event']['why']}; put back: {', '.join(taken.back)}\n")
    _remember(site, record)
    return 0


class _Taken:
    """What was put back, and what could not be."""

    def __init__(self) -> None:
        self.back: list[str] = []
        self.problems: list[str] = []

    def attempt(self, name: str, act: Callable[[], object]) -> None:
        """Do one thing; if that fails, the others are done all the same."""
        try:
            if act() is not False:
                self.back.append(name)
        except (OSError, KeyError, ValueError) as error:
            self.problems.append(f"{name}: {error}")


def _files_back(site: Site, record: dict[str, Any], taken: _Taken, *, is_new_boot: bool) -> None:
    for path, saved in record["files"].items():
        if not (is_new_boot and path.startswith("/proc/")):
            taken.attempt(path, lambda: put_back(site, path, saved))  # noqa: B023 - called at once
    if any(path.startswith("/etc/systemd/") for path in taken.back):
        site.run(["systemctl", "daemon-reload"], b"", SLOW_SECONDS)


def _network_back(site: Site, record: dict[str, Any], taken: _Taken, *, is_new_boot: bool) -> None:
    """At a boot the files are enough, as a rule: the interfaces are made of them afterwards."""
    kept = record.get("network")
    if kept is None:
        return
    taken.attempt(
        "the switches of Open vSwitch",
        lambda: put_switches_of_network_back(site, kept, is_new_boot=is_new_boot),
    )
    if not is_new_boot:
        let_tools_read(site, taken.back)
    taken.attempt(
        "the network", lambda: _interfaces_back(site, record, taken, is_new_boot=is_new_boot)
    )


def _interfaces_back(
    site: Site, record: dict[str, Any], taken: _Taken, *, is_new_boot: bool
) -> bool:
    kept, concerns = record["network"], record["concerns"]
    if is_new_boot and not has_outlived(site, kept, concerns):
        return False
    is_touched, problems = put_network_back(site, kept, concerns)
    taken.problems += problems
    return is_touched


def _services_back(site: Site, record: dict[str, Any], taken: _Taken, *, is_new_boot: bool) -> None:
    """First the rules, so that people get in soon; once more after what services made of them."""

    def rules() -> None:
        if not is_new_boot or rules_of(site):  # those of a container outlive it
            taken.attempt("the rules of the firewall", lambda: put_rules_back(site, record))

    rules()
    for unit, was in record["services"].items():
        taken.attempt(
            unit,
            lambda: put_service_back(site, unit, was, is_new_boot=is_new_boot),  # noqa: B023
        )
    if record["is_loadable"]:  # else what the services have loaded would count as new
        rules()


def _is_last(site: Site, record: dict[str, Any]) -> bool:
    """Count the attempts; it is the last one too if that cannot be written down."""
    record["tries"] += 1
    try:
        site.write(FIRING, record)
    except OSError:
        return True
    return bool(record["tries"] >= TRIES)


def _event(record: dict[str, Any], taken: _Taken, why: str) -> dict[str, Any]:
    return {
        "token": record["token"],
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "why": why,
        "concerns": record["concerns"],
        "back": list(dict.fromkeys(taken.back)),
        "problems": taken.problems,
        "was": record["was"],
    }


def _remember(site: Site, record: dict[str, Any]) -> None:
    """Say that it is over. Where there is no room to say how, that is told later."""
    try:
        site.write(FIRING, record)
    finally:
        site.move(FIRING, FIRED)
    close_book(site)


def _stop(actor: dict[str, Any]) -> None:
    """End who made the change, so that nothing more of it is done after it was taken back."""
    if started_at(actor["pid"]) == actor["started"]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(actor["pid"], signal.SIGKILL)


def main() -> int:
    """Run on the host by systemd, with the directory of ours there."""
    return fire(Site(run_here, sys.argv[1] if sys.argv[1:] else DIRECTORY))
