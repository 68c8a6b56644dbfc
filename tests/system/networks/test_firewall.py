"""A firewall on a real host: who gets through to whom, by packets, before, during and after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.machine import SshMachine
from reconciler.errors import Conflict
from reconciler.kinds.network.ruleset import RULESET, TABLE, RulesetSpec
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Question
from reconciler.ports.network_acts import PutRuleset
from reconciler.ports.network_facts import RulesetFact
from tests.system.hosts.test_switch import machine_of
from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.networks_farm import NetworksFarm

HOST = "virt5"
HERE = Path(__file__).parents[1]
GROUND, PACKETS = HERE.joinpath("firewall-ground"), HERE.joinpath("packets")
PATH = "environments/production/firewall.yaml"
DRIFTED = f"ruleset@{HOST}/reconciler"
FILE = "/etc/nftables.d/reconciler.nft"
DEADLINE = timedelta(seconds=20)
RELOADS = 40
# Who is in stays in: only a new connection tells that it is shut.
SHUT = f"""\
table inet {TABLE} {{}}
delete table inet {TABLE}
table inet {TABLE} {{
	chain input {{
		type filter hook input priority filter; policy drop;
		ct state established,related accept
	}}
}}
"""
FOREIGN = "table ip foreign { chain own { type filter hook input priority 5; counter; }; }"
CLEAN = """\
nft delete table inet reconciler
nft delete table ip foreign
rm -rf /etc/nftables.d /etc/systemd/system/nftables.service.d /var/lib/reconciler
rm -f /etc/systemd/system/reconciler-firewall.service
rm -f /etc/systemd/system/sysinit.target.wants/reconciler-firewall.service
systemctl daemon-reload
"""
LAN: Mapping[str, Any] = {
    "kind": "Network",
    "name": "inside",
    "subnet": "172.30.1.0/24",
    "bridge": "fw-br",
    "partitions": [{"name": "all", "range": "172.30.1.0/25", "purpose": "machines"}],
}
FIREWALL: Mapping[str, Any] = {
    "kind": "Firewall",
    "name": "edge",
    "hosts": [HOST],
    "management": ["10.213.7.0/24"],
    "zones": [
        {"name": "lan", "networks": ["inside"], "sources": ["172.30.1.0/24"]},
        {"name": "wan", "interfaces": ["fw-out"]},
    ],
    "rules": [
        {"name": "out", "from": "lan", "to": "wan", "protocol": "tcp", "ports": ["80"]},
        {"name": "dns", "from": "lan", "to": "host", "protocol": "udp", "ports": ["5300"]},
        {"name": "web", "from": "wan", "to": "host", "protocol": "tcp", "ports": ["8443"]},
        {
            "name": "no",
            "from": "wan",
            "to": "host",
            "protocol": "tcp",
            "ports": ["9000"],
            "action": "reject",
        },
    ],
    "masquerade": [{"name": "out", "from": "lan", "to": "wan"}],
    "forwards": [{"name": "ssh", "port": 22002, "address": "172.30.1.10", "to_port": 22}],
}
BY_HAND = (
    "nft flush ruleset",
    "nft flush chain inet reconciler input",
    "nft insert rule inet reconciler forward accept",
    "nft add table inet reconciler '{ flags dormant; }'",
    "nft add element inet reconciler zone_lan_ipv4 '{ 10.99.0.0/24 }'",
    "rm /etc/systemd/system/sysinit.target.wants/reconciler-firewall.service",
    f"rm {FILE}",
)
LOAD = """\
rm -f /run/firewall-end /run/told
ip netns exec inside-a python3 /srv/packets stream 198.51.100.2:80 /run/firewall-end \\
    >/run/told 2>&1 </dev/null &
