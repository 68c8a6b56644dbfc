"""Networks of libvirt's own, their reservations, and what machines need of networks."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.kinds.network.libvirt_network import LibvirtNetworkSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import Reservation, Route
from reconciler.render.identity import machine_mac
from reconciler.render.render import render
from tests.farms.repository import FARM, documents

HEAD = "kind: Network\nname: lan\nsubnet: 192.168.1.0/24\nbridge: nat0\nswitch: libvirt\n"
NAT = Address("libvirt_network", "nat0", "virt1")
KEPT = Address("libvirt_reservations", "nat0.production", "virt1")
DYNAMIC = "partitions: [{name: any, range: 192.168.1.64/26, purpose: dynamic}]\n"
FULL = """\
gateway: 192.168.1.1
nameservers: [192.168.1.2]
mtu: 1400
hosts: [{name: virt1, address: 192.168.1.3}]
partitions:
  - {name: any, range: 192.168.1.200-192.168.1.220, purpose: dynamic}
  - {name: more, range: 192.168.1.100-192.168.1.110, purpose: dynamic}
  - {name: rest, range: 192.168.1.128-192.168.1.140, purpose: machines}
dhcp:
  lease: 2h
  domain: lab.internal
  routes: [{to: 10.5.0.0/16, via: 192.168.1.9}]
  boot_server: 192.168.1.7
  boot_file: pxelinux.0
