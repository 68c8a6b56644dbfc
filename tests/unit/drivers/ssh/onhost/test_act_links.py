"""Bridges, VLANs and bonds: the commands, their order, and what is refused before any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground, put_mark

PATH = "/etc/systemd/network/50-reconciler-br0.network"
FILES = [{"path": PATH, "content": "[Match]\nName=br0\n"}]
ETHERNET = [
    {"ifname": f"eth{number}", "link_type": "ether", "flags": ["UP"]} for number in range(3)
]
GONE = {"act": "remove_interface", "name": "br0", "type": "bridge", "files": [PATH]}
Link = dict[str, Any]


@pytest.fixture
def host(ground: Ground) -> Ground:
    """A host with networkd, which does not run, and three plain interfaces."""
    for program in ("usr/bin/networkctl", "usr/sbin/ip"):
        path = ground.path(program)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
    ground.programs.answers["systemctl is-active"] = Ran(3)
    return having(ground)


def having(ground: Ground, *links: Link, routes: tuple[Link, ...] = ()) -> Ground:
    """The host with these interfaces, each of which stays as it is whatever is done."""
    named = {each["ifname"]: each for each in (*ETHERNET, *links)}
    ground.programs.answers |= {
        "ip -json -details address show": Ran(0, json.dumps(list(named.values()))),
        "ip -json route show table all": Ran(0, json.dumps(routes)),
    }
    return ground


def link(name: str, kind: str, **fields: Any) -> Link:
    data = fields.pop("data", {})
    info = {"info_kind": kind, "info_data": data}
    return {"ifname": name, "flags": ["UP"], "mtu": 1500, "linkinfo": info, **fields}


def plugged(name: str, master: str) -> Link:
    return {"ifname": name, "link_type": "ether", "flags": ["UP"], "master": master}


def put(name: str = "br0", kind: str = "bridge", **fields: Any) -> dict[str, Any]:
    files = fields.pop("files", FILES)
    return {"act": "put_interface", "name": name, "type": kind, "files": files, **fields}


def changes(ground: Ground) -> list[str]:
    """What `ip` was told to change."""
    return [call for call in ground.programs.called("ip ") if not call.startswith("ip -json")]


BR0 = link("br0", "bridge")


def test_a_vlan_is_made_of_its_parent(host: Ground) -> None:
    host.refused(put("eth0.20", "vlan", parent="eth0", vlan=20, mtu=1400))
    assert changes(host) == ["ip link add link eth0 name eth0.20 type vlan id 20"]


def test_a_bond_takes_its_members_when_they_are_down(host: Ground) -> None:
    having(host, link("bond0", "bond", data={"mode": "802.3ad"}))
    host.done(put("bond0", "bond", ports=["eth0", "eth1"], mode="802.3ad"))
    assert changes(host) == [
        step.replace("PORT", port)
        for port in ("eth0", "eth1")
        for step in (
            "ip link set dev PORT down",
            "ip link set dev PORT master bond0",
            "ip link set dev PORT up",
        )
    ]


def test_a_bond_is_made_with_its_mode_and_a_watch_on_carriers(host: Ground) -> None:
    host.refused(put("bond0", "bond", ports=["eth0"], mode="active-backup"))
    assert changes(host)[0] == ("ip link add name bond0 type bond mode active-backup miimon 100")


@pytest.mark.parametrize(
    ("there", "wanted", "made"),
    [
        (
            link("v", "vlan", link="eth0", data={"id": 20}, master="br0"),
            put("v", "vlan", parent="eth1", vlan=20),
            "ip link add link eth1 name v type vlan id 20",
        ),
        (
            link("v", "vlan", link="eth0", data={"id": 21}, master="br0"),
            put("v", "vlan", parent="eth0", vlan=20),
            "ip link add link eth0 name v type vlan id 20",
        ),
        (
            link("v", "bond", data={"mode": "balance-rr"}, master="br0"),
            put("v", "bond", mode="802.3ad"),
            "ip link add name v type bond mode 802.3ad miimon 100",
        ),
    ],
)
def test_what_is_made_of_something_else_is_made_anew_in_its_place(
    host: Ground, there: Link, wanted: dict[str, Any], made: str
) -> None:
    having(host, BR0, there).done(wanted)
    kind = wanted["type"]
    first = [f"ip link delete dev v type {kind}", made, "ip link set dev v master br0"]
    assert changes(host)[:3] == first


def test_what_is_right_is_not_touched(host: Ground) -> None:
    address = {"local": "10.0.0.1", "prefixlen": 24, "scope": "global"}
    route = {"dst": "10.1.0.0/16", "gateway": "10.0.0.9", "dev": "br0", "protocol": "201"}
    hole = {"type": "blackhole", "dst": "10.2.0.0/16", "protocol": "201"}
    having(host, link("br0", "bridge", addr_info=[address]), routes=(route, hole))
    routes = [
        {"to": "10.1.0.0/16", "via": "10.0.0.9", "type": "unicast"},
        {"to": "10.2.0.0/16", "via": "", "type": "blackhole"},
    ]
    host.done(put(mtu=1500, addresses=["10.0.0.1/24"], routes=routes))
    assert changes(host) == []
    assert host.path(PATH).read_text() == FILES[0]["content"]


def test_all_that_differs_is_set(host: Ground) -> None:
    address = {"local": "10.0.0.7", "prefixlen": 24, "scope": "global"}
    there = link("br0", "bridge", addr_info=[address], flags=[])
    former = {"dst": "10.3.0.0/16", "gateway": "10.0.0.9", "dev": "br0", "protocol": "201"}
    having(host, there, plugged("eth1", "br0"), routes=(former,))
    host.done(
        put(
            ports=["eth0"],
            mtu=1400,
            addresses=["10.0.0.1/24"],
            routes=[{"to": "10.1.0.0/16", "via": "", "type": "unicast"}],
            former_ports=["eth1", "gone"],
            former_routes=[{"to": "10.3.0.0/16", "via": "10.0.0.9", "type": "unicast"}],
        )
    )
    assert changes(host) == [
        "ip link set dev eth0 master br0",
        "ip link set dev eth0 up",
        "ip link set dev br0 mtu 1400",
        "ip link set dev br0 up",
        "ip address add 10.0.0.1/24 dev br0",
        "ip address del 10.0.0.7/24 dev br0",
        "ip address add 10.0.0.1/24 dev br0",  # which went with the one of its network
        "ip route replace 10.1.0.0/16 dev br0 proto 201",
        "ip route del 10.3.0.0/16 via 10.0.0.9 dev br0",
        "ip link set dev eth1 nomaster",
        "ip link set dev eth1 up",
    ]


def test_networkd_that_runs_forgets_a_port_before_it_is_plugged_out(host: Ground) -> None:
    host.programs.answers["systemctl is-active"] = Ran(0)
    having(host, BR0, plugged("eth1", "br0")).done(put(former_ports=["eth1"]))
    calls = host.programs.calls
    assert calls.index("networkctl reload") < calls.index("ip link set dev eth1 nomaster")


def test_a_route_that_leads_elsewhere_from_now_on_is_replaced_and_not_deleted(host: Ground) -> None:
    there = {"dst": "10.1.0.0/16", "gateway": "10.0.0.9", "dev": "br0", "protocol": "201"}
    having(host, BR0, routes=(there,))
    former = {"to": "10.1.0.0/16", "via": "10.0.0.9", "type": "unicast"}
    host.done(put(routes=[{**former, "via": "10.0.0.8"}], former_routes=[former]))
    assert changes(host) == ["ip route replace 10.1.0.0/16 via 10.0.0.8 dev br0 proto 201"]


def test_an_address_that_a_port_has_moves_to_the_bridge(host: Ground) -> None:
    address = {"local": "10.0.0.1", "prefixlen": 24, "scope": "global"}
    having(host, BR0, {**ETHERNET[0], "addr_info": [address]})
    host.done(put(ports=["eth0"], addresses=["10.0.0.1/24"]))
    assert changes(host)[-2:] == [
        "ip address add 10.0.0.1/24 dev br0",
        "ip address del 10.0.0.1/24 dev eth0",
    ]


@pytest.mark.parametrize(
    ("links", "act", "words"),
    [
        ((), put(ports=["eth7", "eth8"]), "interface eth7 here; there is no interface eth8"),
        ((), put("v", "vlan", parent="eth7", vlan=1), "there is no interface eth7 here"),
        ((plugged("eth1", "br9"),), put(ports=["eth1"]), "eth1 is plugged into br9"),
        ((link("br0", "veth"),), put(), "br0 is there, and is no bridge (veth)"),
        ((link("br0", "veth"),), GONE, "br0 is there, and is no bridge (veth)"),
        ((BR0, link("vnet3", "tun", master="br0")), GONE, "plugged into br0 (vnet3)"),
        ((BR0, link("br0.7", "vlan", link="br0")), GONE, "br0.7 would go with br0"),
        ((BR0, link("macvtap0", "macvtap", link="br0")), GONE, "macvtap0 would go with br0"),
        (
            (link("b", "bond", data={"mode": "802.3ad"}), link("b.7", "vlan", link="b")),
            put("b", "bond", mode="balance-rr"),
            "b.7 would go with b",
        ),
        (
            (BR0, link("veth1", "veth", master="br0", link_netnsid=4)),
            GONE,
            "guests or containers are plugged into br0 (veth1)",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is(
    host: Ground, links: tuple[Link, ...], act: dict[str, Any], words: str
) -> None:
    assert words in having(host, *links).refused(act)
    assert changes(host) == []
    assert not host.path(PATH).exists()


def test_a_port_comes_over_from_a_bridge_of_ours(host: Ground) -> None:
    having(host, BR0, link("br9", "bridge"), plugged("eth1", "br9"))
    host.done(put_mark("bridge", "br9", "eth1"), put(ports=["eth1"]))
    assert "ip link set dev eth1 master br0" in changes(host)


def test_a_bridge_goes_and_its_ports_stay_up(host: Ground) -> None:
    hole = {"type": "blackhole", "dst": "10.2.0.0/16", "protocol": "201"}
    having(host, BR0, plugged("eth1", "br0"), routes=(hole,))
    host.done(put())
    host.programs.calls.clear()
    routes = [{"to": "10.2.0.0/16", "via": "", "type": "blackhole"}]
    host.done({**GONE, "routes": routes})
    assert changes(host) == [
        "ip route del blackhole 10.2.0.0/16",
        "ip link delete dev br0 type bridge",
        "ip link set dev eth1 up",
    ]
    assert not host.path(PATH).exists()


def test_what_others_made_is_left_with_all_they_gave_it(host: Ground) -> None:
    having(host, BR0, link("vnet3", "tun", master="br0")).done({**GONE, "keeps": True})
    assert changes(host) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/network/10-lan.network", "[Match]\nName=br0\n"),
        ("/etc/netplan/50-cloud-init.yaml", "network:\n  bridges:\n    br0:\n"),
        ("/etc/network/interfaces", "auto br0\niface br0 inet dhcp\n"),
        ("/etc/network/interfaces.d/lan", "iface br0 inet manual\n"),
    ],
)
def test_what_others_set_up_at_boot_is_not_set_up_twice(host: Ground, path: str, text: str) -> None:
    host.path(path).parent.mkdir(parents=True, exist_ok=True)
    host.path(path).write_text(text)
    assert f"{path} sets up br0 already, and is not ours" in having(host, BR0).refused(put())
    assert not host.path(PATH).exists()
    host.path(path).write_text(text.replace("br0", "br01"))
    host.done(put())


@pytest.mark.parametrize(("name", "is_first"), [("10-up", True), ("90-up", False)])
def test_a_port_that_another_file_sets_up_first_would_not_be_plugged_in_at_boot(
    host: Ground, name: str, is_first: bool
) -> None:
    files = [{"path": "/etc/systemd/network/50-reconciler-eth1.network", "content": "x\n"}]
    path = host.path(f"/etc/systemd/network/{name}.network")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[Match]\nName=eth1\n")
    there = having(host, BR0)
    if is_first:
        assert "sets up the port eth1 before ours" in there.refused(
            put(ports=["eth1"], files=files)
        )
    else:
        there.done(put(ports=["eth1"], files=files))


def test_a_tool_that_is_not_there_would_set_up_nothing(host: Ground) -> None:
    files = [{"path": "/etc/netplan/92-reconciler-br0.yaml", "content": "network: {}\n"}]
    said = host.refused(put(files=files))
    assert "there is no netplan here: declare the package netplan.io" in said
    assert changes(host) == []


def test_an_answer_that_cannot_be_read_is_refused(host: Ground) -> None:
    host.programs.answers["ip -json -details address show"] = Ran(0, "{")
    assert "cannot look at the interfaces" in host.refused(put())


def test_the_files_stand_below_the_root(host: Ground, tmp_path: Path) -> None:
    having(host, BR0).done(put())
    assert host.path(PATH).is_relative_to(tmp_path)
    assert host.path(PATH).stat().st_mode & 0o777 == 0o644


def test_a_vlan_of_ours_does_not_keep_its_bond_from_being_made_anew(host: Ground) -> None:
    having(host, link("b", "bond", data={"mode": "802.3ad"}), link("b.7", "vlan", link="b"))
    host.done(put_mark("vlan", "b.7"))
    host.done(put("b", "bond", mode="balance-rr"))
    assert "ip link delete dev b type bond" in changes(host)
