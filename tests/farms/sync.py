"""A sync in which everything happens once: made, changed, moved, renamed, replaced and deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore, SimulatedCrash
from reconciler.drivers.simulated.state import FarmState
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VolumeGroupSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.change import Disruption
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, Seed
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import (
    GIB,
    a_record,
    farm_state,
    machine,
    seen,
    volume_spec,
    want,
    zone_spec,
)
from tests.farms.town import ANYTHING_GOES
from tests.farms.virthost import bases, directory, part, service, text

HOSTS = ("virt1", "virt2")
GUEST_ZONE = want(ZoneSpec("ns1", "farm", None, (a_record("shop.staging"),)), "farm")
ROUNDS = 5


def with_volume(resources: tuple[Desired[Any], ...], gib: int) -> tuple[Desired[Any], ...]:
    """The machine with its first volume of another size."""
    first, *rest = resources
    return (replace(first, spec=replace(first.spec, capacity_bytes=gib * GIB)), *rest)


def with_seed(
    resources: tuple[Desired[Any], ...], first_boot: str, **fields: Any
) -> tuple[Desired[Any], ...]:
    """The machine with a seed of these first boot data, which its guest acts on again."""
    *volumes, domain = resources
    seed = volume_spec(
        f"{domain.address.name}-seed",
        format="iso",
        content=first_boot,
        seed=Seed(first_boot, first_boot, first_boot),
    )
    disks = (*domain.spec.disks, Disk("seed", seed.pool, seed.name, "cdrom"))
    spec = replace(domain.spec, disks=disks, first_boot=first_boot, **fields)
    return (*volumes, want(seed, f"{domain.address.name}-seed"), replace(domain, spec=spec))


ROOM: dict[str, Any] = {"vcpus_maximum": 4, "memory_maximum_bytes": 4 * GIB}
PACKAGE = part(PackageSpec("virt1", "chrony"))
MODULE = part(ModuleSpec("virt1", "br_netfilter"))
NTP, NTP_KEYS = "/etc/chrony/chrony.conf", "/etc/chrony/chrony.keys"


def time_server(*contents: str) -> tuple[Desired[Any], ...]:
    """A package, the files of its service, and the service."""
    ntp, keys = (
        part(text(path, each), PACKAGE)
        for path, each in zip((NTP, NTP_KEYS), contents, strict=True)
    )
    return (PACKAGE, ntp, keys, part(service("chrony", ntp, keys), PACKAGE, ntp, keys))


BASE_BEFORE: tuple[Desired[Any], ...] = (
    *time_server("pool old\n", "1 old\n"),
    part(text("/etc/gone.conf", "of us\n")),
    part(text("/etc/host.conf", "multi on\n")),
    part(PackageSpec("virt1", "telnet")),
    part(UserSpec("virt1", "leaves", 2001, keys=("ssh-ed25519 AAAA leaves",), sudo=True)),
    part(SysctlSpec("virt1", "vm.swappiness", "10", "10")),
    MODULE,
)
BASE_AFTER: tuple[Desired[Any], ...] = (
    *time_server("pool new\n", "1 new\n"),
    data := part(directory("/srv/data")),
    part(text("/srv/data/readme", "hello\n"), data),
    part(FileSpec("virt1", "/etc/motd", "link", target="/srv/data/readme")),
    part(PackageSpec("virt1", "telnet", "absent")),
    part(PackageSpec("virt1", "qemu-utils", version="1.0", held=True)),
    ops := part(GroupSpec("virt1", "ops", 2002)),
    part(UserSpec("virt1", "comes", 2003, groups=("ops",), keys=("ssh-ed25519 AAAA a",)), ops),
    part(SysctlSpec("virt1", "vm.swappiness", "20", "20")),
    MODULE,
    part(SysctlSpec("virt1", "net.bridge.bridge-nf-call-iptables", "1", "1"), MODULE),
    part(MountSpec("virt1", "/srv/nfs", "nas:/export", "nfs", "ro,nofail")),
    part(SettingSpec("virt2", "timezone", "Europe/Berlin")),
    part(CommandSpec("virt2", "puppet", ("puppet", "agent"), ("puppet-is-done",))),
    part(VolumeGroupSpec("virt2", "all", ("/dev/sda2",))),
)
BEFORE: tuple[Desired[Any], ...] = (
    *machine("changed"),
    *machine("grown"),
    *machine("moved", host="virt1", disks=("root", "data")),
    *machine("old-name"),
    *machine("replaced"),
    *machine("deleted", host="virt2"),
    *machine("live", disks=("root", "old"), **ROOM),
    *with_seed(machine("seeded"), "a1" * 8),
    want(zone_spec(a_record("www"), a_record("gone")), "farm"),
    *BASE_BEFORE,
)
AFTER: tuple[Desired[Any], ...] = (
    *machine("changed", vcpus=4),
    *with_volume(machine("grown"), 9),
    *machine("moved", host="virt2", disks=("root", "data")),
    *machine("new-name", formerly="old-name", memory_bytes=GIB),
    *with_volume(machine("replaced"), 4),
    *machine("created", host="virt2", disks=("root", "data")),
    *machine("live", disks=("root", "new"), vcpus=3, memory_bytes=3 * GIB, title="grown", **ROOM),
    *with_seed(machine("seeded"), "b2" * 8, snapshot_from=Disruption.RESTART),
    want(zone_spec(a_record("www", "10.0.0.1"), a_record("created")), "farm"),
    *BASE_AFTER,
)


def converged() -> tuple[FarmState, Environment]:
    """The farm before the sync, with a guest environment and strays on it."""
    farm = SimulatedFarm(farm_state(HOSTS))
    environment = Environment(farm, BEFORE, policy=ANYTHING_GOES)
    settle(environment)
    guest = Environment(farm, (*machine("shop", "staging"), GUEST_ZONE), "staging")
    settle(guest)
    farm.revive()
    return farm.state, environment


def begin(state: FarmState, before: Environment) -> Environment:
    """A process that begins the sync, with the memory of the one before it."""
    return Environment(
        SimulatedFarm(state),
        AFTER,
        policy=ANYTHING_GOES,
        memory=dict(before.memory),
        scopes=before.scopes,
    )


def settle(environment: Environment) -> int:
    """Turns until nothing is left to do; gives their number."""
    for number in range(ROUNDS):
        plan = environment.look().plan
        if not plan.changes and not plan.remarks:
            return number
        environment.turn()
    message = f"after {ROUNDS} rounds there is still {environment.look().plan.changes}"
    raise AssertionError(message)


def run_until(environment: Environment, crash: CrashBefore | CrashAfter) -> bool:
    """One turn that ends in a crash, or does not; says which."""
    environment.farm.revive(crash)
    try:
        environment.turn()
    except SimulatedCrash:
        return True
    else:
        return False
    finally:
        environment.farm.revive()


def end_of(state: FarmState) -> dict[Any, Any]:
    """All that may not depend on how it came about: everything but serials and times."""
    trash = sorted(
        each.name
        for host in state.hosts.values()
        for pool in host.pools.values()
        for each in pool.trash.values()
    )
    timers = {
        (server, name): zone.timers
        for server, at in state.nameservers.items()
        for name, zone in at.zones.items()
    }
    return {
        **truth.domains(state),
        **truth.volumes(state),
        **truth.records(state),
        **bases(state),
        "trash": trash,
        "timers": timers,
    }


def is_seen_as_wanted(environment: Environment) -> bool:
    """Whether each resource carries the right mark, and nothing is there twice."""
    observed = environment.look().world.observed
    ours = [each for each in observed if each.owner and each.owner.environment == environment.name]
    wanted = {(want.address, seen(want).owner) for want in environment.desired}
    return len(ours) == len(wanted) and {(each.address, each.owner) for each in ours} == wanted
