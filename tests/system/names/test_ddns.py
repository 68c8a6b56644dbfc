"""Clients of DHCP get names in the zone that is for them, and never in another.

A real Kea with its D2 and a real BIND on one host, all made by the program; and clients that are
nobody's, who call themselves what they like.
"""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sealed.sealing import Reader, seal
from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.names_farm import clean
from tests.system.networks.kea_host import ask_kea, begin, config, end
from tests.system.networks_farm import Document, NetworksFarm

HOST, BRIDGE, HERE = "virt7", "br-dyn", "10.213.98.1"
CLIENT = Path(__file__).parents[1] / "dhcp-client"
FARM, DYNAMIC, REVERSE = "farm", "dyn.farm", "98.213.10.in-addr.arpa"
NETWORK = "networks/leased.yaml"
KEYS = {name: b64encode(name.ljust(32, ".").encode()).decode() for name in ("production", "dhcp")}
SOON = timedelta(seconds=60)
BEFORE_THE_LEASE_ENDS = timedelta(seconds=20)
BEGIN = f"""\
set -e
test -e /etc/kea/kea-dhcp-ddns.conf.of-test ||
    cp -a /etc/kea/kea-dhcp-ddns.conf /etc/kea/kea-dhcp-ddns.conf.of-test
ip link add {BRIDGE} type bridge
ip address add {HERE}/24 dev {BRIDGE}
ip link add probe0 type veth peer name probe1
ip link set probe1 master {BRIDGE}
for each in {BRIDGE} probe0 probe1; do ip link set $each up; done
"""
END = f"""\
systemctl disable --quiet --now kea-dhcp-ddns-server
test ! -e /etc/kea/kea-dhcp-ddns.conf.of-test ||
    mv /etc/kea/kea-dhcp-ddns.conf.of-test /etc/kea/kea-dhcp-ddns.conf
rm -f /etc/kea/kea-dhcp-ddns.conf.before-reconciler
ip link delete {BRIDGE}
ip link delete probe0
rm -f /etc/systemd/network/*{BRIDGE}* /etc/systemd/network/*probe1*
rm -rf /etc/systemd/network/*probe1*
true
"""
ODD_NAMES = {
    "a name of the farm": "web-1.farm",
    "the same to its end": "web-1.farm.",
    "two dots": "a..b",
    "dots alone": "..",
    "quotes": '"q" 1',
    "as long as can be": "a" * 255,
    "the name server": "ns",
    "everything": "*",
    "the zone itself": "@",
    "the zone by name": "dyn.farm.",
    "a zone above": "farm",
    "another line": "x\nupdate add web-1.farm 60 A 192.0.2.66",
    "an escape": "web-1\\.farm",
    "none": " ",
}
ODD_DOMAINS = (
    "web-1.farm.",
    "farm.",
    "dyn.farm.",
    "ns.dyn.farm.",
    "x.dyn.farm.example.",
    "new.farm.",
)


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    """A host with a bridge of its own, Kea as Debian has it, and nothing of ours."""
    host = lab.hosts[HOST]
    with taken(lab.directory, HOST):
        clean(host)
        host.run("bash", "-c", END)
        host.run("bash", "-c", BEGIN)
        begin(host)
        yield host
        host.run("bash", "-c", END)
        end(host)
        clean(host)


