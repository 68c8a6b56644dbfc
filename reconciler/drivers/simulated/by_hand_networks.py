"""What a person does to the networks of a host's libvirt, past the reconciler and its ports.

No fault strikes here and nothing is counted or logged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.moves import on_host
from reconciler.drivers.simulated.state import Host, Network


def edit_network(farm: SimulatedFarm, host: str, name: str, **fields: Any) -> None:
    """`virsh net-edit` and a restart of the network: fields of its definition."""
    _edit(farm, host, name, lambda n: replace(n, definition=replace(n.definition, **fields)))


def stop_network(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh net-destroy`; whoever is plugged in hangs in the air."""
    _edit(farm, host, name, lambda network: replace(network, running=False, runs_on=None))


def remove_network(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh net-destroy` and `net-undefine`."""
    farm.change(lambda state: on_host(state, host, lambda at: _without(at, name)))


def _edit(farm: SimulatedFarm, host: str, name: str, change: Callable[[Network], Network]) -> None:
    def edit(at: Host) -> Host:
        return replace(at, networks={**at.networks, name: change(at.networks[name])})

    farm.change(lambda state: on_host(state, host, edit))


def _without(at: Host, name: str) -> Host:
    return replace(at, networks={k: v for k, v in at.networks.items() if k != name})
