"""The look at all domains of a host: a few lists, and the XML of each, fetched side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import libvirt

from reconciler.drivers.libvirt_ import snapshots
from reconciler.drivers.libvirt_.claims import claim_of
from reconciler.drivers.libvirt_.guest import guest_of
from reconciler.drivers.libvirt_.reading import Dialect, definition_of, owner_of
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_guest
from reconciler.ports.hypervisor import DomainState

_COMING = frozenset({libvirt.VIR_DOMAIN_PAUSED_MIGRATION, libvirt.VIR_DOMAIN_PAUSED_STARTING_UP})
# It goes on by itself.
_AT_WORK = frozenset(
    {
        libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT,
        libvirt.VIR_DOMAIN_PAUSED_SAVE,
        libvirt.VIR_DOMAIN_PAUSED_DUMP,
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A domain in the lists: its handle, and on which of them it is."""

    domain: Any
    active: bool
    persistent: bool
    autostart: bool
    paused: bool
    has_snapshots: bool


def listed(connection: Any) -> Iterator[Seen]:
    """Every domain, with what lists say of it."""
    on = {
        flag: frozenset(domain.UUIDString() for domain in connection.listAllDomains(flag))
        for flag in (
            libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE,
            libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
            libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
            libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED,
            libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
        )
    }
    for domain in connection.listAllDomains(0):
        uuid = domain.UUIDString()
        yield Seen(domain, *(uuid in found for found in on.values()))


def state_of(seen: Seen, host: str, dialect: Callable[[Any], Dialect]) -> Callable[[Any], Any]:
    """The work that reads one domain; it gives None if the domain has gone away meanwhile."""

    def work(connection: Any) -> DomainState | None:
        try:
            return _state(seen, host, dialect(connection))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            return None

    return work


def _state(seen: Seen, host: str, dialect: Dialect) -> DomainState:
    domain = seen.domain
    root = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    definition, guest = definition_of(root, dialect), None
    if seen.active and seen.persistent:
        guest = guest_of(parse(domain.XMLDesc(0)), definition, dialect)
    pause = _reason_of_pause(domain) if seen.paused else None
    return DomainState(
        definition=definition,
        running=seen.active and (pause is None or pause in _AT_WORK),
        autostart=seen.autostart,
        owner=owner_of(root),
        guest=None if guest is None or is_same_guest(guest, definition) else guest,
        snapshots=snapshots.names(domain) if seen.has_snapshots else (),
        arriving=seen.paused and is_arriving(domain),
        moving_to=claim_of(root, host),
    )


def is_arriving(domain: Any) -> bool:
    """Whether it is being moved here, and its guest is still where it comes from."""
    return _reason_of_pause(domain) in _COMING and _is_incoming(domain)


def _reason_of_pause(domain: Any) -> int | None:
    state, reason = domain.state(0)
    return int(reason) if state == libvirt.VIR_DOMAIN_PAUSED else None


def _is_incoming(domain: Any) -> bool:
    """Whether the guest waits for what is sent from the host that it leaves.

    Only there libvirt knows how far it is, and here it refuses to say.
    """
    try:
        job = domain.jobStats(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_UNSUPPORTED:
            raise
        return True
    return bool(job.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN)
