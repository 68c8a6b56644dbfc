"""What a driver must do with networks of libvirt's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import Interface
from reconciler.ports.libvirt_networks import NetworkDefinition, NetworkState, reserved_by
from reconciler.ports.network_facts import Reservation, Route
from tests.contract.bench import MIB, Bench

NAME = "natcontract"
PLAIN = NetworkDefinition(
    NAME,
    str(uuid5(NAMESPACE_DNS, NAME)),
    address="10.213.99.1/24",
    ranges=("10.213.99.100-10.213.99.120",),
    lease_seconds=3600,
    nameservers=("10.213.99.53",),
    domain="farm.internal",
)
EVERYTHING = replace(
    PLAIN,
    forward="none",
    router="10.213.99.254",
    routes=(Route("10.5.0.0/16", "10.213.99.9"),),
    mtu=1400,
    boot_file="pxelinux.0",
    boot_server="10.213.99.2",
)
WEB = Reservation("52:54:00:00:00:01", "10.213.99.11", "production-web")
DB = Reservation("52:54:00:00:00:02", "10.213.99.12", "production-db")
THEIRS = Reservation("52:54:00:00:00:03", "10.213.99.13", "staging-web")


@pytest.fixture
def network(bench: Bench) -> Iterator[str]:
    bench.hypervisor.define_network(PLAIN)
    yield NAME
    bench.hypervisor.remove_network(NAME)


def state(bench: Bench, name: str = NAME) -> NetworkState:
    return next(each for each in bench.hypervisor.networks() if each.name == name)


def names(bench: Bench) -> set[str]:
    return {each.name for each in bench.hypervisor.networks()}


def seen(bench: Bench) -> NetworkDefinition:
    found = state(bench)
    assert found.definition is not None
    assert found.live is None
    return found.definition


def plug_in(bench: Bench, **changes: Any) -> None:
    plug = Interface("52:54:00:00:00:01", NAME, "libvirt")
    small = {"disks": (), "memory_bytes": 64 * MIB, "vcpus": 1, "interfaces": (plug,)}
    bench.make("web", start=True, **{**small, **changes})


@pytest.mark.needs("dnsmasq")
def test_a_network_that_is_made_runs_and_starts_with_the_host(bench: Bench, network: str) -> None:
    made = state(bench)
    assert (made.running, made.autostart, made.users) == (True, True, 0)
    assert (made.bridge, made.subnet) == (network, "10.213.99.0/24")
    assert seen(bench) == replace(PLAIN, bridge=network)


def test_a_network_is_made_once(bench: Bench, network: str) -> None:
    before = state(bench)
    bench.hypervisor.define_network(PLAIN)
    assert state(bench) == before


@pytest.mark.needs("dnsmasq")
def test_what_is_asked_for_is_what_is_seen(bench: Bench, network: str) -> None:
    bench.hypervisor.define_network(EVERYTHING)
    assert seen(bench) == replace(EVERYTHING, bridge=network)
    bench.hypervisor.define_network(replace(PLAIN, mtu=1500))
    assert seen(bench) == replace(PLAIN, bridge=network, mtu=1500)


@pytest.mark.needs("dnsmasq")
def test_what_is_left_open_stays(bench: Bench, network: str) -> None:
    bench.hypervisor.define_network(EVERYTHING)
    bench.hypervisor.define_network(replace(EVERYTHING, mtu=None, domain=None, lease_seconds=None))
    assert seen(bench) == replace(EVERYTHING, bridge=network)


def test_a_network_keeps_its_identity(bench: Bench, network: str) -> None:
    bench.hypervisor.define_network(replace(PLAIN, uuid=str(uuid5(NAMESPACE_DNS, "another"))))
    assert seen(bench).uuid == PLAIN.uuid


def test_a_network_needs_no_address(bench: Bench) -> None:
    bare = NetworkDefinition("natbare", str(uuid5(NAMESPACE_DNS, "natbare")), forward="none")
    bench.hypervisor.define_network(bare)
    try:
        assert state(bench, "natbare").definition == replace(bare, bridge="natbare")
        assert state(bench, "natbare").subnet is None
    finally:
        bench.hypervisor.remove_network("natbare")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "no name"},
        {"name": "a-name-that-is-too-long"},
        {"forward": "bridge"},
        {"address": "10.213.99.1"},
        {"ranges": ("10.213.99.9-10.213.99.3",)},
        {"ranges": ("10.213.98.3-10.213.98.9",)},
        {"lease_seconds": 5},
        {"nameservers": ("10.213.99.53,10.1.1.1",)},
        {"router": "fe80::1"},
        {"routes": (Route("10.5.0.0/16"),)},
        {"domain": "farm.internal\nport=5353"},
        {"boot_file": "../../etc/shadow,x"},
        {"boot_server": "server"},
        {"mtu": 1},
    ],
    ids=str,
)
def test_what_no_network_can_be_is_refused(bench: Bench, changes: dict[str, Any]) -> None:
    before = names(bench)
    with pytest.raises(Conflict):
        bench.hypervisor.define_network(replace(PLAIN, **changes))
    assert names(bench) == before


def test_a_network_that_is_removed_is_gone_and_may_be_removed_again(
    bench: Bench, network: str
) -> None:
    bench.hypervisor.remove_network(network)
    bench.hypervisor.remove_network(network)
    assert network not in names(bench)


@pytest.mark.needs("network users")
def test_who_is_plugged_in_is_counted_and_keeps_a_network(bench: Bench, network: str) -> None:
    plug_in(bench)
    try:
        assert state(bench).users == 1
        with pytest.raises(Conflict, match="plugged into"):
            bench.hypervisor.remove_network(network)
    finally:
        bench.hypervisor.stop_domain("web")
        bench.hypervisor.undefine_domain("web")
    assert state(bench).users == 0


def test_who_is_plugged_into_its_bridge_by_name_keeps_it_too(bench: Bench, network: str) -> None:
    plug_in(bench, interfaces=(Interface("52:54:00:00:00:01", network),))
    try:
        with pytest.raises(Conflict, match="plugged into"):
            bench.hypervisor.remove_network(network)
    finally:
        bench.hypervisor.stop_domain("web")
        bench.hypervisor.undefine_domain("web")
    assert network in names(bench)


@pytest.mark.needs("network users")
def test_what_cannot_be_changed_under_a_machine_waits_until_it_is_gone(
    bench: Bench, network: str
) -> None:
    wanted = replace(PLAIN, mtu=1400)
    plug_in(bench)
    try:
        bench.hypervisor.define_network(wanted)
        assert state(bench).definition == replace(wanted, bridge=network)
        assert state(bench).live == replace(PLAIN, bridge=network)
    finally:
        bench.hypervisor.stop_domain("web")
        bench.hypervisor.undefine_domain("web")
    bench.hypervisor.define_network(wanted)
    assert seen(bench) == replace(wanted, bridge=network)


@pytest.mark.needs("network users")
def test_ranges_are_changed_under_a_machine(bench: Bench, network: str) -> None:
    wanted = replace(PLAIN, ranges=("10.213.99.100-10.213.99.110", "10.213.99.200-10.213.99.210"))
    plug_in(bench)
    try:
        bench.hypervisor.define_network(wanted)
        assert seen(bench) == replace(wanted, bridge=network)
    finally:
        bench.hypervisor.stop_domain("web")
        bench.hypervisor.undefine_domain("web")


def test_reservations_are_made_changed_and_taken_back(bench: Bench, network: str) -> None:
    bench.hypervisor.reserve(network, "production", (WEB, DB))
    assert state(bench).reservations == (WEB, DB)
    swapped = (replace(WEB, address=DB.address), replace(DB, address=WEB.address))
    bench.hypervisor.reserve(network, "production", swapped)
    assert state(bench).reservations == swapped
    bench.hypervisor.reserve(network, "production", ())
    assert state(bench).reservations == ()
    assert state(bench).live_reservations is None


def test_reservations_of_others_stay(bench: Bench, network: str) -> None:
    bench.hypervisor.reserve(network, "staging", (THEIRS,))
    bench.hypervisor.reserve(network, "production", (WEB,))
    bench.hypervisor.reserve(network, "production", (DB,))
    assert state(bench).reservations == (DB, THEIRS)
    assert reserved_by("staging", state(bench).reservations) == (THEIRS,)


def test_one_of_the_same_hardware_address_is_taken_over(bench: Bench, network: str) -> None:
    bench.hypervisor.reserve(network, "byhand", (replace(WEB, hostname="byhand-web"),))
    bench.hypervisor.reserve(network, "production", (WEB,))
    assert state(bench).reservations == (WEB,)


def test_an_address_is_not_reserved_twice(bench: Bench, network: str) -> None:
    bench.hypervisor.reserve(network, "staging", (THEIRS,))
    with pytest.raises(Conflict):
        bench.hypervisor.reserve(network, "production", (replace(WEB, address=THEIRS.address),))
    assert THEIRS in state(bench).reservations


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WEB, mac="52:54:00:00:00:01,set:x"),
        replace(WEB, mac="52:54:00:00:00:AA"),
        replace(WEB, address="10.213.99.11,x"),
        replace(WEB, hostname="production-web\nport=53"),
        replace(WEB, hostname="production-web,ignore"),
        replace(WEB, hostname=""),
    ],
    ids=str,
)
def test_what_cannot_be_reserved_is_refused(bench: Bench, network: str, wrong: Reservation) -> None:
    with pytest.raises(Conflict):
        bench.hypervisor.reserve(network, "production", (wrong,))
    assert state(bench).reservations == ()


def test_reservations_survive_a_change_of_the_network(bench: Bench, network: str) -> None:
    bench.hypervisor.reserve(network, "production", (WEB,))
    bench.hypervisor.define_network(EVERYTHING)
    assert state(bench).reservations == (WEB,)


def test_nothing_is_reserved_in_a_network_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.hypervisor.reserve("nowhere", "production", (WEB,))
