"""Questions about the host's name, time zone and locale."""

from __future__ import annotations

import os
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.paths import lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

_ZONES = "zoneinfo/"


def settings(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about settings."""
    read = {"hostname": hostname, "timezone": timezone, "locale": locale}
    for question in questions:
        value = read[question["name"]](known)
        yield None if value is None else {"value": value}


def hostname(known: Remembered) -> str:
    """The name now; if it is another after the next boot, that is said too."""
    now = os.uname().nodename
    lines = [line for line in lines_of(known.path("/etc/hostname")) if line[:1] not in {"", "#"}]
    later = lines[0] if lines else "localhost"
    return now if now == later else f"{now}, and {later} after the next boot"


def timezone(known: Remembered) -> str:
    """What /etc/localtime points to; without it the time is UTC."""
    try:
        target = os.readlink(known.path("/etc/localtime"))  # noqa: PTH115
    except FileNotFoundError:
        return "UTC"
    except OSError:
        return "a copy of some zone"
    return target.partition(_ZONES)[2] or target


def locale(known: Remembered) -> str | None:
    """The language that programs are started with."""
    found = None
    for line in lines_of(known.path("/etc/default/locale")):
        name, _, value = line.partition("=")
        if name.strip() == "LANG":
            found = value.strip().strip("'\"")
    return found