@pytest.fixture(scope="module")
def farm(lab: Lab, host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> NetworksFarm:
    """All of it declared and made."""
    root = tmp_path_factory.mktemp("farm")
    reader, farm = Reader(), NetworksFarm(root, lab, [host])
    identity = reader.write(root / "age.txt")
    farm.settings.write_text(f"{farm.settings.read_text()}secrets: {{identity: {identity}}}\n")
    sealed = seal(KEYS, [reader.recipient])
    farm.origin.commit("production", {"secrets/dns.sops.yaml": sealed.encode()}, message="Keys")
    farm.declare(documents(host))
    farm.run("sync", "-e", "production")  # zones can be looked at when their server is made
    farm.sync()
    eventually(lambda: names(host, DYNAMIC) or None)
    return farm


def documents(host: LabHost) -> dict[str, Document]:
    """A farm whose clients of DHCP have a zone below its own."""
    keys = {name: f"secret://dns/{name}" for name in KEYS}
    zone = {"kind": "Zone", "environment": "production", "server": "ns", "primary": "ns.farm."}
    web = {"name": "web-1", "type": "A", "values": ["192.0.2.1"]}
    here = {"name": "ns", "type": "A", "values": [host.address]}
    return {
        "nameservers.yaml": {
            "kind": "Nameserver",
            "name": "ns",
            "environment": "production",
            "hosts": [{"name": HOST}],
            "inside": ["10.213.0.0/16"],
            "recursion": False,
            "keys": keys,
        },
        "zones/farm.yaml": {**zone, "name": FARM, "nameservers": ["ns"], "records": [here, web]},
        "zones/dyn.yaml": {
            **zone,
            "name": DYNAMIC,
            "updated_by": "dhcp",
            "nameservers": ["ns.farm."],
            "reverse": ["leased"],
        },
        NETWORK: network(names=DYNAMIC),
    }


def network(**dhcp: Any) -> Document:
    """A network with short leases."""
    return {
        "kind": "Network",
        "name": "leased",
        "environment": "production",
        "subnet": "10.213.98.0/24",
        "bridge": BRIDGE,
        "hosts": [{"name": HOST, "address": HERE, "ports": ["probe1"]}],
        "partitions": [{"name": "any", "range": "10.213.98.128/26", "purpose": "dynamic"}],
        "dhcp": {"servers": [HOST], "lease": "30s", **dhcp},
    }


def client(host: LabHost, number: int, *about: str) -> Any:
    """What a client is told; `about` is its name, perhaps after how it says it."""
    *how, name = about
    argv = ("python3", "-", *how, "probe0", f"52:54:00:77:77:{number:02x}", name)
    return json.loads(host.run(*argv, stdin=CLIENT.read_bytes()))


def release(host: LabHost, number: int, address: str) -> None:
    mac = f"52:54:00:77:77:{number:02x}"
    argv = ("python3", "-", "--release", "probe0", mac, address, HERE)
    host.run(*argv, stdin=CLIENT.read_bytes())


def dig(host: LabHost, *words: str) -> str:
    argv = ["dig", "+time=2", "+tries=2", f"@{host.address}", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=15, check=False).stdout


def names(host: LabHost, zone: str) -> set[tuple[str, str, str]]:
    """The addresses, aliases and servers in a zone, read with the key of production."""
    key = f"hmac-sha256:reconciler-production:{KEYS['production']}"
    said = dig(host, "+noall", "+answer", "-y", key, zone, "AXFR")
    rows = (line.split() for line in said.splitlines())
    return {
        (row[0], row[3], row[4])
        for row in rows
        if len(row) > 4 and row[3] in {"A", "NS", "PTR", "CNAME"}
    }


def address_of(host: LabHost, name: str) -> str:
    return dig(host, "+short", "+norecurse", name, "A").strip()


def await_address(host: LabHost, name: str, address: str, within: timedelta = SOON) -> None:
    """Wait until a name in the zone of clients has just this address, or none."""
    full = f"{name}.{DYNAMIC}"
    eventually(lambda: address_of(host, full) == address or None, within=within)


def settle(host: LabHost, number: int) -> None:
    """Wait until all that clients said before is done: a client that comes now has its name."""
    told = client(host, number, f"last-{number}")
    await_address(host, f"last-{number}", told["address"])


def test_a_client_gets_its_name_in_its_own_zone_and_nowhere_else(
    farm: NetworksFarm, host: LabHost
) -> None:
    before = names(host, FARM)
    told = client(host, 1, "web-1")
    await_address(host, "web-1", told["address"])
    assert address_of(host, "web-1.farm") == "192.0.2.1"
    assert names(host, FARM) == before
    back = ".".join(reversed(told["address"].split("."))) + ".in-addr.arpa"
    eventually(lambda: dig(host, "+short", back, "PTR").strip() == f"web-1.{DYNAMIC}." or None)


def test_the_next_sync_leaves_the_names_of_clients_alone(farm: NetworksFarm, host: LabHost) -> None:
    told = client(host, 2, "laptop")
    await_address(host, "laptop", told["address"])
    assert farm.plan() == {}
    said = farm.sync()
    assert "nothing to do" in said
    assert "laptop" not in said + farm.run("plan", "-e", "production").stdout
    assert "laptop" not in farm.run("status").stdout
    assert address_of(host, f"laptop.{DYNAMIC}") == told["address"]


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES)
def test_whatever_a_client_is_called_it_stays_inside(
    farm: NetworksFarm, host: LabHost, name: str
) -> None:
    number = 16 + [*ODD_NAMES.values()].index(name)
    expect_inside(host, number, name)


