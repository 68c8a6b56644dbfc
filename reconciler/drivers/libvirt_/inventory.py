"""What a host has beside domains and volumes: its storage pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.ports.hypervisor import PoolState


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
