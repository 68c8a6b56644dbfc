"""What Open vSwitch tells becomes facts: of our tunnels, of our ports, and of nobody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.interfaces import Asked, Interfaces
from reconciler.drivers.ssh.onhost.look_switches import switch_of, tunnels_of
from reconciler.drivers.ssh.onhost.ovs import Switches, switches_of, told
from reconciler.drivers.ssh.onhost.programs import MISSING, TOO_LATE

CAPTURED = Path(__file__).with_name("captured").joinpath("ovs-3.1-mesh.json").read_text()
PORT, INTERFACE, SETTINGS = 1, 2, 3  # the tables, by their line
NO_INTERFACES = Interfaces("[]", "[]")
EMPTY = ["set", []]


def there(text: str = CAPTURED) -> Switches:
    return switches_of(text)


def with_cell(table: int, name: str, column: str, value: Any) -> str:
    """The captured text, with another value in the row that has this name."""
    lines = CAPTURED.splitlines()
    told_of = json.loads(lines[table])
    place = told_of["headings"].index(column)
    for row in told_of["data"]:
        if name in row or not name:
            row[place] = value
    lines[table] = json.dumps(told_of)
    return "\n".join(lines)


def ends(text: str = CAPTURED) -> dict[str, dict[str, Any]]:
    fact = tunnels_of(there(text), "br-mesh")
    assert fact is not None
    return {port["peer"]: port for port in fact["ports"]}


def test_a_mesh_is_told_end_by_end() -> None:
    assert ends()["virt4"] == {
        "peer": "virt4",
        "name": "gre445492020",
        "remote": "10.213.240.4",
        "type": "gre",
        "tunnel_key": 0,
        "is_isolated": True,
        "remote_name": "",
        "flaws": [],
    }
    assert set(ends()) == {"virt4", "virt5"}
    assert tunnels_of(there(), "br-ovs") is None
    assert tunnels_of(there(), "br-none") is None


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ((PORT, "protected", False), "is_isolated", False),
        ((PORT, "tag", 7), "flaws", ["tag=7"]),
        ((PORT, "trunks", ["set", [7, 8]]), "flaws", ["trunks=[7, 8]"]),
        ((INTERFACE, "type", "geneve"), "type", "geneve"),
        ((INTERFACE, "error", "no such device"), "flaws", ["error: no such device"]),
        ((INTERFACE, "options", ["map", [["remote_ip", "10.0.0.1"]]]), "remote", "10.0.0.1"),
        (
            (INTERFACE, "options", ["map", [["key", "flow"], ["local_ip", "10.0.0.2"]]]),
            "flaws",
            ["key=flow", "local_ip=10.0.0.2"],
        ),
        ((INTERFACE, "options", ["map", [["key", "9"], ["df_default", "true"]]]), "tunnel_key", 9),
        ((INTERFACE, "options", ["map", [["df_default", "false"]]]), "flaws", ["df_default=false"]),
    ],
    ids=str,
)
def test_what_was_changed_by_hand_is_told(
    change: tuple[int, str, Any], field: str, value: Any
) -> None:
    table, column, cell = change
    assert ends(with_cell(table, "gre445492020", column, cell))["virt4"][field] == value


def test_a_second_end_to_the_same_host_is_a_flaw_of_the_first() -> None:
    peer = ["map", [["reconciler-peer", "virt4"]]]
    found = ends(with_cell(PORT, "gre837800359", "external_ids", peer))
    assert found["virt4"]["flaws"] == ["also gre837800359"]
    assert set(found) == {"virt4"}


def test_the_files_of_an_encrypted_mesh_are_told() -> None:
    options = ["map", [["remote_ip", "10.0.0.1"], ["remote_name", "virt4"]]]
    lines = with_cell(INTERFACE, "gre445492020", "options", options).splitlines()
    settings = [["certificate", "/a.pem"], ["private_key", "/a.key"], ["ca_cert", "/ca.pem"]]
    row = ["map", [*settings, ["ipsec_skb_mark", "1/1"]]]
    lines[SETTINGS] = json.dumps({"data": [[row]], "headings": ["other_config"]})
    fact = tunnels_of(there("\n".join(lines)), "br-mesh")
    assert fact is not None
    assert fact["ipsec"] == ["/a.pem", "/a.key", "/ca.pem", "1/1"]
    clear = tunnels_of(there("\n".join([*CAPTURED.splitlines()[:3], lines[SETTINGS]])), "br-mesh")
    assert clear is not None
    assert clear["ipsec"] == []


def test_of_the_ports_ours_and_those_asked_for_are_told() -> None:
    def ports(bridge: str, *asked: str) -> Any:
        return switch_of(there(), NO_INTERFACES, bridge, Asked(asked))["ports"]

    assert ports("br-ovs") == ["ovs0"]
    assert ports("br-mesh") == []
    assert ports("br-mesh", "guest0", "gre445492020") == ["guest0"]


def test_a_switch_whose_interface_is_not_there_is_down() -> None:
    fact = switch_of(there(), NO_INTERFACES, "br-mesh", Asked())
    assert (fact["datapath"], fact["is_up"], fact["mtu"]) == ("netdev", False, None)
    assert switch_of(there(), NO_INTERFACES, "br-none", Asked())["datapath"] == ""


@pytest.mark.parametrize(
    "answer",
    [
        (MISSING, "", "ovs-vsctl: No such file or directory"),
        (1, "", "ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No"),
    ],
    ids=["not installed", "not running"],
)
def test_where_it_is_not_there_or_does_not_run_there_is_nothing(
    answer: tuple[int, str, str],
) -> None:
    assert not told(answer).bridges


@pytest.mark.parametrize("answer", [(TOO_LATE, "", ""), (142, "", ""), (1, "", "ovs-vsctl: odd")])
def test_who_cannot_say_is_not_taken_for_empty(answer: tuple[int, str, str]) -> None:
    with pytest.raises(OSError, match="ovs-vsctl"):
        told(answer)
