"""A simulated farm with the hosts and name servers that documents describe, and nothing on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.config.documents import Host
from reconciler.config.repository import Documents
from reconciler.drivers.simulated import state
from reconciler.drivers.simulated.state import FarmState, Server
from reconciler.kinds.base.pool import TYPES
from reconciler.render.names.ground import VIEWS
from reconciler.render.names.server import door_of


def blank_farm(environments: Iterable[Documents]) -> FarmState:
    """The farm of all environments as it is before anything was made on it.

    Bridges that nobody declares to be made are there.
    """
    known = tuple(environments)
    networks = [network for each in known for network in each.networks.values()]
    bridges = tuple(sorted({network.bridge for network in networks if not network.hosts}))
    hosts = {name: host for each in known for name, host in each.hosts.items()}
    servers = sorted({door for each in known for door in _doors(each)})
    return FarmState(
        hosts={name: _host(host, bridges) for name, host in sorted(hosts.items())},
        nameservers={name: Server() for name in servers},
    )


def _doors(documents: Documents) -> Iterator[str]:
    """The name servers that zones are on, each view of them as a server of its own."""
    for zone in documents.zones.values():
        yield door_of(documents, zone)
    for server in documents.nameservers.values():
        yield from map(server.door, VIEWS if server.outside else VIEWS[:1])


def _host(host: Host, bridges: tuple[str, ...]) -> state.Host:
    return state.Host(
        memory_bytes=host.memory,
        accelerators=(host.accelerator,),
        bridges=bridges,
        pools={
            pool.name: state.Pool(pool.size, TYPES[pool.type], pool.target) for pool in host.pools
        },
    )
