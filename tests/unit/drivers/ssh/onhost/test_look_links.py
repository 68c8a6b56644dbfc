"""What `ip` tells of interfaces, read as facts: as iproute2 6.1 prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.boot_files import files_at
from reconciler.drivers.ssh.onhost.interfaces import Asked, Interfaces, asked_of, ends_of
from reconciler.drivers.ssh.onhost.look_links import link_fact
from reconciler.drivers.ssh.onhost.remembered import Remembered
from tests.unit.drivers.ssh.onhost.ground import question

CAPTURED = Path(__file__).parent / "captured"
INTERFACES = Interfaces(
    (CAPTURED / "ip-6.1-address.json").read_text(), (CAPTURED / "ip-6.1-routes.json").read_text()
)
VLAN: dict[str, Any] = {
    "ifname": "bond0.20",
    "link": "bond0",
    "flags": ["UP"],
    "mtu": 1500,
    "linkinfo": {"info_kind": "vlan", "info_data": {"protocol": "802.1Q", "id": 20}},
}
BOND: dict[str, Any] = {
    "ifname": "bond0",
    "flags": [],
    "mtu": 9000,
    "linkinfo": {"info_kind": "bond", "info_data": {"mode": "802.3ad", "miimon": 100}},
}
MEMBERS: list[dict[str, Any]] = [
    {"ifname": name, "link_type": "ether", "master": "bond0", "flags": []}
    for name in ("eth1", "eth0")
]


def fact(name: str, *details: str, interfaces: Interfaces = INTERFACES) -> dict[str, Any]:
    return link_fact(interfaces, name, Asked(details))


def told(*links: dict[str, Any]) -> Interfaces:
    return Interfaces(json.dumps(links), "[]")


def test_a_bridge_is_told_with_what_people_gave_it() -> None:
    assert fact("b1") == {
        "type": "bridge",
        "ports": ["ifb9", "va"],
        "parent": None,
        "vlan": None,
        "mode": None,
        "mtu": 1400,
        "is_up": True,
        "addresses": ["10.99.0.1/24", "10.99.0.2/24", "fd99::1/64"],
        "routes": [
            {"to": "0.0.0.0/0", "via": "10.99.0.254", "type": "unicast"},
            {"to": "10.98.0.0/16", "via": "10.99.0.254", "type": "unicast"},
            {"to": "::/0", "via": "fd99::9", "type": "unicast"},
        ],
    }


def test_an_address_for_a_while_or_to_one_neighbour_is_nobodys_wish() -> None:
    given = [each["local"] for each in INTERFACES.links["b1"]["addr_info"]]
    assert {"10.99.4.1", "10.99.9.1"} <= set(given)
    assert not {"10.99.4.1/24", "10.99.9.1/32"} & set(fact("b1")["addresses"])


@pytest.mark.parametrize(
    ("to", "route"),
    [
        ("10.96.0.1/32", {"to": "10.96.0.1/32", "via": "", "type": "unicast"}),
        ("10.97.0.0/16", {"to": "10.97.0.0/16", "via": "10.99.0.254", "type": "unicast"}),
        ("10.95.0.0/16", {"to": "10.95.0.0/16", "via": "", "type": "blackhole"}),
        ("10.95.5.0/24", {"to": "10.95.5.0/24", "via": "", "type": "blackhole"}),
        ("fd95::/48", {"to": "fd95::/48", "via": "", "type": "blackhole"}),
    ],
)
def test_a_route_of_others_and_a_blackhole_are_told_if_asked_for(
    to: str, route: dict[str, str]
) -> None:
    assert route not in fact("b1")["routes"]
    assert route in fact("b1", to)["routes"]


@pytest.mark.parametrize("to", ["10.94.0.0/16", "10.99.0.0/24", "10.213.8.0/24"])
def test_routes_of_daemons_of_the_kernel_and_of_other_interfaces_are_not_told(to: str) -> None:
    assert to not in [route["to"] for route in fact("b1", to)["routes"]]


@pytest.mark.parametrize(
    "route",
    [
        {"dst": "10.1.0.0/16", "dev": "eth0", "protocol": "201"},
        {"dst": "10.1.0.0/16", "dev": "bond0", "protocol": "201", "table": "100"},
        {"dst": "10.1.0.0/16", "dev": "bond0", "protocol": "201", "type": "unreachable"},
    ],
)
def test_only_the_main_table_is_looked_at_and_only_the_interface_itself(
    route: dict[str, Any],
) -> None:
    links = json.dumps([BOND])
    other = Interfaces(links, json.dumps([route]))
    assert fact("bond0", "10.1.0.0/16", interfaces=other)["routes"] == []
    own = {key: route[key] for key in ("dst", "protocol")} | {"dev": "bond0"}
    there = Interfaces(links, json.dumps([own]))
    assert len(fact("bond0", interfaces=there)["routes"]) == 1


def test_ends_of_guests_and_containers_count_only_if_asked_for() -> None:
    assert list(ends_of(INTERFACES, "b1")) == ["tap9"]
    assert list(ends_of(INTERFACES, "br-lan")) == ["lan0"]
    assert fact("br-lan")["ports"] == []
    assert fact("br-lan", "lan0")["ports"] == ["lan0"]


def test_a_vlan_and_a_bond_are_told_as_they_are() -> None:
    interfaces = told(VLAN, BOND, *MEMBERS)
    vlan = fact("bond0.20", interfaces=interfaces)
    assert (vlan["type"], vlan["parent"], vlan["vlan"]) == ("vlan", "bond0", 20)
    assert (vlan["mode"], vlan["ports"], vlan["is_up"]) == (None, [], True)
    bond = fact("bond0", interfaces=interfaces)
    assert (bond["type"], bond["mode"], bond["ports"]) == ("bond", "802.3ad", ["eth0", "eth1"])
    assert (bond["parent"], bond["vlan"], bond["is_up"]) == (None, None, False)
    assert fact("eth0", interfaces=interfaces)["type"] == "ether"


def test_what_one_asks_of_a_name_is_answered_to_all() -> None:
    asked = asked_of(
        [
            question("bridge", "b1", "/etc/a", "eth1", "10.0.0.0/8"),
            question("bridge", "b1", "/etc/b", "fd00::/8"),
            question("bridge", "b2"),
        ]
    )
    assert (asked["b1"].paths, asked["b1"].ports) == ({"/etc/a", "/etc/b"}, {"eth1"})
    assert asked["b1"].prefixes == {"10.0.0.0/8", "fd00::/8"}
    assert asked["b2"].paths == set()


def test_nothing_said_is_no_route() -> None:
    assert Interfaces("[]", "").routes == []


@pytest.mark.parametrize("text", ["{}", "[1]", "not json", '{"ifname": "x"}'])
def test_nonsense_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Interfaces(text, "[]")


def test_files_are_told_by_path_and_what_is_no_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/a").write_text("one\n")
    (tmp_path / "etc/b").symlink_to("a")
    known = Remembered([], str(tmp_path), str(tmp_path))
    there = files_at(known, ["/etc/b", "/etc/a", "/etc/c", "/no/such"])
    assert there[0] == {"path": "/etc/a", "content": "one\n"}
    assert [each["path"] for each in there] == ["/etc/a", "/etc/b"]
    assert "one" not in there[1]["content"]
