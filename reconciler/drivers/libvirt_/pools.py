"""Storage pools and the volumes in them: how they are found, and what sort of pool it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Missing
from reconciler.model.quantity import format_size

DIRECTORIES = frozenset({"dir", "fs", "netfs"})
_AT_WORK = frozenset({libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_INTERNAL_ERROR})


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool: its libvirt handle, its type, and its volume group or data set where it has one."""

    raw: Any
    name: str
    type: str
    source: str = ""

    @property
    def holds_files(self) -> bool:
        """Whether its volumes are files of a directory, with a format of their own."""
        return self.type in DIRECTORIES

    @property
    def free_bytes(self) -> int:
        """What is left in it, as libvirt knew when it looked last."""
        return int(self.raw.info()[3])

    def find(self, name: str) -> Any:
        """The volume of that name, or None."""
        return find(self.raw, name)

    def named(self, name: str) -> Any:
        """The volume of that name.

        Raises:
            Missing: there is none.
        """
        volume = self.find(name)
        if volume is None:
            raise Missing(f"there is no volume {name} in pool {self.name}")
        return volume

    def refresh(self) -> bool:
        """Let libvirt see what was made or deleted past it; False when the pool is at work."""
        try:
            self.raw.refresh(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _AT_WORK:
                raise
            return False
        return True

    def shortage(self, more_bytes: int) -> str:
        """What to say if so much more does not fit; empty if it does.

        Before it says no, libvirt looks again: room may have been made past it.
        """
        if more_bytes <= self.free_bytes or (self.refresh() and more_bytes <= self.free_bytes):
            return ""
        return f"pool {self.name} has {format_size(self.free_bytes)} left"


def find(raw_pool: Any, name: str) -> Any:
    """The volume of that name in the pool behind a libvirt handle, or None."""
    try:
        return raw_pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
            raise
        return None


def find_pool(connection: Any, name: str) -> Any:
    """The libvirt handle of the pool of that name, or None."""
    try:
        return connection.storagePoolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
            raise
        return None


def pool_named(connection: Any, name: str) -> Pool:
    """The pool of that name.

    Raises:
        Missing: there is none.
    """
    raw = find_pool(connection, name)
    if raw is None:
        raise Missing(f"there is no pool {name}")
    return pool_of(raw)


def pool_of(raw: Any) -> Pool:
    """The pool behind a libvirt handle."""
    root = parse(raw.XMLDesc(0))
    return Pool(raw, raw.name(), root.get("type", ""), root.findtext("source/name") or "")


def named(connection: Any, pool: str, name: str) -> Any:
    """The volume of that name.

    Raises:
        Missing: there is no such pool or volume.
    """
    return pool_named(connection, pool).named(name)


def active_pools(connection: Any) -> Iterator[Pool]:
    """Every pool that is active."""
    for raw in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        yield pool_of(raw)
