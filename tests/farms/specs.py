"""Builders of specs, desired and observed resources, and of simulated farms to hold them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host, Pool, Server
from reconciler.kinds.domain import DomainSpec, volume_address
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, Observed, World, owner_of
from reconciler.placement.spread import Room
from reconciler.ports.hypervisor import Disk, ImageSource, Interface
from reconciler.ports.nameserver import RecordSet, Timers

GIB = 1024**3
PRODUCTION = "production"
IMAGE = ImageSource("debian-12", "https://images.example/debian-12.qcow2", "ab" * 32)
TIMERS = Timers("ns1.farm.", "admin.farm.", 10800, 1800, 1209600, 1800)
APEX = RecordSet("@", "NS", 3600, ("ns1.example.",))
BRIDGES = ("br-lan", "br-dmz")
POOLS = ("default", "fast")


def uuid_of(environment: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{environment}/{name}"))


def mac_of(environment: str, name: str, index: int = 0) -> str:
    raw = uuid5(NAMESPACE_URL, f"{environment}/{name}/{index}").bytes
    return "52:54:00" + "".join(f":{byte:02x}" for byte in raw[:3])


def domain_spec(name: str = "web-1", environment: str = PRODUCTION, **fields: Any) -> DomainSpec:
    """A domain on virt1 with one disk and one interface, as wanted by `environment`."""
    spec = DomainSpec(
        host="virt1",
        libvirt_name=f"{environment}-{name}",
        uuid=uuid_of(environment, name),
        accelerator="kvm",
        vcpus=2,
        memory_bytes=2 * GIB,
        running=True,
        autostart=True,
        disks=(Disk("root", "default", f"{environment}-{name}-root"),),
        interfaces=(Interface(mac_of(environment, name), "br-lan"),),
    )
    return replace(spec, **fields)


def volume_spec(
    name: str = "web-1-root", environment: str = PRODUCTION, **fields: Any
) -> VolumeSpec:
    spec = VolumeSpec("virt1", "default", f"{environment}-{name}", "qcow2", 8 * GIB)
    return replace(spec, **fields)


def zone_spec(*records: RecordSet, **fields: Any) -> ZoneSpec:
    spec = ZoneSpec("ns1", "farm", TIMERS, tuple(sorted((APEX, *records))))
    return replace(spec, **fields)


def a_record(name: str, *addresses: str) -> RecordSet:
    return RecordSet(name, "A", 300, tuple(sorted(addresses)) or ("192.168.1.10",))


def want(spec: Any, name: str | None = None, **fields: Any) -> Desired[Any]:
    """A desired resource; zones are called as in their spec."""
    kinds = {DomainSpec: "domain", VolumeSpec: "volume", ZoneSpec: "zone"}
    kind = kinds[type(spec)]
    return Desired(Address(kind, name or spec.name), spec, **fields)


def machine(
    name: str = "web-1",
    environment: str = PRODUCTION,
    disks: Sequence[str] = ("root",),
    formerly: str | None = None,
    **fields: Any,
) -> tuple[Desired[Any], ...]:
    """The volumes and the domain of a machine. A renamed one keeps what its old name gave it."""
    identity = formerly or name
    kept = tuple(Disk(disk, "default", f"{environment}-{identity}-{disk}") for disk in disks)
    spec = domain_spec(identity, environment, disks=kept, **fields)
    volumes = tuple(
        want(
            volume_spec(f"{identity}-{disk}", environment, host=spec.host),
            f"{name}-{disk}",
            formerly=volume_address(formerly, disk) if formerly else None,
        )
        for disk in disks
    )
    return (
        *volumes,
        want(spec, name, formerly=Address("domain", formerly) if formerly else None),
    )


def seen(desired: Desired[Any], environment: str = PRODUCTION, **fields: Any) -> Observed[Any]:
    """The resource as it is seen once it is applied, but for `fields` of its spec."""
    owner = owner_of(environment, desired)
    spec = replace(desired.spec, **fields)
    if isinstance(spec, DomainSpec):
        spec = replace(spec, pending_restart=bool(spec.pending_restart))
    return Observed(desired.address, spec, owner)


def world_of(*desired: Desired[Any], environment: str = PRODUCTION) -> World:
    """A world in which all of this is applied."""
    return World(tuple(seen(each, environment) for each in desired))


def unreachable(*hosts: str) -> dict[Scope, str]:
    return {Scope("host", host): "no answer" for host in hosts}


def farm_state(
    hosts: Iterable[str] = ("virt1", "virt2"),
    servers: Iterable[str] = ("ns1",),
    memory_bytes: int = 64 * GIB,
    pool_bytes: int = 1024 * GIB,
) -> FarmState:
    """A farm with nothing on it."""
    host = Host(
        memory_bytes=memory_bytes,
        cpus=16,
        bridges=BRIDGES,
        pools={pool: Pool(pool_bytes) for pool in POOLS},
    )
    return FarmState(dict.fromkeys(hosts, host), {server: Server() for server in servers})


def simulated_farm(**fields: Any) -> SimulatedFarm:
    return SimulatedFarm(farm_state(**fields))


def rooms_of(state: FarmState) -> tuple[Room, ...]:
    """What the hosts offer."""
    return tuple(
        Room(name, host.memory_bytes, frozenset(host.pools), host.accelerators[0])
        for name, host in state.hosts.items()
    )
