"""What a host does with snapshots of its domains, as pure functions from host to host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated import domains
from reconciler.drivers.simulated.state import Domain, Host, Snapshot


def take(host: Host, name: str, snapshot: str) -> Host:
    """Keep how the domain is now, unless there is such a snapshot.

    Raises:
        Missing: there is no such domain.
        Refused: a disk of it cannot be snapshotted.
    """
    domain = domains.named(host, name)
    if snapshot in domain.snapshots:
        return host
    if reasons := list(_unfit_disks(host, domain)):
        raise Refused("; ".join(reasons))
    kept = Snapshot(domain.definition, domain.running, domain.owner, domain.runs_on)
    return _with(host, domain, {**domain.snapshots, snapshot: kept})


def revert(host: Host, name: str, snapshot: str) -> Host:
    """The domain as it was: definition, mark, and running or not.

    Raises:
        Missing: there is no such domain or snapshot.
        Refused: the host cannot run it like that any more.
    """
    domain = domains.named(host, name)
    kept = domain.snapshots.get(snapshot)
    if kept is None:
        message = f"{name} has no snapshot {snapshot}"
        raise Missing(message)
    before = replace(
        domain,
        definition=kept.definition,
        running=kept.running,
        owner=kept.owner,
        runs_on=kept.runs_on,
    )
    off = domains.stop(host, name)
    if kept.running:
        domains.check_can_run(off, before)
    elif reasons := list(domains.missing_parts(off, kept.definition)):
        raise Refused("; ".join(reasons))
    return _with(off, before, domain.snapshots)


def forget(host: Host, name: str, snapshot: str) -> Host:
    """Delete a snapshot, if it is there."""
    domain = host.domains.get(name)
    if domain is None or snapshot not in domain.snapshots:
        return host
    rest = {each: kept for each, kept in domain.snapshots.items() if each != snapshot}
    return _with(host, domain, rest)


def _unfit_disks(host: Host, domain: Domain) -> Iterator[str]:
    for disk in domain.live.disks:
        volume = host.pools[disk.pool].volumes.get(disk.volume)
        if disk.device == "disk" and (volume is None or volume.format != "qcow2"):
            yield f"disk {disk.name} is no qcow2 volume and cannot be snapshotted"


def _with(host: Host, domain: Domain, snapshots: Mapping[str, Snapshot]) -> Host:
    name, changed = domain.definition.name, replace(domain, snapshots=snapshots)
    return replace(host, domains={**host.domains, name: changed})
