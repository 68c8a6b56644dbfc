"""Networks and hosts become bridges, VLANs and bonds, in order, with the files of the tool."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.kinds.network.link import LinkSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import Route
from reconciler.render.network.links import links
from reconciler.render.render import render
from tests.farms.repository import documents

BOX = (
    "kind: Host\nname: box\nenvironment: production\naddress: 192.168.1.20\nmemory: 8 GiB\n"
    "bonds: [{name: bond0, members: [eth1, eth0], mtu: 9000}]\n"
    "vlans: [{name: bond0.20, link: bond0, id: 20}]\n"
)
HOSTS = (
    "{name: box, address: 10.0.0.1, ports: [eth2, bond0.20]}",
    "{name: virt1}",
)
LAN = (
    "kind: Network\nname: office\nsubnet: 10.0.0.0/24\nbridge: br-office\nmtu: 1500\n"
    f"hosts: [{', '.join(HOSTS)}]\n"
    "routes:\n"
    "  - {to: 10.8.0.0/16, via: 10.0.0.1}\n"
    "  - {to: 0.0.0.0/0, via: 10.0.0.254}\n"
    "  - {to: 10.9.0.0/16, type: blackhole}\n"
    "  - {to: 10.7.0.0/16}\n"
)


def farm(
    *, box: str = "", lan: str = LAN, environment: str = "production"
) -> dict[str, Desired[Any]]:
    found = documents({"box.yaml": BOX + box, "office.yaml": lan}, environment)
    wanted = {str(each.address): each for each in links(found)}
    rendered = {str(each.address) for each in render(found)}
    assert set(wanted) <= rendered
    return wanted


def spec(address: str, **changes: Any) -> LinkSpec:
    found = farm(**changes)[address].spec
    assert isinstance(found, LinkSpec)
    return found


def test_each_host_gets_the_bridge_with_what_is_its_own() -> None:
    box, virt1 = spec("bridge@box/br-office"), spec("bridge@virt1/br-office")
    assert (box.ports, box.mtu, box.addresses) == (("bond0.20", "eth2"), 1500, ("10.0.0.1/24",))
    assert (virt1.ports, virt1.addresses) == ((), None)
    assert [file.path for file in virt1.files] == [
        "/etc/systemd/network/50-reconciler-br-office.netdev",
        "/etc/systemd/network/50-reconciler-br-office.network",
    ]


def test_nobody_routes_through_himself() -> None:
    default, hole, direct = (
        Route("0.0.0.0/0", "10.0.0.254"),
        Route("10.9.0.0/16", type="blackhole"),
        Route("10.7.0.0/16"),
    )
    assert spec("bridge@box/br-office").routes == (default, direct, hole)
    own = Route("10.8.0.0/16", "10.0.0.1")
    assert spec("bridge@virt1/br-office").routes == (default, direct, own, hole)


@pytest.mark.parametrize(
    ("tool", "file"),
    [
        ("networkd", "/etc/systemd/network/50-reconciler-br-office.network.d/office.20.conf"),
        ("netplan", "/etc/netplan/93-reconciler-office.20.yaml"),
    ],
)
@pytest.mark.parametrize(("switch", "kind"), [("linux", "bridge"), ("openvswitch", "switch")])
def test_a_vlan_on_a_bridge_comes_after_it_at_once_and_at_boot(
    tool: str, file: str, switch: str, kind: str
) -> None:
    box = BOX.replace("{name: bond0.20, link: bond0,", "{name: office.20, link: br-office,")
    lan = LAN.replace(", bond0.20]", "]") + f"switch: {switch}\n"
    found = documents({"box.yaml": f"{box}network_tool: {tool}\n", "office.yaml": lan})
    (vlan,) = (each.spec for each in links(found) if each.address.kind == "vlan")
    assert Address(kind, "br-office", "box") in vlan.after
    assert file in {each.path for each in vlan.files}
    assert not any("/zz-" in each.path for each in vlan.files)


def test_a_vlan_and_a_bond_are_as_the_host_says() -> None:
    bond, vlan = spec("bond@box/bond0"), spec("vlan@box/bond0.20")
    assert (bond.ports, bond.mode, bond.mtu) == (("eth0", "eth1"), "active-backup", 9000)
    assert (vlan.parent, vlan.vlan, vlan.mtu, vlan.addresses) == ("bond0", 20, None, None)


def test_parts_come_first_and_the_tool_before_them() -> None:
    box = "services: [{name: systemd-networkd, running: true}]\n"
    tool = Address("service", "systemd-networkd", "box")
    assert spec("bond@box/bond0", box=box).after == (tool,)
    assert spec("vlan@box/bond0.20", box=box).after == (Address("bond", "bond0", "box"), tool)
    assert spec("bridge@box/br-office", box=box).after == (
        tool,
        Address("vlan", "bond0.20", "box"),
    )


@pytest.mark.parametrize(
    ("tool", "package", "place"),
    [
        ("netplan", "netplan.io", "/etc/netplan/"),
        ("ifupdown2", "ifupdown2", "/etc/network/interfaces.d/"),
    ],
)
def test_the_host_says_which_tool_it_has(tool: str, package: str, place: str) -> None:
    box = f"network_tool: {tool}\npackages: [{{name: {package}}}]\n"
    found = spec("bond@box/bond0", box=box)
    assert found.after == (Address("package", package, "box"),)
    assert all(file.path.startswith(place) for file in found.files)


def test_a_port_that_the_host_makes_has_its_own_file_already() -> None:
    paths = [file.path.rpartition("/")[2] for file in spec("bridge@box/br-office").files]
    assert "bond0.20.network" not in " ".join(paths).replace("reconciler-bond0.20", "")
    assert "50-reconciler-eth2.network" in paths
    assert "50-reconciler-bond0.20.network" not in paths


def test_the_parent_of_a_vlan_that_is_plugged_in_too_is_told_in_one_file() -> None:
    box = "vlans: [{name: eth2.5, link: eth2, id: 5}, {name: eth9.5, link: eth9, id: 5}]\n"
    plain = BOX.replace("vlans: [{name: bond0.20, link: bond0, id: 20}]\n", "")
    found = documents(
        {"box.yaml": plain + box, "office.yaml": LAN.replace(", bond0.20", "")}, "production"
    )
    specs = {each.address.name: each.spec for each in links(found) if each.address.kind == "vlan"}
    folder = "/etc/systemd/network"
    assert f"{folder}/50-reconciler-eth2.network.d/eth2.5.conf" in paths_of(specs["eth2.5"])
    assert f"{folder}/50-reconciler-eth2.network" not in paths_of(specs["eth2.5"])
    assert f"{folder}/zz-reconciler-eth9.network" in paths_of(specs["eth9.5"])


def paths_of(spec: LinkSpec) -> list[str]:
    return [file.path for file in spec.files]


def test_another_environment_makes_the_bridge_and_not_the_hosts_own_interfaces() -> None:
    shared = LAN + "environment: staging\n"
    box = "share: {staging: {memory: 1 GiB, cpus: 1}}\n"
    assert set(farm(box=box, lan=shared)) == {"bond@box/bond0", "vlan@box/bond0.20"}
    theirs = farm(box=box, lan=shared, environment="staging")
    assert {address for address in theirs if "@box/" in address} == {"bridge@box/br-office"}


@pytest.mark.parametrize("switch", ["openvswitch", "libvirt"])
def test_only_linux_bridges_are_made_here(switch: str) -> None:
    lan = f"kind: Network\nname: o\nsubnet: 10.0.0.0/24\nbridge: br-o\nswitch: {switch}\n"
    lan += "hosts: [{name: box, address: 10.0.0.1}]\n"
    assert set(farm(lan=lan)) == {"bond@box/bond0", "vlan@box/bond0.20"}


@pytest.mark.parametrize(
    ("address", "path", "line"),
    [
        ("bridge@box/br-office", "mtu", "office.yaml:5"),
        ("bridge@box/br-office", "addresses", "office.yaml:6"),
        ("bridge@box/br-office", "routes.10.9.0.0/16", "office.yaml:7"),
        ("bridge@box/br-office", "is_up", "office.yaml:6"),
        ("bond@box/bond0", "ports", "box.yaml:6"),
        ("vlan@box/bond0.20", "vlan", "box.yaml:7"),
        ("vlan@box/bond0.20", "files./etc/x.content", "box.yaml:7"),
    ],
)
def test_people_are_led_to_the_line_that_says_so(address: str, path: str, line: str) -> None:
    desired = farm()[address]
    assert desired.locate is not None
    assert str(desired.locate(path)).startswith(f"{line}:")
    assert desired.adopts
