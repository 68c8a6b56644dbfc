"""The way back: from what runs on a host to the documents that describe it.

What cannot be said in a document is a reason not to adopt the machine, never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.config.documents import Host, MachineDefaults
from reconciler.config.fields import LABEL
from reconciler.config.networks import Network
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import Disk, Interface, PoolState
from reconciler.ports.libvirt_networks import NetworkState

MIB = 1024**2
_USUAL = {"running": True, "autostart": True, "restart": "automatic"}  # of all else: nothing
POOL_TYPES: Mapping[str, str] = {"dir": "directory", "logical": "lvm", "zfs": "zfs"}
_LABEL = re.compile(rf"\A{LABEL.removeprefix('^').removesuffix('$')}\Z")


@dataclass(frozen=True, slots=True)
class Plug:
    """What interfaces are plugged into, and which network of the repository that is."""

    network: str
    bridge: str
    switch: str
    portgroup: str = ""
    vlan: int | None = None

    @classmethod
    def of(cls, network: Network) -> Plug:
        """As a document says."""
        portgroup = network.portgroup or ""
        return cls(network.name, network.bridge, network.switch, portgroup, network.vlan)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What one host has: its volumes by pool and name, and what the repository says of all.

    `defaults` are what every machine has unless its document says otherwise, and `cpu_model` is
    what it sees on this host.
    """

    host: Host
    volumes: Mapping[tuple[str, str], VolumeSpec]
    plugs: Sequence[Plug]
    defaults: MachineDefaults
    cpu_model: str | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """The document for one machine, or the reasons why there can be none."""

    machine: str
    document: Mapping[str, Any]
    reasons: tuple[str, ...]


def adopt_machine(name: str, spec: DomainSpec, surveyed: Surveyed) -> Adoption:
    """The document of a machine that is nobody's, under the name `name`."""
    reasons = [*_odd_machine(name, spec, surveyed.host)]
    disks = [_disk(disk, surveyed, reasons) for disk in spec.disks if disk.device == "disk"]
    networks = [_attachment(each, surveyed.plugs, reasons) for each in spec.interfaces]
    names = [each["network"] for each in networks]
    twice = sorted({each for each in names if each and names.count(each) > 1})
    reasons.extend(f"it is plugged into {each} twice" for each in twice)
    document: dict[str, Any] = {
        "kind": "VirtualMachine",
        "name": name,
        **({"description": spec.title} if spec.title else {}),
        "host": surveyed.host.name,
        "adopt": True,
        "libvirt_name": spec.libvirt_name,
        "uuid": spec.uuid,
        "cpus": spec.vcpus,
        "memory": format_size(spec.memory_bytes),
        **_maxima(spec),
        **_cpu_model(spec, surveyed),
        "disks": disks,
        "networks": networks,
        **({} if spec.running else {"running": False}),
        **({} if spec.autostart else {"autostart": False}),
        **({"restart": "manual"} if spec.guest else {}),
    }
    return Adoption(name, {**document, **_not_inherited(document, surveyed)}, tuple(reasons))


def new_networks(
    machines: Iterable[DomainSpec], networks: Sequence[NetworkState], plugs: Sequence[Plug]
) -> list[Mapping[str, Any]]:
    """Documents for the networks of libvirt's own that machines use and nobody describes.

    One without a subnet cannot be described, and none takes the name of another that is described.
    """
    used = {
        each.bridge for spec in machines for each in spec.interfaces if each.switch == "libvirt"
    }
    known = {plug.bridge for plug in plugs if plug.switch == "libvirt"}
    wanted = (each for each in networks if each.name in used - known and each.subnet)
    taken = {plug.network for plug in plugs}
    return [_network(each) for each in wanted if document_name(each.name) not in taken]


def _network(network: NetworkState) -> Mapping[str, Any]:
    return {
        "kind": "Network",
        "name": document_name(network.name),
        "subnet": network.subnet,
        "bridge": network.name,
        "switch": "libvirt",
    }


