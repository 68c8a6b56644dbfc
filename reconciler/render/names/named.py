"""Who has which name: machines, hosts, the services they provide, and the sites of proxies.

A machine is called `<naming pattern>.<domain of its environment>`, as the zone says that holds the
domain. A service is called by its own name below the domain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address

from reconciler.config.nameserver import View
from reconciler.config.owners import is_machine
from reconciler.config.repository import Documents
from reconciler.config.zones import NamingField, ServiceField, Zone
from reconciler.render.names.ground import VIEWS
from reconciler.render.names.reverse import Ip

Where = tuple[str, ...]  # kind, name and path, as `Documents.position` takes them


@dataclass(frozen=True, slots=True)
class Entry:
    """One record that follows from a document. `value` is in presentation form.

    `points_back`: the name is the address's own, which its PTR leads to. `view` None: all views.
    """

    fqdn: str
    type: str
    value: str
    what: str
    where: Where
    address: Ip | None = None
    points_back: bool = False
    view: View | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A machine or host, its name, and its addresses with where each is written.

    A host that is a machine of ours has its name from that.
    """

    fqdn: str
    what: str
    path: Where
    addresses: tuple[tuple[Ip, Where], ...]
    provides: tuple[ServiceField, ...]
    has_name: bool = True


@dataclass(frozen=True, slots=True)
class Provider:
    """A service, and who provides it."""

    service: ServiceField
    bearer: Bearer

    @property
    def where(self) -> Where:
        """Where that is written."""
        return (*self.bearer.path, "provides", self.service.name)


class Naming:
    """The names of one environment."""

    def __init__(self, documents: Documents) -> None:
        """Nothing is made yet."""
        self._documents = documents
        self._domain = documents.policy.domain

    @cached_property
    def zone(self) -> Zone | None:
        """The zone that says how things are called: the one that holds the domain."""
        return zone_of(self._documents.zones, self._domain)

    def machine(self, name: str) -> str:
        """What a machine of this name is called, whether a zone holds it or not."""
        return self._fqdn((self.zone.naming if self.zone else NamingField()).machines, name)

    def host(self, name: str) -> str:
        """What a host of this name is called."""
        return self._fqdn((self.zone.naming if self.zone else NamingField()).hosts, name)

    def service(self, name: str) -> str:
        """What a service of this name is called."""
        return f"{name}.{self._domain}"

    def _fqdn(self, pattern: str, name: str) -> str:
        return f"{pattern.replace('{name}', name)}.{self._domain}"


def zone_of(zones: Mapping[str, Zone], fqdn: str) -> Zone | None:
    """The zone that a name belongs to: the longest one it ends with, on the inside if in doubt."""
    for view in VIEWS:
        named = {zone.zone_name: zone for zone in zones.values() if zone.view == view}
        rest = fqdn
        while rest:
            if zone := named.get(rest):
                return zone
            rest = rest.partition(".")[2]
    return None


def machine_fqdn(documents: Documents, name: str) -> str:
    """What a machine of this name is called in DNS, whether a zone of ours holds it or not."""
    return Naming(documents).machine(name)


def entries_of(documents: Documents, is_target: Callable[[str], bool]) -> Iterator[Entry]:
    """The records of machines, hosts and services; none if no zone holds the domain.

    `is_target`: names that NS, MX or SRV records point at, where no CNAME may be (RFC 2181 §10.3).
    """
    naming = Naming(documents)
    if naming.zone is None:
        return
    providers: dict[str, list[Provider]] = defaultdict(list)
    for bearer in _bearers(documents, naming):
        for address, where in bearer.addresses if bearer.has_name else ():
            yield _address(bearer, address, where)
        for service in bearer.provides if bearer.addresses else ():
            providers[service.name].append(Provider(service, bearer))
    for name, those in providers.items():
        yield from _service(naming.service(name), those, is_target)


def _bearers(documents: Documents, naming: Naming) -> Iterator[Bearer]:
    """The machines and hosts of the environment."""
    for machine in documents.machines.values():
        path = ("VirtualMachine", machine.name)
        addresses = tuple(
            (each.address, (*path, "networks", each.network))
            for each in machine.networks
            if each.address is not None
        )
        fqdn = naming.machine(machine.name)
        yield Bearer(fqdn, f"machine {machine.name}", path, addresses, machine.provides)
    for host in documents.hosts.values():
        if host.environment == documents.environment:
            path, is_guest = ("Host", host.name), is_machine(documents, host)
            own = ((host.address, (*path, "address")),)
            fqdn = naming.machine(host.name) if is_guest else naming.host(host.name)
            what = f"host {host.name}"
            yield Bearer(fqdn, what, path, own, host.provides, has_name=not is_guest)


def _address(bearer: Bearer, address: Ip, where: Where) -> Entry:
    kind, text = type_of(address), str(address)
    return Entry(bearer.fqdn, kind, text, bearer.what, where, address, points_back=True)


def type_of(address: Ip) -> str:
    """The type of the record of an address."""
    return "A" if isinstance(address, IPv4Address) else "AAAA"


def _service(
    fqdn: str, providers: list[Provider], is_target: Callable[[str], bool]
) -> Iterator[Entry]:
    """A name of its own for what one or several provide, and where its port is."""
    what = f"service {providers[0].service.name}"
    alone = len({provider.bearer.fqdn for provider in providers}) == 1 and not is_target(fqdn)
    for provider in providers:
        bearer, where = provider.bearer, provider.where
        if alone:
            yield Entry(fqdn, "CNAME", f"{bearer.fqdn}.", what, where)
        else:
            for each, _ in bearer.addresses:
                yield Entry(fqdn, type_of(each), str(each), what, where, each)
        if (port := provider.service.port) is not None:
            label, _, rest = fqdn.partition(".")
            name = f"_{label}._{provider.service.protocol}.{rest}"
            yield Entry(name, "SRV", f"0 0 {port} {bearer.fqdn}.", what, where)
