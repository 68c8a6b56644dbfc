"""A Firewall document becomes rules: what is implied, what families do, and what comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.network.ruleset import FILES, RULESET, RulesetSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Owner
from reconciler.ports.acts import Forget
from reconciler.ports.network_acts import PutRuleset, RemoveRuleset
from reconciler.render.network.firewall import MOST_CHARACTERS, firewall_resources
from reconciler.render.network.nftables import merged
from tests.farms.repository import documents

HEAD = """\
kind: Firewall
name: edge
hosts: [virt1]
zones:
  - {name: wan, interfaces: [eth0]}
  - {name: lan, networks: [lan]}
  - {name: six, sources: ["2001:db8::/32"]}
"""
HOSTS = """\
kind: Host
name: virt2
environment: production
address: 192.168.1.18
memory: 8 GiB
---
kind: Host
name: virt3
environment: staging
address: 192.168.1.19
memory: 8 GiB
"""


def desired(text: str = "", more: Mapping[str, str] | None = None) -> list[Desired[Any]]:
    path = "environments/production/firewall.yaml"
    return list(firewall_resources(documents({path: HEAD + text, **(more or {})})))


def spec_of(text: str = "", more: Mapping[str, str] | None = None) -> RulesetSpec:
    (found,) = desired(text, more)
    assert isinstance(found.spec, RulesetSpec)
    return found.spec


def chain(source: str, name: str) -> list[str]:
    """The rules of a chain, without what is about the Internet Protocol itself."""
    inside = source.partition(f"\tchain {name} {{\n")[2].partition("\n\t}")[0]
    lines = [line.strip() for line in inside.splitlines()[1:]]
    return [line for line in lines if not line.endswith('"implied: what IP needs"')]


def said(text: str, name: str) -> list[str]:
    """What a document's own rules become."""
    lines = chain(spec_of(text).source, name)
    return [line for line in lines if '"implied' not in line and '"what no' not in line]


def test_our_way_in_comes_before_everything_else() -> None:
    text = "rules:\n  - {name: no, from: any, to: host, action: drop}\n"
    assert chain(spec_of(text).source, "input") == [
        'tcp dport 22 accept comment "implied: management"',
        (
            "ct state vmap { established : accept, related : accept, invalid : drop } "
            'comment "implied: answers"'
        ),
        'iifname "lo" accept comment "implied: itself"',
        'drop comment "rule no"',
        'drop comment "what no rule allows"',
    ]


def test_who_manages_is_let_in_and_told_to_the_host() -> None:
    spec = spec_of('management: [10.0.0.0/24, 10.0.1.0/24, "fd00::1"]\n')
    assert chain(spec.source, "input")[:2] == [
        'ip saddr @management_ipv4 tcp dport 22 accept comment "implied: management"',
        'ip6 saddr @management_ipv6 tcp dport 22 accept comment "implied: management"',
    ]
    assert "\t\t\t10.0.0.0/23,\n" in spec.source, "nft takes no set of what touches"
    assert spec.management == ("10.0.0.0/24", "10.0.1.0/24", "fd00::1/128")


def test_other_hosts_of_the_network_may_come_and_move_machines_here() -> None:
    source = spec_of(more={"environments/production/hosts.yaml": HOSTS}).source
    assert "192.168.1.18/31" in source
    rule = 'ip saddr @hosts_ipv4 tcp dport { 22, 49152-49215 } accept comment "implied: hosts"'
    assert rule in chain(source, "input")


def test_a_rule_names_a_family_only_if_its_ends_do() -> None:
    text = """\
rules:
  - {name: both, from: lan, to: wan}
  - {name: six, from: six, to: wan}
  - {name: four, from: lan, to: wan, destinations: [192.0.2.1]}
  - {name: each, from: lan, to: wan, destinations: [192.0.2.1, "2001:db8::1"]}
"""
    way = 'iifname "br-lan" oifname "eth0"'
    assert said(text, "forward") == [
        f'{way} accept comment "rule both"',
        'oifname "eth0" ip6 saddr @zone_six_ipv6 accept comment "rule six"',
        f'{way} ip daddr 192.0.2.1 accept comment "rule four"',
        f'{way} ip daddr 192.0.2.1 accept comment "rule each"',
        f'{way} ip6 daddr 2001:db8::1 accept comment "rule each"',
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rules:\n  - {name: a, from: six, to: wan, destinations: [192.0.2.1]}\n", "rules"),
        ("rules:\n  - {name: a, from: host, to: host}\n", "rules"),
        ("forwards:\n  - {name: a, port: 80, address: 192.0.2.1, from: six}\n", "forwards"),
    ],
)
def test_what_can_match_nothing_is_an_error(text: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"firewall.yaml:9.*a among the {name} of .*nothing"):
        desired(text)


