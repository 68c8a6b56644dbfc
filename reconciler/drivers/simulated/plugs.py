"""What a machine of a simulated host can be plugged into, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.drivers.simulated.state import Host
from reconciler.ports.hypervisor import Interface

_BRIDGES = frozenset({"bridge", "switch"})


def missing_plugs(host: Host, interfaces: Iterable[Interface]) -> Iterator[str]:
    """Why interfaces can be plugged into nothing, each once; nothing if all can."""
    wanted = {(each.switch == "libvirt", each.bridge) for each in interfaces}
    there = plugs(host)
    for is_network, name in sorted(wanted):
        network = host.networks.get(name)
        if is_network and network is not None:
            if not network.running:
                yield f"network {name} does not run"
        elif name not in there:
            yield f"there is no bridge {name}"


def plugs(host: Host) -> frozenset[str]:
    """The names of the bridges and switches of a host; those that were always there too."""
    made = {name for name, link in host.base.links.items() if link.type in _BRIDGES}
    devices = {each.definition.bridge for each in host.networks.values() if each.running}
    return frozenset({*host.bridges, *made, *devices})
