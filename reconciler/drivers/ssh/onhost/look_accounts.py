"""Questions about accounts and groups: the host's own lists, and the keys that let people in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.accounts_files import rows
from reconciler.drivers.ssh.onhost.paths import Untrusted, open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

_DAY_SECONDS = 86400
_MOST_KEYS_BYTES = 64 * 1024
_IS_NO_FILE = "# authorized_keys is not a file of its own"


def groups(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about groups."""
    found = {row[0]: int(row[2]) for row in rows(known.path("/etc/group"), 3) if row[2].isdigit()}
    for question in questions:
        gid = found.get(question["name"])
        yield None if gid is None else {"gid": gid}


def users(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about accounts."""
    accounts = {row[0]: row for row in rows(known.path("/etc/passwd"), 7)}
    members = rows(known.path("/etc/group"), 4)
    expiry = {row[0]: row[7] for row in rows(known.path("/etc/shadow"), 8)}
    for question in questions:
        name = question["name"]
        row = accounts.get(name)
        if row is None:
            yield None
            continue
        yield {
            "uid": int(row[2]),
            "description": row[4].partition(",")[0],
            "groups": sorted(group[0] for group in members if name in group[3].split(",")),
            "shell": row[6],
            "home": row[5],
            "keys": keys_of(row[5], known.root),
            "may_sudo": os.path.lexists(known.path(f"/etc/sudoers.d/reconciler-{name}")),
            "is_locked": _is_past(expiry.get(name, "")),
        }


def _is_past(day: str) -> bool:
    """Whether the account has expired: then nobody gets in, whatever key or password he has."""
    return day.isdigit() and int(day) <= time.time() // _DAY_SECONDS


def keys_of(home: str, root: str = "/") -> list[str]:
    """The lines of a home's authorized_keys that are neither empty nor comments.

    The home is its account's, who may have put anything in the place of the file.
    """
    try:
        directory, name = open_parent(f"{home}/.ssh/authorized_keys", root)
        try:
            file = open_file(directory, name)
        finally:
            os.close(directory)
    except FileNotFoundError:
        return []
    except (OSError, Untrusted):
        return [_IS_NO_FILE]
    try:
        text = os.read(file, _MOST_KEYS_BYTES).decode(errors="replace")
    finally:
        os.close(file)
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
