"""Networks with DHCP become subnets on servers, and reservations for the machines of each."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from reconciler.config.addresses import Range
from reconciler.config.repository import Documents
from reconciler.kinds.network.dhcp import ReservationsSpec, SubnetSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import Reservation
from reconciler.render.identity import machine_mac
from reconciler.render.network.dhcp import dhcp_resources, shares
from reconciler.render.render import render
from tests.farms.repository import FARM, documents

HOSTS = FARM["hosts.yaml"]
SECOND = HOSTS.replace("virt1", "virt2").replace("192.168.1.17", "192.168.1.18")
NETWORK = """\
kind: Network
name: leased
environment: production
subnet: 10.0.0.0/24
bridge: br-leased
gateway: 10.0.0.1
nameservers: [10.0.0.2, 10.0.0.3]
hosts:
  - {name: virt1, address: 10.0.0.4}
  - {name: virt2, address: 10.0.0.5}
partitions:
  - {name: hosts, range: 10.0.0.0/28, purpose: hosts}
  - {name: machines, range: 10.0.0.32/27, purpose: machines}
  - {name: dynamic, range: 10.0.0.100-10.0.0.120, purpose: dynamic}
dhcp:
  servers: [virt1, virt2]
  lease: 20m
"""
MACHINE = """\
kind: VirtualMachine
name: {name}
image: debian-12
cpus: 1
memory: 1 GiB
disks: [{{name: root, size: 4 GiB}}]
host: virt1
networks: [{{network: leased, {attachment}}}]
"""


def machine(name: str = "web-9", attachment: str = "address: 10.0.0.40") -> str:
    return MACHINE.format(name=name, attachment=attachment)


def farm(
    network: str = NETWORK, environment: str = "production", machines: tuple[str, ...] = ()
) -> Documents:
    files = {f"vms/leased-{number}.yaml": text for number, text in enumerate(machines)}
    hosts = f"{HOSTS}---\n{SECOND}"
    return documents({"hosts.yaml": hosts, "leased.yaml": network, **files}, environment)


def made(found: Documents) -> dict[Address, Desired[Any]]:
    return {each.address: each for each in dhcp_resources(found)}


def subnet(network: str = NETWORK, host: str = "virt1") -> SubnetSpec:
    spec = made(farm(network))[Address("subnet", "leased", host)].spec
    assert isinstance(spec, SubnetSpec)
    return spec


def options(network: str = NETWORK) -> dict[str, str]:
    return {each.name: each.value for each in subnet(network).options}


def reserved(
    *machines: str, environment: str = "production", network: str = NETWORK
) -> tuple[Reservation, ...]:
    found = made(farm(network, environment, machines))
    spec = found[Address("reservations", f"leased.{environment}", "virt1")].spec
    assert isinstance(spec, ReservationsSpec)
    return spec.entries


def test_each_server_serves_the_subnet_after_its_bridge_and_its_packages() -> None:
    services = "services: [{name: kea-dhcp4-server, running: true}]\n"
    packages = f"packages: [{{name: kea-dhcp4-server}}]\n{services}"
    hosts = {"hosts.yaml": f"{HOSTS}{packages}---\n{SECOND}", "leased.yaml": NETWORK}
    found = made(documents(hosts, "production"))
    assert set(found) == {Address("subnet", "leased", host) for host in ("virt1", "virt2")}
    assert set(found[Address("subnet", "leased", "virt1")].spec.after) == {
        Address("package", "kea-dhcp4-server", "virt1"),
        Address("service", "kea-dhcp4-server", "virt1"),
        Address("bridge", "br-leased", "virt1"),
    }


def test_a_switch_comes_first_where_the_network_is_on_one() -> None:
    network = NETWORK + "switch: openvswitch\n"
    assert Address("switch", "br-leased", "virt1") in subnet(network).after


def test_all_that_a_client_is_told_follows_from_the_network() -> None:
    assert options() == {
        "domain-name": "farm.internal",
        "domain-name-servers": "10.0.0.2, 10.0.0.3",
        "domain-search": "farm.internal",
        "routers": "10.0.0.1",
    }
    spec = subnet()
    assert (spec.lease_seconds, spec.next_server, spec.boot_file) == (1200, "", "")


def test_who_is_told_of_routes_is_told_of_the_way_out_there_too() -> None:
    routes = "  routes: [{to: 10.9.0.0/16, via: 10.0.0.7}]\n"
    told = "10.9.0.0/16 via 10.0.0.7, 0.0.0.0/0 via 10.0.0.1"
    assert options(NETWORK + routes)["classless-static-route"] == told
    bare = NETWORK.replace("gateway: 10.0.0.1\n", "") + routes
    assert options(bare)["classless-static-route"] == "10.9.0.0/16 via 10.0.0.7"


def test_the_size_of_packets_the_domain_and_what_is_booted_are_told() -> None:
    more = "  domain: other.internal\n  boot_server: 10.0.0.9\n  boot_file: pxe/boot.0\n"
    spec = subnet(NETWORK.replace("gateway", "mtu: 1442\ngateway") + more)
    found = {each.name: each.value for each in spec.options}
    assert (found["interface-mtu"], found["domain-search"]) == ("1442", "other.internal")
    assert (spec.next_server, spec.boot_file) == ("10.0.0.9", "pxe/boot.0")


def test_machines_on_an_overlay_are_told_what_fits_through_its_tunnels() -> None:
    network = NETWORK + "switch: openvswitch\ntunnel: {type: gre}\n"
    assert options(network)["interface-mtu"] == "1462"


def test_servers_share_the_pool() -> None:
    assert subnet(host="virt1").pools == ("10.0.0.100-10.0.0.110",)
    assert subnet(host="virt2").pools == ("10.0.0.111-10.0.0.120",)


def test_every_server_reserves_for_every_machine() -> None:
    found = made(farm(machines=(machine(), machine("db-9", "address: 10.0.0.41"))))
    for host in ("virt1", "virt2"):
        desired = found[Address("reservations", "leased.production", host)]
        assert [
            each.address for each in sorted(desired.spec.entries, key=lambda e: e.hostname)
        ] == [
            "10.0.0.41",
            "10.0.0.40",
        ]
        assert Address("subnet", "leased", host) in desired.spec.after


def test_a_reservation_is_for_the_machines_own_hardware_address() -> None:
    mac = machine_mac("production", "web-9", "leased")
    assert reserved(machine()) == (Reservation(mac, "10.0.0.40", "web-9"),)
    given = machine(attachment="address: 10.0.0.40, mac: '52:54:00:aa:bb:cc'")
    assert reserved(given)[0].mac == "52:54:00:aa:bb:cc"


def test_a_host_that_asks_by_dhcp_has_its_address_reserved_by_who_makes_the_network() -> None:
    mac = "52:54:00:00:00:07"
    place = "{name: virt1, address: 10.0.0.4}"
    changed = NETWORK.replace(place, place.replace("}", f", mac: '{mac}'}}"))
    assert reserved(machine(), network=changed)[0] == Reservation(mac, "10.0.0.4", "virt1")


def test_a_renamed_machine_keeps_its_reservation_but_for_the_name() -> None:
    (before,), (after,) = reserved(machine()), reserved(machine("web-8") + "renamed_from: web-9\n")
    assert (after.mac, after.address) == (before.mac, before.address)
    assert after.hostname == "web-8"


def test_a_machine_without_an_address_is_known_all_the_same() -> None:
    (entry,) = reserved(machine(attachment="partition: dynamic"))
    assert entry.address == ""


def test_another_environment_reserves_in_the_same_subnet_and_does_not_make_it() -> None:
    found = made(farm(environment="staging", machines=(machine(),)))
    assert {each.kind for each in found} == {"reservations"}
    assert {each.name for each in found} == {"leased.staging"}
    (entry,) = reserved(machine(), environment="staging")
    assert entry.mac == machine_mac("staging", "web-9", "leased")


@pytest.mark.parametrize("old", ["dhcp:\n  servers: [virt1, virt2]\n  lease: 20m\n"])
def test_a_network_without_dhcp_makes_nothing(old: str) -> None:
    assert made(farm(NETWORK.replace(old, ""), machines=(machine(),))) == {}


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("lease_seconds", "  lease: 20m"),
        ("options.routers.value", "gateway: 10.0.0.1"),
        ("options.domain-name-servers", "nameservers: [10.0.0.2, 10.0.0.3]"),
        ("pools", "partitions:"),
        ("interface", "bridge: br-leased"),
    ],
)
def test_a_difference_is_told_at_the_line_that_decides(field: str, line: str) -> None:
    desired = made(farm())[Address("subnet", "leased", "virt1")]
    assert desired.locate is not None
    position = desired.locate(field)
    lines = NETWORK.splitlines()
    assert position.file == "leased.yaml"
    assert abs((position.line or 0) - 1 - lines.index(line)) <= 1


def test_a_difference_of_an_entry_is_told_at_its_machine() -> None:
    found = made(farm(machines=(machine(),)))
    desired = found[Address("reservations", "leased.production", "virt1")]
    assert desired.locate is not None
    assert desired.locate("entries.web-9.address").file == "vms/leased-0.yaml"
    assert desired.locate("is_served").file == "leased.yaml"


def test_all_of_it_is_part_of_what_is_rendered() -> None:
    kinds = {each.address.kind for each in render(farm(machines=(machine(),)))}
    assert {"subnet", "reservations"} <= kinds


ranges = some.lists(
    some.tuples(some.integers(0, 2**24), some.integers(0, 300)), min_size=0, max_size=5
)


@given(ranges, some.integers(1, 8))
def test_shares_are_even_and_nothing_is_lost_or_given_twice(
    found: list[tuple[int, int]], count: int
) -> None:
    start, whole = 0, []
    for gap, size in found:
        start += gap + 1
        whole.append(Range(IPv4Address(start), IPv4Address(start + size)))
        start += size + 1
    parts = shares(whole, count)
    given = [number for part in parts for each in part for number in addresses(each)]
    assert given == [number for each in whole for number in addresses(each)]
    sizes = [sum(each.size for each in part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def addresses(part: Range) -> range:
    return range(int(part.first), int(part.last) + 1)
