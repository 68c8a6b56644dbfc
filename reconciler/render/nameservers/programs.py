"""The programs that name servers may be, by what their configuration is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.render.nameservers import bind, knot, nsd
from reconciler.render.nameservers.site import Site


@dataclass(frozen=True, slots=True)
class Program:
    """How the configuration and the keys of a program are written, and checked before they are.

    `check` is what a shell does with the new file, which is `$1`. `empty` is a list of no zones.
    """

    configuration: Callable[[Site], str]
    keys: Callable[[Site], str]
    check: str
    check_keys: str
    empty: str
    on_change: Literal["restart", "reload"] = "restart"  # which alone makes all answer elsewhere


_BIND = Program(
    bind.configuration,
    bind.keys_file,
    check='named-checkconf "$1"',
    check_keys='named-checkconf "$1"',
    empty=f"{bind.HEAD}\n",
    on_change="reload",
)
PROGRAMS: Mapping[str, Program] = {
    "bind": _BIND,
    "bind-files": _BIND,
    "nsd": Program(
        nsd.configuration, nsd.keys_file, nsd.CHECK, nsd.CHECK_KEYS, empty=f"{nsd.HEAD}\n"
    ),
    "knot": Program(
        knot.configuration, knot.keys_file, knot.CHECK, knot.CHECK_KEYS, empty=f"{knot.HEAD}\n"
    ),
}
