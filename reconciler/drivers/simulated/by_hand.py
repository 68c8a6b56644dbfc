"""What a person does at a host, past the reconciler and its ports: for demos, drills and tests.

No fault strikes here and nothing is counted or logged. A host that refuses does it here too, as
`Conflict`, and what is not there is `NotFound`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.drivers.simulated import domains, volumes, zones
from reconciler.drivers.simulated.base.boot import rebooted
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Call, as_driver_errors
from reconciler.drivers.simulated.moves import on_host
from reconciler.drivers.simulated.nameserver import on_server
from reconciler.drivers.simulated.state import Domain, Host, Server, Volume
from reconciler.ports.hypervisor import DomainDefinition
from reconciler.ports.nameserver import NewZone, RecordSet


def set_memory(farm: SimulatedFarm, host: str, name: str, memory_bytes: int) -> None:
    """`virsh setmem --live --config`.

    Raises:
        Conflict: the guest was started with less.
        NotFound: there is no such domain.
    """
    call = Call((host,), "set_memory", name)
    _at_host(farm, call, lambda at: domains.set_memory(at, name, memory_bytes))


def redefine(farm: SimulatedFarm, host: str, definition: DomainDefinition) -> None:
    """`virsh edit`: the mark stays, and a running guest keeps what it has.

    Raises:
        Conflict: it clashes, or the host cannot have such a domain.
    """

    def edit(at: Host) -> Host:
        known = at.domains.get(definition.name)
        return domains.define(at, definition, known.owner if known else None)

    _at_host(farm, Call((host,), "define_domain", definition.name), edit)


def start_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh start`.

    Raises:
        Conflict: memory, a bridge or a volume is not to be had.
        NotFound: there is no such domain.
    """
    _at_host(farm, Call((host,), "start_domain", name), lambda at: domains.start(at, name))


def stop_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh destroy`.

    Raises:
        NotFound: there is no such domain.
    """
    _at_host(farm, Call((host,), "stop_domain", name), lambda at: domains.stop(at, name))


def remove_domain(farm: SimulatedFarm, host: str, name: str) -> None:
    """`virsh destroy` and `virsh undefine`; its volumes stay.

    Raises:
        NotFound: there is no such domain.
    """
    call = Call((host,), "remove_domain", name)
    _at_host(farm, call, lambda at: domains.undefine(domains.stop(at, name), name))


def add_domain(
    farm: SimulatedFarm, host: str, definition: DomainDefinition, *, running: bool = True
) -> None:
    """A domain that is nobody's; disks that are not there yet are made with it, empty.

    Raises:
        Conflict: it clashes, or the host cannot have or run it.
        NotFound: there is no such host or pool.
    """

    def add(at: Host) -> Host:
        for disk in definition.disks:
            if disk.volume not in volumes.pool_named(at, disk.pool).volumes:
                at = volumes.put(at, disk.pool, disk.volume, Volume("raw", 2**30))
        at = domains.define(at, definition, None)
        return domains.start(at, definition.name) if running else at

    _at_host(farm, Call((host,), "add_domain", definition.name), add)


def strip_mark(farm: SimulatedFarm, host: str, name: str) -> None:
    """Somebody edits the mark away: the domain is nobody's.

    Raises:
        NotFound: there is no such domain.
    """

    def strip(at: Host) -> Host:
        domain: Domain = replace(domains.named(at, name), owner=None)
        return replace(at, domains={**at.domains, name: domain})

    _at_host(farm, Call((host,), "strip_mark", name), strip)


def add_volume(farm: SimulatedFarm, host: str, pool: str, name: str, volume: Volume) -> None:
    """`virsh vol-create`.

    Raises:
        Conflict: the name is taken, or the pool has no room.
        NotFound: there is no such pool.
    """
    call = Call((host,), "add_volume", f"{pool}/{name}")
    _at_host(farm, call, lambda at: volumes.put(at, pool, name, volume))


def delete_volume(farm: SimulatedFarm, host: str, pool: str, name: str) -> None:
    """`virsh vol-delete` or `rm`: gone, even if a domain uses it.

    Raises:
        NotFound: there is no such volume.
    """
    call = Call((host,), "delete_volume", f"{pool}/{name}")
    _at_host(farm, call, lambda at: volumes.remove(at, pool, name))


def reboot_host(farm: SimulatedFarm, host: str) -> None:
    """The power fails and comes back: every guest ends, and those with autostart start anew.

    The base comes back as it is written down.

    Raises:
        Conflict: a guest cannot start.
        NotFound: there is no such host.
    """

    def reboot(at: Host) -> Host:
        for name in at.domains:
            at = domains.stop(at, name)
        for name in [each for each, domain in at.domains.items() if domain.autostart]:
            at = domains.start(at, name)
        return replace(at, base=rebooted(at.base))

    _at_host(farm, Call((host,), "reboot_host"), reboot)


def put_record(farm: SimulatedFarm, server: str, zone: str, record: RecordSet) -> None:
    """`nsupdate`: the whole set of a name and type, whoever wrote it before.

    Raises:
        Conflict: the zone would be no zone.
        NotFound: there is no such zone.
    """

    def put(at: Server) -> Server:
        known = zones.named(at, zone)
        rest = (each for each in known.records if each.key != record.key)
        return zones.with_zone(at, zones.changed(known, (*rest, record), None, farm.time))

    _at_server(farm, Call((server,), "put_record", f"{record.key} in {zone}"), put)


def remove_record(farm: SimulatedFarm, server: str, zone: str, key: str) -> None:
    """`nsupdate`: away with the set of that key (`www/A`).

    Raises:
        Conflict: the zone would be no zone.
        NotFound: there is no such zone.
    """

    def remove(at: Server) -> Server:
        known = zones.named(at, zone)
        rest = (each for each in known.records if each.key != key)
        return zones.with_zone(at, zones.changed(known, rest, None, farm.time))

    _at_server(farm, Call((server,), "remove_record", f"{key} in {zone}"), remove)


def add_zone(farm: SimulatedFarm, server: str, zone: NewZone) -> None:
    """A zone that is nobody's: somebody writes its file and loads it.

    Raises:
        Conflict: it is served already, or it would be no zone.
        NotFound: there is no such server.
    """
    call = Call((server,), "add_zone", zone.name)
    _at_server(farm, call, lambda at: zones.create(at, zone))


def remove_zone(farm: SimulatedFarm, server: str, zone: str) -> None:
    """`rndc delzone`: away with it, whoever has records in it.

    Raises:
        NotFound: there is no such server.
    """
    call = Call((server,), "remove_zone", zone)
    _at_server(farm, call, lambda at: zones.delete(at, zone))


def _at_host(farm: SimulatedFarm, call: Call, change: Callable[[Host], Host]) -> None:
    with as_driver_errors(call):
        farm.change(lambda state: on_host(state, call.machines[0], change))


def _at_server(farm: SimulatedFarm, call: Call, change: Callable[[Server], Server]) -> None:
    with as_driver_errors(call):
        farm.change(lambda state: on_server(state, call.machines[0], change))
