"""Everything an environment wants, from its documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from reconciler.config.documents import Host
from reconciler.config.repository import Documents
from reconciler.model.resource import Desired
from reconciler.placement.spread import Room
from reconciler.render.hosts import host_resources
from reconciler.render.machines import machine_resources
from reconciler.render.names.zones import zone_resources
from reconciler.render.network.every import network_resources

REMEMBERED = 8  # the head and the commit in force of each environment, and some to plan


@lru_cache(maxsize=REMEMBERED)
def render(documents: Documents) -> tuple[Desired[Any], ...]:
    """The desired resources of the environment, not yet placed; made once for the same documents.

    Raises:
        ConfigError: documents contradict each other in what they generate.
    """
    machines = (
        resource
        for machine in documents.machines.values()
        for resource in machine_resources(documents, machine)
    )
    bases = (
        resource
        for host in documents.hosts.values()
        for resource in host_resources(documents, host)
    )
    return (*bases, *network_resources(documents), *machines, *zone_resources(documents))


def rooms(documents: Documents, owners: Mapping[str, Host] | None = None) -> tuple[Room, ...]:
    """The hosts that the environment may use: its own, and those shared with it.

    `owners` are the hosts of other environments as their owners describe them: that counts.
    """
    said = owners or {}
    hosts = (said.get(host.name, host) for host in documents.hosts.values())
    return tuple(_rooms(documents, hosts))


def _rooms(documents: Documents, hosts: Iterable[Host]) -> Iterable[Room]:
    made = _made_on(documents)
    for host in hosts:
        share = host.share.get(documents.environment)
        if not host.guests:
            continue
        if host.environment == documents.environment or share is not None:
            yield Room(
                host=host.name,
                memory_bytes=host.memory - host.reserved_memory,
                pools=frozenset(pool.name for pool in host.pools),
                accelerator=host.accelerator,
                share_bytes=share.memory if share else None,
                share_cpus=share.cpus if share else None,
                open=not host.maintenance,
                cpu_model=documents.farm.cpu_models.get(host.group or ""),
                lacks=frozenset(plug for plug, names in made.items() if host.name not in names),
            )


def _made_on(documents: Documents) -> Mapping[tuple[str, str], frozenset[str]]:
    """The hosts of each bridge that networks make; one that a network takes to be there is not."""
    made: dict[tuple[str, str], frozenset[str]] = {}
    anywhere = set()
    for network in documents.networks.values():
        plug = (network.switch, network.bridge)
        made[plug] = made.get(plug, frozenset()) | {place.name for place in network.hosts}
        if not network.hosts:
            anywhere.add(plug)
    return {plug: names for plug, names in made.items() if plug not in anywhere}
