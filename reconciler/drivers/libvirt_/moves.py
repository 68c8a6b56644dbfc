"""A domain goes from one host to another, live if it runs, and can be brought to an end later.

The move is claimed first, in the metadata of the domain that leaves; with the marks of its volumes
on the other host, whoever looks at either host later knows of it. Our process carries out the
migration between the two libvirt daemons: when it dies the guest goes on where it is. What is left
behind is removed only when the domain has been seen on the other side, and the claim goes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libvirt

from reconciler.drivers.libvirt_ import transfer
from reconciler.drivers.libvirt_.baggage import baggage
from reconciler.drivers.libvirt_.claims import (
    came_with_claim,
    claim_on,
    claimed_autostart,
    drop_claim,
    write_claim,
)
from reconciler.drivers.libvirt_.domains import find, is_held
from reconciler.drivers.libvirt_.looking import is_arriving
from reconciler.drivers.libvirt_.pools import named, pool_named
from reconciler.drivers.libvirt_.reading import definition_of, owner_of
from reconciler.drivers.libvirt_.transfer import Side
from reconciler.drivers.libvirt_.usage import place_of, users
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Missing, Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition

_LIVE = (
    libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PERSIST_DEST | libvirt.VIR_MIGRATE_AUTO_CONVERGE
)
_FORGET_TOO = (
    libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
)


def check_not_there(there: Side, name: str) -> None:
    """Whether a domain that was being moved there may be started where it came from after all.

    Raises:
        Refused: it runs there.
    """
    domain = find(there.connection, name)
    if domain is not None and domain.isActive():
        raise Refused(f"it runs on {there.host}, to which it was being moved; finish the move")


def send_volume(source: Side, destination: Side, pool: str, name: str) -> None:
    """Move a volume that no domain uses, or go on with that.

    Raises:
        Missing: neither host has it.
        Refused: a domain uses it, or the destination cannot have it.
    """
    key = f"{pool}/{name}"
    volume = pool_named(source.connection, pool).find(name)
    if volume is None:
        named(destination.connection, pool, name)
    else:
        place = place_of(pool_named(source.connection, pool), volume)
        if domains := sorted(users(source.connection, place)):
            raise Refused(f"it is in use by {', '.join(domains)}")
        transfer.send(pool, name, source, destination)
        volume.delete(0)
    source.manifest.forget(key)


def migrate(source: Side, destination: Side, name: str) -> None:
    """Move the domain, or go on with a move that was cut off.

    Raises:
        Missing: neither host has it.
        Refused: it runs on both, is being moved elsewhere, or the destination cannot have it.
    """
    domain, there = find(source.connection, name), find(destination.connection, name)
    if domain is None and there is None:
        raise Missing(f"there is no domain {name}")
    if domain is not None:
        autostart = _claim(domain, source, destination)
        if not _has_arrived(domain, there, destination.host):
            _carry(domain, source, destination)
            there = destination.connection.lookupByName(name)
        transfer.have_arrived(_definition(domain, source), destination)
        there.setAutostart(int(autostart))
        _leave(domain, source, destination)
    drop_claim(there)


def _claim(domain: Any, source: Side, destination: Side) -> bool:
    """Claim the domain; give whether it starts with its host, which from now on it does not.

    Else both would start with their hosts, if the rest is never done.
    """
    goal = claim_on(domain, source.host)
    if goal not in {None, destination.host}:
        raise Refused(f"it is being moved to {goal}; let that come to an end first")
    autostart = claimed_autostart(domain)
    write_claim(domain, destination.host, autostart=autostart)
    domain.setAutostart(0)
    return autostart


def _has_arrived(domain: Any, there: Any, host: str) -> bool:
    """Whether only the leaving is left to do.

    Raises:
        Refused: both run; only a person can know which one counts. Or what is there is another
            domain, or still waits for a migration that has lost its client, and will be gone
            when libvirt knows.
    """
    if there is None:
        return False
    if there.UUIDString() != domain.UUIDString():
        raise Refused(f"{host} has another domain of that name; remove or rename one of the two")
    if is_arriving(there):
        raise Refused("an earlier attempt has not come to its end; try again in a minute")
    if there.isActive() and domain.isActive() and not is_held(domain):
        raise Refused("it runs on both hosts; stop one of the two by hand")
    return bool(there.isActive()) or (not domain.isActive() and came_with_claim(there, host))


def _carry(domain: Any, source: Side, destination: Side) -> None:
    """Bring it over. A guest that an earlier attempt left paused goes on first: it is only here."""
    definition = _definition(domain, source)
    transfer.check_owners(definition, _owner(domain), source)
    _check_baggage(domain)
    if is_held(domain):
        domain.resume()
    if domain.isActive():
        private = transfer.prepare(definition, source, destination)
        parameters: dict[str, Any] = {
            libvirt.VIR_MIGRATE_PARAM_URI: f"tcp://{_bracketed(destination.address)}",
        }
        flags = _LIVE
        if targets := [_target(domain, disk.name) for disk in private]:
            parameters[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = targets
            flags |= libvirt.VIR_MIGRATE_NON_SHARED_DISK
        domain.migrate3(destination.connection, parameters, flags)
        return
    if definition.tpm:
        raise Refused("it has a TPM, whose state moves only while it runs; start it first")
    transfer.copy_all(definition, source, destination)
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    destination.connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)


def _leave(domain: Any, source: Side, destination: Side) -> None:
    definition = _definition(domain, source)
    if domain.isActive():
        domain.destroy()
    transfer.remove_all(definition, source, destination)
    domain.undefineFlags(_FORGET_TOO)


def _check_baggage(domain: Any) -> None:
    """Whether what is stored and what runs may go to another host.

    Raises:
        Refused: it brings along what reaches beyond the guest.
    """
    texts = {domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), domain.XMLDesc(0)}
    if found := sorted({each for text in texts for each in baggage(parse(text))}):
        raise Refused(f"it has {', '.join(found)}, which another host must not get; remove that")


def _owner(domain: Any) -> Owner | None:
    return owner_of(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)))


def _definition(domain: Any, side: Side) -> DomainDefinition:
    return definition_of(parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)), side.dialect)


def _target(domain: Any, disk: str) -> str:
    """What libvirt calls a disk of the running guest."""
    root = parse(domain.XMLDesc(0))
    return next(target for name, target in _targets(root) if name == disk)


def _targets(root: Any) -> Iterator[tuple[str, str]]:
    for element in root.iterfind("devices/disk"):
        alias, target = element.find("alias"), element.find("target")
        called = "" if alias is None else alias.get("name", "").removeprefix("ua-")
        yield called, target.get("dev", "")
        yield target.get("dev", ""), target.get("dev", "")


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
