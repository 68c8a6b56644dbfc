"""A spool whose web is a server of the test: only tests can say so, and only in a constructor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.images.spool import ImageSpool
from reconciler.drivers.images.web import Web
from tests.images.specimens import MIB
from tests.images.web import HERE, client_tls

RULES = ImageRules(
    directories=(), largest_bytes=4 * MIB, deadline=timedelta(seconds=20), largest_disk_bytes=2**40
)


def web_of(
    rules: ImageRules = RULES,
    *,
    resolve: Callable[[str, int], Sequence[IPv4Address | IPv6Address]] = lambda _n, _p: [HERE],
    authority: str = "",
) -> Web:
    """The web as a test has it: every name is this machine, and that alone is allowed."""
    return Web(
        rules,
        time.monotonic,
        resolve=resolve,
        allows_address=lambda address: address == HERE,
        tls=client_tls(authority),
    )


def spool_at(directory: Path, *, web: Web | None = None, **rules: Any) -> ImageSpool:
    """A spool in a directory of its own below the given one."""
    limits = replace(RULES, **rules)
    return ImageSpool(
        directory / "images",
        limits,
        web or web_of(limits),
        pause,
    )


def pause(seconds: float) -> None:
    """Wait for a lock that another process holds."""
    threading.Event().wait(seconds)


def files_in(spool: ImageSpool) -> list[str]:
    """What the spool holds but its locks."""
    if not spool.directory.exists():
        return []
    names = (path.name for path in spool.directory.iterdir())
    return sorted(name for name in names if not name.endswith(".lock"))
