"""What is asked of libvirt about domains: plain functions on an open connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.reading import OWNER_URN, Dialect, definition_of, owner_of
from reconciler.drivers.libvirt_.volumes import format_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml, owner_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_guest
from reconciler.drivers.refusal import Missing, Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition, DomainState

KIB = 1024
_FORGET_TOO = (
    libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
)


def observe(connection: Any, dialect: Dialect) -> Iterator[DomainState]:
    """Every domain. One that goes away meanwhile is left out."""
    active = _uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    persistent = _uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
    autostart = _uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
    for domain in connection.listAllDomains(0):
        uuid = domain.UUIDString()
        try:
            root = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
            live = parse(domain.XMLDesc(0)) if uuid in active & persistent else root
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            continue
        definition = definition_of(root, dialect)
        yield DomainState(
            definition=definition,
            running=uuid in active,
            autostart=uuid in autostart,
            owner=owner_of(root),
            pending_restart=not is_same_guest(definition_of(live, dialect), definition),
        )


def define(connection: Any, definition: DomainDefinition, owner: Owner, dialect: Dialect) -> None:
    """Make it the persistent definition, within what is there already.

    Raises:
        Refused: no host can have it, or a pool or volume of it is missing.
    """
    domain = find(connection, definition.name)
    known = None
    if domain is not None and domain.UUIDString() == definition.uuid:
        secure = libvirt.VIR_DOMAIN_XML_SECURE  # or passwords that others set would get lost
        known = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | secure)
    xml = domain_xml(definition, owner, dialect, _formats(connection, definition), known)
    connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def mark(connection: Any, name: str, owner: Owner) -> None:
    """Replace the mark, on the running guest too."""
    domain = connection.lookupByName(name)
    domain.setMetadata(
        libvirt.VIR_DOMAIN_METADATA_ELEMENT,
        owner_xml(owner),
        "reconciler",
        OWNER_URN,
        libvirt.VIR_DOMAIN_AFFECT_CONFIG | _if_live(domain),
    )


def undefine(connection: Any, name: str) -> None:
    """Forget the domain, if there is one.

    Raises:
        Refused: it runs; libvirt would let it run on and forget it when it stops.
    """
    domain = find(connection, name)
    if domain is None:
        return
    if domain.isActive():
        raise Refused("the domain is running; stop it first")
    domain.undefineFlags(_FORGET_TOO)


def start(connection: Any, name: str) -> None:
    """Start it, unless it runs."""
    domain = connection.lookupByName(name)
    if not domain.isActive():
        domain.create()


def ask_to_stop(connection: Any, name: str) -> None:
    """Ask the guest to shut down; a guest that cannot be asked is cut off."""
    domain = connection.lookupByName(name)
    if not domain.isActive():
        return
    try:
        domain.shutdown()
    except libvirt.libvirtError:
        cut_off(connection, name)


def is_running(connection: Any, name: str) -> bool:
    """Whether it runs; a domain that was only running may be gone now."""
    domain = find(connection, name)
    return domain is not None and bool(domain.isActive())


def cut_off(connection: Any, name: str) -> None:
    """End the guest at once, if it still runs."""
    domain = find(connection, name)
    if domain is not None and domain.isActive():
        domain.destroy()


def set_autostart(connection: Any, name: str, *, autostart: bool) -> None:
    """Whether it starts with the host."""
    connection.lookupByName(name).setAutostart(int(autostart))


def set_memory(connection: Any, name: str, memory_bytes: int) -> None:
    """Set the memory, live first: what the guest cannot take is refused before anything changed.

    Raises:
        Refused: it is no size that a domain can have.
    """
    if memory_bytes <= 0 or memory_bytes % KIB:
        raise Refused("the memory must be a whole number of KiB, and more than none")
    domain = connection.lookupByName(name)
    if domain.isActive():
        domain.setMemoryFlags(memory_bytes // KIB, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    for flag in (libvirt.VIR_DOMAIN_MEM_MAXIMUM, 0):
        domain.setMemoryFlags(memory_bytes // KIB, libvirt.VIR_DOMAIN_AFFECT_CONFIG | flag)


def set_vcpus(connection: Any, name: str, vcpus: int) -> None:
    """Set the processors, live first.

    Raises:
        Refused: it is no number that a domain can have.
    """
    if vcpus < 1:
        raise Refused("a domain needs a processor")
    domain = connection.lookupByName(name)
    if domain.isActive():
        domain.setVcpusFlags(vcpus, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    for flag in (libvirt.VIR_DOMAIN_VCPU_MAXIMUM, 0):
        domain.setVcpusFlags(vcpus, libvirt.VIR_DOMAIN_AFFECT_CONFIG | flag)


def find(connection: Any, name: str) -> Any:
    """The domain of that name, or None."""
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None


def _formats(connection: Any, definition: DomainDefinition) -> Formats:
    formats, reasons = {}, []
    for disk in definition.disks:
        try:
            formats[disk.pool, disk.volume] = format_of(connection, disk.pool, disk.volume)
        except Missing as missing:
            reasons.append(str(missing))
    if reasons:
        raise Refused("; ".join(reasons))
    return formats


def _uuids(connection: Any, which: int) -> frozenset[str]:
    return frozenset(domain.UUIDString() for domain in connection.listAllDomains(which))


def _if_live(domain: Any) -> int:
    return int(libvirt.VIR_DOMAIN_AFFECT_LIVE) if domain.isActive() else 0
