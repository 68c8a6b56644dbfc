"""The leases that a DHCP server has given: by address, who has it now.

The server writes a line for each change to its file; the last of an address holds. What clients
call themselves is not read: anybody may call himself anything.
"""

from __future__ import annotations

import os
import re

from reconciler.drivers.ssh.onhost.dhcp import Silent, command
from reconciler.drivers.ssh.onhost.paths import Untrusted, open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

LEASES = "/var/lib/kea/kea-leases4.csv"
MOST_LEASES = 1000
_COMMANDS = "libdhcp_lease_cmds.so"
_MOST_BYTES = 64 << 20
_HELD = 0  # the others are declined, and reclaimed
_MAC = re.compile(r"\A(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\Z")
_NUMBER = re.compile(r"\A[0-9]{1,18}\Z")
_ADDRESS = re.compile(r"\A[0-9]{1,3}(?:\.[0-9]{1,3}){3}\Z")


def leases_in(
    config: Mapping[str, Any] | None,
    path: str | None,
    entry: Mapping[str, Any],
    now: float,
    root: str,
) -> dict[str, str]:
    """Who has which address of a subnet: hardware addresses by address, at most a thousand."""
    if config is None or path is None:
        return {}
    number = entry.get("id")
    hooks = [str(each.get("library")) for each in config.get("hooks-libraries") or ()]
    if any(hook.endswith(_COMMANDS) for hook in hooks):
        return _told(path, number, now)
    database = config.get("lease-database") or {}
    if database.get("type", "memfile") != "memfile" or database.get("persist", True) is False:
        return {}
    return leases_of(_lines(str(database.get("name") or LEASES), root), number, now)


def leases_of(lines: Iterable[str], number: Any, now: float) -> dict[str, str]:
    """The leases of a subnet in the lines of the server's files, the oldest first."""
    found: dict[str, str] = {}
    for line in lines:
        cells = line.split(",")
        if len(cells) < 10 or cells[5] != str(number):  # noqa: PLR2004 (columns)
            continue
        address, mac = cells[0], cells[1].lower()
        seconds, expires, state = (_number(cells[place]) for place in (3, 4, 9))
        if not _ADDRESS.match(address):
            continue
        found.pop(address, None)
        if _MAC.match(mac) and seconds > 0 and expires > now and state == _HELD:
            found[address] = mac
    return _first(found)


def _told(path: str, number: Any, now: float) -> dict[str, str]:
    """The leases of a subnet as the server tells them."""
    try:
        told = command(path, "lease4-get-all", {"subnets": [number]})
        leases = told.get("leases", ()) if isinstance(told, dict) else ()
        return _first(
            {
                each["ip-address"]: each["hw-address"].lower()
                for each in leases
                if each.get("state") == _HELD
                and each["cltt"] + each["valid-lft"] > now
                and _ADDRESS.match(each["ip-address"])
                and _MAC.match(each["hw-address"].lower())
            }
        )
    except (Silent, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _lines(path: str, root: str) -> Iterator[str]:
    """The lines of the server's files: what was cleaned up last, and what came after."""
    done = (
        [f"{path}.completed"]
        if _is_there(f"{path}.completed", root)
        else [f"{path}.2", f"{path}.1"]
    )
    for each in [*done, path]:
        yield from _lines_of(each, root)


def _lines_of(path: str, root: str) -> Iterator[str]:
    try:
        directory, name = open_parent(path, root)
    except (OSError, Untrusted):
        return
    try:
        with os.fdopen(open_file(directory, name), "rb") as file:
            told = file.read(_MOST_BYTES).decode("utf-8", "replace")
            yield from told.split("\n")  # other ends of lines are a client's
    except (OSError, Untrusted):
        return
    finally:
        os.close(directory)


def _is_there(path: str, root: str) -> bool:
    return os.path.isfile(root.rstrip("/") + path)  # noqa: PTH113 (pathlib is slow to import)


def _number(text: str) -> int:
    return int(text) if _NUMBER.match(text) else 0


def _first(found: dict[str, str]) -> dict[str, str]:
    return {address: found[address] for address in sorted(found)[:MOST_LEASES]}
