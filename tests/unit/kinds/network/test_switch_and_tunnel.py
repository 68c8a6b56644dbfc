"""Switches and tunnels: made, found as they are, healed, and taken away or left to themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base as by_hand
from reconciler.drivers.simulated.base.state import File, Link, OpenSwitch, Package, Service
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict
from reconciler.kinds.network.switch import SWITCH, SwitchSpec
from reconciler.kinds.network.tunnel import TUNNEL, TunnelSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.resource import Owner
from reconciler.ports.network_acts import PutSwitch, RemoveSwitch
from reconciler.ports.network_facts import Route, TextFile, TunnelPort
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

OWNER = Owner("production", "br-mesh", "d")
FILE = TextFile("/etc/systemd/network/50-reconciler-br-mesh.network", "[Match]\nName=br-mesh\n")
ROUTE = Route("10.8.0.0/16", "10.9.0.9")
SPEC = SwitchSpec(
    HOST, "br-mesh", "netdev", ("eth1",), 1462, ("10.9.0.1/24",), (ROUTE,), files=(FILE,)
)
ENDS = (
    TunnelPort("virt2", "gre2", "192.168.1.2", "gre"),
    TunnelPort("virt3", "gre3", "192.168.1.3", "gre"),
)
MESH = TunnelSpec(HOST, "br-mesh", ENDS, after=(Address("switch", "br-mesh", HOST),))
BRIDGE, TUNNELS = wanted("switch", SPEC), wanted("tunnel", MESH)
PACKAGES = {"openvswitch-switch": Package()}
SERVICES = {"openvswitch-switch": Service()}


def farm(**fields: Any) -> SimulatedFarm:
    return base_farm(packages=PACKAGES, services=SERVICES, **fields)


def connected() -> SimulatedFarm:
    """A host with the switch and its tunnels."""
    there = farm()
    sync(there, BRIDGE, TUNNELS)
    assert is_settled(plan_of(there, BRIDGE, TUNNELS))
    return there


def test_the_switch_comes_before_its_tunnels_and_goes_after_them() -> None:
    there = farm()
    assert [str(each.address.kind) for each in plan_of(there, TUNNELS, BRIDGE).changes] == [
        "switch",
        "tunnel",
    ]
    there = connected()
    plan = plan_of(there)
    assert [str(each.address.kind) for each in plan.changes] == ["tunnel", "switch"]
    sync(there)
    assert not base_of(there).switches
    assert base_of(there).links["eth1"].master is None
    assert FILE.path not in base_of(there).files


def test_an_end_that_is_cut_by_hand_is_drift_and_made_again() -> None:
    there = connected()
    by_hand.cut_tunnel(there, HOST, "br-mesh", "virt3")
    (field,) = only_change(plan_of(there, BRIDGE, TUNNELS)).fields
    assert (field.path, field.before) == ("ports.virt3", None)
    sync(there, BRIDGE, TUNNELS)
    assert is_settled(plan_of(there, BRIDGE, TUNNELS))


def test_an_end_that_leads_elsewhere_is_drift_with_the_name_of_the_peer() -> None:
    there = connected()
    by_hand.change_tunnel(there, HOST, "br-mesh", "virt2", "10.6.6.6")
    assert only_change(plan_of(there, BRIDGE, TUNNELS)).fields == (
        FieldChange("ports.virt2.remote", "10.6.6.6", "192.168.1.2"),
    )


def test_a_key_that_is_wanted_no_more_is_a_difference() -> None:
    keyed = replace(MESH, ports=(replace(ENDS[0], tunnel_key=7), ENDS[1]))
    assert TUNNEL.diff(MESH, keyed) == (FieldChange("ports.virt2.tunnel_key", 7, 0),)


def test_a_switch_that_was_there_before_us_stays() -> None:
    there = farm(
        switches={"br-mesh": OpenSwitch("netdev")},
        links={"br-mesh": Link("switch", addresses=("10.9.0.1/24",)), "eth1": Link()},
    )
    sync(there, BRIDGE)
    assert is_settled(plan_of(there, BRIDGE))
    sync(there)
    assert "br-mesh" in base_of(there).switches
    assert base_of(there).links["br-mesh"].routes == ()
    assert FILE.path not in base_of(there).files
    assert not base_of(there).marks


def test_what_an_update_leaves_behind_is_named() -> None:
    other = replace(SPEC, files=(), routes=())
    (act,) = SWITCH.make(other, SPEC, frozenset({"files", "routes"}))
    assert isinstance(act, PutSwitch)
    assert (act.former_files, act.former_routes) == ((FILE.path,), (ROUTE,))
    (act,) = SWITCH.make(SPEC, SPEC, frozenset())
    assert isinstance(act, PutSwitch)
    assert (act.former_files, act.former_routes) == ((), ())


def test_without_open_vswitch_it_is_seen_as_gone() -> None:
    there = connected()
    by_hand.set_service(there, HOST, "openvswitch-switch", running=False)
    plan = plan_of(there, BRIDGE, TUNNELS)
    assert {str(each.address) for each in plan.changes} == {
        "switch@virt1/br-mesh",
        "tunnel@virt1/br-mesh",
    }
    by_hand.set_service(there, HOST, "openvswitch-switch", running=True)
    assert is_settled(plan_of(there, BRIDGE, TUNNELS))


def test_another_datapath_cuts_off_for_a_moment_all_else_nobody() -> None:
    assert SWITCH.cost(SPEC, replace(SPEC, datapath="system")) is Disruption.RESTART
    assert SWITCH.cost(SPEC, replace(SPEC, ports=())) is Disruption.LIVE
    assert SWITCH.cost(SPEC, replace(SPEC, datapath="")) is Disruption.LIVE
    assert SWITCH.drop_cost is Disruption.RESTART


def test_what_is_gone_already_is_only_forgotten() -> None:
    gone = SwitchSpec(HOST, "br-mesh", "", is_up=False, is_made=True)
    assert SWITCH.drop(gone) == ()
    assert SWITCH.drop(replace(SPEC, is_made=True)) == (
        RemoveSwitch("br-mesh", (FILE.path,), (ROUTE,)),
    )
    assert TUNNEL.drop(replace(MESH, ports=())) == ()


def test_every_change_finds_its_way_back() -> None:
    for kind, desired in ((SWITCH, BRIDGE), (TUNNEL, TUNNELS)):
        safety = kind.safety(desired.spec, OWNER)
        assert safety is not None
        assert safety.network
        assert safety.concerns == ((Address(kind.name, "br-mesh", HOST), "d"),)
    assert SWITCH.safety(SPEC, OWNER).files == (FILE.path,)  # type: ignore[union-attr]


def test_a_switch_takes_the_name_of_an_interface() -> None:
    assert SWITCH.claims(SPEC) == frozenset({"interface br-mesh of host virt1"})


def test_a_switch_does_not_take_the_name_of_a_bridge_that_is_there() -> None:
    there = farm(links={"br-mesh": Link("bridge"), "eth1": Link()})
    with pytest.raises(Conflict, match="is no switch"):
        sync(there, BRIDGE)
    assert not base_of(there).switches


def test_what_only_has_a_file_left_is_a_new_switch() -> None:
    there = farm(files={FILE.path: File(content=FILE.content)})
    sync(there, BRIDGE)
    sync(there)
    assert not base_of(there).switches