@pytest.mark.parametrize("name", ODD_DOMAINS)
def test_whatever_it_asks_for_in_full_it_stays_inside(
    farm: NetworksFarm, host: LabHost, name: str
) -> None:
    expect_inside(host, 48 + ODD_DOMAINS.index(name), "--fqdn", name)


def expect_inside(host: LabHost, number: int, *about: str) -> None:
    """A client that comes with a name changes nothing that is ours."""
    managed, ours = names(host, FARM), apex(host)
    assert client(host, number, *about)["address"].startswith("10.213.98.")
    settle(host, number + 128)
    assert names(host, FARM) == managed
    assert apex(host) == ours
    found = {owner for owner, kind, _ in names(host, DYNAMIC) if kind == "A"}
    assert all(re.fullmatch(rf"[a-z0-9.-]+\.{re.escape(DYNAMIC)}\.", each) for each in found)


def apex(host: LabHost) -> set[tuple[str, str, str]]:
    """What of the dynamic zone is ours."""
    return {each for each in names(host, DYNAMIC) if each[0] == f"{DYNAMIC}."}


def test_a_name_goes_when_its_client_gives_it_back_and_when_its_lease_ends(
    farm: NetworksFarm, host: LabHost
) -> None:
    told = client(host, 3, "gives-back")
    await_address(host, "gives-back", told["address"])
    release(host, 3, told["address"])
    await_address(host, "gives-back", "", within=BEFORE_THE_LEASE_ENDS)
    told = client(host, 4, "goes-away")
    await_address(host, "goes-away", told["address"])
    await_address(host, "goes-away", "")


@pytest.mark.parametrize(
    ("zone", "line"),
    [
        (FARM, "update add web-9.farm 60 A 192.0.2.66"),
        (FARM, "update delete web-1.farm A"),
        (FARM, "update add dyn.farm 60 NS evil.example."),
        (DYNAMIC, "update add dyn.farm 60 NS evil.example."),
        (DYNAMIC, "update add dyn.farm 60 A 192.0.2.66"),
        (DYNAMIC, "update add x.dyn.farm 60 CNAME web-1.farm."),
    ],
)
def test_the_key_of_dhcp_is_refused_for_what_is_managed(
    farm: NetworksFarm, host: LabHost, zone: str, line: str
) -> None:
    key = f"key hmac-sha256:reconciler-dhcp {KEYS['dhcp']}"
    script = f"server {host.address}\n{key}\nzone {zone}\n{line}\nsend\n"
    assert "REFUSED" in host.attempt("nsupdate", stdin=script.encode()).stderr


def test_what_is_changed_by_hand_in_kea_is_set_right(farm: NetworksFarm, host: LabHost) -> None:
    now = config(host)
    (ours,) = [each for each in now["subnet4"] if each["subnet"] == "10.213.98.0/24"]
    ours["ddns-qualifying-suffix"] = "farm."
    assert ask_kea(host, "config-set", {"Dhcp4": now})["result"] == 0
    assert farm.plan()
    farm.sync()
    (ours,) = [each for each in config(host)["subnet4"] if each["subnet"] == "10.213.98.0/24"]
    assert ours["ddns-qualifying-suffix"] == "dyn.farm."
    assert farm.plan() == {}


def test_the_key_is_read_by_kea_alone(farm: NetworksFarm, host: LabHost) -> None:
    assert host.run("stat", "-c", "%a %U:%G", "/etc/kea/kea-dhcp-ddns.conf") == "640 root:_kea\n"
    assert KEYS["dhcp"] in host.run("cat", "/etc/kea/kea-dhcp-ddns.conf")
    assert KEYS["dhcp"] not in host.run("journalctl", "--no-pager", "-u", "kea-dhcp-ddns-server")


def test_nothing_is_sent_any_more_when_nobody_wants_it(farm: NetworksFarm, host: LabHost) -> None:
    farm.declare({NETWORK: network()})
    farm.sync()
    now = config(host)
    assert now["dhcp-ddns"]["enable-updates"] is False
    assert now["ddns-send-updates"] is True
    assert KEYS["dhcp"] not in host.run("cat", "/etc/kea/kea-dhcp-ddns.conf")
    assert farm.plan() == {}
    told = client(host, 5, "too-late")
    farm.declare({NETWORK: network(names=DYNAMIC)})
    farm.sync()
    settle(host, 6)
    assert told["address"]
    assert not address_of(host, f"too-late.{DYNAMIC}")
