"""Random wishes of environments that share hosts and a zone, and how they become resources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from reconciler.drivers.simulated.state import FarmState, Host, Pool, Server
from reconciler.kinds.domain import DomainSpec, volume_address
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, Interface, LinkState
from reconciler.ports.nameserver import RecordSet
from tests.farms.base_wishes import BaseWish, some_base_wishes
from tests.farms.specs import (
    APEX,
    BRIDGES,
    GIB,
    IMAGE,
    POOLS,
    TIMERS,
    mac_of,
    uuid_of,
)

ENVIRONMENTS = ("development", "production", "staging")
HOSTS = ("virt1", "virt2", "virt3")
EMULATING = "virt3"
MACHINES = ("a", "b", "c", "d")
DISKS = ("root", "data", "logs")
SHARED_ZONE = "farm"
BASE_OWNER = "production"  # the only one that has a say in what a host itself is


@dataclass(frozen=True)
class DiskWish:
    """A disk of a machine."""

    name: str
    gib: int
    pool: str


@dataclass(frozen=True)
class MachineWish:
    """A machine. `identity` is the name it was made with."""

    name: str
    identity: str
    disks: tuple[DiskWish, ...]
    vcpus: int
    memory_gib: int
    running: bool
    autostart: bool
    by_hand: bool
    host: str | None
    networks: int
    extras: tuple[tuple[str, Any], ...] = ()
    link: LinkState = "up"
    vlan: int | None = None


@dataclass(frozen=True)
class Wish:
    """What one environment wants: machines, records in its own and in the shared zone, bases."""

    environment: str
    machines: tuple[MachineWish, ...]
    own: tuple[tuple[str, int], ...]
    shared: tuple[tuple[str, int], ...]
    retry_seconds: int
    bases: tuple[BaseWish, ...] = ()

    def resources(self) -> tuple[Desired[Any], ...]:
        """The wish as desired resources."""
        machines = [each for wish in self.machines for each in self._machine(wish)]
        bases = [each for wish in self.bases for each in wish.resources()]
        return (*machines, *self._zones(), *bases)

    def renamed(self, index: int, name: str) -> Wish:
        """The wish with one machine called otherwise, if the name is free."""
        if not self.machines or name in {each.name for each in self.machines}:
            return self
        old = self.machines[index % len(self.machines)]
        new = replace(old, name=name)
        return replace(self, machines=tuple(new if each is old else each for each in self.machines))

    def _machine(self, wish: MachineWish) -> list[Desired[Any]]:
        full = f"{self.environment}-{wish.identity}"
        spec = DomainSpec(
            host=wish.host,
            libvirt_name=full,
            uuid=uuid_of(self.environment, wish.identity),
            accelerator=None,
            vcpus=wish.vcpus,
            memory_bytes=wish.memory_gib * GIB,
            running=wish.running,
            autostart=wish.autostart,
            disks=tuple(Disk(each.name, each.pool, f"{full}-{each.name}") for each in wish.disks),
            interfaces=tuple(
                Interface(
                    mac_of(self.environment, wish.identity, index),
                    BRIDGES[index],
                    switch="openvswitch",
                    vlan=wish.vlan,
                    link=wish.link,
                )
                for index in range(wish.networks)
            ),
            pending_restart=None if wish.by_hand else False,
            **dict(wish.extras),
        )
        was = wish.identity if wish.identity != wish.name else None
        volumes = [
            Desired(
                volume_address(wish.name, each.name),
                _volume(wish.host, f"{full}-{each.name}", each),
                formerly=volume_address(was, each.name) if was else None,
            )
            for each in wish.disks
        ]
        formerly = Address("domain", was) if was else None
        return [*volumes, Desired(Address("domain", wish.name), spec, formerly=formerly)]

    def _zones(self) -> list[Desired[Any]]:
        timers = replace(TIMERS, retry_seconds=self.retry_seconds)
        own = f"{self.environment}.{SHARED_ZONE}"
        zones = [ZoneSpec("ns1", own, timers, (APEX, *_records(self.own)))]
        shared = _records((f"{name}.{self.environment}", octet) for name, octet in self.shared)
        if self.environment == "production":
            zones.append(ZoneSpec("ns1", SHARED_ZONE, timers, (APEX, *shared)))
        elif shared:
            zones.append(ZoneSpec("ns1", SHARED_ZONE, None, shared))
        return [
            Desired(Address("zone", zone.name), replace(zone, records=tuple(sorted(zone.records))))
            for zone in zones
        ]


def _volume(host: str | None, name: str, disk: DiskWish) -> VolumeSpec:
    image = IMAGE if disk.name == "root" else None
    return VolumeSpec(host, disk.pool, name, "qcow2", disk.gib * GIB, image=image)


def _records(names: Any) -> tuple[RecordSet, ...]:
    return tuple(RecordSet(name, "A", 300, (f"10.0.0.{octet}",)) for name, octet in names)


def empty_farm() -> FarmState:
    """Three hosts, of which one only emulates, with room for everything, and a name server."""
    host = Host(
        memory_bytes=1024 * GIB,
        cpus=64,
        bridges=BRIDGES,
        pools={pool: Pool(4096 * GIB) for pool in POOLS},
    )
    hosts = dict.fromkeys(HOSTS, host)
    hosts[EMULATING] = replace(host, accelerators=("qemu",))
    return FarmState(hosts, {"ns1": Server()})


@st.composite
def disks(draw: st.DrawFn) -> tuple[DiskWish, ...]:
    names = draw(st.lists(st.sampled_from(DISKS), unique=True, max_size=3))
    return tuple(
        DiskWish(name, draw(st.integers(1, 3)), draw(st.sampled_from(POOLS))) for name in names
    )


def extras() -> st.SearchStrategy[dict[str, Any]]:
    """Of what a machine may leave open, something."""
    return st.fixed_dictionaries(
        {},
        optional={
            "vcpus_maximum": st.integers(3, 4),
            "memory_maximum_bytes": st.sampled_from([3 * GIB, 4 * GIB]),
            "tpm": st.booleans(),
            "title": st.sampled_from(["", "one", "two"]),
            "firmware": st.sampled_from(["bios", "uefi"]),
            "snapshot_from": st.just(Disruption.RESTART),
        },
    )


@st.composite
def machines(draw: st.DrawFn, name: str) -> MachineWish:
    return MachineWish(
        name=name,
        identity=name,
        disks=draw(disks()),
        vcpus=draw(st.integers(1, 3)),
        memory_gib=draw(st.integers(1, 3)),
        running=draw(st.booleans()),
        autostart=draw(st.booleans()),
        by_hand=draw(st.booleans()),
        host=draw(st.none() | st.sampled_from(HOSTS)),
        networks=draw(st.integers(0, 2)),
        extras=tuple(sorted(draw(extras()).items())),
        link=draw(st.sampled_from(["up", "down"])),
        vlan=draw(st.none() | st.just(42)),
    )


records = st.dictionaries(st.sampled_from(["www", "api", "db"]), st.integers(1, 3), max_size=3)


@st.composite
def wishes(draw: st.DrawFn, environment: str) -> Wish:
    """What an environment wants."""
    names = draw(st.lists(st.sampled_from(MACHINES), unique=True, max_size=3))
    return Wish(
        environment,
        tuple(draw(machines(name)) for name in sorted(names)),
        tuple(sorted(draw(records).items())),
        tuple(sorted(draw(records).items())),
        draw(st.sampled_from([900, 1800])),
        draw(some_base_wishes) if environment == BASE_OWNER else (),
    )


@st.composite
def some_wishes(draw: st.DrawFn) -> tuple[Wish, ...]:
    """What one to three environments want, production always among them."""
    guests = draw(st.lists(st.sampled_from(["development", "staging"]), unique=True))
    return tuple(draw(wishes(each)) for each in ("production", *guests))