"""


def resources(
    network: str, environment: str = "production", more: dict[str, str] | None = None
) -> dict[Address, Desired[Any]]:
    plain = {"networks.yaml": HEAD + network, "environments/production/zone.yaml": ""}
    tree = documents({**plain, **(more or {})}, environment)
    return {each.address: each for each in render(tree)}


def network(text: str) -> LibvirtNetworkSpec:
    spec = resources(text)[NAT].spec
    assert isinstance(spec, LibvirtNetworkSpec)
    return spec


def test_without_hosts_nothing_is_made() -> None:
    assert not {NAT, KEPT} & resources("gateway: 192.168.1.1\ndhcp: {}\n").keys()


def test_a_host_without_an_address_of_its_own_is_the_router() -> None:
    spec = network("gateway: 192.168.1.1\nhosts: [{name: virt1}]\n")
    assert (spec.forward, spec.address, spec.router) == ("nat", "192.168.1.1/24", "")


def test_a_host_that_has_the_routers_address_is_the_router() -> None:
    spec = network("gateway: 192.168.1.1\nhosts: [{name: virt1, address: 192.168.1.1}]\ndhcp: {}\n")
    assert (spec.forward, spec.address, spec.router) == ("nat", "192.168.1.1/24", "")


def test_beside_another_router_a_host_forwards_nothing_and_names_it() -> None:
    spec = network("gateway: 192.168.1.1\nhosts: [{name: virt1, address: 192.168.1.3}]\ndhcp: {}\n")
    assert (spec.forward, spec.address, spec.router) == ("none", "192.168.1.3/24", "192.168.1.1")


def test_a_network_without_a_router_is_closed() -> None:
    spec = network("hosts: [{name: virt1, address: 192.168.1.3}]\n")
    assert (spec.forward, spec.address, spec.router) == ("none", "192.168.1.3/24", "")


def test_a_network_without_any_address_of_the_host_serves_nobody() -> None:
    spec = network(f"hosts: [{{name: virt1}}]\ndhcp: {{}}\n{DYNAMIC}")
    assert (spec.address, spec.ranges, spec.domain) == ("", (), None)


def test_all_that_machines_are_told() -> None:
    spec = network(FULL)
    assert spec.ranges == ("192.168.1.100-192.168.1.110", "192.168.1.200-192.168.1.220")
    assert (spec.lease_seconds, spec.domain, spec.mtu) == (7200, "lab.internal", 1400)
    assert spec.nameservers == ("192.168.1.2",)
    assert spec.routes == (Route("10.5.0.0/16", "192.168.1.9"),)
    assert (spec.boot_server, spec.boot_file) == ("192.168.1.7", "pxelinux.0")


def test_the_domain_is_the_environments_where_none_is_said() -> None:
    spec = network(f"gateway: 192.168.1.1\nhosts: [{{name: virt1}}]\ndhcp: {{}}\n{DYNAMIC}")
    assert spec.domain == "farm.internal"
    assert spec.ranges == ("192.168.1.65-192.168.1.126",)


def test_what_the_host_declares_comes_before_its_network() -> None:
    host = FARM["hosts.yaml"] + "packages: [{name: dnsmasq-base}, {name: other}]\n"
    made = resources("gateway: 192.168.1.1\nhosts: [{name: virt1}]\n", more={"hosts.yaml": host})
    assert made[NAT].spec.after == (Address("package", "dnsmasq-base", "virt1"),)


def test_the_addresses_of_machines_are_reserved_by_environment() -> None:
    made = resources("gateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n")
    mac = machine_mac("production", "web-1", "lan")
    assert made[KEPT].spec.entries == (Reservation(mac, "192.168.1.129", "production-web-1"),)


def test_an_environment_reserves_in_a_network_that_another_makes() -> None:
    shared = "environment: production\ngateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n"
    made = resources(shared, "staging")
    assert NAT not in made
    (entry,) = made[Address("libvirt_reservations", "nat0.staging", "virt1")].spec.entries
    assert entry.hostname == "staging-web-1"


def test_an_environment_reserves_nothing_on_a_host_that_it_may_not_use() -> None:
    alone = FARM["hosts.yaml"].partition("share:")[0]
    shared = "environment: production\ngateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n"
    made = resources(shared, "staging", {"hosts.yaml": alone})
    assert not [each for each in made if each.kind == "libvirt_reservations"]


def test_a_renamed_machine_keeps_its_reservation() -> None:
    renamed = FARM["vms/web-1.yaml"].replace("name: web-1", "name: www\nrenamed_from: web-1", 1)
    text = "gateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n"
    before, after = resources(text), resources(text, more={"vms/web-1.yaml": renamed})
    assert before[KEPT].spec == after[KEPT].spec


def test_a_machine_needs_its_reservations() -> None:
    made = resources("gateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n")
    spec = made[Address("domain", "web-1")].spec
    assert spec.networks == (Address("libvirt_reservations", "nat0.production"),)


def test_a_machine_needs_its_reservations_on_every_server() -> None:
    lan = FARM["networks.yaml"] + (
        "hosts: [{name: virt1, address: 192.168.1.3}]\ndhcp: {servers: [virt1]}\n"
    )
    made = resources("", more={"networks.yaml": lan})
    spec = made[Address("domain", "web-1")].spec
    assert spec.networks == (Address("reservations", "lan.production", "virt1"),)


@pytest.mark.parametrize(
    ("guard", "address", "guarded"),
    [
        ("", "address: 192.168.1.129", None),
        ("guard_addresses: true\n", "address: 192.168.1.129", "192.168.1.129"),
        ("guard_addresses: true\n", "partition: any", "dhcp"),
    ],
)
def test_a_guarded_machine_sends_from_its_own_address_only(
    guard: str, address: str, guarded: str | None
) -> None:
    machine = FARM["vms/web-1.yaml"].replace("address: 192.168.1.129", address)
    lan = FARM["networks.yaml"] + guard + DYNAMIC
    made = resources("", more={"networks.yaml": lan, "vms/web-1.yaml": machine})
    (interface,) = made[Address("domain", "web-1")].spec.interfaces
    assert interface.guarded == guarded


@pytest.mark.parametrize(
    ("field", "line"),
    [("lease_seconds", 15), ("ranges", 10), ("mtu", 8), ("address", 9), ("router", 6)],
)
def test_a_field_is_found_where_it_was_written(field: str, line: int) -> None:
    position = resources(FULL)[NAT].position_of(field)
    assert position is not None
    assert (position.file, position.line) == ("networks.yaml", line)


def test_a_reservation_is_found_with_its_machine() -> None:
    made = resources("gateway: 192.168.1.1\nhosts: [{name: virt1}]\ndhcp: {}\n")
    position = made[KEPT].position_of("entries.production-web-1.address")
    assert position is not None
    assert position.file == "vms/web-1.yaml"
