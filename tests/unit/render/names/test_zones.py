"""Zone documents become forward zones with the farm's names in them, and reverse zones."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.position import Position
from reconciler.ports.nameserver import RecordSet, Timers
from reconciler.render.names.zones import zone_resources
from reconciler.render.render import render
from tests.farms.repository import FARM, documents

FILE = "environments/production/zone.yaml"
ZONE = FARM[FILE]


def zones(changes: dict[str, str] | None = None) -> dict[str, ZoneSpec]:
    return {each.address.name: each.spec for each in zone_resources(documents(changes))}


def keys(spec: ZoneSpec) -> list[str]:
    return [record.key for record in spec.records]


def test_a_zone_has_the_names_of_machines_and_of_the_environments_own_hosts() -> None:
    spec = zones()["farm.internal"]
    assert keys(spec) == ["@/MX", "@/NS", "ns1/A", "ns2/AAAA", "virt1.host/A", "web-1/A"]
    assert RecordSet("web-1", "A", 300, ("192.168.1.129",)) in spec.records
    assert RecordSet("@", "MX", 300, ("10 mail.example.",)) in spec.records
    assert RecordSet("ns2", "AAAA", 300, ("2001:db8::2",)) in spec.records
    assert RecordSet("@", "NS", 300, ("ns1.farm.internal.", "ns2.farm.internal.")) in spec.records


def test_the_timers_are_those_of_the_document() -> None:
    spec = zones({FILE: f"{ZONE}refresh: 1h\nserial: 2026010101\ncontact: dns@farm.internal\n"})
    assert spec["farm.internal"].serial == 2026010101
    assert spec["farm.internal"].timers == Timers(
        "ns1.farm.internal.", "dns.farm.internal.", 3600, 1800, 1209600, 1800
    )


def test_dots_before_the_at_sign_of_a_contact_are_escaped() -> None:
    timers = zones()["farm.internal"].timers
    assert timers is not None
    assert timers.contact == "j\\.doe.farm.internal."


def test_a_reverse_zone_points_back_at_every_name() -> None:
    spec = zones()["1.168.192.in-addr.arpa"]
    assert spec.records == (
        RecordSet("129", "PTR", 300, ("web-1.farm.internal.",)),
        RecordSet("17", "PTR", 300, ("virt1.host.farm.internal.",)),
        RecordSet("@", "NS", 300, ("ns1.farm.internal.", "ns2.farm.internal.")),
    )


def test_names_follow_the_patterns_of_the_zone() -> None:
    naming = "naming: {machines: 'vm-{name}', hosts: '{name}'}\n"
    assert {"vm-web-1/A", "virt1/A"} <= set(keys(zones({FILE: ZONE + naming})["farm.internal"]))


def test_a_name_stands_in_the_longest_zone_that_it_ends_with() -> None:
    deeper = ZONE.replace("name: farm.internal", "name: host.farm.internal")
    deeper = deeper.replace("reverse: [lan]", "reverse: []").replace("ns1.farm", "ns1.host.farm")
    found = zones({"environments/production/host.yaml": deeper})
    assert "virt1.host/A" not in keys(found["farm.internal"])
    assert "virt1/A" in keys(found["host.farm.internal"])


def test_a_machine_named_like_the_zone_stands_at_its_top() -> None:
    top = ZONE.replace("ttl: 5m", "naming: {machines: '{name}.farm', hosts: '{name}.host'}")
    policy = "{kind: Environment, name: production, domain: internal}"
    text = top.replace("name: farm.internal", "name: web-1.farm.internal").replace(
        "nameservers: [ns1.farm.internal., ns2]", "nameservers: [ns.example.]"
    )
    above = ZONE.replace("name: farm.internal", "name: internal").replace("[lan]", "[]")
    above = above.replace("ttl: 5m", "naming: {machines: '{name}.farm'}").replace(
        "nameservers: [ns1.farm.internal., ns2]", "nameservers: [ns.example.]"
    )
    changes = {
        FILE: text,
        "environments/production/above.yaml": above,
        "environments/production/environment.yaml": policy,
    }
    assert "@/A" in keys(zones(changes)["web-1.farm.internal"])


def test_a_machine_with_two_addresses_has_one_record_set() -> None:
    second = (
        "kind: Network\nname: dmz\nsubnet: 10.0.0.0/16\nbridge: br-dmz\n"
        "---\n" + FARM["networks.yaml"]
    )
    vm = FARM["vms/web-1.yaml"] + "  - {network: dmz, address: 10.0.3.9}\n"
    found = zones({"networks.yaml": second, "vms/web-1.yaml": vm})
    assert RecordSet("web-1", "A", 300, ("10.0.3.9", "192.168.1.129")) in (
        found["farm.internal"].records
    )


def test_an_address_of_the_sixth_version_gets_its_own_type() -> None:
    host = FARM["hosts.yaml"].replace("192.168.1.17", "2001:db8::17")
    assert "virt1.host/AAAA" in keys(zones({"hosts.yaml": host})["farm.internal"])


def test_a_machine_without_an_address_has_no_name() -> None:
    vm = FARM["vms/web-1.yaml"].replace(", address: 192.168.1.129", "")
    assert "web-1/A" not in keys(zones({"vms/web-1.yaml": vm})["farm.internal"])


def test_hosts_of_other_environments_have_their_names_there() -> None:
    host = FARM["hosts.yaml"].replace("environment: production", "environment: development")
    host = host.replace("staging:", "production:")
    assert "virt1.host/A" not in keys(zones({"hosts.yaml": host})["farm.internal"])


def test_without_a_zone_for_the_domain_nothing_has_a_name() -> None:
    other = ZONE.replace("name: farm.internal", "name: example.org")
    other = other.replace("nameservers: [ns1.farm.internal., ns2]", "nameservers: [ns.example.]")
    found = zones({FILE: other})
    assert keys(found["example.org"]) == ["@/MX", "@/NS", "ns1/A", "ns2/AAAA"]
    assert keys(found["1.168.192.in-addr.arpa"]) == ["@/NS"]


@pytest.mark.parametrize("kind", ["A", "CNAME"])
def test_a_record_in_the_way_of_a_generated_one_is_refused(kind: str) -> None:
    value = {"A": "10.0.0.1", "CNAME": "ns1"}[kind]
    text = ZONE + f"  - {{name: web-1, type: {kind}, values: [{value}]}}\n"
    with pytest.raises(ConfigError) as refused:
        zones({FILE: text})
    (problem,) = refused.value.problems
    assert problem.what == (
        "web-1 in zone farm.internal is the name of machine web-1 (vms/web-1.yaml:10:5)"
    )
    assert problem.position.file == FILE


def test_other_records_may_stand_beside_a_generated_one() -> None:
    text = ZONE + "  - {name: web-1, type: TXT, values: [hello]}\n"
    assert {"web-1/A", "web-1/TXT"} <= set(keys(zones({FILE: text})["farm.internal"]))


def test_a_name_server_in_the_zone_needs_an_address_there() -> None:
    text = ZONE.replace("nameservers: [ns1.farm.internal., ns2]", "nameservers: [ns3]")
    with pytest.raises(ConfigError, match=r"points at ns3.farm.internal., which is not there"):
        zones({FILE: text})


def test_two_zones_do_not_make_one_reverse_zone() -> None:
    halves = (
        "kind: Network\nname: low\nsubnet: 192.168.1.0/25\nbridge: br-low\n---\n"
        "kind: Network\nname: high\nsubnet: 192.168.1.128/25\nbridge: br-high\n"
    )
    one = ZONE.replace("reverse: [lan]", "reverse: [low]")
    two = one.replace("[low]", "[high]").replace("name: farm.internal", "name: other.internal")
    two = two.replace("nameservers: [ns1.farm.internal., ns2]", "nameservers: [ns.example.]")
    changes = {
        FILE: one,
        "environments/production/two.yaml": two,
        "networks.yaml": halves,
        "vms/web-1.yaml": "",
    }
    with pytest.raises(ConfigError, match=r"in-addr\.arpa comes from zone other.internal alr"):
        zones(changes)
    both = one.replace("[low]", "[low, high]")
    assert len(zones({**changes, FILE: both, "environments/production/two.yaml": ""})) == 2


def test_a_zone_knows_where_it_is_written() -> None:
    position = Position(FILE, 1, 1)
    assert {each.position for each in zone_resources(documents())} == {position}


def test_records_are_sorted_and_the_same_every_time() -> None:
    first, second = render(documents()), render(documents())
    assert first == second
    for want in first:
        if isinstance(want.spec, ZoneSpec):
            assert list(want.spec.records) == sorted(want.spec.records)
