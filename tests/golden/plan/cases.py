"""Situations whose plans are kept as golden files: what git wants, what the world is, the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption
from reconciler.model.plain import digest_of
from reconciler.model.position import Position
from reconciler.model.resource import Applied, Desired, Observed, World
from reconciler.placement.spread import Unplaced
from reconciler.plan.guards import Violation, check
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy, hold_back
from reconciler.ports.hypervisor import Disk, Interface
from tests.farms.specs import (
    GIB,
    IMAGE,
    a_record,
    domain_spec,
    machine,
    seen,
    volume_spec,
    want,
    zone_spec,
)

COMMIT = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
SCOPES = frozenset({Scope("host", "virt1"), Scope("host", "virt2"), Scope("zone", "farm", "ns1")})
FOREIGN = Observed(
    Address("domain", "scratch", "virt2"),
    domain_spec("scratch", host="virt2", libvirt_name="scratch", disks=(), running=False),
)
HOSTILE = (
    "```\n</details> @everyone [x](javascript:1) |\x1b[2J\u202egnp.\u2066 ::set-env name=A::b"
    " ##[add-mask]x `` <img src=x> ##vso[task.setvariable]"
)


@dataclass(frozen=True)
class Case:
    """All that a plan is made from."""

    desired: tuple[Desired[Any], ...] = ()
    observed: tuple[Observed[Any], ...] = ()
    unknown: Mapping[Scope, str] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    applied: Mapping[Address, Applied] = field(default_factory=dict)
    unplaced: tuple[Unplaced, ...] = ()
    scopes: frozenset[Scope] = SCOPES

    @property
    def world(self) -> World:
        """What is seen."""
        return World(self.observed, self.unknown)

    def plan(self, world: World | None = None) -> Plan:
        """The plan, as the policy leaves it."""
        plan = make_plan(
            "production",
            self.desired,
            world or self.world,
            revision=COMMIT,
            applied=self.applied,
            unplaced=self.unplaced,
        )
        return hold_back(plan, self.policy)

    def violations(self) -> tuple[Violation, ...]:
        """What the policy has against the plan."""
        return check(self.plan(), self.policy)


def written(
    resources: Iterable[Desired[Any]], file: str, line: int = 1
) -> tuple[Desired[Any], ...]:
    """The same, as written in that place."""
    return tuple(replace(each, position=Position(file, line, 1)) for each in resources)


def web(name: str = "web-1", **fields: Any) -> tuple[Desired[Any], ...]:
    return written(machine(name, **fields), f"vms/{name}.yaml")


def zone(*records: Any) -> tuple[Desired[Any], ...]:
    return written([want(zone_spec(*records))], "zones/farm.yaml")


def all_seen(*resources: Desired[Any]) -> tuple[Observed[Any], ...]:
    return tuple(seen(each) for each in resources)


def nothing_to_do() -> Case:
    resources = (*web(), *zone(a_record("web-1")))
    return Case(resources, (*all_seen(*resources), FOREIGN))


def first_machine() -> Case:
    volume, domain = web("web-2")
    volume = replace(volume, spec=replace(volume.spec, image=IMAGE))
    known = (*web(), *zone(a_record("web-1")))
    wanted = (*web(), *zone(a_record("web-1"), a_record("web-2", "192.168.1.11")), volume, domain)
    return Case(wanted, all_seen(*known))


def drift() -> Case:
    """Memory and power changed by hand, a record with it, and a machine is gone."""
    one, two = web(), web("web-2")
    names = zone(a_record("web-1"))
    moved = replace(names[0].spec, records=zone_spec(a_record("web-1", "10.0.0.1")).records)
    changed = seen(one[1], memory_bytes=GIB, running=False)
    applied = {each.address: Applied(digest_of(each.spec), "virt1") for each in two}
    observed = (seen(one[0]), changed, replace(seen(names[0]), spec=moved), FOREIGN)
    return Case((*one, *two, *names), observed, applied=applied)


def drift_that_is_only_reported() -> Case:
    return replace(drift(), policy=Policy(drift="report"))


def move_to_another_host() -> Case:
    return Case(web(host="virt2"), all_seen(*web(), *web("web-2")), policy=Policy(prune=False))


def rename() -> Case:
    return Case(web("shop-1", formerly="web-1"), all_seen(*web()))


def mass_deletion() -> Case:
    everything = [each for number in range(1, 13) for each in web(f"web-{number}")]
    return Case(web("web-1"), all_seen(*everything), applied={})


def host_unreachable() -> Case:
    gone = web("web-2", host="virt2")
    reason = "virt2: list domains: no answer within 10 s"
    applied = {each.address: Applied(digest_of(each.spec), "virt2") for each in gone}
    observed = (*all_seen(*web()),)
    wanted = (*web(memory_bytes=GIB), *gone)
    return Case(wanted, observed, {Scope("host", "virt2"): reason}, applied=applied)


def costs_too_much() -> Case:
    """A volume on another pool is data lost, a taken name and a machine without room are told."""
    volume, domain = web()
    elsewhere = replace(volume, spec=replace(volume.spec, pool="fast"))
    disks = (Disk("root", "fast", "production-web-1-root"),)
    wanted = replace(domain, spec=replace(domain.spec, disks=disks))
    taken = replace(FOREIGN, spec=replace(FOREIGN.spec, libvirt_name="production-web-1"))
    on_virt1 = replace(taken, spec=replace(taken.spec, host="virt1"))
    homeless = Unplaced(Address("domain", "big-1"), "virt1 has 1 GiB of memory left for it")
    policy = Policy(max_disruption=Disruption.LIVE)
    observed = (*all_seen(volume, domain), on_virt1)
    return Case((elsewhere, wanted), observed, policy=policy, unplaced=(homeless,))


def many_records() -> Case:
    records = [a_record(f"host-{number:03}", f"10.0.1.{number}") for number in range(1, 61)]
    return Case(zone(*records))


def hostile() -> Case:
    """Every text that documents and hosts give is an attack on whoever reads the plan."""
    name = f"web{HOSTILE}"
    spec = DomainSpec(
        host="virt1",
        libvirt_name=name,
        uuid=HOSTILE,
        accelerator="kvm",
        vcpus=1,
        memory_bytes=GIB,
        running=True,
        autostart=False,
        disks=(Disk(HOSTILE, HOSTILE, HOSTILE),),
        interfaces=(Interface(HOSTILE, HOSTILE),),
    )
    desired = Desired(Address("domain", name), spec, Position(f"vms/{HOSTILE}.yaml", 3, 1))
    record = a_record(HOSTILE, HOSTILE)
    names = want(ZoneSpec("ns1", "farm", None, (record,)))
    foreign = Observed(Address("volume", HOSTILE, "virt2"), volume_spec(HOSTILE, host="virt2"))
    blocked = Observed(Address("domain", HOSTILE, "virt1"), replace(spec, vcpus=9))
    lost = Desired(Address("volume", "x"), VolumeSpec("virt3", "p", "x", "raw", 1))
    return Case(
        (desired, names, lost),
        (foreign, blocked, seen(names, records=(replace(record, values=("1.1.1.1",)),))),
        {Scope("host", "virt3"): HOSTILE},
        unplaced=(Unplaced(Address("domain", name + "2"), HOSTILE, desired.position),),
    )


CASES: Mapping[str, Callable[[], Case]] = {
    builder.__name__.replace("_", "-"): builder
    for builder in (
        nothing_to_do,
        first_machine,
        drift,
        drift_that_is_only_reported,
        move_to_another_host,
        rename,
        mass_deletion,
        host_unreachable,
        costs_too_much,
        many_records,
        hostile,
    )
}
