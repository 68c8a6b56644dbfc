"""Networks whose clients get names: what their DHCP servers send them with, to which name server.

Kea tells a server beside it, D2, which has the key. It knows no zone but those that DHCP updates,
so that no name of a client can get into another, whatever the client is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.config.check_dynamic_names import D2_FILE
from reconciler.config.documents import Host
from reconciler.config.nameserver import Nameserver, key_name
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.errors import ConfigError
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.model.address import Address
from reconciler.model.position import Problem
from reconciler.model.resource import Desired
from reconciler.model.secret import references_in
from reconciler.render.names.ground import Ground, ground_of
from reconciler.render.network.made import declared, is_made_here

UNIT = "kea-dhcp-ddns-server"
ACCOUNT = "_kea"
_THERE = (
    f'command -v kea-dhcp-ddns >/dev/null || {{ echo "declare the package {UNIT}"; exit 1; }}; '
    'KEA_LOCKFILE_DIR=none exec kea-dhcp-ddns -t "$1"'
)
CHECK = ("sh", "-c", _THERE, "kea-dhcp-ddns", "{}")
_TIMEOUT_MS = 2000


@dataclass(frozen=True, slots=True)
class Sending:
    """Where the names of a network's clients go; `reverse` are zones for their addresses."""

    network: Network
    zone: Zone
    server: Nameserver
    address: str
    reverse: tuple[str, ...]


def names_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """What the environment's hosts send names of clients with.

    Raises:
        ConfigError: of some networks of a host addresses would have names, and of others not.
    """
    for host in documents.hosts.values():
        if spec := names_file(documents, host):
            first = sendings(documents, host)[0].network
            position = documents.position("Network", first.name, "dhcp", "names")
            yield Desired(_address(spec), spec, position, adopts=True)
            if UNIT not in {service.name for service in host.services}:
                service = _service(host, spec)
                yield Desired(_address(service), service, position, adopts=True)


def names_address(documents: Documents, host: Host) -> tuple[Address, ...]:
    """The service that takes names of clients on a host, if there is one."""
    return (Address("service", name_of(UNIT), host.name),) if sendings(documents, host) else ()


def reading_names(documents: Documents, host: Host, spec: ServiceSpec) -> ServiceSpec:
    """A service that the host's document describes: that of names reads its file, too."""
    file = names_file(documents, host) if spec.unit == UNIT else None
    if file is None or D2_FILE in {read.path for read in spec.reads}:
        return spec
    reads = (*spec.reads, read_of(D2_FILE, file))
    return replace(spec, reads=reads, after=(*spec.after, _address(file)))


def names_file(documents: Documents, host: Host) -> FileSpec | None:
    """The configuration of D2 on a host, if names are sent from there.

    Raises:
        ConfigError: of some networks of a host addresses would have names, and of others not.
    """
    sent = sendings(documents, host)
    if not sent:
        return None
    _expect_alike(documents, host, sent)
    content = configuration(sent)
    sealed = tuple(map(documents.secrets.sealed, references_in(content)))
    spec = FileSpec(host.name, D2_FILE, "file", "0640", "root", ACCOUNT, content, check=CHECK)
    labels = tuple(secret.label for secret in sealed)
    after = declared(host, packages=(UNIT,))
    return replace(spec, secrets=labels, sealed=sealed, reloads=UNIT, after=after)


def sendings(documents: Documents, host: Host) -> tuple[Sending, ...]:
    """The networks of a host whose clients get names, in their order."""
    if host.environment != documents.environment:
        return ()
    found = [
        network
        for network in documents.networks.values()
        if network.dhcp and network.dhcp.names and host.name in network.dhcp.servers
        if is_made_here(documents, network)
    ]
    ground = ground_of(documents, []) if found else Ground(())
    return tuple(_sending(documents, network, ground) for network in found)


def configuration(sent: tuple[Sending, ...]) -> str:
    """What D2 reads; keys stand in it as references."""
    keys = {_key(each): each for each in sent}
    forward = {f"{each.zone.zone_name}.": each for each in sent}
    reverse = {f"{name}.": each for each in sent for name in each.reverse}
    config = {
        "ip-address": "127.0.0.1",
        "port": 53001,
        "dns-server-timeout": _TIMEOUT_MS,
        "control-socket": {
            "socket-type": "unix",
            "socket-name": "/run/kea/kea-ddns-ctrl-socket",
        },
        "tsig-keys": [
            {
                "name": name,
                "algorithm": each.server.keys.algorithm.upper(),
                "secret": each.server.keys.dhcp,
            }
            for name, each in sorted(keys.items())
        ],
        "forward-ddns": {"ddns-domains": [_domain(*each) for each in sorted(forward.items())]},
        "reverse-ddns": {"ddns-domains": [_domain(*each) for each in sorted(reverse.items())]},
        "loggers": [
            {
                "name": "kea-dhcp-ddns",
                "severity": "INFO",
                "output_options": [{"output": "stdout", "pattern": "%-5p %m\n"}],
            }
        ],
    }
    return json.dumps({"DhcpDdns": config}, indent=2) + "\n"


def _sending(documents: Documents, network: Network, ground: Ground) -> Sending:
    zone = documents.zones[(network.dhcp and network.dhcp.names) or ""]
    server = documents.nameservers[zone.server]
    reverse = [
        plot.origin
        for plot in ground.plots
        if plot.is_dynamic and plot.view == zone.view and plot.zone.server == zone.server
        if plot.cover and not plot.cover.is_classless
        if plot.cover.prefix.version == network.subnet.version
        and plot.cover.prefix.overlaps(network.subnet)
    ]
    return Sending(network, zone, server, _primary(documents, server), tuple(sorted(reverse)))


def _primary(documents: Documents, server: Nameserver) -> str:
    """Where a name server takes updates."""
    if server.address is not None:
        return str(server.address)
    place = server.hosts[0]
    known = documents.hosts.get(place.name)
    return str(place.address or (known.address if known else ""))


def _expect_alike(documents: Documents, host: Host, sent: tuple[Sending, ...]) -> None:
    """D2 that knows a reverse zone sends nothing at all of an address that is in none.

    Raises:
        ConfigError: that would be so.
    """
    named = [each for each in sent if each.reverse]
    problems = [
        Problem(
            documents.position("Network", each.network.name, "dhcp", "names"),
            f"addresses of network {named[0].network.name} get names in a reverse zone from host "
            f"{host.name}, and those of network {each.network.name} do not: then neither would "
            f"its clients",
            f"list {each.network.name} in `reverse:` of a zone with `updated_by: dhcp`, or neither",
        )
        for each in sent
        if named and not each.reverse
    ]
    if problems:
        raise ConfigError(problems)


def _domain(name: str, sending: Sending) -> dict[str, Any]:
    server = {"ip-address": sending.address, "port": sending.server.port}
    return {"name": name, "key-name": _key(sending), "dns-servers": [server]}


def _key(sending: Sending) -> str:
    return key_name("dhcp", sending.zone.view)


def _service(host: Host, file: FileSpec) -> ServiceSpec:
    reads, after = (read_of(D2_FILE, file),), (*file.after, _address(file))
    service = ServiceSpec(host.name, UNIT, enabled=True, running=True, reads=reads)
    return replace(service, on_change="restart", after=after)


def _address(spec: FileSpec | ServiceSpec) -> Address:
    if isinstance(spec, ServiceSpec):
        return Address("service", name_of(spec.unit), spec.host)
    return Address("file", name_of(spec.path), spec.host)
