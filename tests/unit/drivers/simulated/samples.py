"""A farm with a bit of everything, and the parts to make more of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import (
    Domain,
    FarmState,
    Host,
    Network,
    Pool,
    Server,
    Snapshot,
    Trashed,
    Volume,
)
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, NewVolume
from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.nameserver import RecordSet, Timers, ZoneState
from reconciler.ports.network_facts import Reservation

GIB = 1024**3
OWNER = Owner("production", "web-1", "0123456789abcdef")
TIMERS = Timers("ns.farm.internal.", "hostmaster.farm.internal.", 10800, 1800, 1209600, 1800)
BASE = (
    RecordSet("@", "NS", 3600, ("ns.farm.internal.",)),
    RecordSet("ns", "A", 3600, ("192.168.1.17",)),
)
OLD = "trash.20261101T120000.1.old-root"
TRASHED = datetime(2026, 11, 1, 12, tzinfo=UTC)
NETWORK = NetworkDefinition("nat9", str(uuid5(NAMESPACE_DNS, "nat9")), address="10.9.0.1/24")
KEPT = (Reservation("52:54:00:12:34:56", "10.9.0.9", "production-web"),)
WWW = RecordSet("www", "A", 3600, ("192.168.1.129",))


def definition(name: str, **changes: Any) -> DomainDefinition:
    standard: dict[str, Any] = {
        "name": name,
        "uuid": str(uuid5(NAMESPACE_DNS, name)),
        "accelerator": "kvm",
        "vcpus": 2,
        "memory_bytes": 2 * GIB,
        "disks": (Disk("root", "default", f"{name}-root"),),
        "interfaces": (Interface("52:54:00:12:34:56", "br-lan"),),
    }
    return DomainDefinition(**{**standard, **changes})


def new_volume(name: str, **changes: Any) -> NewVolume:
    standard: dict[str, Any] = {
        "pool": "default",
        "name": name,
        "format": "qcow2",
        "capacity_bytes": 8 * GIB,
    }
    return NewVolume(**{**standard, **changes})


def small_state() -> FarmState:
    """`web` runs on an older definition and `db` with less memory than it was started with."""
    seed = Disk("seed", "default", "web-seed", "cdrom")
    disks = (*definition("web").disks, seed)
    web = definition("web", vcpus=4, vcpus_maximum=8, title="Web", tpm=True, disks=disks)
    db = definition("db", memory_bytes=GIB, memory_maximum_bytes=2 * GIB)
    volume = Volume("qcow2", 8 * GIB, "ab" * 32, OWNER, overlay=True, content="0123")
    kept = {"before-0123": Snapshot(definition("web"), running=True, owner=OWNER)}
    domains = {
        "web": Domain(web, running=True, owner=OWNER, runs_on=definition("web"), snapshots=kept),
        "db": Domain(db, running=True, autostart=True),
        "off": Domain(definition("off", disks=(), interfaces=())),
    }
    pools = {
        "default": Pool(
            100 * GIB,
            volumes={
                "web-root": volume,
                "web-seed": Volume("iso", GIB, owner=OWNER, content="4567"),
                "db-root": Volume("raw", 4 * GIB),
            },
            trash={OLD: Trashed("old-root", Volume("raw", GIB, owner=OWNER), TRASHED)},
        ),
        "vg0": Pool(50 * GIB, type="logical"),
    }
    virt1 = Host(
        memory_bytes=64 * GIB,
        cpus=16,
        bridges=("br-lan",),
        images={"ab" * 32: "debian-12"},
        pools=pools,
        domains=domains,
        networks={"nat9": Network(NETWORK, autostart=False)},
    )
    virt2 = Host(memory_bytes=64 * GIB, pools={"default": Pool(100 * GIB)}, bridges=("br-lan",))
    zone = ZoneState("farm.internal", 2011031200, TIMERS, (*BASE, WWW))
    return FarmState(
        hosts={"virt1": virt1, "virt2": virt2},
        nameservers={"ns1": Server({"farm.internal": zone})},
        missing_images=("gone",),
        faults=(Fault("virt9", "start_*", "slow", times=3, seconds=2.5),),
    )