def missing_pools(host: Host, pools: Sequence[PoolState]) -> list[Mapping[str, Any]]:
    """The pools that the host has and its document does not say."""
    known = {pool.name for pool in host.pools}
    return [
        {
            "name": pool.name,
            "size": format_size(pool.capacity_bytes // MIB * MIB),
            "type": POOL_TYPES[pool.type],
            "target": pool.target,
        }
        for pool in sorted(pools, key=lambda each: each.name)
        if pool.name not in known and pool.type in POOL_TYPES
    ]


def document_name(libvirt_name: str, environment: str = "") -> str:
    """The name a thing gets: that on the host, without the environment before it."""
    return re.sub(r"[^a-z0-9-]+", "-", libvirt_name.lower().removeprefix(f"{environment}-"))


def _odd_machine(name: str, spec: DomainSpec, host: Host) -> Iterator[str]:
    if _LABEL.match(name) is None:
        yield f"{name!r} is no name for a machine; give one: {spec.libvirt_name}=NAME"
    if spec.memory_bytes % MIB:
        yield "its memory is no whole number of MiB; change it first"
    if spec.accelerator != host.accelerator:
        yield f"it runs with {spec.accelerator}, and {host.name} with {host.accelerator}"
    if not any(disk.device == "disk" for disk in spec.disks):
        yield "it has no disk"


def _not_inherited(document: Mapping[str, Any], surveyed: Surveyed) -> dict[str, Any]:
    """What keeps the farm's defaults from changing the machine."""
    given = {key: value for key, value in surveyed.defaults if value is not None}
    usual = {key: _USUAL.get(key) for key in given.keys() - document.keys()}
    absent = {
        "disks": [each.name for each in surveyed.defaults.disks or ()],
        "networks": [each.network for each in surveyed.defaults.networks or ()],
    }
    for key, names in absent.items():
        label = "name" if key == "disks" else "network"
        ours = {each[label] for each in document[key]}
        gone = [{label: each, "absent": True} for each in names if each not in ours]
        if gone:
            usual[key] = [*document[key], *gone]
    return usual


def _cpu_model(spec: DomainSpec, surveyed: Surveyed) -> dict[str, Any]:
    """What keeps the host's group from giving it another processor, which costs a restart."""
    is_other = surveyed.cpu_model not in {None, spec.cpu_model}
    return {"cpu_model": spec.cpu_model} if is_other and spec.cpu_model else {}


def _maxima(spec: DomainSpec) -> dict[str, Any]:
    """What it can grow to, where that is more than it has."""
    found: dict[str, Any] = {}
    if spec.vcpus_maximum and spec.vcpus_maximum > spec.vcpus:
        found["cpus_maximum"] = spec.vcpus_maximum
    if spec.memory_maximum_bytes and spec.memory_maximum_bytes > spec.memory_bytes:
        found["memory_maximum"] = format_size(spec.memory_maximum_bytes)
    return found


def _disk(disk: Disk, surveyed: Surveyed, reasons: list[str]) -> dict[str, Any]:
    volume = surveyed.volumes.get((disk.pool, disk.volume))
    if volume is None:
        where = f"{disk.pool}/{disk.volume}" if disk.pool else disk.volume
        reasons.append(f"disk {disk.name} is {where}, in no storage pool; define a pool around it")
        return {"name": disk.name}
    if volume.capacity_bytes % MIB:
        reasons.append(f"disk {disk.name} is no whole number of MiB; grow it first")
    if _LABEL.match(disk.name) is None:
        reasons.append(f"disk {disk.name!r} has a name that no document can have")
    return {
        "name": disk.name,
        "size": format_size(volume.capacity_bytes),
        "pool": disk.pool,
        "volume": disk.volume,
        "format": volume.format,
    }


def _attachment(interface: Interface, plugs: Sequence[Plug], reasons: list[str]) -> dict[str, Any]:
    plugged = (interface.bridge, interface.switch, interface.portgroup)
    found = [each for each in plugs if (each.bridge, each.switch, each.portgroup) == plugged]
    fitting = [each for each in found if each.vlan == interface.vlan] or found
    if not fitting:
        reasons.append(
            f"{interface.mac} is plugged into {interface.bridge} ({interface.switch}), which no "
            "Network document describes; write one"
        )
        return {"network": "", "mac": interface.mac}
    network = fitting[0]
    own_vlan = {"vlan": interface.vlan} if interface.vlan not in {None, network.vlan} else {}
    down = {"link": "down"} if interface.link == "down" else {}
    return {"network": network.network, "mac": interface.mac, **own_vlan, **down}
