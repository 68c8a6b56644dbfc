"""What a person does at a host, past the reconciler and its ports: for demos, drills and tests.

No fault strikes here and nothing is counted or logged.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.simulated import domains, volumes, zones
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.moves import on_host
from reconciler.drivers.simulated.nameserver import on_server
from reconciler.drivers.simulated.state import Domain, Host, Server, Volume
from reconciler.ports.hypervisor import DomainDefinition
from reconciler.ports.nameserver import RecordSet


def set_memory(farm: SimulatedFarm, host: str, name: str, memory_bytes: int) -> None:
    """`virsh setmem --live --config`.

    Raises:
        Refused: the guest was started with less.
        Missing: there is no such domain.
    """
    farm.change(
        lambda state: on_host(
            state, host, lambda each: domains.set_memory(each, name, memory_bytes)
        )
    )


def redefine(farm: SimulatedFarm, host: str, definition: DomainDefinition) -> None:
    """`virsh edit`: the mark stays, and a running guest keeps what it has.

    Raises:
        Refused: it clashes, or the host cannot have such a domain.
    """

    def edit(at: Host) -> Host:
        known = at.domains.get(definition.name)
        return domains.define(at, definition, known.owner if known else None)

    farm.change(lambda state: on_host(state, host, edit))


def start_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh start`.

    Raises:
        Refused: memory, a bridge or a volume is not to be had.
        Missing: there is no such domain.
    """
    farm.change(lambda state: on_host(state, host, lambda each: domains.start(each, name)))


def stop_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh destroy`.

    Raises:
        Missing: there is no such domain.
    """
    farm.change(lambda state: on_host(state, host, lambda each: domains.stop(each, name)))


def remove_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh destroy` and `virsh undefine`; its volumes stay.

    Raises:
        Missing: there is no such domain.
    """
    farm.change(
        lambda state: on_host(
            state, host, lambda each: domains.undefine(domains.stop(each, name), name)
        )
    )


def add_domain(
    farm: SimulatedFarm, host: str, definition: DomainDefinition, *, running: bool = True
) -> None:
    """A domain that is nobody's; disks that are not there yet are made with it, empty.

    Raises:
        Refused: it clashes, or the host cannot have or run it.
    """

    def add(at: Host) -> Host:
        for disk in definition.disks:
            if disk.volume not in volumes.pool_named(at, disk.pool).volumes:
                at = volumes.put(at, disk.pool, disk.volume, Volume("qcow2", 2**30))
        at = domains.define(at, definition, None)
        return domains.start(at, definition.name) if running else at

    farm.change(lambda state: on_host(state, host, add))


def strip_mark(farm: SimulatedFarm, host: str, name: str) -> None:
    """Somebody edits the mark away: the domain is nobody's.

    Raises:
        Missing: there is no such domain.
    """

    def strip(at: Host) -> Host:
        domain: Domain = replace(domains.named(at, name), owner=None)
        return replace(at, domains={**at.domains, name: domain})

    farm.change(lambda state: on_host(state, host, strip))


def add_volume(farm: SimulatedFarm, host: str, pool: str, name: str, volume: Volume) -> None:
    """`virsh vol-create`.

    Raises:
        Refused: the name is taken, or the pool has no room.
        Missing: there is no such pool.
    """
    farm.change(
        lambda state: on_host(state, host, lambda each: volumes.put(each, pool, name, volume))
    )


def delete_volume(farm: SimulatedFarm, host: str, pool: str, name: str) -> None:
    """`virsh vol-delete` or `rm`: gone, even if a domain uses it.

    Raises:
        Missing: there is no such volume.
    """
    farm.change(lambda state: on_host(state, host, lambda each: volumes.remove(each, pool, name)))


def put_record(farm: SimulatedFarm, server: str, zone: str, record: RecordSet) -> None:
    """`nsupdate`: the whole set of a name and type, whoever wrote it before.

    Raises:
        Refused: the zone would be no zone.
        Missing: there is no such zone.
    """

    def put(at: Server) -> Server:
        known = zones.named(at, zone)
        rest = (each for each in known.records if each.key != record.key)
        return zones.with_zone(at, zones.changed(known, (*rest, record), None))

    farm.change(lambda state: on_server(state, server, put))


def remove_record(farm: SimulatedFarm, server: str, zone: str, key: str) -> None:
    """`nsupdate`: away with the set of that key (`www/A`).

    Raises:
        Refused: the zone would be no zone.
        Missing: there is no such zone.
    """

    def remove(at: Server) -> Server:
        known = zones.named(at, zone)
        rest = (each for each in known.records if each.key != key)
        return zones.with_zone(at, zones.changed(known, rest, None))

    farm.change(lambda state: on_server(state, server, remove))


def reboot_host(farm: SimulatedFarm, host: str) -> None:
    """The power fails and comes back: every guest ends, and those with autostart start anew.

    Raises:
        Refused: a guest cannot start.
        Missing: there is no such host.
    """

    def reboot(at: Host) -> Host:
        for name in at.domains:
            at = domains.stop(at, name)
        for name in [each for each, domain in at.domains.items() if domain.autostart]:
            at = domains.start(at, name)
        return at

    farm.change(lambda state: on_host(state, host, reboot))
