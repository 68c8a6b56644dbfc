"""Bridges, VLANs and bonds: made, adopted, found as they are, healed, and given up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base as by_hand
from reconciler.drivers.simulated.base.state import Link
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict
from reconciler.kinds.network.link import BOND, BRIDGE, VLAN, LinkSpec, asked_of
from reconciler.kinds.network.switch import SWITCH, SwitchSpec
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption
from reconciler.model.resource import Owner
from reconciler.ports.network_acts import PutInterface, RemoveInterface
from reconciler.ports.network_facts import Route, TextFile
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

OWNER = Owner("production", "br-lan", "d")
FILE = TextFile("/etc/systemd/network/50-reconciler-br-lan.network", "[Match]\nName=br-lan\n")
OLD = TextFile("/etc/netplan/92-reconciler-br-lan.yaml", "network: {}\n")
ROUTE, HOLE = Route("10.8.0.0/16", "10.0.0.9"), Route("10.9.0.0/16", type="blackhole")
ADDRESS = "10.0.0.1/24"
SPEC = LinkSpec(
    HOST,
    "br-lan",
    "bridge",
    ("eth1",),
    mtu=1400,
    addresses=(ADDRESS,),
    routes=(ROUTE, HOLE),
    files=(FILE,),
)
BARE = LinkSpec(HOST, "br-lan", "bridge", files=(FILE,))
BOND0 = LinkSpec(HOST, "bond0", "bond", ("eth1", "eth2"), mode="802.3ad", mtu=9000)
TAGGED = LinkSpec(
    HOST, "bond0.20", "vlan", parent="bond0", vlan=20, after=(Address("bond", "bond0", HOST),)
)
THERE = Link("bridge", addresses=(ADDRESS,))


def bridge(spec: LinkSpec = SPEC) -> Any:
    return wanted("bridge", spec)


def made(spec: LinkSpec = SPEC) -> SimulatedFarm:
    """A host with the bridge."""
    farm = base_farm()
    sync(farm, bridge(spec))
    assert is_settled(plan_of(farm, bridge(spec)))
    return farm


def fields(farm: SimulatedFarm, spec: LinkSpec = SPEC) -> set[str]:
    """What is found to differ."""
    change = only_change(plan_of(farm, bridge(spec)))
    assert change.action is Action.UPDATE
    return {each.path for each in change.fields}


def test_a_bridge_is_made_and_taken_away_again() -> None:
    farm = made()
    base = base_of(farm)
    assert base.links["br-lan"] == Link("bridge", mtu=1400, addresses=(ADDRESS,), routes=(ROUTE,))
    assert (base.links["eth1"].master, base.blackholes) == ("br-lan", (HOLE.to,))
    sync(farm)
    base = base_of(farm)
    assert "br-lan" not in base.links
    assert (base.links["eth1"].master, base.blackholes) == (None, ())
    assert FILE.path not in base.files
    assert is_settled(plan_of(farm))


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"mtu": 1500}, {"mtu"}),
        ({"addresses": ("10.0.0.7/24",)}, {"addresses"}),
        ({"is_up": False}, {"is_up"}),
        ({"routes": ()}, {f"routes.{ROUTE.to}"}),
        ({"routes": (replace(ROUTE, via="10.0.0.8"),)}, {f"routes.{ROUTE.to}.via"}),
    ],
)
def test_what_is_changed_by_hand_is_found_by_its_name(
    change: dict[str, Any], differs: set[str]
) -> None:
    farm = made()
    by_hand.set_link(farm, HOST, "br-lan", **change)
    assert fields(farm) == differs
    sync(farm, bridge())
    assert is_settled(plan_of(farm, bridge()))


def test_a_port_that_was_plugged_out_or_in_by_hand_is_found() -> None:
    farm = made()
    by_hand.set_link(farm, HOST, "eth1", master=None)
    by_hand.set_link(farm, HOST, "eth3", master="br-lan")
    assert fields(farm) == {"ports"}
    sync(farm, bridge())
    links = base_of(farm).links
    assert (links["eth1"].master, links["eth3"].master) == ("br-lan", None)


def test_what_guests_plug_in_is_theirs() -> None:
    farm = made()
    by_hand.set_link(farm, HOST, "vnet0", type="tun", master="br-lan")
    assert is_settled(plan_of(farm, bridge()))


def test_a_file_that_was_changed_or_removed_is_written_again() -> None:
    farm = made()
    by_hand.edit_file(farm, HOST, FILE.path, "nothing\n")
    assert fields(farm) == {f"files.{FILE.path}.content"}
    by_hand.remove_file(farm, HOST, FILE.path)
    assert fields(farm) == {f"files.{FILE.path}"}
    sync(farm, bridge())
    assert base_of(farm).files[FILE.path].content == FILE.content


def test_a_bridge_that_was_removed_by_hand_is_made_again() -> None:
    farm = made()
    by_hand.remove_link(farm, HOST, "br-lan")
    assert "type" in fields(farm)
    sync(farm, bridge())
    assert is_settled(plan_of(farm, bridge()))
    by_hand.remove_link(farm, HOST, "br-lan")
    sync(farm)
    assert (base_of(farm).files, base_of(farm).blackholes) == ({}, ())


def test_what_the_document_says_no_more_goes_by_its_name() -> None:
    farm = made()
    change = only_change(plan_of(farm, bridge(BARE)))
    assert {each.path for each in change.fields} == {
        "ports",
        f"routes.{ROUTE.to}",
        f"routes.{HOLE.to}",
    }
    sync(farm, bridge(BARE))
    base = base_of(farm)
    assert (base.links["eth1"].master, base.blackholes) == (None, ())
    assert base.links["br-lan"].addresses == (ADDRESS,)  # which is not managed any more


def test_the_files_of_another_tool_go_when_the_tool_is_another() -> None:
    farm = made(replace(SPEC, files=(OLD,)))
    sync(farm, bridge())
    files = base_of(farm).files
    assert (OLD.path in files, FILE.path in files) == (False, True)


def test_what_was_there_before_us_stays_and_loses_what_we_added() -> None:
    farm = base_farm(links={"br-lan": THERE, "eth1": Link()})
    sync(farm, bridge())
    assert is_settled(plan_of(farm, bridge()))
    sync(farm)
    base = base_of(farm)
    assert base.links["br-lan"] == replace(THERE, mtu=1400)
    assert (base.files, base.blackholes, base.marks) == ({}, (), {})


def test_a_bridge_whose_port_has_a_file_already_is_made_by_us_and_goes_again() -> None:
    port = TextFile("/etc/systemd/network/50-reconciler-eth1.network", "[Match]\nName=eth1\n")
    farm = made(replace(SPEC, files=(FILE, port)))
    renamed = replace(SPEC, name="br-new", files=(port,))
    assert {each.action for each in plan_of(farm, bridge(renamed)).changes} == {
        Action.CREATE,
        Action.DELETE,
    }
    sync(farm, bridge(renamed))
    sync(farm)
    assert not {"br-lan", "br-new"} & base_of(farm).links.keys()
    assert port.path not in base_of(farm).files


def test_a_bridge_with_a_guest_in_it_is_not_removed() -> None:
    farm = made()
    by_hand.set_link(farm, HOST, "vnet0", type="tun", master="br-lan")
    with pytest.raises(Conflict, match="vnet0"):
        farm.machine(HOST).do([RemoveInterface("br-lan", "bridge", (FILE.path,))])
    assert "br-lan" in base_of(farm).links


def test_a_bond_comes_before_its_vlan_and_goes_after_it() -> None:
    farm = base_farm()
    both = (wanted("vlan", TAGGED), wanted("bond", BOND0))
    assert [each.address.kind for each in plan_of(farm, *both).changes] == ["bond", "vlan"]
    sync(farm, *both)
    assert is_settled(plan_of(farm, *both))
    links = base_of(farm).links
    assert (links["bond0"].mode, links["bond0.20"].vlan) == ("802.3ad", 20)
    sync(farm)
    assert set(base_of(farm).links) == {f"eth{number}" for number in range(4)}


@pytest.mark.parametrize(
    ("kind", "wish", "seen", "cost"),
    [
        (VLAN, TAGGED, replace(TAGGED, vlan=21), Disruption.RESTART),
        (VLAN, TAGGED, replace(TAGGED, parent="eth0"), Disruption.RESTART),
        (BOND, BOND0, replace(BOND0, mode="balance-rr"), Disruption.RESTART),
        (BOND, BOND0, replace(BOND0, mtu=1500), Disruption.LIVE),
        (BRIDGE, SPEC, BARE, Disruption.LIVE),
        (BRIDGE, SPEC, replace(SPEC, type=""), Disruption.LIVE),
        (BRIDGE, SPEC, None, Disruption.LIVE),
    ],
)
def test_only_what_is_made_anew_is_an_interruption(
    kind: Any, wish: LinkSpec, seen: LinkSpec | None, cost: Disruption
) -> None:
    assert kind.cost(wish, seen) is cost


def test_every_change_has_its_way_back_with_all_its_files() -> None:
    before = replace(SPEC, files=(OLD,))
    changes = BRIDGE.diff(SPEC, before)
    (create,), (update,) = BRIDGE.create(SPEC, OWNER), BRIDGE.update(SPEC, before, changes, OWNER)
    (delete,) = BRIDGE.delete(replace(SPEC, is_made=True), OWNER)
    for operation, paths in ((create, {FILE}), (update, {FILE, OLD}), (delete, {FILE})):
        safety = operation.safety  # type: ignore[attr-defined]
        assert safety.network
        assert set(safety.files) == {file.path for file in paths}
        assert [str(address) for address, _ in safety.concerns] == [f"bridge@{HOST}/br-lan"]


def test_the_acts_say_what_is_to_go() -> None:
    seen = replace(SPEC, files=(OLD,), ports=("eth2",), routes=(ROUTE,))
    (act, *_) = BRIDGE.make(BARE, seen, frozenset())
    assert isinstance(act, PutInterface)
    assert (act.former_files, act.former_ports) == ((OLD.path,), ("eth2",))
    assert (act.former_routes, act.addresses, act.mtu) == ((ROUTE,), None, None)
    assert BRIDGE.drop(replace(SPEC, is_made=True)) == (
        RemoveInterface("br-lan", "bridge", (FILE.path,), (ROUTE, HOLE)),
    )
    assert BRIDGE.drop(replace(BARE, files=())) == ()
    assert BRIDGE.drop(LinkSpec(HOST, "br-lan", "", is_up=False, is_made=True)) == ()


def test_a_question_names_all_that_is_told_by_name() -> None:
    (question,) = BRIDGE.questions(SPEC)
    assert question.details == (FILE.path, "eth1", ROUTE.to, HOLE.to)
    assert asked_of((), (), ()) == ()


def test_a_bridge_a_vlan_a_bond_and_a_switch_cannot_have_one_name() -> None:
    claims = {
        claim
        for kind, spec in ((BRIDGE, SPEC), (VLAN, SPEC), (BOND, SPEC))
        for claim in kind.claims(spec)
    }
    assert claims == SWITCH.claims(SwitchSpec(HOST, "br-lan"))
    assert len(claims) == 1
