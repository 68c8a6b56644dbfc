"""What Nameserver documents make of hosts of the lab: real BIND, NSD and Knot answer by it."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.golden.nameservers.nameservers import SERVERS
from tests.golden.nameservers.test_nameservers import SECRET
from tests.sealed.sealing import Reader, seal
from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.names_farm import PRIMARY, SECONDARY, clean
from tests.system.networks_farm import Document, NetworksFarm

pytestmark = pytest.mark.timeout(600)  # the hosts may be another test's for a while

SERVER = "environments/production/nameservers/ns.yaml"
GOLDENS = Path(__file__).parents[2] / "golden/nameservers"
KEY = base64.b64encode(b"a key of production, of 32 bytes").decode()
CATALOG = "catalog.ns.invalid"
HOME = "/var/lib/bind/reconciler"
ELSEWHERE = "127.0.0.53"  # who is asked for other names
OTHERS = "192.0.2.99"  # what it answers to whatever name
FORWARDER = f"""\
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{ELSEWHERE}", 53))
while True:
    asked, who = server.recvfrom(4096)
    end = asked.index(0, 12) + 5
    record = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4" + socket.inet_aton("{OTHERS}")
    counts = b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0"
    server.sendto(asked[:2] + counts + asked[12:end] + record, who)
"""
OFF = ("systemctl", "disable", "--quiet", "--now", "nsd", "knot")
ZONE = """\
$TTL 60
@ SOA ns1 hostmaster 1 60 30 1209600 60
@ NS ns1
ns1 A {address}
www A 192.0.2.{number}
"""


@pytest.fixture(scope="module")
def hosts(lab: Lab) -> Iterator[tuple[LabHost, LabHost]]:
    """Two hosts with Debian's own name servers, and somebody who knows all other names."""
    found = lab.hosts[PRIMARY], lab.hosts[SECONDARY]
    with ExitStack() as stack:
        for host in found:
            stack.enter_context(taken(lab.directory, host.name))
            stack.callback(clean, host)
            stack.callback(host.run, *OFF)
            stack.callback(host.run, "rm", "-rf", "/run/trial")
            unit = ("systemd-run", "--quiet", "--collect", "--unit=lab-forwarder")
            host.attempt("systemctl", "stop", "lab-forwarder")
            host.run(*unit, "python3", "-c", FORWARDER)
            stack.callback(host.attempt, "systemctl", "stop", "lab-forwarder")
        yield found


@pytest.fixture
def farm(lab: Lab, hosts: tuple[LabHost, LabHost], tmp_path: Path) -> NetworksFarm:
    """A farm of those two hosts, on which nothing is yet."""
    for host in hosts:
        host.run(*OFF)
        clean(host)
    reader = Reader()
    identity = reader.write(tmp_path / "age.txt")
    made = NetworksFarm(tmp_path, lab, hosts, f"secrets: {{identity: {identity}}}\n")
    values = {"production": KEY, "broken": "no base64, and nobody's business!"}
    sealed = {"secrets/dns.sops.yaml": seal(values, [reader.recipient]).encode()}
    made.origin.commit("production", sealed)
    packages = [{"name": name} for name in ("bind9", "knot", "nsd")]
    described = {
        f"hosts/{host.name}.yaml": made.host(host.name, guests=False, packages=packages)
        for host in hosts
    }
    made.declare(described)
    return made


def declared(farm: NetworksFarm, documents: Mapping[str, Document | None]) -> None:
    """Declare them, and sync. Zones come with the turn after the one that begins their server."""
    farm.declare(documents)
    farm.run("sync", "-e", "production")
    farm.sync()


def server(*names: str, **fields: Any) -> Document:
    """A name server on hosts of these names."""
    head = {"kind": "Nameserver", "name": "ns", "hosts": [{"name": name} for name in names]}
    return {**head, "keys": {"production": "secret://dns/production"}, **fields}


def bind(*names: str, **fields: Any) -> Document:
    """The same, of BIND, for which the hosts' own networks are inside, and the lab is not."""
    forwarding = {"forwarders": [ELSEWHERE], "dnssec_validation": False}
    return server(*names, inside=["10.213.8.0/24"], **forwarding, **fields)


def dig(*arguments: str) -> list[str]:
    return ["dig", "+time=2", "+tries=2", *arguments]


