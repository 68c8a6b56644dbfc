"""One name server on one host: what its configuration says, of whatever program it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import get_args

from reconciler.config.described import HOLDERS
from reconciler.config.document import EnvironmentName
from reconciler.config.documents import Host
from reconciler.config.nameserver import INSIDE, OUTSIDE, Nameserver, View, catalog_name, key_name
from reconciler.config.records import absolute
from reconciler.config.repository import Documents
from reconciler.kinds.zone import zone_address
from reconciler.model.address import Address
from reconciler.model.secret import SecretReference
from reconciler.render.names.ground import ground_of

ENVIRONMENTS: tuple[str, ...] = get_args(EnvironmentName)
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Site:
    """A name server on a host. `addresses` are those of all its hosts, the primary's first.

    `inside` are prefixes. `elsewhere` are the names that other servers answer for, and about which
    nobody but the zone above them is to be asked. `zones` are the zones that the documents tell of,
    of a program whose secondaries have to be told.
    """

    server: Nameserver
    environment: str
    host: str
    addresses: tuple[str, ...]
    inside: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    zones: tuple[tuple[View, str], ...] = ()

    @property
    def place(self) -> int:
        """The number of the host; the primary is 0."""
        return next(i for i, each in enumerate(self.server.hosts) if each.name == self.host)

    @property
    def is_primary(self) -> bool:
        """Whether zones are changed here."""
        return self.place == 0

    @property
    def listening(self) -> tuple[str, ...]:
        """Where it answers: at its address, and to its own host."""
        return tuple(dict.fromkeys((*LOOPBACK, self.addresses[self.place])))

    @property
    def primary(self) -> str:
        """The address of the primary."""
        return self.addresses[0]

    @property
    def secondaries(self) -> tuple[str, ...]:
        """The addresses of the secondaries."""
        return self.addresses[1:]

    @property
    def views(self) -> tuple[View, ...]:
        """Who is answered differently."""
        return (INSIDE, OUTSIDE) if self.server.outside else (INSIDE,)

    def zones_of(self, view: View = INSIDE) -> tuple[str, ...]:
        """The names of the zones of a view."""
        return tuple(name for each, name in self.zones if each == view)

    def zone_addresses(self) -> Iterator[Address]:
        """The zones that the documents tell of, as resources."""
        for view, name in self.zones:
            yield zone_address(self.server.door(view), name)

    @property
    def catalog(self) -> str:
        """The zone that lists the zones."""
        return catalog_name(self.server.name)

    @property
    def algorithm(self) -> str:
        """How keys sign."""
        return self.server.keys.algorithm

    def holders(self) -> Iterator[tuple[str, SecretReference]]:
        """Who has a key here, and where it is: a secondary needs but the one of transfers."""
        for holder in HOLDERS if self.is_primary else (self.environment,):
            if reference := self.server.keys.of(holder):
                yield holder, SecretReference.parse(reference)

    def readers(self, view: View = INSIDE) -> tuple[str, ...]:
        """The names of the keys that whole zones are read with."""
        return tuple(
            key_name(holder, view) for holder, _ in self.holders() if holder in ENVIRONMENTS
        )

    def transfer_key(self, view: View = INSIDE) -> str | None:
        """The name of the key of the secondaries; None if there is no key."""
        name = key_name(self.environment, view)
        return name if name in self.readers(view) else None


def makes(documents: Documents, server: Nameserver) -> bool:
    """Whether the environment makes the hosts of this name server what it says."""
    return server.environment in {None, documents.environment}


def site_of(documents: Documents, host: Host) -> Site | None:
    """The name server that the environment makes on a host; None on another environment's."""
    if host.environment != documents.environment:
        return None
    for server in documents.nameservers.values():
        if makes(documents, server) and any(each.name == host.name for each in server.hosts):
            return _site(documents, server, host)
    return None


def _site(documents: Documents, server: Nameserver, host: Host) -> Site:
    return Site(
        server,
        documents.environment,
        host.name,
        tuple(_addresses(documents, server)),
        tuple(dict.fromkeys(_inside(documents, server))),
        tuple(sorted(set(_elsewhere(documents, server)))),
        tuple(sorted(set(_zones(documents, server)))),
    )


def _addresses(documents: Documents, server: Nameserver) -> Iterator[str]:
    for place in server.hosts:
        known = documents.hosts.get(place.name)
        yield str(place.address or (known.address if known else ""))


def _inside(documents: Documents, server: Nameserver) -> Iterator[str]:
    """The prefixes that are inside; of a network its subnet."""
    for entry in server.inside:
        network = documents.networks.get(entry)
        yield str(network.subnet) if network else entry


def _elsewhere(documents: Documents, server: Nameserver) -> Iterator[str]:
    """Names inside zones of the server that other servers answer for, and not it again."""
    for zone in documents.zones.values():
        own = {absolute(name, zone.zone_name) for name in zone.nameservers}
        for said in zone.delegations if zone.server == server.name else ():
            others = {absolute(name, zone.zone_name) for name in said.nameservers}
            if "/" not in said.to and own.isdisjoint(others):
                yield f"{said.to}.{zone.zone_name}"


def _zones(documents: Documents, server: Nameserver) -> Iterator[tuple[View, str]]:
    """The zones that the documents tell of, where nothing else tells the secondaries of them."""
    if server.software in {"nsd", "bind-files"}:
        for plot in ground_of(documents, []).plots:  # whose problems are told where zones are made
            if plot.zone.server == server.name:
                yield plot.view, plot.origin


def is_ipv6(address: str) -> bool:
    """Whether an address is one of IPv6."""
    return ip_address(address).version == 6  # noqa: PLR2004 (the version that it asks for)
