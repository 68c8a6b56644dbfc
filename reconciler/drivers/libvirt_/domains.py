"""What is asked of libvirt about domains: plain functions on an open connection."""

from __future__ import annotations

from typing import Any

import libvirt

from reconciler.drivers.libvirt_.claims import drop_claim
from reconciler.drivers.libvirt_.reading import OWNER_URN, Dialect, definition_of, firmware_of
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.volumes import formats_of
from reconciler.drivers.libvirt_.writing import domain_xml, owner_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Refused
from reconciler.kinds.domain_changes import definition_changes, in_words
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition

_NO_VOLUME = {libvirt.VIR_ERR_NO_STORAGE_VOL, libvirt.VIR_ERR_NO_STORAGE_POOL}
_FORGET_TOO = (
    libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
)


def define(
    connection: Any,
    storage: Storage,
    definition: DomainDefinition,
    owner: Owner,
    dialect: Dialect,
) -> None:
    """Make it the persistent definition, within what is there already.

    Raises:
        Refused: no host can have it, a pool or volume of it is missing, or libvirt has stored
            something else.
    """
    domain = find(connection, definition.name)
    known = guest = None
    if domain is not None and domain.UUIDString() == definition.uuid:
        secure = libvirt.VIR_DOMAIN_XML_SECURE  # or passwords that others set would get lost
        known = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | secure)
        guest = domain.XMLDesc(0) if domain.isActive() else None
    places = [(disk.pool, disk.volume) for disk in definition.disks]
    formats = formats_of(connection, storage, places)
    xml = domain_xml(definition, owner, dialect, formats, known, guest=guest)
    defined = connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    root = parse(defined.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    if differing := definition_changes(definition, definition_of(root, dialect)):
        raise Refused(f"libvirt stores another {in_words(differing)} than it was given")


def mark(connection: Any, name: str, owner: Owner) -> None:
    """Replace the mark, on the running guest too, and drop the claim of a move."""
    domain = connection.lookupByName(name)
    drop_claim(domain)
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
    if is_held(domain):
        domain.destroy()
    if domain.isActive():
        raise Refused("the domain is running; stop it first")
    is_uefi = firmware_of(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))) == "uefi"
    domain.undefineFlags(_FORGET_TOO | (libvirt.VIR_DOMAIN_UNDEFINE_NVRAM if is_uefi else 0))


def start(connection: Any, name: str) -> None:
    """Start it, or let it go on if it is paused.

    Raises:
        Refused: a volume of it is not there.
    """
    domain = connection.lookupByName(name)
    if not domain.isActive():
        try:
            domain.create()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _NO_VOLUME:
                raise
            raise Refused(str(error.get_error_message())) from error
    elif is_held(domain):
        domain.resume()


def ask_to_stop(connection: Any, name: str) -> None:
    """Ask the guest to shut down; a guest that cannot be asked is cut off."""
    domain = connection.lookupByName(name)
    if not domain.isActive():
        return
    if is_held(domain):
        cut_off(connection, name)
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


def is_held(domain: Any) -> bool:
    """Whether its guest is there and does not run."""
    return bool(domain.isActive()) and domain.state(0)[0] == libvirt.VIR_DOMAIN_PAUSED


def set_autostart(connection: Any, name: str, *, autostart: bool) -> None:
    """Whether it starts with the host."""
    connection.lookupByName(name).setAutostart(int(autostart))


def find(connection: Any, name: str) -> Any:
    """The domain of that name, or None."""
    try:
        return connection.lookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None


def _if_live(domain: Any) -> int:
    return int(libvirt.VIR_DOMAIN_AFFECT_LIVE) if domain.isActive() else 0
