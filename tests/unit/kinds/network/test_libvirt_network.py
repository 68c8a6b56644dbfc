"""Networks of libvirt's own and what is reserved there: seen, made, changed and taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand, by_hand_base, by_hand_networks
from reconciler.drivers.simulated.base.state import Link
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import Host
from reconciler.errors import Conflict
from reconciler.kinds.network.libvirt_network import LIBVIRT_NETWORK, LibvirtNetworkSpec
from reconciler.kinds.network.libvirt_reservations import LibvirtReservationsSpec
from reconciler.kinds.network.link import BRIDGE, LinkSpec
from reconciler.ports.hypervisor import DomainDefinition, Interface
from reconciler.ports.network_facts import Reservation
from tests.farms.bases import (
    HOST,
    base_farm,
    base_of,
    is_settled,
    only_change,
    plan_of,
    sync,
    wanted,
)

UUID = "543540aa-56bb-516e-b822-949a8ea3cd7c"
NAT = LibvirtNetworkSpec(
    HOST,
    "nat0",
    address="10.9.0.1/24",
    ranges=("10.9.0.100-10.9.0.199",),
    lease_seconds=3600,
    domain="farm.internal",
    uuid=UUID,
)
WEB = Reservation("52:54:00:00:00:01", "10.9.0.9", "production-web")
DB = Reservation("52:54:00:00:00:02", "10.9.0.10", "production-db")
THEIRS = Reservation("52:54:00:00:00:03", "10.9.0.11", "staging-web")
KEPT = LibvirtReservationsSpec(HOST, "nat0", "production", (DB, WEB))
WANT, WANT_KEPT = wanted("libvirt_network", NAT), wanted("libvirt_reservations", KEPT)


def made_farm() -> SimulatedFarm:
    farm = base_farm()
    sync(farm, WANT)
    return farm


def host_of(farm: SimulatedFarm) -> Host:
    return farm.state.hosts[HOST]


def want(**fields: Any) -> Any:
    return replace(WANT, spec=replace(NAT, **fields))


def plug_in(farm: SimulatedFarm, *, switch: Any = "libvirt") -> None:
    """A machine of nobody's that is plugged into the network."""
    plug = Interface("52:54:00:00:00:01", "nat0", switch)
    definition = DomainDefinition("m", UUID, "kvm", 1, 1024**2, interfaces=(plug,))
    by_hand.add_domain(farm, HOST, definition, running=True)


def in_words(farm: SimulatedFarm, *desired: Any) -> list[str]:
    return [str(step) for change in plan_of(farm, *desired).changes for step in change.operations]


def test_a_network_is_made_and_then_as_wanted() -> None:
    farm = made_farm()
    made = host_of(farm).networks["nat0"]
    assert (made.definition.address, made.definition.bridge) == ("10.9.0.1/24", "nat0")
    assert is_settled(plan_of(farm, WANT))


def test_a_network_that_is_there_is_adopted_and_outlives_us() -> None:
    farm = made_farm()
    by_hand_base.strip_marks(farm, HOST)
    sync(farm, WANT)
    assert is_settled(plan_of(farm, WANT))
    sync(farm)
    assert "nat0" in host_of(farm).networks
    assert not base_of(farm).marks


def test_a_network_that_was_there_outlives_us_even_if_we_changed_it() -> None:
    farm = made_farm()
    by_hand_base.strip_marks(farm, HOST)
    sync(farm, want(mtu=1400))
    assert host_of(farm).networks["nat0"].definition.mtu == 1400
    sync(farm)
    assert "nat0" in host_of(farm).networks


def test_a_network_that_we_made_goes_with_its_document() -> None:
    farm = made_farm()
    sync(farm)
    assert (host_of(farm).networks, base_of(farm).marks) == ({}, {})


def test_a_network_that_somebody_is_plugged_into_does_not_go() -> None:
    farm = made_farm()
    plug_in(farm)
    with pytest.raises(Conflict, match="1 interfaces of machines are plugged into network nat0"):
        sync(farm)


@pytest.mark.parametrize(
    "change",
    [
        {"forward": "none"},
        {"address": "10.9.0.2/24"},
        {"ranges": ()},
        {"lease_seconds": 7200},
        {"router": "10.9.0.254"},
        {"nameservers": ("10.9.0.53",)},
        {"domain": "example.com"},
        {"mtu": 1400},
        {"boot_file": "a"},
        {"boot_server": "10.9.0.3"},
    ],
    ids=str,
)
def test_every_field_is_set_right(change: dict[str, Any]) -> None:
    farm = made_farm()
    assert sync(farm, want(**change)).changes
    assert is_settled(plan_of(farm, want(**change)))


