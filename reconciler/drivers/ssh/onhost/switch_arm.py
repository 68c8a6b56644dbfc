"""Arm the dead man's switch: keep what is, and have it put back unless somebody says it is well.

Until the last step nothing is on trial, so that what fails on the way leaves all as it was.
"""

from __future__ import annotations

import binascii
import json
import os
import re
import sys

from reconciler.drivers.ssh.onhost.switch_files import (
    confirmed,
    keep_confirmed,
    save,
)
from reconciler.drivers.ssh.onhost.switch_network import network_of
from reconciler.drivers.ssh.onhost.switch_rules import can_be_loaded, rules_of
from reconciler.drivers.ssh.onhost.switch_services import services_of
from reconciler.drivers.ssh.onhost.switch_settle import let_go
from reconciler.drivers.ssh.onhost.switch_site import (
    ARMED,
    FIRING,
    QUICK_SECONDS,
    SETTLED,
    started_at,
    sync_directory,
    write_whole,
)
from reconciler.drivers.ssh.onhost.switch_story import close_book
from reconciler.drivers.ssh.onhost.switch_units import (
    ARCHIVE,
    install,
    runs,
    start_timer,
    take_back_now,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

_UNIT = re.compile(r"[A-Za-z0-9@_.:\\-]{1,200}\Z")


class Refused(Exception):
    """The switch was not armed, with the reason as people say it. Nothing was changed."""


def arm(site: Site, asked: dict[str, Any], *, python: str = sys.executable) -> None:
    """Put a change on trial.

    `asked` has the `token` by which it is confirmed, the `seconds` it has, the `files`, `services`
    and `concerns` of its Safety, whether it is of the `network`, whether it `settles` what the
    services read, and the `archive` that takes it back.

    Raises:
        Refused: another change is on trial, or the way back cannot be made sure of.
    """
    _refuse_if_armed(site)
    try:
        _make_directory(site)
        _finish(site)
        record = _record(site, asked)
        write_whole(site.file(ARCHIVE), binascii.a2b_base64(asked["archive"]), 0o600, None)
        install(site, record["services"], asked["seconds"], python)
        _begin(site, record)
    except (OSError, ValueError) as error:
        raise Refused(f"the way back cannot be made sure of: {error}") from None


def _refuse_if_armed(site: Site) -> None:
    if site.read(ARMED) is None and site.read(FIRING) is None:
        return
    if runs(site):
        cause = "another change is on trial here; it is confirmed or taken back within minutes"
        raise Refused(cause)
    take_back_now(site)
    raise Refused("a change was on trial here whose time did not run; it has been taken back now")


def _finish(site: Site) -> None:
    """Do what is left of the change before, if somebody died over it."""
    close_book(site)
    settled = site.read(SETTLED)
    if settled and settled["files"]:
        let_go(site, settled)


def _make_directory(site: Site) -> None:
    for path in (site.directory.rpartition("/")[0], site.directory):
        try:
            os.mkdir(path, 0o700)  # noqa: PTH102
        except FileExistsError:
            continue
        sync_directory(path.rpartition("/")[0])


def _record(site: Site, asked: dict[str, Any]) -> dict[str, Any]:
    """All that is needed to take the change back, and to tell of it."""
    if not all(_UNIT.match(unit) for unit in asked["services"]):
        raise ValueError("a service has a name that systemd does not know")
    services = services_of(site, asked["services"])
    files = {path: confirmed(site, path, services) for path in asked["files"]}
    rules = rules_of(site)
    return {
        "token": asked["token"],
        "boot": site.boot(),
        "actor": {"pid": os.getpid(), "started": started_at(os.getpid())},
        "seconds": asked["seconds"],
        "settles": asked["settles"],
        "concerns": [*asked["concerns"], *_written_before(site, asked, files)],
        "files": files,
        "services": services,
        "rules": rules,
        "is_loadable": can_be_loaded(site, rules),
        "network": network_of(site) if asked["network"] else None,
        "was": {name: _ip(site, name) for name in ("address", "route")},
        "tries": 0,
    }


def _written_before(
    site: Site, asked: dict[str, Any], files: dict[str, Any]
) -> list[tuple[str, str]]:
    """The files, by their marks, that an earlier change wrote and that go back with this one."""
    told = {address for address, _ in asked["concerns"]}
    changed = {path for path, saved in files.items() if save(site, path) != saved}
    found = []
    for mark in _marks(site):
        if mark["kind"] == "file" and mark["question"]["name"] in changed:
            address = f"file@{asked['host']}/{mark['owner']['name']}"
            if address not in told:
                found.append((address, mark["owner"]["digest"]))
    return found


def _marks(site: Site) -> list[dict[str, Any]]:
    try:
        with open(f"{site.directory}/../base.json", "rb") as file:  # noqa: PTH123
            return list(json.load(file)["marks"])
    except (FileNotFoundError, ValueError, KeyError):
        return []


def _ip(site: Site, what: str) -> list[str]:
    """Addresses or routes, as a person reads them."""
    code, output = site.run(["ip", "-brief", what], b"", QUICK_SECONDS)
    return [] if code else [" ".join(line.split()) for line in output.splitlines()][:100]


def _begin(site: Site, record: dict[str, Any]) -> None:
    for path, saved in record["files"].items():
        keep_confirmed(site, path, saved, record["services"])
    site.write(ARMED, record)
    try:
        start_timer(site)
    except OSError:
        site.remove(ARMED)
        raise
