"""What a machine of a simulated host can be plugged into, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.state import Host
from reconciler.ports.acts import Act
from reconciler.ports.hypervisor import Interface
from reconciler.ports.network_acts import RemoveInterface, RemoveSwitch

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


def expect_unplugged(host: Host, act: Act) -> None:
    """See to it that no bridge or switch goes from under a running machine.

    Raises:
        Refused: one is plugged in.
    """
    if not isinstance(act, RemoveInterface | RemoveSwitch) or act.keeps:
        return
    users = sorted(
        name
        for name, domain in host.domains.items()
        if domain.running and any(act.name == each.bridge for each in domain.live.interfaces)
    )
    if users:
        message = f"guests are plugged into {act.name} ({', '.join(users)}): stop or move them"
        raise Refused(message)
