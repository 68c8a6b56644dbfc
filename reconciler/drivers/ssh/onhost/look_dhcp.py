"""Questions about a DHCP server: the subnets it serves, what it reserves, and who has leases.

What it does now and what it will do at its next start are told apart. One that does not run, or
does not say, serves nothing; what is asked about it is then answered from its file.
"""

from __future__ import annotations

import time
from contextlib import suppress

from reconciler.drivers.ssh.onhost.dhcp import (
    SOCKET,
    Broken,
    Silent,
    config_of,
    file_text,
    listens,
    running,
)
from reconciler.drivers.ssh.onhost.dhcp import socket_of as socket_in
from reconciler.drivers.ssh.onhost.dhcp_config import (
    are_plain,
    entries_of,
    is_whole,
    reserved_macs,
    subnet_in,
    told_of_subnet,
)
from reconciler.drivers.ssh.onhost.dhcp_leases import leases_in
from reconciler.drivers.ssh.onhost.paths import Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from reconciler.drivers.ssh.onhost.dhcp_config import Config, Entry
    from reconciler.drivers.ssh.onhost.remembered import Remembered


_SECONDS = 5.0
# Of an answer that has not the form it has with Kea; as if there was none.
_STRANGE = (TypeError, AttributeError, KeyError, ValueError)


class Server:
    """What a server does now, and what its file says; None is what nobody could tell."""

    def __init__(self, root: str = "/") -> None:
        """Ask it, once. A file that nobody can read is one of no use at its next start."""
        self.root = root
        self.file: Config | None = None
        self.path: str | None = SOCKET
        self.now: Config | None = None
        with suppress(Broken, Untrusted, OSError, ValueError):
            text = file_text(root)
            self.file = None if text is None else config_of(text)
            self.path = None if self.file is None else socket_in(self.file)
        with suppress(Silent):
            self.now = running(self.path, _SECONDS)


def subnets(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about subnets. `details` are the subnet and its environment."""
    server = Server(known.root)
    for question in questions:
        subnet, environment = question["details"][:2]
        fact = None
        with suppress(*_STRANGE):
            fact = subnet_of(server, question["name"], subnet, environment, time.time())
        yield fact


def reservations(
    questions: list[dict[str, Any]], known: Remembered
) -> Iterator[dict[str, Any] | None]:
    """The answers about reservations. `details` are network, subnet and environment."""
    server = Server(known.root)
    for question in questions:
        _, subnet, environment = question["details"][:3]
        fact = None
        with suppress(*_STRANGE):
            fact = reservations_of(server, subnet, environment)
        yield fact


def subnet_of(
    server: Server, network: str, subnet: str, environment: str, now: float
) -> dict[str, Any] | None:
    """What there is of a subnet."""
    here, there = (_entry(config, network, subnet) for config in (server.now, server.file))
    entry = here or there
    if entry is None:
        return None
    is_served = here is not None and _is_whole(server.now, here, environment, network)
    is_served = is_served and hears(server, entry.get("interface") or "")
    is_persisted = there is not None and _is_whole(server.file, there, environment, network)
    if here is not None and there is not None:
        is_same = told_of_subnet(here) == told_of_subnet(there) and here["id"] == there.get("id")
        is_persisted = is_persisted and is_same
    leases = leases_in(server.now, server.path, entry, now, server.root) if here else {}
    macs = reserved_macs(entry)
    return {
        **told_of_subnet(entry),
        "is_served": is_served,
        "is_persisted": is_persisted,
        "leases": [
            {"mac": mac, "address": address}
            for address, mac in sorted(leases.items())
            if mac not in macs
        ],
    }


def hears(server: Server, interface: str) -> bool:
    """Whether the server that runs listens on an interface."""
    if server.now is None or server.path is None:
        return False
    try:
        return listens(server.now, server.path, interface, server.root)
    except OSError:  # it has just ended
        return False


def reservations_of(server: Server, subnet: str, environment: str) -> dict[str, Any] | None:
    """What there is of an environment's reservations."""
    now, file = (_reserved(config, subnet, environment) for config in (server.now, server.file))
    entries = now[0] if now and now[0] else file[0] if file else []
    if not entries:
        return None
    return {
        "entries": entries,
        "is_served": now == (entries, True),
        "is_persisted": file == (entries, True),
    }


def _entry(config: Config | None, network: str, subnet: str) -> Entry | None:
    return None if config is None else subnet_in(config, network, subnet)


def _is_whole(config: Config | None, entry: Entry, environment: str, network: str) -> bool:
    return config is not None and is_whole(config, entry, environment, network)


def _reserved(
    config: Config | None, subnet: str, environment: str
) -> tuple[list[dict[str, str]], bool] | None:
    """An environment's reservations in a subnet, and whether there is no more to them."""
    entry = _entry(config, "", subnet)
    if entry is None or entry.get("subnet") != subnet:
        return None
    return entries_of(entry, environment), are_plain(entry, environment)
