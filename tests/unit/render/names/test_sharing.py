"""What a shared zone gives to whom, and what the environments owe each other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.kinds.zone_registry import registry_grant
from reconciler.model.position import Position
from reconciler.ports.nameserver import Grant, Rules
from reconciler.render.names.catalog import member
from reconciler.render.names.neighbours import cname_problems, hidden_problems
from reconciler.render.names.zones import zone_resources
from tests.farms.repository import FARM, documents
from tests.sealed.sealing import Reader, seal

HOLDERS = ("development", "staging", "production", "dhcp")
SECRETS = seal(dict.fromkeys(HOLDERS, "c2VjcmV0"), [Reader().recipient])
FILE = "environments/production/zone.yaml"
KEYS = "".join(f"  {holder}: secret://dns/{holder}\n" for holder in HOLDERS)
SERVER = f"kind: Nameserver\nname: ns1\nenvironment: production\nkeys:\n{KEYS}"
OURS = f"{SERVER}hosts: [{{name: virt1}}]\ninside: [lan]\n"
HERE = Position("here.yaml")


def zones(zone: str, more: Mapping[str, str] | None = None) -> dict[str, ZoneSpec]:
    """The zones of production with other documents."""
    changes = {FILE: zone, "secrets/dns.sops.yaml": SECRETS, "ns.yaml": OURS, **(more or {})}
    return {each.address.name: each.spec for each in zone_resources(documents(changes))}


def shared(share: str, reverse: str = "[lan]") -> str:
    """The farm's zone, shared with staging."""
    zone = FARM[FILE].replace("reverse: [lan]", f"reverse: {reverse}")
    return f"{zone}environment: production\nshare: {{staging: {share}}}\n"


def grants(spec: ZoneSpec, holder: str = "staging") -> set[Grant]:
    """What somebody may change, but for the registry."""
    assert spec.rules is not None
    assert registry_grant(holder) in spec.rules.grants
    return {each for each in spec.rules.grants if each.holder == holder} - {registry_grant(holder)}


def test_names_below_are_granted_by_type_and_never_the_apex() -> None:
    found = zones(shared("{below: [stage, a.lab]}"))
    types = ("A", "AAAA", "CNAME", "SRV")
    assert grants(found["farm.internal"]) == {
        Grant("staging", "stage", below=True, types=types),
        Grant("staging", "a.lab", below=True, types=types),
    }
    assert found["1.168.192.in-addr.arpa"].rules == Rules((Grant("production"),))


@pytest.mark.parametrize(
    ("subnet", "reverse", "zone", "names"),
    [
        ("192.168.1.0/24", "[lan]", "1.168.192.in-addr.arpa", {("@", True)}),
        ("192.168.1.0/24", "[192.168.0.0/16]", "168.192.in-addr.arpa", {("1", True)}),
        ("192.168.0.0/23", "[lan]", "168.192.in-addr.arpa", {("0", True), ("1", True)}),
        (
            "192.168.1.128/30",
            "[lan]",
            "1.168.192.in-addr.arpa",
            {(str(n), False) for n in range(128, 132)},
        ),
        (
            "192.168.1.128/30",
            "[192.168.1.128/29]",
            "128/29.1.168.192.in-addr.arpa",
            {(str(n), False) for n in range(128, 132)},
        ),
        ("192.168.1.0/24", "[192.168.1.0/25]", "0/25.1.168.192.in-addr.arpa", {("@", True)}),
    ],
)
def test_the_addresses_of_a_network_are_granted_in_as_few_names_as_cover_them(
    subnet: str, reverse: str, zone: str, names: set[tuple[str, bool]]
) -> None:
    lan = f"kind: Network\nname: lan\nsubnet: {subnet}\nbridge: br-lan\n"
    more = {"networks.yaml": lan, "vms/web-1.yaml": ""}
    more["hosts.yaml"] = FARM["hosts.yaml"].replace("192.168.1.17", "10.0.0.17")
    found = zones(shared("{networks: [lan]}", reverse), more)
    expected = {Grant("staging", name, below=below, types=("PTR",)) for name, below in names}
    assert grants(found[zone]) == expected


def test_a_server_that_is_not_ours_is_told_nothing() -> None:
    found = zones(FARM[FILE], {"ns.yaml": f"{SERVER}address: 192.0.2.53\n"})
    assert {spec.rules for spec in found.values()} == {None}


