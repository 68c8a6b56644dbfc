"""Questions about mount points: what the kernel has mounted, and our block of /etc/fstab.

What is mounted is told in the words of our line where it is what the line says, because the kernel
calls the same thing otherwise: a device for a UUID, nfs4 for nfs, none of what is only for boot.
A mounted thing itself is never touched, since a server that is gone would let us wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.paths import lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

FSTAB = "/etc/fstab"
BEGIN, END = "# reconciler: begin", "# reconciler: end"
_TAGS = {
    "UUID": "uuid",
    "LABEL": "label",
    "PARTUUID": "partuuid",
    "PARTLABEL": "partlabel",
    "ID": "id",
}
_SHOWN = frozenset({"ro", "nosuid", "nodev", "noexec", "noatime"})


def mounts(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about mount points."""
    mounted = mounts_of(lines_of(known.path("/proc/self/mountinfo")))
    lines = fstab_of(lines_of(known.path(FSTAB)))
    for question in questions:
        path = question["name"]
        here, line = mounted.get(path), lines.get(path)
        if here is None and line is None:
            yield None
            continue
        fact: dict[str, Any] = {"is_mounted": here is not None}
        if here is not None:
            fact.update(here if line is None else _in_words_of(line, here))
        yield {**fact, "persisted": _told(line) if line else None}


def mounts_of(lines: list[str]) -> dict[str, dict[str, str]]:
    """What /proc/self/mountinfo says, by mount point; of several the last is on top."""
    found = {}
    for line in lines:
        before, dash, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if dash and len(left) > 5 and len(right) > 2:  # noqa: PLR2004 (as proc(5) says)
            options = dict.fromkeys([*left[5].split(","), *right[2].split(",")])
            found[_unescaped(left[4])] = {
                "source": _unescaped(right[1]),
                "type": right[0],
                "options": ",".join(options),
            }
    return found


def fstab_of(lines: list[str]) -> dict[str, list[str]]:
    """Our lines of fstab by mount point: source, path, type, options."""
    return {
        fields[1]: fields[:4]
        for _, is_ours, fields in _entries(lines)
        if is_ours and len(fields) > 3  # noqa: PLR2004 (as fstab(5) says)
    }


def others_of(lines: list[str]) -> dict[str, int]:
    """The first line of fstab, by its number, for each mount point of which it is not our line."""
    found: dict[str, int] = {}
    for number, is_ours, fields in _entries(lines):
        if not is_ours:
            found.setdefault(os.path.normpath(fields[1]), number)
    return found


def _entries(lines: list[str]) -> Iterator[tuple[int, bool, list[str]]]:
    """The lines that say something: their number, whether they are ours, and their fields."""
    is_ours = False
    for number, line in enumerate(lines, 1):
        if line in {BEGIN, END}:
            is_ours = line == BEGIN
        fields = [_unescaped(field) for field in line.split()]
        if len(fields) > 1 and not fields[0].startswith("#"):
            yield number, is_ours, fields


def _told(line: list[str]) -> str:
    source, _, type_, options = line
    return f"{source} {type_} {options}"


def _in_words_of(line: list[str], here: dict[str, str]) -> dict[str, str]:
    source, _, type_, options = line
    wanted, real = options.split(","), here["options"].split(",")
    is_bind = "bind" in wanted or "rbind" in wanted
    is_source = is_bind or _device(source) == _device(here["source"])
    is_type = is_bind or type_ in {here["type"], "auto"} or (type_, here["type"]) == ("nfs", "nfs4")
    return {
        "source": source if is_source else here["source"],
        "type": type_ if is_type else here["type"],
        "options": options if _holds(wanted, real) else here["options"],
    }


def _holds(wanted: list[str], real: list[str]) -> bool:
    """Whether the options that the kernel shows are those of our line."""
    is_read_only = "ro" in wanted
    return ("ro" in real) == is_read_only and all(
        option in real for option in wanted if option in _SHOWN
    )


def _device(source: str) -> str:
    tag, equals, value = source.partition("=")
    if equals and tag in _TAGS:
        source = f"/dev/disk/by-{_TAGS[tag]}/{value}"
    return os.path.realpath(source) if source.startswith("/dev/") else source


def _unescaped(text: str) -> str:
    for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, letter)
    return text
