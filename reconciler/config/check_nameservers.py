"""What Nameserver documents must not say, as far as the documents alone tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from ipaddress import ip_network

from reconciler.config.check_firewalls import served_hosts
from reconciler.config.names import Names, unknown
from reconciler.config.nameserver import Nameserver
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Position, Problem

At = Callable[..., Position]
_ANSWERING = ("inside", "outside", "forwarders")  # what only BIND does
_BIND = ("/etc/bind/named.conf", "/etc/bind/reconciler.keys")
_FILES: Mapping[str, tuple[str, ...]] = {  # what the document writes on hosts, by program
    "bind": (*_BIND, "/var/lib/bind/reconciler"),
    "bind-files": (*_BIND, "/etc/bind/reconciler-zones", "/etc/bind/reconciler-zones-outside"),
    "nsd": ("/etc/nsd/nsd.conf", "/etc/nsd/reconciler.keys", "/etc/nsd/reconciler-zones"),
    "knot": ("/etc/knot/knot.conf", "/etc/knot/reconciler.keys", "/etc/knot/reconciler-zones"),
}


def nameserver_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the name servers."""
    for server in documents.nameservers.values():
        at = partial(documents.position, "Nameserver", server.name)
        yield from _place_problems(server, at)
        yield from _answer_problems(documents, server, at, names)
        if server.environment in {None, documents.environment}:
            yield from _host_problems(documents, server, at, names)
            yield from _secondary_problems(documents, server, at)
        yield from _key_problems(documents, server, at)
    yield from _shared_hosts(documents)


def _place_problems(server: Nameserver, at: At) -> Iterator[Problem]:
    if bool(server.hosts) == (server.address is not None):
        what = f"name server {server.name} needs either hosts or an address"
        yield Problem(at(), what, "write hosts if its configuration is ours, else address")


def _answer_problems(
    documents: Documents, server: Nameserver, at: At, names: Names
) -> Iterator[Problem]:
    """Who is answered, and what."""
    called = f"name server {server.name}"
    is_bind = server.software in {"bind", "bind-files"}
    for key in () if is_bind else _ANSWERING:
        if getattr(server, key):
            what = f"{called} is {server.software}, which has no `{key}:`"
            yield Problem(at(key), what, "remove it, or write `software: bind`")
    if server.forwarders and not server.recursion:
        what = f"{called} has forwarders and no recursion, so that it never asks them"
        yield Problem(at("forwarders"), what, "remove one of them")
    if is_bind and server.hosts and not server.inside:
        what = f"{called} says of nobody that he is inside, and only the inside is answered"
        if server.outside:
            what = f"{called} answers the outside, and says of nobody that he is inside"
        yield Problem(at("outside" if server.outside else "hosts"), what, "write `inside:`")
    for entry in server.inside:
        yield from _inside_problems(documents, server, entry, at, names)


def _inside_problems(
    documents: Documents, server: Nameserver, entry: str, at: At, names: Names
) -> Iterator[Problem]:
    """A network of whoever makes the server, or a prefix that is not everything."""
    is_ours = server.environment in {None, documents.environment}
    if "/" not in entry:
        if is_ours and names.lack("Network", entry):
            yield unknown(at("inside"), "network", entry, names.of("Network"))
    elif ip_network(entry).prefixlen == 0:
        what = f"{entry} is everybody: name server {server.name} would be open to all"
        yield Problem(at("inside"), what, "write the networks that are yours")


def _host_problems(
    documents: Documents, server: Nameserver, at: At, names: Names
) -> Iterator[Problem]:
    hosts = [host.name for host in server.hosts]
    yield from served_hosts(documents, "Nameserver", server.name, hosts, names)
    addresses: dict[object, str] = {}
    for place in server.hosts:
        host = documents.hosts.get(place.name)
        address = place.address or (host.address if host else place.name)
        first = addresses.setdefault(address, place.name)
        if first != place.name:
            what = f"hosts {first} and {place.name} of name server {server.name} are both {address}"
            yield Problem(at("hosts", place.name), what, "give one another address")
        for file in host.files if host else ():
            if file.path.startswith(_FILES[server.software]):
                where = documents.position("Host", place.name, "files", file.path)
                what = f"host {place.name} has {file.path}, which name server {server.name} writes"
                yield Problem(where, what, f"remove it, or the host from {at('hosts', place.name)}")


def _secondary_problems(documents: Documents, server: Nameserver, at: At) -> Iterator[Problem]:
    if len(server.hosts) > 1 and server.keys.of(documents.environment) is None:
        what = (
            f"name server {server.name} has secondaries, and no key of {documents.environment}, "
            "by which they read the zones"
        )
        yield Problem(at("keys"), what, _key_remedy(documents.environment))


def _key_problems(documents: Documents, server: Nameserver, at: At) -> Iterator[Problem]:
    """Whoever has names in a zone of a server that is told of changes signs them."""
    if server.software != "bind":
        return
    told: set[str] = set()
    for zone in documents.zones.values():
        for holder in _writers(documents, zone) if zone.server == server.name else ():
            if holder not in told and server.keys.of(holder) is None:
                told.add(holder)
                where = documents.position("Zone", zone.name, "server")
                what = f"name server {server.name} has no key of {holder}, which changes zone "
                what += f"{zone.name} ({where})"
                yield Problem(at("keys"), what, _key_remedy(holder))


def _writers(documents: Documents, zone: Zone) -> tuple[str, ...]:
    """Whose names are in a zone."""
    others = ("dhcp",) if zone.updated_by == "dhcp" else ()
    return (zone.environment or documents.environment, *sorted(zone.share), *others)


def _key_remedy(holder: str) -> str:
    return f"write `{holder}: secret://file/key`, with a key of tsig-keygen in that file"


def _shared_hosts(documents: Documents) -> Iterator[Problem]:
    """A host runs one name server."""
    first: dict[str, Nameserver] = {}
    for server in documents.nameservers.values():
        for place in server.hosts:
            other = first.setdefault(place.name, server)
            if other is not server:
                where = documents.position("Nameserver", other.name, "hosts", place.name)
                what = f"host {place.name} runs name server {server.name}, and {other.name}"
                position = documents.position("Nameserver", server.name, "hosts", place.name)
                yield Problem(position, f"{what} ({where})", "a host runs one of them")
