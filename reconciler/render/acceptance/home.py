"""Which item of which document describes a resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.merge import NamePath
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.domain import volume_address
from reconciler.model.resource import Desired
from reconciler.render.acceptance.rule import Unsayable
from reconciler.render.identity import mac_of

OF_HOSTS: Mapping[str, str] = {
    "bond": "bonds",
    "command": "commands",
    "file": "files",
    "group": "groups",
    "module": "modules",
    "mount": "mounts",
    "package": "packages",
    "pool": "pools",
    "service": "services",
    "sysctl": "sysctls",
    "user": "users",
    "vlan": "vlans",
    "volume_group": "volume_groups",
    "zpool": "zpools",
}
_NAMED_BY = {"file": "path", "mount": "path"}


@dataclass(frozen=True, slots=True)
class Home:
    """The document, and the path of the item in it; none if it is the document itself.

    `is_sole`: only this environment does anything with it, whoever else reads the document.
    """

    kind: str
    name: str
    path: NamePath = ()
    is_sole: bool = False


def home_of(documents: Documents, want: Desired[Any]) -> Home:
    """Where a resource is described.

    Raises:
        Unsayable: no document describes just this one: it is made for others.
    """
    kind = want.address.kind
    if kind == "domain":
        return Home("VirtualMachine", want.address.name)
    if kind == "volume":
        return _of_disk(documents, want)
    if kind == "setting":
        return Home("Host", want.spec.host, (want.spec.name,), is_sole=True)
    if kind in OF_HOSTS:
        return _of_host(documents, want, OF_HOSTS[kind])
    return _of_network(documents, want)


def network_of(documents: Documents, machine: str, mac: str) -> str:
    """The network that an interface of a machine is in, by its hardware address.

    Raises:
        Unsayable: the machine's document has no such interface.
    """
    document = documents.machines[machine]
    for each in document.networks:
        if mac_of(documents.environment, document, each) == mac:
            return str(each.network)
    message = f"no network of machine {machine} has an interface {mac}"
    raise Unsayable(message)


def _of_disk(documents: Documents, want: Desired[Any]) -> Home:
    for machine in documents.machines.values():
        for disk in machine.disks:
            if volume_address(machine.name, disk.name) == want.address:
                return Home("VirtualMachine", machine.name, ("disks", disk.name))
    message = "it is made of the first boot data of its machine"
    raise Unsayable(message)


def _of_host(documents: Documents, want: Desired[Any], key: str) -> Home:
    host = documents.hosts.get(want.spec.host)
    spec_name = {"file": "path", "mount": "path", "service": "unit"}.get(want.address.kind, "name")
    name = str(getattr(want.spec, spec_name))
    field = _NAMED_BY.get(want.address.kind, "name")
    items = getattr(host, key) if host else ()
    if host and name in {getattr(each, field) for each in items}:
        is_sole = host.environment == documents.environment
        return Home("Host", host.name, (key, name), is_sole=is_sole)
    where = f" ({want.position})" if want.position else ""
    message = f"no item of Host {want.spec.host}'s {key} says it: it is made for others{where}"
    raise Unsayable(message)


def _of_network(documents: Documents, want: Desired[Any]) -> Home:
    for network in documents.networks.values():
        if _is_of(network, want):
            is_sole = network.environment == documents.environment
            return Home("Network", network.name, is_sole=is_sole)
    message = "it follows from several documents; change what it is made of"
    raise Unsayable(message)


def _is_of(network: Network, want: Desired[Any]) -> bool:
    kind, spec = want.address.kind, want.spec
    is_bridge = kind in {"bridge", "libvirt_network"} and spec.name == network.bridge
    if kind == "subnet":
        return bool(spec.network == network.name)
    return is_bridge and want.address.name == name_of(network.bridge)
