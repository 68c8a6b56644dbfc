"""Networks on Open vSwitch become switches, and tunnels from each host to each."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.network.switch import SwitchSpec
from reconciler.kinds.network.tunnel import TunnelSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import Route, TunnelPort
from reconciler.render.network.overlay import switches, tunnels
from reconciler.render.render import render
from tests.farms.repository import documents

HOSTS = (
    "kind: Host\nname: virt2\nenvironment: production\naddress: 192.168.1.18\nmemory: 8 GiB\n"
    "switch_datapath: netdev\npackages: [{name: openvswitch-switch}, {name: openvswitch-ipsec}]\n"
    "services: [{name: openvswitch-switch, running: true}]\n"
    "files: [{path: /etc/a.pem, content: a}]\n"
    "bonds: [{name: bond0, members: [eth0, eth1]}]\n"
    "---\n"
    "kind: Host\nname: virt3\nenvironment: staging\naddress: 192.168.1.19\nmemory: 8 GiB\n"
    "share: {production: {memory: 1 GiB, cpus: 1}}\n"
)
PLACES = (
    "[{name: virt1, address: 10.9.0.1}, {name: virt2, address: 10.9.0.2, ports: [eth5, bond0]}, "
    "{name: virt3}]"
)
MESH = (
    "kind: Network\nname: mesh\nenvironment: production\nsubnet: 10.9.0.0/24\nbridge: br-mesh\n"
    "switch: openvswitch\n"
)
IPSEC = "{certificate: /etc/a.pem, private_key: /etc/a.key, authority: /etc/ca.pem}"


def farm(
    tunnel: str = "{key: 7}", hosts: str = PLACES, more: str = "", environment: str = "production"
) -> tuple[dict[str, SwitchSpec], dict[str, TunnelSpec], dict[Address, Desired[Any]]]:
    """The switches and the tunnels by host, and how they are wanted."""
    text = f"{MESH}hosts: {hosts}\n{f'tunnel: {tunnel}' if tunnel else ''}\n{more}"
    found = documents({"more-hosts.yaml": HOSTS, "mesh.yaml": text}, environment)
    there = (*switches(found), *tunnels(found))
    wanted = {each.address: each for each in there}
    assert len(wanted) == len(there)
    return (
        {each.spec.host: each.spec for each in there if isinstance(each.spec, SwitchSpec)},
        {each.spec.host: each.spec for each in there if isinstance(each.spec, TunnelSpec)},
        wanted,
    )


def place_of(desired: Desired[Any], path: str) -> str:
    assert desired.locate is not None
    return str(desired.locate(path))


def test_each_host_has_the_switch_with_what_is_its_own() -> None:
    routes = "routes: [{to: 10.8.0.0/16, via: 10.9.0.9}, {to: 10.7.0.0/16, type: blackhole}]\n"
    found, _, wanted = farm(more=routes)
    assert set(found) == {"virt1", "virt2", "virt3"}
    one, two, three = (found[name] for name in ("virt1", "virt2", "virt3"))
    assert (one.datapath, one.ports, one.addresses) == ("system", (), ("10.9.0.1/24",))
    assert (two.datapath, two.ports, two.mtu) == ("netdev", ("bond0", "eth5"), 1458)
    assert three.addresses is None
    assert set(one.routes) == {
        Route("10.8.0.0/16", "10.9.0.9"),
        Route("10.7.0.0/16", type="blackhole"),
    }
    assert all(file.path.startswith("/etc/systemd/network/") for file in one.files)
    switch = wanted[Address("switch", "br-mesh", "virt2")]
    assert switch.adopts
    assert place_of(switch, "ports").startswith("mesh.yaml:")


def test_a_host_has_no_route_through_itself() -> None:
    found, _, _ = farm(more="routes: [{to: 10.8.0.0/16, via: 10.9.0.1}]\n")
    assert found["virt1"].routes == ()
    assert "10.8.0.0" not in str(found["virt1"].files)
    assert found["virt2"].routes == (Route("10.8.0.0/16", "10.9.0.1"),)


def test_each_end_leads_to_another_host_of_whatever_environment() -> None:
    _, found, wanted = farm()
    assert {host: [port.peer for port in spec.ports] for host, spec in found.items()} == {
        "virt1": ["virt2", "virt3"],
        "virt2": ["virt1", "virt3"],
        "virt3": ["virt1", "virt2"],
    }
    port = found["virt1"].ports[1]
    assert port == TunnelPort("virt3", port.name, "192.168.1.19", "gre", 7)
    assert port.name == found["virt2"].ports[1].name
    tunnel = wanted[Address("tunnel", "br-mesh", "virt1")]
    assert place_of(tunnel, "ports.virt3.remote").startswith("more-hosts.yaml:")
    assert place_of(tunnel, "ports.virt3").startswith("mesh.yaml:")


def test_the_others_have_the_same_names_when_a_host_leaves() -> None:
    before, after = farm()[1]["virt1"], farm(hosts="[{name: virt1}, {name: virt3}]")[1]["virt1"]
    assert after.ports == before.ports[1:]


def test_a_host_alone_and_a_network_without_tunnel_have_none() -> None:
    assert not farm(hosts="[{name: virt1}]")[1]
    assert not farm(tunnel="")[1]


def test_what_another_environment_makes_is_not_made_here() -> None:
    assert farm(environment="staging") == ({}, {}, {})


def test_the_tunnels_run_in_the_underlay_after_its_switch() -> None:
    beneath = MESH.replace("mesh", "under").replace("10.9.", "10.8.")
    places = PLACES.replace("10.9.", "10.8.").replace(
        "{name: virt3}", "{name: virt3, address: 10.8.0.3}"
    )
    places = places.replace(", ports: [eth5, bond0]", "")
    _, found, _ = farm("{underlay: under}", more=f"---\n{beneath}hosts: {places}\n")
    assert [port.remote for port in found["virt1"].ports] == ["10.8.0.2", "10.8.0.3"]
    assert Address("switch", "br-under", "virt1") in found["virt1"].after


def test_what_a_switch_and_its_tunnels_need_comes_first() -> None:
    found, tunnel, _ = farm(f"{{ipsec: {IPSEC}}}")
    package = Address("package", "openvswitch-switch", "virt2")
    service = Address("service", "openvswitch-switch", "virt2")
    assert {package, service, Address("bond", "bond0", "virt2")} <= set(found["virt2"].after)
    assert {
        Address("switch", "br-mesh", "virt2"),
        Address("package", "openvswitch-ipsec", "virt2"),
        Address("file", "etc-a.pem", "virt2"),
    } <= set(tunnel["virt2"].after)


def test_an_encrypted_tunnel_names_its_peer_and_the_files() -> None:
    spec = farm(f"{{ipsec: {IPSEC}}}")[1]["virt1"]
    assert spec.ipsec == ("/etc/a.pem", "/etc/a.key", "/etc/ca.pem", "1/1")
    assert [port.remote_name for port in spec.ports] == ["virt2", "virt3"]


def test_they_are_part_of_what_is_wanted() -> None:
    found = documents(
        {"more-hosts.yaml": HOSTS, "mesh.yaml": f"{MESH}hosts: {PLACES}\ntunnel: {{}}"}
    )
    kinds = {each.address.kind for each in render(found)}
    assert {"switch", "tunnel"} <= kinds
