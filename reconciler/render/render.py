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
from reconciler.render.network.every import network_resources
from reconciler.render.zones import zone_resources

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
    return tuple(_rooms(documents.environment, hosts, documents.farm.cpu_models))


def _rooms(
    environment: str, hosts: Iterable[Host], cpu_models: Mapping[str, str]
) -> Iterable[Room]:
    for host in hosts:
        share = host.share.get(environment)
        if host.environment == environment or share is not None:
            yield Room(
                host=host.name,
                memory_bytes=host.memory - host.reserved_memory,
                pools=frozenset(pool.name for pool in host.pools),
                accelerator=host.accelerator,
                share_bytes=share.memory if share else None,
                share_cpus=share.cpus if share else None,
                open=not host.maintenance,
                cpu_model=cpu_models.get(host.group or ""),
            )