def test_what_somebody_changed_or_stopped_is_set_right() -> None:
    farm = made_farm()
    by_hand_networks.edit_network(farm, HOST, "nat0", ranges=("10.9.0.5-10.9.0.6",))
    by_hand_networks.stop_network(farm, HOST, "nat0")
    paths = {field.path for field in only_change(plan_of(farm, WANT)).fields}
    assert paths == {"ranges", "running"}
    sync(farm, WANT)
    assert is_settled(plan_of(farm, WANT))


def test_a_network_that_somebody_removed_is_made_again_and_is_still_ours() -> None:
    farm = made_farm()
    by_hand_networks.remove_network(farm, HOST, "nat0")
    sync(farm, WANT)
    assert is_settled(plan_of(farm, WANT))
    sync(farm)
    assert not host_of(farm).networks


def test_what_needs_a_stop_waits_while_somebody_is_plugged_in() -> None:
    farm = made_farm()
    plug_in(farm)
    told = in_words(farm, want(mtu=1400))
    assert told[0] == "define network nat0 on virt1, in force when nobody is plugged in"
    sync(farm, want(mtu=1400))
    assert host_of(farm).networks["nat0"].runs_on is not None
    assert not plan_of(farm, want(mtu=1400)).changes
    by_hand.remove_domain(farm, HOST, "m")
    change = only_change(plan_of(farm, want(mtu=1400)))
    assert [field.path for field in change.fields] == ["is_current"]
    sync(farm, want(mtu=1400))
    assert host_of(farm).networks["nat0"].runs_on is None
    assert is_settled(plan_of(farm, want(mtu=1400)))


def test_ranges_are_changed_while_somebody_is_plugged_in() -> None:
    farm = made_farm()
    plug_in(farm)
    other = want(ranges=("10.9.0.50-10.9.0.60",))
    assert in_words(farm, other)[0] == "define network nat0 on virt1"
    sync(farm, other)
    assert host_of(farm).networks["nat0"].runs_on is None


def test_the_networks_of_a_libvirt_that_does_not_answer_are_unknown() -> None:
    farm = made_farm()
    farm.add_fault(Fault(HOST, "networks"))
    farm.add_fault(Fault(HOST, "domains"))
    plan = plan_of(farm, WANT)
    assert [each.address for each in plan.unknown] == [WANT.address]
    assert not plan.changes


def test_a_crash_before_the_mark_leaves_what_is_known_to_be_ours() -> None:
    farm = base_farm()
    change = only_change(plan_of(farm, WANT))
    for step in change.operations[:-1]:
        step.run(farm)
    sync(farm, WANT)
    sync(farm)
    assert not host_of(farm).networks


def test_a_bridge_of_that_name_is_in_the_way() -> None:
    farm = base_farm(links={"nat0": Link("bridge")})
    with pytest.raises(Conflict, match="there is a bridge nat0 already"):
        sync(farm, WANT)


def test_reservations_come_after_their_network_and_go_before_it() -> None:
    farm = base_farm()
    made = sync(farm, WANT_KEPT, WANT)
    assert [each.address for each in made.changes] == [WANT.address, WANT_KEPT.address]
    assert is_settled(plan_of(farm, WANT_KEPT, WANT))
    gone = sync(farm)
    assert [each.address for each in gone.changes] == [WANT_KEPT.address, WANT.address]


def test_reservations_name_the_machine_that_differs() -> None:
    farm = made_farm()
    sync(farm, WANT, WANT_KEPT)
    more = replace(WANT_KEPT, spec=replace(KEPT, entries=(DB, replace(WEB, address="10.9.0.12"))))
    change = only_change(plan_of(farm, WANT, more))
    assert [field.path for field in change.fields] == ["entries.production-web.address"]


def test_only_what_the_environment_reserved_is_taken_back() -> None:
    farm = made_farm()
    farm.hypervisor(HOST).reserve("nat0", "staging", (THEIRS,))
    sync(farm, WANT, WANT_KEPT)
    assert is_settled(plan_of(farm, WANT, WANT_KEPT))
    sync(farm, WANT)
    assert host_of(farm).networks["nat0"].reservations == (THEIRS,)


def test_what_somebody_took_out_is_reserved_again() -> None:
    farm = made_farm()
    sync(farm, WANT, WANT_KEPT)
    farm.hypervisor(HOST).reserve("nat0", "production", (WEB,))
    sync(farm, WANT, WANT_KEPT)
    assert host_of(farm).networks["nat0"].reservations == (WEB, DB)


def test_reservations_of_a_network_that_is_gone_go_quietly() -> None:
    farm = made_farm()
    sync(farm, WANT, WANT_KEPT)
    by_hand_networks.remove_network(farm, HOST, "nat0")
    sync(farm)
    assert not base_of(farm).marks


def test_its_bridge_is_claimed_among_the_interfaces_of_the_host() -> None:
    bridge = LinkSpec(HOST, "nat0", "bridge")
    assert LIBVIRT_NETWORK.claims(NAT) & BRIDGE.claims(bridge)
