"""What is served and reserved by DHCP: made, seen, set right, taken back, and what is nobody's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base
from reconciler.drivers.simulated.base.state import Base, Link, Package, Reserved, Service, Subnet
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.kinds.network.dhcp import ReservationsSpec, SubnetSpec, subnet_address
from reconciler.kinds.network.lease import LEASE, LeaseSpec
from reconciler.model.address import Address, Scope
from reconciler.model.change import Action
from reconciler.model.resource import Desired, Owner
from reconciler.plan.inventory import load_world, world_files
from reconciler.plan.show.text import plan_text
from reconciler.plan.show.view import View
from reconciler.ports.network_facts import DhcpOption, Reservation
from tests.farms.bases import HOST, base_farm, base_of, is_settled, look, only_change, plan_of, sync

NET, OTHER, KEA = "10.0.0.0/24", "10.0.1.0/24", "kea-dhcp4-server"
WEB = Reservation("52:54:00:00:00:01", "10.0.0.10", "web")
DB = Reservation("52:54:00:00:00:02", "10.0.0.11", "db")
STRANGER = "52:54:00:66:66:01"
SUBNET = SubnetSpec(
    HOST,
    "lan",
    "production",
    NET,
    "br-lan",
    ("10.0.0.100-10.0.0.120",),
    (DhcpOption("routers", "10.0.0.1"),),
    600,
)
RESERVED = ReservationsSpec(
    HOST, "lan", "production", NET, (WEB, DB), after=(subnet_address(HOST, "lan"),)
)


def farm(**fields: Any) -> SimulatedFarm:
    """A host whose Kea runs, and that has a bridge."""
    base = Base()
    known: dict[str, Any] = {
        "packages": {**base.packages, KEA: Package()},
        "services": {**base.services, KEA: Service()},
        "links": {**base.links, "br-lan": Link("bridge")},
    }
    return base_farm(replace(base, **known), **fields)


def subnet(**changes: Any) -> Desired[Any]:
    return Desired(Address("subnet", "lan", HOST), replace(SUBNET, **changes), adopts=True)


def reserved(*entries: Reservation, **changes: Any) -> Desired[Any]:
    spec = replace(RESERVED, entries=entries or RESERVED.entries, **changes)
    return Desired(Address("reservations", "lan.production", HOST), spec, adopts=True)


BOTH = (subnet(), reserved())


def test_a_subnet_comes_before_what_is_reserved_in_it_and_then_all_is_well() -> None:
    host = farm()
    plan = sync(host, *reversed(BOTH))
    assert [change.address.kind for change in plan.changes] == ["subnet", "reservations"]
    assert is_settled(plan_of(host, *BOTH))


def test_both_go_the_other_way_round() -> None:
    host = farm()
    sync(host, *BOTH)
    plan = sync(host)
    assert [change.address.kind for change in plan.changes] == ["reservations", "subnet"]
    assert base_of(host).subnets == base_of(host).subnets_written == {}
    assert is_settled(plan_of(host))


@pytest.mark.parametrize("was_there", [True, False])
def test_a_subnet_whose_network_is_renamed_is_ours_as_much_as_before(*, was_there: bool) -> None:
    host = farm()
    if was_there:
        by_hand_base.put_subnet(host, HOST, NET, Subnet("br-lan"))
    sync(host, subnet())
    renamed = Desired(Address("subnet", "new", HOST), replace(SUBNET, network="new"), adopts=True)
    sync(host, renamed)
    assert is_settled(plan_of(host, renamed))
    sync(host)
    assert (NET in base_of(host).subnets) == was_there


def test_a_change_says_whose_address_is_another() -> None:
    host = farm()
    sync(host, *BOTH)
    moved = replace(WEB, address="10.0.0.12")
    change = only_change(plan_of(host, subnet(), reserved(moved, DB)))
    ((field),) = change.fields
    assert (field.path, field.before, field.after) == (
        "entries.web.address",
        WEB.address,
        "10.0.0.12",
    )


@pytest.mark.parametrize(
    "spec",
    [
        {"pools": ()},
        {"options": (DhcpOption("routers", "10.0.0.2"), DhcpOption("interface-mtu", "1400"))},
        {"lease_seconds": 60},
        {"boot_file": "pxe.0", "next_server": "10.0.0.9"},
        {"names": "dyn.farm"},
        {"interface": "eth0"},
    ],
)
def test_a_subnet_is_changed_where_it_differs_and_its_reservations_stay(
    spec: dict[str, Any],
) -> None:
    host = farm()
    sync(host, *BOTH)
    change = only_change(sync(host, subnet(**spec), reserved()))
    assert {field.path.partition(".")[0] for field in change.fields} == {*spec}
    assert is_settled(plan_of(host, subnet(**spec), reserved()))


def test_another_subnet_of_a_network_brings_its_reservations_along() -> None:
    host = farm()
    sync(host, *BOTH)
    wanted = subnet(subnet=OTHER), reserved(replace(WEB, address="10.0.1.10"), subnet=OTHER)
    sync(host, *wanted)
    assert set(base_of(host).subnets) == {OTHER}
    assert is_settled(plan_of(host, *wanted))


def test_a_subnet_that_was_there_before_is_taken_over_and_stays_when_it_is_given_up() -> None:
    host = farm()
    theirs = Subnet("br-lan", reservations={STRANGER: Reserved("10.0.0.99")})
    by_hand_base.put_subnet(host, HOST, NET, theirs)
    assert only_change(sync(host, subnet())).action is Action.UPDATE
    assert is_settled(plan_of(host, subnet()))
    sync(host)
    assert base_of(host).subnets[NET].reservations == theirs.reservations


def test_what_is_only_in_the_memory_of_the_server_is_written_again() -> None:
    host = farm()
    sync(host, *BOTH)
    by_hand_base.forget_subnet(host, HOST, NET)
    plan = sync(host, *BOTH)
    assert {field.path for change in plan.changes for field in change.fields} == {"is_persisted"}
    assert is_settled(plan_of(host, *BOTH))


def test_a_server_that_was_stopped_is_seen_to_serve_nothing() -> None:
    host = farm()
    sync(host, *BOTH)
    by_hand_base.set_service(host, HOST, KEA, running=False)
    changed = {field.path for change in plan_of(host, *BOTH).changes for field in change.fields}
    assert changed == {"is_served"}
    by_hand_base.set_service(host, HOST, KEA, running=True)
    assert is_settled(plan_of(host, *BOTH))


def test_reservations_of_another_environment_are_no_concern_of_ours() -> None:
    host = farm()
    theirs = {STRANGER: Reserved("10.0.0.99", "x", "staging")}
    sync(host, *BOTH)
    there = base_of(host).subnets[NET]
    both = replace(there, reservations={**there.reservations, **theirs})
    by_hand_base.put_subnet(host, HOST, NET, both)
    assert is_settled(plan_of(host, *BOTH))
    sync(host, subnet(), reserved(WEB))
    assert STRANGER in base_of(host).subnets[NET].reservations


def test_a_lease_of_nobodys_is_reported_and_nothing_is_done_about_it() -> None:
    host = farm()
    sync(host, *BOTH)
    by_hand_base.lease(host, HOST, NET, STRANGER, "10.0.0.100")
    by_hand_base.lease(host, HOST, NET, WEB.mac, WEB.address)
    plan = plan_of(host, *BOTH)
    assert plan.foreign == (Address("lease", STRANGER, HOST),)
    assert not plan.changes
    assert f"lease@{HOST}/{STRANGER}" in plan_text(plan, view=View.DRIFT)


def test_a_machine_that_takes_any_address_of_the_pool_is_known() -> None:
    host = farm()
    sync(host, subnet(), reserved(Reservation(STRANGER, "", "any")))
    by_hand_base.lease(host, HOST, NET, STRANGER, "10.0.0.100")
    assert not plan_of(host, subnet(), reserved(Reservation(STRANGER, "", "any"))).foreign


def test_a_lease_is_in_the_journal_with_its_host() -> None:
    host = farm()
    sync(host, *BOTH)
    by_hand_base.lease(host, HOST, NET, STRANGER, "10.0.0.100")
    world = look(host, BOTH)
    files = world_files(world, ())
    again = load_world(files)
    (seen,) = [each for each in again.observed if each.address.kind == "lease"]
    assert seen.spec == LeaseSpec(HOST, STRANGER, ("10.0.0.100",))


def test_nothing_can_be_done_to_a_lease() -> None:
    spec, owner = LeaseSpec(HOST, STRANGER, ("10.0.0.100",)), Owner("production", "x", "d")
    nothing = (
        LEASE.create(spec, owner),
        LEASE.update(spec, spec, (), owner),
        LEASE.delete(spec, owner),
        LEASE.mark(spec, owner),
        LEASE.release(Address("lease", "x", HOST), spec, frozenset(), owner),
    )
    assert not any(nothing)
    assert LEASE.diff(spec, replace(spec, addresses=())) == ()
    assert LEASE.scopes([spec], ()) == {Scope("base", HOST)}
    assert not LEASE.is_untidy(spec)
