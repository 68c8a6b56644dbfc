"""What every machine promises about bridges: made of parts, set right, seen, and taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.acts import PutMark
from reconciler.ports.facts import Mark, Question
from reconciler.ports.network_acts import PutInterface, RemoveInterface
from reconciler.ports.network_facts import LinkFact, Route, TextFile
from tests.contract.machine_bench import MachineBench

BRIDGE, OTHER, PORT = "ctr-br", "ctr-other", "ctr-port"
PATH = "/etc/systemd/network/50-reconciler-ctr-br.network"
PART = "/etc/systemd/network/50-reconciler-ctr-port.network"
DROP_IN = f"{PART}.d/ctr-br.conf"
FILE = TextFile(PATH, "[Match]\nName=ctr-br\n")
PORT_FILES = (TextFile(PART, "[Match]\n"), TextFile(DROP_IN, "[Network]\nBridge=ctr-br\n"))
ADDRESS, SECOND = "10.213.9.1/24", "10.213.9.2/24"
ROUTE = Route("10.213.10.0/24", "10.213.9.254")
HOLE = Route("10.213.11.0/24", type="blackhole")
PLAIN = PutInterface(BRIDGE, "bridge", (FILE,))
GONE = RemoveInterface(BRIDGE, "bridge", (PATH,))


def seen(bench: MachineBench, *details: str, name: str = BRIDGE) -> LinkFact:
    fact = bench.ask("bridge", name, *details)
    assert isinstance(fact, LinkFact)
    return fact


def test_a_bridge_comes_and_goes(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("bridge", BRIDGE, PATH) is None
    machine_bench.do(PLAIN, PLAIN)
    made = seen(machine_bench, PATH)
    assert (made.type, made.ports, made.is_up, made.files) == ("bridge", (), True, (FILE,))
    assert (made.addresses, made.routes) == ((), ())
    machine_bench.do(GONE, GONE)
    assert machine_bench.ask("bridge", BRIDGE, PATH) is None


def test_only_those_files_are_told_of_that_are_asked_for(machine_bench: MachineBench) -> None:
    machine_bench.do(PLAIN)
    assert seen(machine_bench).files == ()
    machine_bench.do(GONE)


def test_a_bridge_has_what_it_was_given_and_nothing_else(machine_bench: MachineBench) -> None:
    full = PutInterface(
        BRIDGE, "bridge", (FILE,), mtu=1400, addresses=(ADDRESS,), routes=(ROUTE, HOLE)
    )
    machine_bench.do(full, full)
    asked = (PATH, ROUTE.to, HOLE.to)
    made = seen(machine_bench, *asked)
    assert (made.mtu, made.addresses, made.routes) == (1400, (ADDRESS,), (ROUTE, HOLE))
    bare = PutInterface(BRIDGE, "bridge", (FILE,), addresses=(SECOND,), former_routes=(ROUTE, HOLE))
    machine_bench.do(bare, bare)
    made = seen(machine_bench, *asked)
    assert (made.mtu, made.addresses, made.routes) == (1400, (SECOND,), ())
    machine_bench.do(GONE)


def test_what_is_not_managed_stays(machine_bench: MachineBench) -> None:
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), mtu=1400, addresses=(ADDRESS,)))
    machine_bench.do(PLAIN)
    made = seen(machine_bench)
    assert (made.mtu, made.addresses) == (1400, (ADDRESS,))
    machine_bench.do(GONE)


def test_of_two_addresses_of_a_network_the_right_one_stays(machine_bench: MachineBench) -> None:
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), addresses=(ADDRESS, SECOND)))
    assert seen(machine_bench).addresses == (ADDRESS, SECOND)
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), addresses=(SECOND,)))
    assert seen(machine_bench).addresses == (SECOND,)
    machine_bench.do(GONE)


def test_our_own_routes_are_seen_unasked(machine_bench: MachineBench) -> None:
    routed = PutInterface(BRIDGE, "bridge", (FILE,), addresses=(ADDRESS,), routes=(ROUTE,))
    machine_bench.do(routed)
    assert seen(machine_bench).routes == (ROUTE,)
    machine_bench.do(GONE)


def test_a_route_leads_elsewhere_without_being_gone(machine_bench: MachineBench) -> None:
    other, hole = Route(ROUTE.to, "10.213.9.253"), Route(ROUTE.to, type="blackhole")
    steps: tuple[tuple[tuple[Route, ...], tuple[Route, ...]], ...] = (
        ((ROUTE,), ()),
        ((other,), (ROUTE,)),
        ((hole,), (other,)),
    )
    for routes, former in steps:
        act = replace(PLAIN, addresses=(ADDRESS,), routes=routes, former_routes=former)
        machine_bench.do(act)
        assert seen(machine_bench, ROUTE.to).routes == routes
    machine_bench.do(RemoveInterface(BRIDGE, "bridge", (PATH,), (hole,)))


def test_a_port_is_plugged_in_and_out(machine_bench: MachineBench) -> None:
    machine_bench.add_port(PORT)
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE, *PORT_FILES), (PORT,)))
    made = seen(machine_bench, PATH, PART, DROP_IN)
    assert (made.ports, made.files) == ((PORT,), (FILE, *PORT_FILES))
    out = PutInterface(
        BRIDGE, "bridge", (FILE,), former_files=(PART, DROP_IN), former_ports=(PORT,)
    )
    machine_bench.do(out, out)
    made = seen(machine_bench, PATH, PART, DROP_IN)
    assert (made.ports, made.files) == ((), (FILE,))
    machine_bench.do(GONE)


def test_ports_outlive_their_bridge(machine_bench: MachineBench) -> None:
    machine_bench.add_port(PORT)
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), (PORT,)), GONE)
    port = seen(machine_bench, name=PORT)
    assert (port.type == "bridge", port.is_up) == (False, True)


def test_a_port_of_a_foreign_bridge_is_not_stolen(machine_bench: MachineBench) -> None:
    machine_bench.add_port(PORT)
    machine_bench.do(PutInterface(OTHER, "bridge", (), (PORT,)))
    with pytest.raises(Conflict, match=f"{PORT} is plugged into {OTHER}, which is not ours"):
        machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), (PORT,)))
    assert machine_bench.ask("bridge", BRIDGE, PATH) is None
    assert seen(machine_bench, name=OTHER).ports == (PORT,)


def test_a_port_moves_between_bridges_of_ours(machine_bench: MachineBench) -> None:
    machine_bench.add_port(PORT)
    machine_bench.do(PutInterface(OTHER, "bridge", (), (PORT,)))
    owner = Owner("production", OTHER, "0123456789abcdef")
    machine_bench.do(PutMark(Mark("bridge", owner, Question("bridge", OTHER, (PORT,)))))
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), (PORT,)))
    assert seen(machine_bench).ports == (PORT,)
    assert seen(machine_bench, name=OTHER).ports == ()
    machine_bench.do(GONE)


def test_what_a_mark_once_wanted_is_still_seen(machine_bench: MachineBench) -> None:
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), routes=(HOLE,)))
    owner = Owner("production", BRIDGE, "0123456789abcdef")
    machine_bench.do(PutMark(Mark("bridge", owner, Question("bridge", BRIDGE, (PATH, HOLE.to)))))
    made = seen(machine_bench)
    assert (made.files, made.routes) == ((FILE,), (HOLE,))
    machine_bench.do(RemoveInterface(BRIDGE, "bridge", (PATH,), (HOLE,)))
    assert machine_bench.ask("bridge", BRIDGE) is None


def test_no_bridge_is_made_of_what_is_not_there(machine_bench: MachineBench) -> None:
    with pytest.raises(Conflict, match=f"there is no interface {PORT} here"):
        machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), (PORT,)))
    assert machine_bench.ask("bridge", BRIDGE, PATH) is None


def test_another_thing_of_the_name_is_neither_changed_nor_removed(
    machine_bench: MachineBench,
) -> None:
    machine_bench.add_port(BRIDGE)
    for act in (PLAIN, GONE):
        with pytest.raises(Conflict, match=f"{BRIDGE} is there, and is no bridge"):
            machine_bench.do(act)
    assert seen(machine_bench, PATH).files == ()


def test_what_was_there_before_us_keeps_all_but_what_we_added(machine_bench: MachineBench) -> None:
    machine_bench.do(PutInterface(BRIDGE, "bridge", (), addresses=(ADDRESS,)))
    machine_bench.do(PutInterface(BRIDGE, "bridge", (FILE,), routes=(ROUTE, HOLE)))
    leave = RemoveInterface(BRIDGE, "bridge", (PATH,), (ROUTE, HOLE), keeps=True)
    machine_bench.do(leave, leave)
    left = seen(machine_bench, PATH, HOLE.to)
    assert (left.type, left.addresses, left.routes, left.files) == ("bridge", (ADDRESS,), (), ())
    machine_bench.do(GONE)
