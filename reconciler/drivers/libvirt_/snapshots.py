"""Snapshots of a domain with its disks, inside of its qcow2 volumes. Ours have names of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.domains import find
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.writing import text_of
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Missing, Refused

PREFIX = "reconciler-"


def names(domain: Any) -> tuple[str, ...]:
    """The snapshots of the domain that are ours."""
    found = (each.getName() for each in domain.listAllSnapshots(0))
    return tuple(sorted(name.removeprefix(PREFIX) for name in found if name.startswith(PREFIX)))


def take(connection: Any, name: str, snapshot: str, dialect: Dialect) -> None:
    """Make the snapshot, unless it is there.

    Raises:
        Refused: a disk cannot be snapshotted.
    """
    domain = connection.lookupByName(name)
    if _find(domain, snapshot) is not None:
        return
    root = parse(domain.XMLDesc(0))
    if raw := list(_without_snapshots(root, dialect)):
        raise Refused(f"{', '.join(raw)}: only qcow2 can be snapshotted")
    element = etree.Element("domainsnapshot")
    try:
        etree.SubElement(element, "name").text = PREFIX + snapshot
    except ValueError as error:
        raise Refused(f"the snapshot cannot be called so: {error}") from None
    domain.snapshotCreateXML(text_of(element), libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE)


def revert(connection: Any, name: str, snapshot: str) -> None:
    """Go back to the snapshot.

    Raises:
        Missing: there is no such snapshot.
    """
    domain = connection.lookupByName(name)
    found = _find(domain, snapshot)
    if found is None:
        raise Missing(f"there is no snapshot {snapshot}")
    try:
        domain.revertToSnapshot(found, 0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_SNAPSHOT_REVERT_RISKY:
            raise
        domain.revertToSnapshot(found, libvirt.VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)


def forget(connection: Any, name: str, snapshot: str) -> None:
    """Delete the snapshot, if it is there."""
    domain = find(connection, name)
    found = None if domain is None else _find(domain, snapshot)
    if found is not None:
        found.delete(0)


def _find(domain: Any, snapshot: str) -> Any:
    try:
        return domain.snapshotLookupByName(PREFIX + snapshot)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT:
            raise
        return None


def _without_snapshots(root: Any, dialect: Dialect) -> Iterator[str]:
    for element in reading.disk_elements(root):
        driver, disk = element.find("driver"), reading.disk_of(element, dialect.place_of)
        form = "raw" if driver is None else driver.get("type", "raw")
        if form != "qcow2" and disk.device == "disk" and element.find("readonly") is None:
            yield f"disk {disk.name} ({disk.pool}/{disk.volume}) is {form}"