"""
TOLD = "touch /run/firewall-end; while ! [ -s /run/told ]; do sleep 0.1; done; cat /run/told"
CLOSED, REFUSED = "closed", "refused"
# From where, by which question, and who is then heard at the other end: without a firewall, and
# with it.
PROBES: tuple[tuple[str, str, str, str], ...] = (
    ("outside", "tcp:198.51.100.1:8080", "198.51.100.2", CLOSED),
    ("outside", "tcp:198.51.100.1:8443", "198.51.100.2", "198.51.100.2"),
    ("outside", "tcp:198.51.100.1:9000", "198.51.100.2", REFUSED),
    ("outside", "udp:198.51.100.1:5300", "198.51.100.2", CLOSED),
    ("outside", "tcp:172.30.1.10:22", "198.51.100.2", CLOSED),
    ("outside", "tcp:172.30.1.10:80", "198.51.100.2", CLOSED),
    ("outside", "tcp:198.51.100.1:22002", REFUSED, "198.51.100.2"),
    ("inside-a", "tcp:198.51.100.2:80", "172.30.1.10", "198.51.100.1"),
    ("inside-a", "tcp:198.51.100.2:81", "172.30.1.10", CLOSED),
    ("inside-a", "udp:172.30.1.1:5300", "172.30.1.10", "172.30.1.10"),
    ("inside-a", "tcp:172.30.1.1:5300", "172.30.1.10", CLOSED),
    ("inside-a", "tcp:172.30.1.11:80", "172.30.1.10", "172.30.1.10"),
    ("inside-a", "udp:172.30.1.1:5300:10.99.0.5", "10.99.0.5", CLOSED),
    ("inside-a", "tcp:198.51.100.2:80:10.99.0.5", "10.99.0.5", CLOSED),
    ("inside-b", "tcp:198.51.100.1:22002", REFUSED, "172.30.1.1"),
)


@pytest.fixture
def host(lab: Lab) -> Iterator[LabHost]:
    """A host with a network inside and one outside, and no firewall."""
    found = lab.hosts[HOST]
    with taken(lab.directory, HOST):
        found.attempt("sh", "-c", CLEAN)
        try:
            found.write_file("/srv/packets", PACKETS.read_bytes())
            found.run("bash", "-s", stdin=GROUND.read_bytes())
            eventually(lambda: True if is_served(found) else None)
            yield found
        finally:
            found.attempt("sh", "-c", CLEAN)
            found.run("bash", "-s", "gone", stdin=GROUND.read_bytes())


@pytest.fixture
def farm(tmp_path: Path, lab: Lab, host: LabHost) -> NetworksFarm:
    """The firewall is declared, and made."""
    made = NetworksFarm(tmp_path, lab, [host])
    made.declare({"networks/inside.yaml": LAN, PATH: FIREWALL})
    made.sync()
    return made


def ask(host: LabHost, where: str, *questions: str) -> list[str]:
    """What is answered to whoever asks from a namespace."""
    said = host.run("ip", "netns", "exec", where, "python3", "/srv/packets", "ask", *questions)
    answers: list[str] = json.loads(said)
    return answers


def is_served(host: LabHost) -> bool:
    seen = [CLOSED, REFUSED]
    asked = ("tcp:172.30.1.1:9000", "tcp:172.30.1.11:80", "tcp:198.51.100.2:81")
    return not set(seen) & {
        *ask(host, "inside-a", *asked),
        *ask(host, "inside-a", "tcp:127.0.0.1:80"),
    }


def heard(host: LabHost) -> list[tuple[str, str, str]]:
    """Each probe, with what is answered."""
    found = []
    for where in sorted({probe[0] for probe in PROBES}):
        asked = [probe[1] for probe in PROBES if probe[0] == where]
        answers = ask(host, where, *asked)
        found += [(where, *each) for each in zip(asked, answers, strict=True)]
    return sorted(found)


def expected(column: int) -> list[tuple[str, str, str]]:
    return sorted((probe[0], probe[1], probe[column]) for probe in PROBES)


def chains(host: LabHost) -> list[tuple[str, int]]:
    """The chains of our table with their handles, which new ones would have others of."""
    told = json.loads(host.run("nft", "-j", "list", "table", "inet", TABLE))["nftables"]
    found = [each["chain"] for each in told if "chain" in each]
    return sorted((each["name"], each["handle"]) for each in found)


def rules(host: LabHost, table: str = "inet reconciler") -> str:
    return host.attempt("nft", "-s", "list", "table", *table.split()).stdout


def test_who_gets_through_before_and_after(host: LabHost, tmp_path: Path, lab: Lab) -> None:
    assert heard(host) == expected(2), "the ground is not what the probes are about"
    farm = NetworksFarm(tmp_path, lab, [host])
    farm.declare({"networks/inside.yaml": LAN, PATH: FIREWALL})
    farm.sync()
    assert heard(host) == expected(3)
    assert farm.plan() == {}

    farm.declare({PATH: None}, "No firewall\n\nReconciler-Allow: empty-desire")
    farm.sync()
    assert heard(host) == expected(2), "what is declared no more is taken away whole"
    assert host.attempt("ls", FILE).code
    assert host.attempt("systemctl", "cat", "reconciler-firewall").code


def test_what_is_under_way_survives_every_reload(
    lab: Lab, host: LabHost, farm: NetworksFarm
) -> None:
    del farm
    machine, source = machine_of(lab, host), host.run("cat", FILE)
    before = chains(host)
    host.run("bash", "-s", stdin=LOAD.encode())
    for _ in range(RELOADS):
        machine.do([PutRuleset(TABLE, source)])
    assert chains(host) == before, "they are the same all the time"
    counts = json.loads(host.run("bash", "-c", TOLD, within=timedelta(seconds=30)))
    assert counts["lost"] == 0, counts
    assert counts["said"] > RELOADS
    assert counts["new"] > RELOADS


def test_tables_of_others_stay_as_they_are(host: LabHost, farm: NetworksFarm) -> None:
    host.run("nft", FOREIGN)
    before = rules(host, "ip foreign")
    rule = {"name": "more", "from": "wan", "to": "host", "protocol": "tcp", "ports": ["9000"]}
    farm.declare({PATH: {**FIREWALL, "rules": [rule]}})
    farm.sync()
    assert 'tcp dport 9000 accept comment "rule more"' in rules(host)
    assert rules(host, "ip foreign") == before


def test_what_is_changed_by_hand_is_seen(lab: Lab, host: LabHost, farm: NetworksFarm) -> None:
    del farm
    machine, source = machine_of(lab, host), host.run("cat", FILE)
    for by_hand in BY_HAND:
        assert seen(machine) == RulesetFact(source, is_loaded=True), by_hand
        host.run("sh", "-c", by_hand)
        assert seen(machine) not in {None, RulesetFact(source, is_loaded=True)}, by_hand
        machine.do([PutRuleset(TABLE, source)])


def test_a_flush_by_hand_is_healed(host: LabHost, farm: NetworksFarm) -> None:
    before = rules(host)
    host.run("nft", "flush", "ruleset")
    assert DRIFTED in farm.plan()
    farm.sync()
    assert rules(host) == before
    assert farm.plan() == {}


def test_it_comes_back_after_whatever_flushes_everything(
    lab: Lab, host: LabHost, farm: NetworksFarm
) -> None:
    for action in ("start", "reload", "restart"):
        host.run("systemctl", action, "nftables")
        assert "fw-out" in rules(host), action
    host.run("systemctl", "enable", "nftables")
    lab.kill(host.name)
    lab.boot()
    assert "fw-out" in rules(host)
    assert host.run("systemctl", "is-system-running").strip() == "running"
    assert farm.plan() == {}
    host.run("systemctl", "disable", "nftables")


def test_rules_that_leave_out_our_own_address_are_refused(
    host: LabHost, farm: NetworksFarm
) -> None:
    before = rules(host)
    farm.declare({PATH: {**FIREWALL, "management": ["192.0.2.0/24"]}})
    assert "would shut out" in farm.sync(expects=1)
    assert rules(host) == before


def test_a_firewall_that_shuts_us_out_is_taken_back_by_the_host(lab: Lab, host: LabHost) -> None:
    machine = machine_of(lab, host)
    with pytest.raises(Conflict, match="cut the host off"):
        put(machine, SHUT, DEADLINE)
    assert rules(host) == ""
    assert seen(machine) is None
    assert machine.look([]).undone == {Address("ruleset", TABLE, HOST): "tried"}


def put(machine: SshMachine, source: str, deadline: timedelta) -> None:
    """As the kind does it, with another deadline."""
    spec = RulesetSpec(HOST, TABLE, source)
    safety = RULESET.safety(spec, Owner("production", TABLE, "tried"))
    assert safety
    acts: list[Act] = [PutRuleset(TABLE, source)]
    machine.do(acts, safety=replace(safety, deadline=deadline))


def seen(machine: SshMachine) -> RulesetFact | None:
    question = Question("ruleset", TABLE)
    fact = machine.look([question]).answers[question]
    assert fact is None or isinstance(fact, RulesetFact)
    return fact
