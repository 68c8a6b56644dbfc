"""The doors to real name servers, each kept as long as its document stays as it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, IPv6Address

from reconciler.config.described import DescribedServer
from reconciler.config.nameserver import OUTSIDE, View, key_name
from reconciler.drivers.nameserver_access import ServerAccess, TsigKey
from reconciler.drivers.secrets import Reveal
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Denied, NotFound
from reconciler.ports.nameserver import Nameserver

OPERATION = "find"
Drive = Callable[[ServerAccess], Nameserver]
Servers = Callable[[], Mapping[str, DescribedServer]]


def no_servers() -> Mapping[str, DescribedServer]:
    """No Nameserver document at all."""
    return {}


@dataclass(frozen=True, slots=True)
class NameserverMeans:
    """What servers are driven with. `shell` leads to a host by its name."""

    shell: Callable[[str], Shell]
    reveal: Reveal
    deadline: timedelta
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


def drive(access: ServerAccess) -> Nameserver:
    """The driver that speaks the server's language."""
    if access.document.software == "bind":
        return _dynamic(access)
    from reconciler.drivers.zonefiles.server import ZoneFileNameserver

    return ZoneFileNameserver(access)


def _dynamic(access: ServerAccess) -> Nameserver:
    """BIND, changed by dynamic updates; its zones are made by rndc if it is ours."""
    from reconciler.drivers.dns.access import Key
    from reconciler.drivers.dns.access import ServerAccess as Way
    from reconciler.drivers.dns.control import Control
    from reconciler.drivers.dns.server import DynamicNameserver

    def key(holder: str) -> Key:
        found = access.key(holder)
        try:
            return Key(found.name, found.algorithm, found.secret)
        except ValueError as error:
            raise Denied(access.server, f"use the key of {holder}", str(error)) from None

    view = access.configured_view
    way = Way(
        access.server,
        access.address,
        access.document.port,
        key,
        access.reader,
        view,
        access.deadline,
    )
    control = None if access.shell is None else Control(access.shell, view)
    return DynamicNameserver(way, control, monotonic=access.monotonic, now=access.now)


@dataclass(frozen=True, slots=True)
class _Door:
    """What leads to one view of a server, as long as it is described like this."""

    described: DescribedServer
    shell: Shell | None
    driver: Nameserver

    def fits(self, described: DescribedServer, shell: Shell | None) -> bool:
        """Whether it still leads to the server that is described."""
        return self.described == described and self.shell is shell

    def close(self) -> None:
        """Let go of the server, if the driver keeps anything open."""
        close = getattr(self.driver, "close", None)
        if close is not None:
            close()


class NameserverDoors:
    """The name servers that the documents describe. Which those are is asked each time."""

    def __init__(self, servers: Servers, means: NameserverMeans, driver: Drive = drive) -> None:
        """Nothing is connected yet."""
        self._servers = servers
        self._means = means
        self._drive = driver
        self._doors: dict[str, _Door] = {}
        self._lock = threading.Lock()

    def open(self, door: str) -> Nameserver:
        """The server behind a door: `ns`, or `ns/outside` for its other view.

        Raises:
            NotFound: no branch describes it, or the host that it runs on.
        """
        described, view = self._described(door)
        shell = self._primary(described)
        with self._lock:
            kept = self._doors.get(door)
            if kept is not None and kept.fits(described, shell):
                return kept.driver
            driver = self._drive(self._access(door, described, view, shell))
            self._doors[door] = _Door(described, shell, driver)
        if kept is not None:
            kept.close()
        return driver

    def access(self, door: str) -> ServerAccess:
        """How the server behind a door is reached.

        Raises:
            NotFound: no branch describes it, or the host that it runs on.
        """
        described, view = self._described(door)
        return self._access(door, described, view, self._primary(described))

    def close(self) -> None:
        """Let go of all servers."""
        with self._lock:
            doors = tuple(self._doors.values())
            self._doors.clear()
        for door in doors:
            door.close()

    def _described(self, door: str) -> tuple[DescribedServer, View]:
        name, _, wanted = door.partition("/")
        described = self._servers().get(name)
        if described is None:
            cause = (
                "no Nameserver document of any branch describes it; write one with "
                f"kind: Nameserver, name: {name}, and hosts or address"
            )
            raise NotFound(door, OPERATION, cause)
        view: View = "outside" if wanted == OUTSIDE else "inside"
        if wanted not in {"", OUTSIDE} or (wanted and not described.document.outside):
            cause = f"name server {name} has no such view; write outside: true in its document"
            raise NotFound(door, OPERATION, cause)
        return described, view

    def _primary(self, described: DescribedServer) -> Shell | None:
        hosts = described.document.hosts
        return self._means.shell(hosts[0].name) if hosts else None

    def _access(
        self, door: str, described: DescribedServer, view: View, shell: Shell | None
    ) -> ServerAccess:
        means = self._means
        return ServerAccess(
            door,
            described.document,
            described.environment,
            view,
            str(_address(described) or (shell.address if shell else "")),
            shell,
            partial(reveal_key, door, described, view, means.reveal),
            means.deadline,
            means.now,
            means.monotonic,
            means.sleep,
        )


def reveal_key(
    door: str, described: DescribedServer, view: View, reveal: Reveal, holder: str
) -> TsigKey:
    """The key of a holder, decrypted in this moment.

    Raises:
        NotFound: the document names none, or nothing here can decrypt it.
        Denied: it cannot be decrypted. No message holds a value.
    """
    keys = described.document.keys
    operation = f"reveal the key of {holder}"
    if keys.of(holder) is None:
        name = described.document.name
        cause = f"write keys: {{{holder}: secret://FILE/KEY}} in the document of name server {name}"
        raise NotFound(door, operation, cause)
    sealed = described.sealed.get(holder)
    if sealed is None:
        cause = f"the branch of {described.environment} has no {keys.of(holder)}; run validate"
        raise NotFound(door, operation, cause)
    secret = reveal(described.environment, sealed).strip()
    return TsigKey(key_name(holder, view), keys.algorithm, secret)


def _address(described: DescribedServer) -> IPv4Address | IPv6Address | None:
    """Where the primary answers, if not at the address of its host."""
    hosts = described.document.hosts
    return hosts[0].address if hosts else described.document.address
