"""What every machine promises about switches of Open vSwitch and the tunnels between them."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.errors import Conflict
from reconciler.ports.acts import InstallPackage
from reconciler.ports.network_acts import PutSwitch, PutTunnels, RemoveSwitch
from reconciler.ports.network_facts import Route, SwitchFact, TextFile, TunnelFact, TunnelPort
from tests.contract.machine_bench import MachineBench

NAME, PORT = "ct-switch", "ct-port"
FILE = TextFile(f"/etc/systemd/network/50-reconciler-{NAME}.network", f"[Match]\nName={NAME}\n")
LOST = Route("10.213.209.0/24", type="blackhole")
ROUTE = Route("10.213.208.0/24", "10.213.207.9")


def switch(**changes: Any) -> PutSwitch:
    return PutSwitch(NAME, "netdev", **changes)


def end(peer: str, remote: str, **changes: Any) -> TunnelPort:
    return TunnelPort(peer, f"gre77{remote.rpartition('.')[2]}", remote, "gre", **changes)


ENDS = (end("virt8", "10.213.206.8"), end("virt9", "10.213.206.9"))


@pytest.fixture
def switched(machine_bench: MachineBench) -> MachineBench:
    """A machine with a switch that has nothing yet."""
    machine_bench.do(InstallPackage("openvswitch-switch"), switch())
    return machine_bench


def seen_switch(bench: MachineBench, *details: str) -> SwitchFact:
    fact = bench.ask("switch", NAME, *details)
    assert isinstance(fact, SwitchFact)
    return fact


def tunnels(bench: MachineBench) -> TunnelFact:
    fact = bench.ask("tunnel", NAME)
    assert isinstance(fact, TunnelFact)
    return fact


def test_where_there_is_no_switch_nothing_is_told(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("switch", NAME) is None
    assert machine_bench.ask("tunnel", NAME) is None


def test_a_switch_is_seen_as_it_was_put(switched: MachineBench) -> None:
    switched.add_port(PORT)
    switched.do(
        switch(
            files=(FILE,),
            ports=(PORT,),
            mtu=1462,
            addresses=("10.213.207.3/24",),
            routes=(ROUTE, LOST),
        )
    )
    fact = seen_switch(switched, FILE.path, ROUTE.to, LOST.to)
    assert (fact.datapath, fact.ports, fact.mtu, fact.is_up) == ("netdev", (PORT,), 1462, True)
    assert (fact.addresses, fact.routes) == (("10.213.207.3/24",), (ROUTE, LOST))
    assert fact.files == (FILE,)


def test_a_switch_without_addresses_keeps_those_that_it_has(switched: MachineBench) -> None:
    switched.do(switch(addresses=("10.213.207.3/24",)), switch())
    assert seen_switch(switched).addresses == ("10.213.207.3/24",)
    switched.do(switch(addresses=()))
    assert seen_switch(switched).addresses == ()


def test_making_a_switch_again_changes_nothing(switched: MachineBench) -> None:
    act = switch(files=(FILE,), addresses=("10.213.207.3/24",), routes=(ROUTE,))
    switched.do(act, PutTunnels(NAME, ENDS))
    before = seen_switch(switched, FILE.path, ROUTE.to), tunnels(switched)
    switched.do(act, PutTunnels(NAME, ENDS))
    assert (seen_switch(switched, FILE.path, ROUTE.to), tunnels(switched)) == before


def test_a_port_of_a_switch_that_is_wanted_no_more_is_taken_out(switched: MachineBench) -> None:
    switched.add_port(PORT)
    switched.do(switch(ports=(PORT,)))
    assert seen_switch(switched).ports == (PORT,)
    switched.do(switch())
    assert seen_switch(switched, PORT).ports == ()


def test_a_port_that_is_not_there_is_refused_by_a_switch_with_its_name(
    switched: MachineBench,
) -> None:
    with pytest.raises(Conflict, match="ct-nothing is not there"):
        switched.do(switch(ports=("ct-nothing",), addresses=("10.213.207.3/24",)))
    assert seen_switch(switched).addresses == ()


def test_tunnels_are_seen_as_they_were_put(switched: MachineBench) -> None:
    keyed = end("virt9", "10.213.206.9", tunnel_key=7)
    switched.do(PutTunnels(NAME, (ENDS[0], keyed)))
    assert tunnels(switched) == TunnelFact((ENDS[0], keyed))


def test_tunnels_are_no_ports_of_the_switch(switched: MachineBench) -> None:
    switched.do(PutTunnels(NAME, ENDS))
    assert seen_switch(switched, ENDS[0].name).ports == ()


def test_just_the_tunnels_that_are_named_are_there(switched: MachineBench) -> None:
    switched.do(PutTunnels(NAME, ENDS[:1]), PutTunnels(NAME, ENDS[1:]))
    assert tunnels(switched).ports == ENDS[1:]
    switched.do(PutTunnels(NAME, ()))
    assert switched.ask("tunnel", NAME) is None


def test_tunnels_of_what_is_no_switch_are_refused(switched: MachineBench) -> None:
    with pytest.raises(Conflict, match="no switch ct-nothing"):
        switched.do(PutTunnels("ct-nothing", ENDS))
    switched.do(PutTunnels("ct-nothing", ()))


def test_a_tunnel_that_would_run_in_itself_is_refused(switched: MachineBench) -> None:
    """Open vSwitch would be busy with nothing else."""
    switched.do(switch(addresses=("10.213.207.3/24",)))
    with pytest.raises(Conflict, match="reached through ct-switch itself"):
        switched.do(PutTunnels(NAME, (end("virt9", "10.213.207.9"),)))
    assert switched.ask("tunnel", NAME) is None


def test_a_tunnel_that_nobody_would_encrypt_is_refused(switched: MachineBench) -> None:
    """Open vSwitch would send it in clear."""
    files = ("/etc/a.pem", "/etc/a.key", "/etc/ca.pem", "1/1")
    encrypted = end("virt9", "10.213.206.9", remote_name="virt9")
    with pytest.raises(Conflict, match="openvswitch-ipsec does not run"):
        switched.do(PutTunnels(NAME, (encrypted,), files))
    assert switched.ask("tunnel", NAME) is None


def test_a_switch_goes_with_its_tunnels_and_files(switched: MachineBench) -> None:
    switched.add_port(PORT)
    switched.do(switch(files=(FILE,), ports=(PORT,), routes=(LOST,)), PutTunnels(NAME, ENDS))
    switched.do(RemoveSwitch(NAME, (FILE.path,), (LOST,)))
    assert switched.ask("switch", NAME, FILE.path, LOST.to) is None
    assert switched.ask("tunnel", NAME) is None
    assert switched.ask("file", FILE.path) is None
    switched.do(switch(ports=(PORT,)))  # the port is free for another


def test_a_switch_that_was_there_before_stays(switched: MachineBench) -> None:
    switched.do(switch(files=(FILE,), addresses=("10.213.207.3/24",), routes=(ROUTE,)))
    switched.do(RemoveSwitch(NAME, (FILE.path,), (ROUTE,), keeps=True))
    fact = seen_switch(switched, FILE.path, ROUTE.to)
    assert (fact.addresses, fact.routes, fact.files) == (("10.213.207.3/24",), (), ())


def test_to_remove_a_switch_that_is_not_there_is_no_error(switched: MachineBench) -> None:
    switched.do(RemoveSwitch(NAME), RemoveSwitch(NAME), RemoveSwitch(NAME, keeps=True))
    assert switched.ask("switch", NAME) is None
