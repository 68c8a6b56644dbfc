"""DHCP by a real Kea on a host of the lab: to a real guest, and to a client that is nobody's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.networks.kea_host import KEA, answers, ask_kea, begin, config, end
from tests.system.networks_farm import Document, NetworksFarm

HOST, BRIDGE = "virt5", "br-dhcp"
CLIENT = Path(__file__).parents[1] / "dhcp-client"
NETWORK = "networks/leased.yaml"
GUEST = "environments/production/vms/guest.yaml"
HERE, FIRST, SECOND = "10.213.99.1", "10.213.99.50", "10.213.99.60"
STRANGER, HOSTILE = "52:54:00:66:66:01", "drift: none\n$(reboot)"
LONG = timedelta(seconds=90)
CHANGES = ("an option", "a reservation", "the file", "the interface")
BEGIN = f"""\
set -e
ip link add {BRIDGE} type bridge
ip address add {HERE}/24 dev {BRIDGE}
ip link add probe0 type veth peer name probe1
ip link set probe1 master {BRIDGE}
for each in {BRIDGE} probe0 probe1; do ip link set $each up; done
"""
END = f"""\
ip link delete {BRIDGE}
ip link delete probe0
rm -f /etc/systemd/network/*{BRIDGE}* /etc/systemd/network/*probe1*
rm -rf /etc/systemd/network/*probe1*
true
"""


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    """A host with a bridge of its own, that nothing but its guests is plugged into."""
    host = lab.hosts[HOST]
    with taken(lab.directory, HOST):
        host.clean()
        host.run("bash", "-c", END)
        host.run("bash", "-c", BEGIN)
        begin(host)
        yield host
        host.clean()
        host.run("bash", "-c", END)
        end(host)


@pytest.fixture(scope="module")
def farm(lab: Lab, host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> NetworksFarm:
    farm = NetworksFarm(tmp_path_factory.mktemp("farm"), lab, [host])
    pool = {"name": "default", "size": "20 GiB", "type": "directory"}
    pools = [{**pool, "target": "/var/lib/libvirt/images"}]
    image = {"kind": "Image", "name": "tiny", "url": lab.image("tiny").as_uri()}
    farm.declare(
        {
            f"hosts/{HOST}.yaml": farm.host(HOST, accelerator="qemu", pools=pools),
            "images/tiny.yaml": {**image, "sha256": lab.checksum("tiny")},
            NETWORK: network(),
            GUEST: guest(FIRST),
        }
    )
    farm.sync()
    return farm


def network(**dhcp: Any) -> Document:
    """A network whose guests get all they know from Kea."""
    routes = [{"to": "10.213.100.0/24", "via": HERE}]
    return {
        "kind": "Network",
        "name": "leased",
        "environment": "production",
        "subnet": "10.213.99.0/24",
        "bridge": BRIDGE,
        "gateway": HERE,
        "nameservers": ["10.213.99.2", "10.213.99.3"],
        "mtu": 1442,
        "hosts": [{"name": HOST, "address": HERE, "ports": ["probe1"]}],
        "partitions": [
            {"name": "hosts", "range": "10.213.99.0/28", "purpose": "hosts"},
            {"name": "machines", "range": "10.213.99.32/27", "purpose": "machines"},
            {"name": "dynamic", "range": "10.213.99.128/28", "purpose": "dynamic"},
        ],
        "dhcp": {"servers": [HOST], "lease": "10m", "routes": routes, **dhcp},
    }


def guest(address: str) -> Document:
    """A machine that has no seed, and so asks for its address."""
    return {
        "kind": "VirtualMachine",
        "name": "guest",
        "image": "tiny",
        "cpus": 1,
        "memory": "96 MiB",
        "disks": [{"name": "root", "size": "1 GiB"}],
        "networks": [{"network": "leased", "address": address}],
    }


def client(host: LabHost, mac: str, name: str, *wish: str) -> Any:
    """What a client with that hardware address is told."""
    script = CLIENT.read_bytes()
    return json.loads(host.run("python3", "-", "probe0", mac, name, *wish, stdin=script))


def guest_at(host: LabHost, address: str) -> str | None:
    """What the guest tells about itself, asked on its host; None if nobody answers there."""
    asked = f"exec 3<>/dev/tcp/{address}/7 && timeout 5 cat <&3"
    said = host.attempt("timeout", "8", "bash", "-c", asked)
    return said.stdout if said.code == 0 and "boot_id=" in said.stdout else None


def test_a_guest_gets_exactly_the_address_that_is_reserved_for_it(
    farm: NetworksFarm, host: LabHost
) -> None:
    """And when git says another, it has that from its next boot on."""
    eventually(lambda: guest_at(host, FIRST), within=LONG)
    assert farm.plan() == {}
    farm.declare({GUEST: guest(SECOND)})
    farm.sync()
    host.run("virsh", "reset", "production-guest")
    eventually(lambda: guest_at(host, SECOND), within=LONG)
    assert guest_at(host, FIRST) is None


@pytest.mark.usefixtures("farm")
def test_all_options_reach_a_client(host: LabHost) -> None:
    told = client(host, STRANGER, HOSTILE)
    assert told["address"].startswith("10.213.99.1")
    assert told["26"] == f"{1442:04x}"
    assert told["3"] == "0ad56301"
    assert told["6"] == "0ad563020ad56303"
    assert bytes.fromhex(told["15"]) == b"lab.internal"
    assert told["121"] == "180ad5640ad56301" + "000ad56301"
    assert told["51"] == f"{600:08x}"


def test_a_lease_of_a_stranger_is_reported_and_his_name_is_not(
    farm: NetworksFarm, host: LabHost
) -> None:
    client(host, STRANGER, HOSTILE)
    shown = farm.run("drift", "-e", "production")
    said = shown.stdout + shown.stderr
    assert f"lease@{HOST}/{STRANGER}" in said
    assert "reboot" not in said
    assert "drift: none" not in said
    assert farm.plan() == {}


def test_what_somebody_else_has_in_kea_stays(farm: NetworksFarm, host: LabHost) -> None:
    now = config(host)
    theirs = {
        "id": 7,
        "subnet": "10.213.101.0/24",
        "option-data": [],
        "user-context": {"by": "hand"},
    }
    by_hand = {"hw-address": "52:54:00:66:66:02", "ip-address": "10.213.99.61"}
    (ours,) = [s for s in now["subnet4"] if s["subnet"] == "10.213.99.0/24"]
    kept = [each for each in ours["reservations"] if each["hw-address"] != by_hand["hw-address"]]
    ours["reservations"] = [*kept, by_hand]
    now["subnet4"] = [each for each in now["subnet4"] if each["id"] != theirs["id"]] + [theirs]
    assert ask_kea(host, "config-set", {"Dhcp4": now})["result"] == 0
    farm.declare({NETWORK: network(boot_file="other.0")})
    farm.sync()
    after = {each["subnet"]: each for each in config(host)["subnet4"]}
    assert after["10.213.101.0/24"]["user-context"] == {"by": "hand"}
    assert after["10.213.99.0/24"]["boot-file-name"] == "other.0"
    reserved = after["10.213.99.0/24"]["reservations"]
    assert len(reserved) == 2
    assert "10.213.99.61" in {each["ip-address"] for each in reserved}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_changed_by_hand_is_set_right(what: str, farm: NetworksFarm, host: LabHost) -> None:
    change_by_hand(host, what)
    assert farm.plan()
    farm.sync()
    assert farm.plan() == {}
    assert client(host, STRANGER, "x")["26"] == f"{1442:04x}"


def change_by_hand(host: LabHost, what: str) -> None:
    now = config(host)
    (ours,) = [s for s in now["subnet4"] if s["subnet"] == "10.213.99.0/24"]
    if what == "the file":
        host.run("cp", f"{KEA}.of-test", KEA)
        return
    if what == "an option":
        ours["option-data"] = []
    elif what == "a reservation":
        ours["reservations"] = []
    else:
        now["interfaces-config"]["interfaces"] = []
    assert ask_kea(host, "config-set", {"Dhcp4": now})["result"] == 0


def test_a_restart_of_the_server_loses_nothing(farm: NetworksFarm, host: LabHost) -> None:
    host.run(
        "sh", "-c", "systemctl reset-failed kea-dhcp4-server; systemctl restart kea-dhcp4-server"
    )
    eventually(lambda: answers(host) or None)
    assert farm.plan() == {}
    assert client(host, STRANGER, "x")["address"].startswith("10.213.99.1")


def test_the_server_hears_what_is_said_on_a_bridge_that_was_made_anew(
    farm: NetworksFarm, host: LabHost
) -> None:
    listed = host.run("ls", f"/sys/class/net/{BRIDGE}/brif").split()
    host.run("ip", "link", "delete", BRIDGE)
    farm.sync()
    assert farm.plan() == {}
    told = eventually(lambda: client(host, STRANGER, "x"))
    assert told["address"].startswith("10.213.99.1")
    for port in listed:
        host.run("ip", "link", "set", port, "master", BRIDGE)
