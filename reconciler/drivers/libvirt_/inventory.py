"""What a host has beside domains and volumes: its storage pools and its own networks."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Refused
from reconciler.ports.hypervisor import NetworkState, PoolState


def pools(connection: Any) -> Iterator[PoolState]:
    """Every active pool. What is behind one is a path, or a group or dataset by its name."""
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        yield described(pool)


def described(pool: Any) -> PoolState:
    """The pool behind a libvirt handle, active or not."""
    root = parse(pool.XMLDesc(0))
    kind = root.get("type", "")
    named = root.findtext("source/name") if kind in {"logical", "zfs"} else None
    return PoolState(
        name=pool.name(),
        type=kind,
        target=named or root.findtext("target/path") or "",
        capacity_bytes=size_bytes(root.find("capacity"), "bytes"),
        autostart=bool(pool.autostart()),
    )


def networks(connection: Any) -> Iterator[NetworkState]:
    """Every active network of libvirt's own."""
    for network in connection.listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
        root = parse(network.XMLDesc(0))
        bridge = root.find("bridge")
        name = bridge.get("name", "") if bridge is not None else ""
        yield NetworkState(network.name(), name, _subnet(root.findall("ip")))


def _subnet(addresses: list[Any]) -> str | None:
    for each in addresses:
        if each.get("family", "ipv4") == "ipv4":
            mask = each.get("prefix") or each.get("netmask") or "32"
            try:
                return str(IPv4Interface(f"{each.get('address', '')}/{mask}").network)
            except ValueError as error:
                raise Refused(f"the host sent a network with a strange address: {error}") from None
    return None
