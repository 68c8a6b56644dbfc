"""For each guard a plan that only this guard stops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Observed, World
from reconciler.placement.spread import Unplaced
from reconciler.plan import guards
from reconciler.plan.guards import Guard
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from tests.farms.specs import (
    APEX,
    GIB,
    PRODUCTION,
    a_record,
    domain_spec,
    machine,
    volume_spec,
    want,
    world_of,
    zone_spec,
)


@dataclass(frozen=True)
class Danger:
    """A plan that a guard must stop. `name` is how it calls what it finds."""

    guard: Guard
    name: str
    plan: Callable[[], Plan]
    policy: Policy = field(default_factory=Policy)


def nothing_is_wanted() -> Plan:
    return make_plan(PRODUCTION, (), world_of(want(volume_spec(), "web-1-root")))


def two_machines_of_three_go() -> Plan:
    fleet = [each for name in ("a", "b", "c") for each in machine(name)]
    return make_plan(PRODUCTION, machine("a"), world_of(*fleet))


def a_host_loses_its_stack() -> Plan:
    base = [want_sysctl(number) for number in range(6)]
    stays = want(volume_spec(), "web-1-root")
    return make_plan(PRODUCTION, (stays,), world_of(*base, stays))


def want_sysctl(number: int) -> Desired[SysctlSpec]:
    name = f"net.a{number}"
    return Desired(Address("sysctl", name, "virt1"), SysctlSpec("virt1", name, "1", "1"))


def four_records_of_twelve_go() -> Plan:
    names = [f"n{number:02}" for number in range(11)]
    full = want(zone_spec(*map(a_record, names)), "farm")
    fewer = want(zone_spec(*map(a_record, names[4:])), "farm")
    return make_plan(PRODUCTION, (fewer,), world_of(full))


def other_servers_answer() -> Plan:
    known = want(zone_spec(), "farm")
    others = want(zone_spec(records=(replace(APEX, values=("ns2.example.",)),)), "farm")
    return make_plan(PRODUCTION, (others,), world_of(known))


def nobody_answers() -> Plan:
    return make_plan(PRODUCTION, (want(zone_spec(records=(a_record("www"),)), "farm"),), World())


def a_name_is_taken() -> Plan:
    stray = Observed(
        Address("domain", "production-web-1", "virt1"),
        domain_spec("stray", libvirt_name="production-web-1"),
    )
    return make_plan(PRODUCTION, machine(), World((stray,)))


def a_machine_fits_nowhere() -> Plan:
    homeless = Unplaced(Address("domain", "web-1"), "virt1 has 1 GiB of memory left for it")
    return make_plan(PRODUCTION, (), World(), unplaced=(homeless,))


def a_disk_shrinks() -> Plan:
    smaller = want(volume_spec(capacity_bytes=GIB), "web-1-root")
    return make_plan(PRODUCTION, (smaller, machine()[1]), world_of(*machine()))


DANGERS = (
    Danger(guards.empty_desire, "empty-desire", nothing_is_wanted),
    Danger(guards.mass_deletion, "mass-deletion", two_machines_of_three_go),
    Danger(guards.base_removal, "base-removal", a_host_loses_its_stack),
    Danger(guards.mass_record_change, "mass-record-change", four_records_of_twelve_go),
    Danger(guards.apex_change, "apex-change", other_servers_answer),
    Danger(guards.no_nameservers, "no-nameservers", nobody_answers),
    Danger(guards.foreign_owner, "foreign-owner", a_name_is_taken),
    Danger(guards.no_room, "no-room", a_machine_fits_nowhere),
    Danger(guards.disruption, "disruption", a_disk_shrinks),
)