def answered(text: str) -> str:
    """What a server says: the addresses, or the word for why there are none."""
    status = text.partition("status: ")[2].partition(",")[0]
    words = [line.split() for line in text.splitlines() if line and not line.startswith(";")]
    return " ".join(sorted(each[4] for each in words)) or status


def from_outside(host: LabHost, *arguments: str) -> str:
    """What a server answers to this machine, which is not inside."""
    argv = dig(f"@{host.address}", "+noall", "+comments", "+answer", *arguments)
    return answered(subprocess.run(argv, capture_output=True, text=True, check=False).stdout)


def from_inside(host: LabHost, *arguments: str) -> str:
    """What a server answers to its own host."""
    argv = dig("@127.0.0.1", "+noall", "+comments", "+answer", *arguments)
    return answered(host.attempt(*argv).stdout)


def await_answer(ask: Callable[..., str], host: LabHost, name: str, answer: str) -> None:
    eventually(lambda: ask(host, name) == answer or None)


def signed(name: str) -> tuple[str, str]:
    return "-y", f"hmac-sha256:{name}:{KEY}"


def add_zone(host: LabHost, name: str, text: str, view: str = "") -> None:
    """Let named have a zone, as the reconciler does."""
    path = f"{HOME}/{view}{name}.db"
    host.write_file(path, text.encode())
    host.run("chown", "bind:", path)
    key = f"reconciler-production{'-outside' if view == 'outside' else ''}"
    rules = f"update-policy {{ grant {key} zonesub ANY; }}"
    stanza = f'{{ type primary; file "{path}"; {rules}; }};'
    host.run("rndc", "addzone", name, "IN", *([view] if view else ["_default"]), stanza)


def list_in_catalog(host: LabHost, what: str, name: str, key: str) -> None:
    wire = b"".join(bytes([len(each)]) + each.encode() for each in name.split(".")) + b"\0"
    entry = f"{hashlib.sha1(wire, usedforsecurity=False).hexdigest()}.zones.{CATALOG}."
    update(host, key, CATALOG, f"{what} {entry} 60 PTR {name}.")


def update(host: LabHost, key: str, zone: str, what: str) -> None:
    script = f"server {host.address}\nzone {zone}\nupdate {what}\nsend\n"
    host.run("nsupdate", *signed(key), stdin=script.encode())


@pytest.mark.parametrize("case", SERVERS)
def test_the_programs_take_what_is_written(hosts: tuple[LabHost, LabHost], case: str) -> None:
    host, program = hosts[0], SERVERS[case].partition("software: ")[2].partition("\n")[0] or "bind"
    checks = {"nsd": ["nsd-checkconf"], "knot": ["knotc", "conf-check", "-c"]}
    check = checks.get(program, ["named-checkconf"])
    for folder in sorted((GOLDENS / case).iterdir()):
        keys = SECRET.sub(KEY, (folder / "reconciler.keys").read_text())
        (main,) = (path for path in folder.glob("*.conf") if path.stem in {"named", "nsd", "knot"})
        place = f"/etc/{'bind' if main.stem == 'named' else main.stem}/reconciler"
        text = main.read_text().replace(f"{place}.keys", "/run/trial/keys")
        text = text.replace(f"{place}-zones", "/run/trial/zones")
        for view in ("", "-outside"):
            host.run("mkdir", "-p", f"/run/trial/zones{view}")
            host.run("touch", f"/run/trial/zones{view}/none.conf")
        host.write_file("/run/trial/keys", keys.encode())
        host.write_file("/run/trial/main", text.encode())
        options = ["-c", "/run/trial/main", "conf-check"]
        argv = ["knotc", *options] if program == "knot" else [*check, "/run/trial/main"]
        done = host.attempt(*argv)
        assert (done.code, done.stderr) == (0, ""), folder


def test_only_the_inside_is_answered_and_only_it_may_ask_for_any_name(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm
) -> None:
    host = hosts[0]
    farm.declare({SERVER: bind(PRIMARY)})
    farm.sync()
    assert farm.plan() == {}
    add_zone(host, "farm.internal", ZONE.format(address=host.address, number=1))
    assert from_inside(host, "www.farm.internal") == "192.0.2.1"
    assert from_inside(host, "www.example.org") == OTHERS
    for name in ("www.farm.internal", "www.example.org", "localhost"):
        assert from_outside(host, name) == "REFUSED", name
    assert from_outside(host, "farm.internal", "AXFR") != "NOERROR"
    key = signed("reconciler-production")
    assert from_outside(host, *key, "www.farm.internal") == "192.0.2.1"
    assert from_outside(host, *key, "www.example.org") == "REFUSED"
    assert from_inside(host, "version.bind", "CH", "TXT") == "NOERROR"


