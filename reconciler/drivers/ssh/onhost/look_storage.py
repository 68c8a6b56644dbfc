"""Questions about LVM volume groups and ZFS pools; without the tools there are none."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.programs import MISSING, ask, complaint_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

VGS = (
    "vgs",
    "--reportformat",
    "json",
    "--units",
    "b",
    "--nosuffix",
    "-o",
    "vg_name,vg_size,pv_name",
)
_ZPOOL_LIST = ("zpool", "list", "-H", "-p", "-o", "name,size,health")
_ZPOOL_STATUS = ("zpool", "status", "-P")
# How `zpool status` calls what `zpool create` calls otherwise.
_CLASSES = {
    "logs": "log",
    "cache": "cache",
    "spares": "spare",
    "special": "special",
    "dedup": "dedup",
}
_GROUPS = ("mirror", "raidz", "draid", "replacing", "spare")


def volume_groups(
    questions: list[dict[str, Any]], known: Remembered
) -> Iterator[dict[str, Any] | None]:
    """The answers about volume groups.

    Raises:
        OSError: vgs cannot say.
    """
    del known
    found = volume_groups_of(_told(VGS))
    for question in questions:
        yield found.get(question["name"])


def volume_groups_of(text: str) -> dict[str, dict[str, Any]]:
    """What vgs reported, by name; it has a row for each device."""
    found: dict[str, dict[str, Any]] = {}
    reports = json.loads(text)["report"] if text.strip() else []
    for row in (row for report in reports for row in report["vg"]):
        group = found.setdefault(row["vg_name"], {"devices": [], "size_bytes": int(row["vg_size"])})
        group["devices"] = sorted({*group["devices"], row["pv_name"]} - {""})
    return found


def zpools(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about ZFS pools.

    Raises:
        OSError: zpool cannot say.
    """
    del known
    sizes = [line.split("\t") for line in _told(_ZPOOL_LIST).splitlines() if line.count("\t") == 2]  # noqa: PLR2004
    layouts = layouts_of(_told(_ZPOOL_STATUS)) if sizes else {}
    found = {
        name: {"layout": layouts.get(name, []), "health": health, "size_bytes": _number(size)}
        for name, size, health in sizes
    }
    for question in questions:
        yield found.get(question["name"])


def layouts_of(text: str) -> dict[str, list[str]]:
    """The devices of each pool with the words that group them, as `zpool create` takes them."""
    found: dict[str, list[str]] = {}
    name, is_table = "", False
    for line in text.splitlines():
        head = line.split()
        if head[:1] == ["pool:"]:
            name, is_table = head[1], False
        elif head[:2] == ["NAME", "STATE"]:
            is_table = True
            found[name] = []
        elif head[:1] == ["errors:"] or not head:
            is_table = is_table and not head and not found[name]
        elif is_table and head[0] != name:
            found[name].append(_word(head[0]))
    return found


def _word(name: str) -> str:
    kind, dash, number = name.rpartition("-")
    if dash and number.isdigit() and kind.startswith(_GROUPS):
        return kind
    return _CLASSES.get(name, name)


def _told(argv: tuple[str, ...]) -> str:
    answer = ask(argv)
    if answer[0] == MISSING:
        return ""
    if answer[0]:
        raise complaint_of(argv, answer)
    return answer[1]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
