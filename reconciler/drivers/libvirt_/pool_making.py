"""Storage pools made of what a host has, and forgotten. Nothing is formatted, nothing deleted.

Libvirt starts a pool of a volume group or a dataset that is not there: only what it counts in the
pool afterwards tells.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_.inventory import described
from reconciler.drivers.libvirt_.pools import find_pool
from reconciler.drivers.refusal import Refused
from reconciler.ports.hypervisor import PoolType

_DEVICES = {"logical": "/dev", "zfs": "/dev/zvol"}
_BEHIND = {"logical": "volume group", "zfs": "dataset"}
_CAPACITY = 1


def define(connection: Any, name: str, type_: PoolType, target: str) -> None:
    """Make a pool, start it, and let it start with the host. A directory is made too.

    Raises:
        Refused: the name is another pool's, or what is behind it is not there.
    """
    pool = find_pool(connection, name)
    if pool is None:
        pool = connection.storagePoolDefineXML(pool_xml(name, type_, target), 0)
        if type_ == "dir":
            pool.build(0)
    _check_same(pool, type_, target)
    if not pool.autostart():
        pool.setAutostart(1)
    if pool.isActive():
        pool.refresh(0)
    else:
        pool.create(0)
    if type_ in _BEHIND and not pool.info()[_CAPACITY]:
        raise Refused(f"there is no {_BEHIND[type_]} {target} for pool {name}")


def remove(connection: Any, name: str) -> None:
    """Stop a pool and forget it."""
    pool = find_pool(connection, name)
    if pool is None:
        return
    if pool.isActive():
        pool.destroy()  # libvirt's word for stopping: what is in it stays
    pool.undefine()


def pool_xml(name: str, type_: PoolType, target: str) -> str:
    """A pool as libvirt reads it."""
    root = etree.Element("pool", type=type_)
    etree.SubElement(root, "name").text = name
    if type_ in _DEVICES:
        etree.SubElement(etree.SubElement(root, "source"), "name").text = target
    path = f"{_DEVICES[type_]}/{target}" if type_ in _DEVICES else target
    etree.SubElement(etree.SubElement(root, "target"), "path").text = path
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _check_same(pool: Any, type_: PoolType, target: str) -> None:
    seen = described(pool)
    if (seen.type, seen.target.rstrip("/")) != (type_, target.rstrip("/")):
        raise Refused(
            f"pool {seen.name} is a {seen.type} pool of {seen.target}, and is not made another; "
            "move what is in it, then remove it by hand"
        )
