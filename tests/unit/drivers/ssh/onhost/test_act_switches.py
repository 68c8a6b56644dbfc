"""Switches and tunnels: the transactions, and what is never done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.ovs import LISTED, VSCTL
from tests.unit.drivers.ssh.onhost.ground import Ground

# Of a host with a mesh between virt3, virt4 and virt5, a guest, and a port that somebody plugged
# in by hand; as ovs-vsctl 3.1.0 prints it.
CAPTURED = Path(__file__).with_name("captured").joinpath("ovs-3.1-mesh.json").read_text()
TO_VIRT4, TO_VIRT5 = "gre445492020", "gre837800359"
CLEAN = "protected=true tag=[] trunks=[] vlan_mode=[]"
OPTIONS = 'df_default="true",key="7",remote_ip="10.213.240.9"'
IPSEC = (
    'other_config:certificate="/etc/ovs/a.pem" other_config:private_key="/etc/ovs/a.key" '
    'other_config:ca_cert="/etc/ovs/ca.pem" other_config:ipsec_skb_mark="1/1"'
)
LOOK, ACT = " ".join(LISTED), " ".join(VSCTL)
ADDRESSES = [
    {
        "ifname": name,
        "flags": ["UP"],
        "mtu": 1462,
        "linkinfo": {"info_kind": "openvswitch"},
        "addr_info": [{"local": address, "prefixlen": 24, "scope": "global"}],
    }
    for name, address in (
        ("br-mesh", "10.213.241.3"),
        ("br-ovs", "10.213.240.3"),
        ("br-new", "10.213.242.3"),
    )
]


def end(peer: str, name: str, remote: str = "10.213.240.9", **fields: Any) -> dict[str, Any]:
    plain = {"type": "gre", "tunnel_key": 0, "is_isolated": True, "remote_name": "", "flaws": []}
    return {"peer": peer, "name": name, "remote": remote, **plain, **fields}


def tunnels(*ports: Mapping[str, Any], switch: str = "br-mesh", **fields: Any) -> dict[str, Any]:
    return {"act": "put_tunnels", "switch": switch, "ports": list(ports), **fields}


def switch(name: str = "br-new", **fields: Any) -> dict[str, Any]:
    return {"act": "put_switch", "name": name, "datapath": "netdev", **fields}


@pytest.fixture
def host(ground: Ground) -> Ground:
    """A host with Open vSwitch, and the interfaces eth1, and eth2 that is part of br-lan."""
    ground.path("/usr/bin").mkdir(parents=True)
    ground.path("/usr/bin/ovs-vsctl").touch(mode=0o755)
    for name in ("eth1", "eth2"):
        ground.path(f"/sys/class/net/{name}").mkdir(parents=True)
    ground.path("/sys/class/net/eth2/master").symlink_to("../br-lan")
    ground.programs.answers |= {
        LOOK: Ran(0, CAPTURED),
        "ip -json -details address": Ran(0, json.dumps(ADDRESSES)),
        "ip -json route": Ran(0, "[]"),
    }
    return ground


def transactions(ground: Ground) -> list[list[str]]:
    """The commands of each transaction."""
    calls = [call for call in ground.programs.called(ACT) if call != LOOK]
    return [call.removeprefix(ACT).strip().removeprefix("-- ").split(" -- ") for call in calls]


def test_a_mesh_is_made_in_one_transaction_the_old_ends_first(host: Ground) -> None:
    told = host.do(tunnels(end("virt4", TO_VIRT4, tunnel_key=7), end("virt9", "gre99")))
    assert not host.programs.called("systemctl")
    assert "error" in told[0]  # the new end is not there, as the answer is the same as before
    assert transactions(host) == [
        [
            f"del-port br-mesh {TO_VIRT5}",
            f"--may-exist add-port br-mesh {TO_VIRT4}",
            f"set interface {TO_VIRT4} type=gre options={{{OPTIONS}}}",
            f'set port {TO_VIRT4} {CLEAN} external_ids:reconciler-peer="virt4"',
            "--may-exist add-port br-mesh gre99",
            'set interface gre99 type=gre options={df_default="true",remote_ip="10.213.240.9"}',
            f'set port gre99 {CLEAN} external_ids:reconciler-peer="virt9"',
        ]
    ]


def test_an_encrypted_mesh_names_the_files_and_the_peer_and_no_secret(host: Ground) -> None:
    """The daemon that encrypts is not to be had here: this is what it is told, by the book."""
    files = ["/etc/ovs/a.pem", "/etc/ovs/a.key", "/etc/ovs/ca.pem", "1/1"]
    host.do(tunnels(end("virt4", TO_VIRT4, remote_name="virt4"), ipsec=files))
    assert host.programs.called("systemctl") == ["systemctl is-active --quiet openvswitch-ipsec"]
    assert transactions(host)[0][1:3] == [
        f"set Open_vSwitch . {IPSEC}",
        f"--may-exist add-port br-mesh {TO_VIRT4}",
    ]
    assert 'remote_name="virt4"' in transactions(host)[0][3]


def test_nothing_is_sent_in_clear_that_should_be_encrypted(host: Ground) -> None:
    host.programs.answers["systemctl is-active"] = Ran(3)
    said = host.refused(tunnels(end("virt4", TO_VIRT4, remote_name="virt4"), ipsec=["a"] * 4))
    assert "openvswitch-ipsec does not run here" in said
    assert not transactions(host)


def test_an_end_that_the_switch_cannot_serve_is_told(host: Ground) -> None:
    rows = CAPTURED.splitlines()
    interfaces = json.loads(rows[2])
    place = interfaces["headings"].index("error")
    for row in interfaces["data"]:
        row[place] = "could not add network device" if TO_VIRT4 in row else row[place]
    rows[2] = json.dumps(interfaces)
    host.programs.answers[LOOK] = Ran(0, "\n".join(rows))
    said = host.refused(tunnels(end("virt4", TO_VIRT4), end("virt5", TO_VIRT5)))
    assert said == f"cannot connect with virt4: {TO_VIRT4}: could not add network device"


def test_a_tunnel_into_its_own_network_is_not_made(host: Ground) -> None:
    said = host.refused(tunnels(end("virt4", TO_VIRT4, "10.213.241.4")))
    assert "10.213.241.4 of virt4 is reached through br-mesh itself" in said
    assert not transactions(host)


def test_the_port_of_another_with_the_name_of_an_end_is_let_be(host: Ground) -> None:
    said = host.refused(tunnels(end("virt9", "ovs0")))
    assert said == "ovs0 is a port of switch br-ovs, and not ours"
    assert not transactions(host)


def test_without_ends_just_ours_go(host: Ground) -> None:
    host.done(tunnels())
    assert transactions(host) == [[f"del-port br-mesh {TO_VIRT4}", f"del-port br-mesh {TO_VIRT5}"]]


def test_tunnels_of_another_switch_stay_and_an_end_that_was_moved_comes_back(host: Ground) -> None:
    host.done(tunnels(switch="br-ovs"))
    assert not transactions(host)
    host.do(tunnels(end("virt4", TO_VIRT4, "10.6.6.6"), switch="br-ovs"))
    (commands,) = transactions(host)
    assert commands[:2] == [
        f"del-port br-mesh {TO_VIRT4}",
        f"--may-exist add-port br-ovs {TO_VIRT4}",
    ]


def test_a_switch_is_made_in_one_transaction(host: Ground) -> None:
    host.done(switch(ports=["eth1"], mtu=1462))
    assert transactions(host) == [
        [
            "add-br br-new",
            "set bridge br-new datapath_type=netdev fail_mode=standalone",
            "--may-exist add-port br-new eth1",
            "set port eth1 external_ids:reconciler=port",
            "set interface br-new mtu_request=1462",
        ]
    ]


def test_a_switch_that_the_kernel_cannot_have_is_told_with_the_way_out(host: Ground) -> None:
    host.programs.answers["ip -json -details address"] = Ran(0, json.dumps(ADDRESSES[:2]))
    said = host.refused(switch() | {"datapath": "system"})
    assert "does not serve br-new" in said
    assert "switch_datapath: netdev" in said


def test_of_the_ports_only_ours_are_taken_out(host: Ground) -> None:
    host.done(switch("br-ovs"), switch("br-mesh"))
    commands = [command for each in transactions(host) for command in each]
    assert [each for each in commands if each.startswith("del-port")] == ["del-port br-ovs ovs0"]


def test_ports_that_are_others_are_refused_all_at_once(host: Ground) -> None:
    said = host.refused(switch(ports=["eth1", "eth2", "eth9", "guest0"]))
    assert said == (
        "eth2 is part of br-lan; eth9 is not there; "
        "guest0 is plugged into switch br-mesh, and not by us: nothing was done"
    )
    assert not transactions(host)


def test_a_switch_with_a_guest_is_not_removed(host: Ground) -> None:
    said = host.refused({"act": "remove_switch", "name": "br-mesh"})
    assert "guest0" in said
    assert "switch br-mesh" in said
    assert not transactions(host)


def test_a_switch_with_nothing_but_ours_is_removed(host: Ground) -> None:
    host.done({"act": "remove_switch", "name": "br-ovs"})
    assert transactions(host) == [["del-br br-ovs"]]


def test_a_switch_that_stays_only_forgets_us(host: Ground) -> None:
    host.done({"act": "remove_switch", "name": "br-ovs", "keeps": True})
    assert transactions(host) == [["remove port ovs0 external_ids reconciler"]]


def test_without_open_vswitch_the_package_is_asked_for(ground: Ground) -> None:
    for act in (switch(), tunnels(end("virt4", TO_VIRT4)), tunnels()):
        assert "declare the package openvswitch-switch" in ground.refused(act)


def test_a_switch_does_not_take_the_name_of_another_interface(host: Ground) -> None:
    """Open vSwitch would write it down, and look at the next boot who is first."""
    bridge = {"ifname": "br-new", "flags": ["UP"], "linkinfo": {"info_kind": "bridge"}}
    host.programs.answers["ip -json -details address"] = Ran(0, json.dumps([bridge]))
    assert "br-new is there, and is no switch (bridge)" in host.refused(switch())
    assert not transactions(host)