def test_the_rules_of_zone_files_are_those_of_updates() -> None:
    files = OURS.replace("hosts:", "software: bind-files\nhosts:")
    found = zones(FARM[FILE], {"ns.yaml": files})
    assert {spec.rules for spec in found.values()} == {Rules((Grant("production"),))}


def test_zones_come_after_the_server_that_the_environment_makes() -> None:
    after = {str(each) for spec in zones(FARM[FILE]).values() for each in spec.after}
    assert after == {"service@virt1/named"}
    theirs = OURS.replace("environment: production", "environment: staging")
    assert not any(spec.after for spec in zones(FARM[FILE], {"ns.yaml": theirs}).values())


def test_the_name_of_a_zone_in_the_catalog_is_the_hash_of_its_name_on_the_wire() -> None:
    """The example of RFC 9432 has other names; this one is what named computes."""
    assert member("example.org") == "47ac1a4d93b61fffdb4762c18c9e7d1a6b046d33.zones"
    assert member("EXAMPLE.org") == member("example.org")


def test_names_may_be_shared_with_the_whole_zone() -> None:
    found = zones(shared("{below: [farm.internal]}"))
    assert {each.name for each in grants(found["farm.internal"])} == {"@"}


def test_a_service_in_a_zone_of_others_needs_a_share_and_a_site_just_has_no_name() -> None:
    zone = shared("{below: [vm]}") + "naming: {machines: '{name}.vm'}\n"
    sites = (
        "kind: Proxy\nname: p\nhosts: [virt2]\nsites:\n"
        "  - {name: s, server_names: [www.farm.internal], upstreams: [{name: web-1}]}\n"
    )
    host = "kind: Host\nname: virt2\nenvironment: staging\naddress: 10.0.0.2\nmemory: 8 GiB\n"
    changes = {
        FILE: "",
        "zone.yaml": zone.replace("reverse: [lan]", "reverse: []"),
        "environments/staging/environment.yaml": (
            "kind: Environment\nname: staging\ndomain: farm.internal\n"
        ),
        "environments/staging/more.yaml": f"{sites}---\n{host}",
        "vms/web-1.yaml": FARM["vms/web-1.yaml"] + "provides: [{name: git}]\n",
    }
    with pytest.raises(ConfigError) as refused:
        tuple(zone_resources(documents(changes, "staging")))
    told = sorted(str(problem) for problem in refused.value.problems)
    assert [line.split(", which")[0].split(": ", 1)[1] for line in told] == [
        "host virt2 is called virt2.host.farm.internal",
        "service git is called git.farm.internal",
    ]


def held(*claims: str) -> dict[str, Position | None]:
    return dict.fromkeys(claims, HERE)


@pytest.mark.parametrize(
    ("mine", "theirs", "hidden"),
    [
        ("zone www.farm", ["zone farm", "record farm www/A"], True),
        ("zone www.farm", ["zone farm", "record farm a.www/A"], True),
        ("zone www.farm", ["zone farm", "record farm www/NS", "record farm ns.www/A"], False),
        ("zone www.farm", ["zone farm", "record farm xwww/A"], False),
        ("zone www.farm", ["zone other", "record other www/A"], False),
        ("zone a.www.farm", ["zone farm", "record farm www/A"], False),
        ("zone www.farm/outside", ["zone farm", "record farm www/A"], False),
        ("zone www.farm/outside", ["zone farm/outside", "record farm/outside www/A"], True),
        ("zone 2.1.10.in-addr.arpa", ["zone 1.10.in-addr.arpa", "record 1.10.in-addr.arpa 5.2/PTR"],
         True),
    ],
)  # fmt: skip
def test_a_zone_may_not_hide_names_of_a_zone_around_it(
    mine: str,
    theirs: list[str],
    hidden: bool,  # a table
) -> None:
    problems = list(hidden_problems(held(mine), held(*theirs), "production"))
    assert bool(problems) is hidden


@pytest.mark.parametrize(
    ("mine", "theirs", "clash"),
    [
        ("www/A", "www/CNAME", True),
        ("www/CNAME", "www/TXT", True),
        ("www/A", "www/TXT", False),
        ("www/CNAME", "www/CNAME", False),  # the claim itself tells
        ("www/A", "web/CNAME", False),
    ],
)
def test_nothing_stands_beside_a_cname_of_another(
    mine: str,
    theirs: str,
    clash: bool,  # a table
) -> None:
    problems = list(
        cname_problems(held(f"record farm {mine}"), held(f"record farm {theirs}"), "production")
    )
    assert bool(problems) is clash
