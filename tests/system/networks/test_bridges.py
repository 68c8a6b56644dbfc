"""A network's bridge on a real host, by the program: made, kept, changed, given up, and booted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.networks_farm import NetworksFarm

pytestmark = pytest.mark.system

HOST = "virt6"
BRIDGE, PORT, GUEST = "br-test", "port-test", "tap-test"
ADDRESS, ROUTER = "10.213.9.6", "10.213.9.254"
ROUTED, LOST = "10.213.10.0/24", "10.213.11.0/24"
PATH = "environments/production/networks/test.yaml"
FILE = f"/etc/systemd/network/50-reconciler-{BRIDGE}.network"
NETWORK = {
    "kind": "Network",
    "name": "test",
    "subnet": "10.213.9.0/24",
    "bridge": BRIDGE,
    "mtu": 1400,
    "hosts": [{"name": HOST, "address": ADDRESS, "ports": [PORT]}],
    "routes": [{"to": ROUTED, "via": ROUTER}, {"to": LOST, "type": "blackhole"}],
}
NETWORKD = {"name": "systemd-networkd", "enabled": True, "running": True}
BARE = {**NETWORK, "hosts": [{"name": HOST, "address": ADDRESS}], "routes": []}
ON_HOST = f"bridge@{HOST}/{BRIDGE}"
CLEANUP = f"""
for link in {BRIDGE} {PORT} {GUEST}; do ip link delete $link 2>/dev/null; done
rm -rf /etc/systemd/network/*reconciler-* /var/lib/reconciler
systemctl disable --now systemd-networkd.service systemd-networkd.socket 2>/dev/null
ip route flush proto 201
true
"""


@pytest.fixture
def host(lab: Lab) -> Iterator[LabHost]:
    found = lab.hosts[HOST]
    with taken(lab.directory, HOST):
        clean(found)
        found.run("ip", "link", "add", "name", PORT, "type", "ifb")
        yield found
        clean(found)


@pytest.fixture
def bare_farm(tmp_path: Path, lab: Lab, host: LabHost) -> NetworksFarm:
    """The host, and something on it that stays, since nobody gives up all at once."""
    made = NetworksFarm(tmp_path, lab, [host])
    kept = {"name": "no-such-package", "state": "absent"}
    made.declare({f"hosts/{HOST}.yaml": made.host(HOST, packages=[kept])})
    return made


@pytest.fixture
def farm(bare_farm: NetworksFarm) -> NetworksFarm:
    bare_farm.declare({PATH: NETWORK})
    bare_farm.sync()
    return bare_farm


def clean(host: LabHost) -> None:
    host.run("bash", "-s", stdin=CLEANUP.encode())


def link(host: LabHost, name: str = BRIDGE) -> dict[str, Any] | None:
    """What the kernel has of that name."""
    said = host.attempt("ip", "-json", "-details", "address", "show", "dev", name)
    found: list[dict[str, Any]] = json.loads(said.stdout) if said.code == 0 else []
    return found[0] if found else None


def addresses(host: LabHost) -> list[str]:
    found = (link(host) or {}).get("addr_info", [])
    return [f"{each['local']}/{each['prefixlen']}" for each in found if each["scope"] == "global"]


def routes(host: LabHost) -> set[str]:
    lines = host.run("ip", "route", "show", "proto", "201").splitlines()
    return {" ".join(line.replace("linkdown", "").split()) for line in lines}


def is_whole(host: LabHost) -> bool:
    there, port = link(host), link(host, PORT)
    return (
        there is not None
        and port is not None
        and (there["mtu"], port.get("master")) == (1400, BRIDGE)
        and addresses(host) == [f"{ADDRESS}/24"]
        and routes(host) == {f"{ROUTED} via {ROUTER} dev {BRIDGE}", f"blackhole {LOST}"}
    )


def test_a_network_makes_its_bridge_and_then_there_is_nothing_to_do(
    host: LabHost, farm: NetworksFarm
) -> None:
    assert is_whole(host)
    assert f"Address={ADDRESS}/24" in host.run("cat", FILE)
    assert farm.plan() == {}


@pytest.mark.parametrize(
    "by_hand",
    [
        f"ip link delete {BRIDGE}",
        f"ip link set {PORT} nomaster",
        f"ip address delete {ADDRESS}/24 dev {BRIDGE}; ip address add 10.213.9.7/24 dev {BRIDGE}",
        f"ip link set {BRIDGE} mtu 1500; ip route delete blackhole {LOST}",
        f"sed -i s/{ADDRESS}/10.213.9.8/ {FILE}",
    ],
)
def test_what_is_changed_by_hand_is_found_and_set_right(
    host: LabHost, farm: NetworksFarm, by_hand: str
) -> None:
    host.run("bash", "-c", by_hand)
    assert set(farm.plan()) == {ON_HOST}
    farm.sync()
    assert is_whole(host)
    assert host.run("grep", "-c", f"Address={ADDRESS}/24", FILE).strip() == "1"
    assert farm.plan() == {}


def test_what_the_document_wants_no_more_goes_and_the_rest_stays(
    host: LabHost, farm: NetworksFarm
) -> None:
    before = link(host)
    farm.declare({PATH: BARE})
    farm.sync()
    after, port = link(host), link(host, PORT)
    assert before is not None
    assert after is not None
    assert after["ifindex"] == before["ifindex"]
    assert (addresses(host), routes(host)) == ([f"{ADDRESS}/24"], set())
    assert port is not None
    assert ("master" in port, "UP" in port["flags"]) == (False, True)
    assert PORT not in host.run("ls", "/etc/systemd/network")
    assert farm.plan() == {}


def test_a_bridge_that_nobody_wants_goes_unless_a_guest_is_in_it(
    host: LabHost, farm: NetworksFarm
) -> None:
    host.run("ip", "tuntap", "add", "dev", GUEST, "mode", "tap")
    host.run("ip", "link", "set", GUEST, "master", BRIDGE)
    farm.declare({PATH: None})
    assert GUEST in farm.sync(expects=1)
    assert link(host) is not None
    host.run("ip", "link", "delete", GUEST)
    farm.sync()
    port = link(host, PORT)
    assert (link(host), routes(host)) == (None, set())
    assert port is not None
    assert ("master" in port, "UP" in port["flags"]) == (False, True)
    assert "reconciler" not in host.run("ls", "/etc/systemd/network")


def test_a_bridge_that_was_there_before_stays(host: LabHost, bare_farm: NetworksFarm) -> None:
    host.run("ip", "link", "add", "name", BRIDGE, "type", "bridge")
    host.run("ip", "address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
    before = link(host)
    bare_farm.declare({PATH: NETWORK})
    bare_farm.sync()
    assert is_whole(host)
    bare_farm.declare({PATH: None})
    bare_farm.sync()
    after = link(host)
    assert before is not None
    assert after is not None
    assert (after["ifindex"], addresses(host)) == (before["ifindex"], [f"{ADDRESS}/24"])
    assert "reconciler" not in host.run("ls", "/etc/systemd/network")


def test_networkd_that_runs_and_the_program_are_of_one_mind(
    host: LabHost, bare_farm: NetworksFarm
) -> None:
    bare_farm.declare({f"hosts/{HOST}.yaml": bare_farm.host(HOST, services=[NETWORKD])})
    bare_farm.declare({PATH: NETWORK})
    bare_farm.sync()
    eventually(lambda: is_whole(host) or None, within=timedelta(seconds=10))
    assert "(configured)" in host.run("networkctl", "status", BRIDGE)
    assert bare_farm.plan() == {}
    moved = [{"name": HOST, "address": "10.213.9.8", "ports": []}]
    bare_farm.declare({PATH: {**NETWORK, "hosts": moved, "routes": []}})
    bare_farm.sync()
    port = link(host, PORT)
    assert port is not None
    assert (addresses(host), routes(host), "master" in port) == (["10.213.9.8/24"], set(), False)
    assert bare_farm.plan() == {}
    bare_farm.declare({PATH: None})
    bare_farm.sync()
    assert link(host) is None
    assert bare_farm.plan() == {}


def test_F36_a_bridge_is_there_again_after_a_boot_without_the_program(
    lab: Lab, host: LabHost, bare_farm: NetworksFarm
) -> None:
    farm = bare_farm
    farm.declare({PATH: BARE | {"routes": NETWORK["routes"]}})
    farm.declare({f"hosts/{HOST}.yaml": farm.host(HOST, services=[NETWORKD])})
    farm.sync()
    lab.kill(HOST)
    lab.boot()
    eventually(lambda: link(host), within=timedelta(seconds=60))
    eventually(lambda: addresses(host) or None, within=timedelta(seconds=30))
    assert addresses(host) == [f"{ADDRESS}/24"]
    assert routes(host) >= {f"blackhole {LOST}"}
    assert farm.plan() == {}