def test_a_rule_from_the_host_only_forbids() -> None:
    assert "chain output" not in spec_of().source
    text = "rules:\n  - {name: quiet, from: host, to: wan, protocol: tcp, action: reject}\n"
    lines = chain(spec_of(text).source, "output")
    assert lines[-1] == ('oifname "eth0" meta l4proto 6 reject with tcp reset comment "rule quiet"')
    assert lines[0].startswith("ct state"), "what was begun by others is answered"


def test_a_forward_leads_to_the_machine_and_is_let_through() -> None:
    text = "forwards:\n  - {name: ssh, port: 22002, machine: web-1, to_port: 22, from: wan}\n"
    assert said(text, "prerouting") == [
        (
            'iifname "eth0" fib daddr type local tcp dport 22002 dnat ip to 192.168.1.129:22 '
            'comment "forward ssh"'
        )
    ]
    sent_on = "ct status dnat ip daddr 192.168.1.129 tcp dport 22 ct original proto-dst 22002"
    assert said(text, "forward") == [f'iifname "eth0" {sent_on} accept comment "forward ssh"']
    assert said(text, "postrouting") == [
        f'ip saddr 192.168.1.0/24 {sent_on} masquerade comment "forward ssh: from beside"'
    ]


def test_what_a_rule_drops_no_forward_lets_in() -> None:
    text = """\
rules:
  - {name: bad, from: wan, to: any, action: drop}
forwards:
  - {name: ssh, port: 22002, machine: web-1}
"""
    assert [line.split('"')[-2] for line in said(text, "forward")] == ["rule bad", "forward ssh"]


def test_what_a_bridge_switches_is_no_matter_of_rules() -> None:
    rule = 'iifname "br-lan" oifname "br-lan" accept comment "implied: within br-lan"'
    assert rule in chain(spec_of().source, "forward")


def test_ranges_that_touch_are_one() -> None:
    assert merged([(80, 81), (443, 443), (82, 90), (85, 86)]) == ((80, 90), (443, 443))


def test_it_comes_after_what_brings_nft() -> None:
    (found,) = desired()
    assert found.address == Address("ruleset", "reconciler", "virt1")
    assert found.adopts
    assert found.spec.after == ()


def test_rules_that_a_host_could_not_tell_us_of_are_an_error() -> None:
    many = ", ".join(f"10.0.{n}.1" for n in range(64))
    lines = "".join(
        f"  - {{name: rule-{n}, from: lan, to: wan, destinations: [{many}]}}\n" for n in range(900)
    )
    with pytest.raises(ConfigError, match=f"letters, {MOST_CHARACTERS} may be"):
        desired(f"rules:\n{lines}")


def test_every_change_has_a_way_back() -> None:
    spec, owner = spec_of("management: [10.0.0.0/8]\n"), Owner("production", "reconciler", "d")
    (change,) = RULESET.create(spec, owner)
    (removal,) = RULESET.delete(spec, owner)
    put, removed = vars_of(change)[0], vars_of(removal)[0]
    assert put == PutRuleset("reconciler", spec.source, ("10.0.0.0/8",))
    assert removed == RemoveRuleset("reconciler")
    for each in (change, removal):
        safety = getattr(each, "safety", None)
        assert safety is not None
        assert set(FILES) <= set(safety.files)
        assert safety.concerns == ((Address("ruleset", "reconciler", "virt1"), "d"),)


def test_a_table_that_is_gone_is_only_forgotten() -> None:
    gone = RulesetSpec("virt1", "reconciler", "", is_loaded=False, is_persisted=False)
    (change,) = RULESET.delete(gone, Owner("production", "reconciler", "d"))
    assert all(isinstance(act, Forget) for act in vars_of(change))


def vars_of(change: Any) -> tuple[Any, ...]:
    acts: tuple[Any, ...] = change.acts
    return acts