def test_the_outside_sees_its_own_zones_and_gets_no_other_name(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm
) -> None:
    host = hosts[0]
    farm.declare({SERVER: bind(PRIMARY, outside=True)})
    farm.sync()
    add_zone(host, "farm.internal", ZONE.format(address=host.address, number=2), "inside")
    add_zone(host, "farm.example", ZONE.format(address=host.address, number=3), "inside")
    add_zone(host, "farm.example", ZONE.format(address=host.address, number=4), "outside")
    assert from_inside(host, "www.farm.internal") == "192.0.2.2"
    assert from_inside(host, "www.farm.example") == "192.0.2.3"
    assert from_inside(host, "www.example.org") == OTHERS
    assert from_outside(host, "www.farm.example") == "192.0.2.4"
    for name in ("www.farm.internal", "www.example.org"):
        assert from_outside(host, name) == "REFUSED", name
    inside, outside = signed("reconciler-production"), signed("reconciler-production-outside")
    assert from_outside(host, *inside, "www.farm.example") == "192.0.2.3"
    assert from_inside(host, *outside, "www.farm.example") == "192.0.2.4"


def test_secondaries_have_what_is_in_the_catalog(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm
) -> None:
    first, second = hosts
    declared(farm, {SERVER: bind(PRIMARY, SECONDARY, outside=True)})
    asking = {"inside": from_inside, "outside": from_outside}
    for number, (view, ask) in enumerate(asking.items(), 1):
        key = f"reconciler-production{'-outside' if view == 'outside' else ''}"
        add_zone(first, "new.example", ZONE.format(address=first.address, number=number), view)
        list_in_catalog(first, "add", "new.example", key)
        await_answer(ask, second, "www.new.example", f"192.0.2.{number}")
        update(first, key, "new.example", "add more.new.example. 60 A 192.0.2.7")
        await_answer(ask, second, "more.new.example", "192.0.2.7")
        list_in_catalog(first, "delete", "new.example", key)
        await_answer(ask, second, "more.new.example", OTHERS if view == "inside" else "REFUSED")


def test_a_key_that_is_none_is_refused_and_not_told(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm
) -> None:
    host = hosts[0]
    farm.declare({SERVER: bind(PRIMARY)})
    farm.sync()
    farm.declare({SERVER: {**bind(PRIMARY), "keys": {"production": "secret://dns/broken"}}})
    said = farm.sync(expects=1)
    assert "/etc/bind/reconciler.keys" in said
    assert "business" not in said
    assert KEY in host.run("cat", "/etc/bind/reconciler.keys")
    assert from_inside(host, "www.example.org") == OTHERS


@pytest.mark.parametrize("software", ["bind-files", "nsd", "knot"])
def test_servers_of_zone_files_and_their_secondaries(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm, software: str
) -> None:
    first, second = hosts
    for host in hosts if software != "bind-files" else ():
        host.run("systemctl", "stop", "named")
    inside = {"inside": ["10.213.7.0/24", "10.213.8.0/24"]} if software == "bind-files" else {}
    made = server(PRIMARY, SECONDARY, software=software, **inside)
    zone = {
        "kind": "Zone",
        "name": "files.internal",
        "server": "ns",
        "primary": "ns1",
        "nameservers": ["ns1"],
        "records": [{"name": "ns1", "type": "A", "values": [first.address]}],
    }
    path = "environments/production/zones/files.yaml"
    declared(farm, {SERVER: made, path: zone})
    await_answer(from_outside, first, "ns1.files.internal", first.address)
    await_answer(from_outside, second, "ns1.files.internal", first.address)


def test_what_debian_says_counts_again_when_the_document_goes(
    hosts: tuple[LabHost, LabHost], farm: NetworksFarm
) -> None:
    host = hosts[0]
    before = host.run("cat", "/etc/bind/named.conf")
    farm.declare({SERVER: bind(PRIMARY)})
    farm.sync()
    assert host.run("cat", "/etc/bind/named.conf") != before
    farm.declare({SERVER: None})
    farm.sync()
    assert host.run("cat", "/etc/bind/named.conf") == before
    assert host.attempt("test", "-e", "/etc/bind/reconciler.keys").code == 1
    assert from_outside(host, "localhost") == "127.0.0.1"
    assert farm.plan() == {}
