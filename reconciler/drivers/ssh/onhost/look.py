"""The look at a host: every question and every mark answered in one go, a JSON line for each.

What is asked comes in as `{"questions": [...], "directory": ...}`. Out go a line with what holds
for the whole host, one for each mark, one for each question (`fact`, null if nothing is there, or
`failed` with the reason), and one that says that this is all.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from importlib import import_module

from reconciler.drivers.ssh.onhost.paths import read_small
from reconciler.drivers.ssh.onhost.remembered import Damaged, Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
_HERE = "reconciler.drivers.ssh.onhost."
# Who answers what: imported only if asked.
_MODULES = {
    "file": "look_files",
    "package": "look_packages",
    "service": "look_services",
    "user": "look_accounts",
    "group": "look_accounts",
    "sysctl": "look_kernel",
    "module": "look_kernel",
    "mount": "look_mounts",
    "setting": "look_settings",
    "command": "look_commands",
    "volume_group": "look_storage",
    "zpool": "look_storage",
    "bridge": "look_links",
    "vlan": "look_links",
    "bond": "look_links",
    "switch": "look_switches",
    "tunnel": "look_switches",
    "ruleset": "look_rulesets",
    "subnet": "look_dhcp",
    "reservations": "look_dhcp",
}

_MANY = {"switch": "switches"}  # the function that answers, where it is not the name with an s


def main(stdin: bytes) -> int:
    """Answer what is asked on the standard input."""
    asked = json.loads(stdin)
    try:
        for line in look(asked["questions"], asked["directory"]):
            sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
    except Damaged as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def look(questions: Iterable[dict[str, Any]], directory: str) -> Iterator[dict[str, Any]]:
    """All lines of the answer.

    Raises:
        Damaged: the marks cannot be read.
    """
    known = Remembered.of(directory)
    yield {"header": _header(directory)}
    count = 0
    for mark in known.marks:
        yield {"mark": {key: mark[key] for key in ("kind", "owner", "question", "note")}}
    wanted = _distinct(questions)
    asked = _distinct([*wanted, *known.questions()])
    known.consider(asked)
    # The check of a command runs when somebody asks, and not because it once did.
    silent = [each for each in asked if each["about"] == "command" and each not in wanted]
    for question in silent:
        yield {"question": question, "fact": None}
    for each in _answers([each for each in asked if each not in silent], known):
        count += 1
        yield each
    count += len(silent)
    yield {"undone": known.undone()}
    yield {"end": count}


def _header(directory: str) -> dict[str, Any]:
    fence = read_small(directory + "/fence") or b""
    boot = read_small("/proc/sys/kernel/random/boot_id") or b""
    return {
        "version": VERSION,
        "fence": fence.decode(errors="replace").strip(),
        "boot": boot.decode(errors="replace").strip(),
        "time": time.time(),
        "host": os.uname().nodename,
    }


def _answers(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any]]:
    behind = [_behind(question) for question in questions]
    for about in sorted({inner["about"] for inner in behind}):
        chosen = [n for n, inner in enumerate(behind) if inner["about"] == about]
        asked = [behind[n] for n in chosen]
        facts = (
            _facts(about, asked, known) if about in _MODULES else ({"fact": None} for _ in asked)
        )
        for n, told in zip(chosen, facts):  # noqa: B905 (`strict` is of Python 3.10)
            yield {"question": questions[n], **told}


def _behind(question: dict[str, Any]) -> dict[str, Any]:
    """The question itself; of a libvirt pool, that for the thing that it lies on."""
    if question["about"] != "pool" or len(question["details"]) < 2:  # noqa: PLR2004 (about, name)
        return question
    about, name = question["details"][:2]
    return {"about": about, "name": name, "details": []}


def _facts(about: str, asked: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any]]:
    """The answers of one module, in order; an error of its own answers what it left open."""
    done = 0
    try:
        many = about if about.endswith("s") else _MANY.get(about, about + "s")
        answer = getattr(import_module(_HERE + _MODULES[about]), many)
        for fact in answer(asked, known):
            done += 1
            yield {"failed": _reason(fact)} if isinstance(fact, Exception) else {"fact": fact}
    except Exception as error:  # noqa: BLE001 - one broken tool must not hide all else
        yield from ({"failed": _reason(error)} for _ in asked[done:])


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _distinct(questions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = ("about", "name", "details")
    kept = {json.dumps([question[key] for key in keys]): question for question in questions}
    return [{key: question[key] for key in keys} for question in kept.values()]
