"""Questions about the kernel: its settings and its modules, now and at the next boot."""

from __future__ import annotations

import os
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.paths import lines_of, read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

SYSCTLS = "/etc/sysctl.d/90-reconciler.conf"
MODULES = "/etc/modules-load.d/reconciler.conf"
MODULE_OPTIONS = "/etc/modprobe.d/reconciler.conf"


def sysctls(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about settings of the kernel. Blanks between the words of a value are one."""
    persisted = dict(_assignments(lines_of(known.path(SYSCTLS))))
    for question in questions:
        name = question["name"]
        value = _setting(known.path("/proc/sys/" + path_of(name)))
        kept = persisted.get(path_of(name))
        if value is None and kept is None:
            yield None
        else:
            yield {"value": value or "", "persisted": kept}


def path_of(name: str) -> str:
    """Where a setting is below /proc/sys: as sysctl(8) reads names, the first separator decides."""
    dot, slash = name.find("."), name.find("/")
    if slash >= 0 and (dot < 0 or slash < dot):
        return name
    return name.translate({ord("."): "/", ord("/"): "."})


def _setting(path: str) -> str | None:
    if "/../" in path:
        return None
    try:
        content = read_small(path)
    except OSError:  # some can only be written
        return ""
    return None if content is None else " ".join(content.decode(errors="replace").split())


def _assignments(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            yield path_of(name.strip()), " ".join(value.split())


def modules(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about modules; one that is part of the kernel itself is loaded."""
    loaded = {line.split(" ")[0] for line in lines_of(known.path("/proc/modules"))}
    loaded |= _built_in(known)
    persisted = {_plain(line) for line in lines_of(known.path(MODULES))}
    options = _options(lines_of(known.path(MODULE_OPTIONS)))
    for question in questions:
        name = _plain(question["name"])
        is_loaded = name in loaded or _has_shown(name, known)
        is_persisted = name in persisted
        if is_loaded or is_persisted or name in options:
            fact = {"is_loaded": is_loaded, "is_persisted": is_persisted}
            yield {**fact, "options": options.get(name)}
        else:
            yield None


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _has_shown(name: str, known: Remembered) -> bool:
    """Whether the kernel shows it, as it does of a part of it that has parameters."""
    return "/" not in name and os.path.isdir(known.path(f"/sys/module/{name}"))  # noqa: PTH112


def _built_in(known: Remembered) -> set[str]:
    path = known.path(f"/lib/modules/{os.uname().release}/modules.builtin")
    ends = (line.rpartition("/")[2] for line in lines_of(path))
    return {_plain(end.partition(".ko")[0]) for end in ends}


def _options(lines: list[str]) -> dict[str, str]:
    split = [line.split(None, 2) for line in lines if line.startswith("options ")]
    return {_plain(words[1]): words[2] for words in split if len(words) == 3}  # noqa: PLR2004
