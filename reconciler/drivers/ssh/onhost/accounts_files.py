"""The lists of accounts of a host: /etc/passwd, /etc/group and /etc/shadow, read as they stand.

Not through the name service, which asks other machines and may wait for them.
"""

from __future__ import annotations

from reconciler.drivers.ssh.onhost.paths import lines_of


def rows(path: str, columns: int) -> list[list[str]]:
    """The lines of such a list that have at least so many columns."""
    split = [line.split(":") for line in lines_of(path) if not line.startswith("#")]
    return [row for row in split if len(row) >= columns]


def names_by_number(path: str) -> dict[int, str]:
    """The names of accounts or groups; the first of two with one number counts."""
    found: dict[int, str] = {}
    for row in rows(path, 3):
        if row[2].isdigit():
            found.setdefault(int(row[2]), row[0])
    return found
