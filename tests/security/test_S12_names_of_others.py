"""S12: a push to development takes no zone, name or address's name that production has.

Here the plan refuses it, with both lines; what BIND itself refuses is tested on a real one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenes.town_of_names import REVERSE, ZONE, TownOfNames, machine, refusal

OWN = "environments/development/zones/own.yaml"
THEIRS = "environments/production/zones/own.yaml"
SHARED = "zones.yaml"
HEAD = "kind: Zone\nserver: ns\nprimary: ns.example.\nnameservers: [ns.example.]\n"
PATCH = "kind: Zone\nname: farm.internal\n"


@pytest.fixture
def town(tmp_path: Path) -> TownOfNames:
    """With a zone and a record that only production's documents tell of."""
    more = f"{HEAD}name: private.internal\nrecords: [{{name: www, type: A, values: [10.0.0.1]}}]\n"
    town = TownOfNames(tmp_path, {THEIRS: more})
    town.sync_all()
    return town


def refused(town: TownOfNames, files: dict[str, str | None]) -> str:
    """What is said of a push to development; nothing may have moved."""
    before = town.farm.state
    town.push("development", files)
    said = refusal(town.sync("development"))
    assert town.farm.state == before
    return said


@pytest.mark.parametrize(
    ("zone", "claim"),
    [
        (f"{HEAD}name: private.internal\n", "zone private.internal"),
        (f"{HEAD}name: other.internal\norigin: private.internal\n", "zone private.internal"),
        (f"{HEAD}name: mine.internal\nreverse: [192.168.1.0/24]\n", f"zone {REVERSE}"),
        (f"{HEAD}name: {REVERSE}\n", f"zone {REVERSE}"),
    ],
)
def test_a_zone_of_another(town: TownOfNames, zone: str, claim: str) -> None:
    shared = {SHARED: None} if REVERSE in claim else {}
    said = refused(town, {OWN: zone, **shared})
    assert f"takes {claim}, which" in said
    assert said.startswith(f"{OWN}:1:1: ")
    there = "zones.yaml:1:1" if shared else f"{THEIRS}:1:1"
    assert f"of environment production has ({there})" in said


def test_the_authority_over_a_shared_zone(town: TownOfNames) -> None:
    mine = ZONE.replace("environment: production", "environment: development")
    mine = mine.replace("  development: {below: [dev], networks: [lan]}\n", "")
    said = refused(town, {SHARED: mine})
    for claim in ("zone farm.internal", f"zone {REVERSE}", "record farm.internal @/NS"):
        assert f"takes {claim}, which zone/" in said


def test_a_name_outside_its_share(town: TownOfNames) -> None:
    own = "kind: Environment\nname: development\ndomain: farm.internal\n"
    said = refused(town, {"environments/development/environment.yaml": own})
    assert "environments/development/vms/web.yaml:4:" in said
    assert "machine web is called web.farm.internal" in said
    assert "not in what that shares with development (zones.yaml:5:3)" in said


def test_a_share_that_only_its_own_branch_gives(town: TownOfNames) -> None:
    more = ZONE.replace("below: [dev]", "below: [dev, prod]")
    said = refused(town, {SHARED: more})
    assert "zone farm.internal would share more with development than production gives" in said
    assert "(zones.yaml:5:3): prod; merge the change to production first" in said


def test_a_network_that_only_its_own_branch_makes_larger(town: TownOfNames) -> None:
    wide = "kind: Network\nname: lan\nsubnet: 192.168.0.0/16\nbridge: br-lan\n"
    said = refused(town, {"environments/development/networks/lan.yaml": wide})
    assert "would share more with development than production gives" in said
    assert "network lan" in said


def test_another_zone_under_the_name_of_a_shared_one(town: TownOfNames) -> None:
    said = refused(town, {SHARED: f"{ZONE}origin: private.internal\n"})
    assert "zone farm.internal is not so on the branch of production, whose zone it is" in said


@pytest.mark.parametrize(
    ("zone", "hidden"),
    [
        (f"{HEAD}name: www.private.internal\n", "www in zone private.internal"),
        (f"{HEAD}name: mine.internal\nreverse: [192.168.1.31/32]\n", None),
        (f"{HEAD}name: web.farm.internal\n", "web in zone farm.internal"),
    ],
)
def test_a_zone_that_would_hide_names(town: TownOfNames, zone: str, hidden: str | None) -> None:
    said = refused(town, {OWN: zone})
    assert hidden is None or f"would hide {hidden} of production" in said


def test_a_name_server_of_another(tmp_path: Path) -> None:
    server = "kind: Nameserver\nname: outside\nsoftware: knot\naddress: 192.0.2.53\n"
    town = TownOfNames(tmp_path, {THEIRS: server, SHARED: None})
    town.sync_all()
    said = refused(town, {OWN: server})
    assert "takes name server outside, which name server outside of environment production" in said
    assert f"({THEIRS}:1:1)" in said


def test_a_shared_name_server_is_one_environments(tmp_path: Path) -> None:
    server = (
        "kind: Nameserver\nname: ns\nenvironment: production\nsoftware: knot\naddress: 192.0.2.53\n"
    )
    town = TownOfNames(tmp_path, {"nameservers.yaml": server})
    town.sync_all()


def test_what_is_its_own_is_its_own(town: TownOfNames) -> None:
    files = {OWN: f"{HEAD}name: lab.dev.farm.internal\n", **machine("api", 44, "development")}
    town.push("development", files)
    assert town.sync("development").refusal is None
    assert "api.dev/A" in town.records()


PUBLIC = (
    f"{HEAD}name: example.org\nview: outside\n"
    "records: [{name: www, type: A, values: [192.0.2.1]}]\n"
)
SERVER = (
    "kind: Nameserver\nname: ns\nenvironment: production\nsoftware: knot\naddress: 192.0.2.53\n"
)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("name: example.org", "would answer for zone example.org/outside of production"),
        ("name: www.example.org", "would hide www in zone example.org/outside of production"),
        (
            "name: x\norigin: farm.internal\nview: outside",
            "would answer for zone farm.internal of production",
        ),
    ],
)
def test_a_name_of_another_in_the_other_view(tmp_path: Path, zone: str, said: str) -> None:
    town = TownOfNames(tmp_path, {THEIRS: PUBLIC})
    town.sync_all()
    assert said in refused(town, {OWN: f"{HEAD}{zone}\n"})


@pytest.mark.parametrize("name", ["debian.org", "internal", "catalog.ns.invalid"])
def test_names_of_the_world_on_the_server_of_another(tmp_path: Path, name: str) -> None:
    town = TownOfNames(tmp_path, {"nameservers.yaml": SERVER})
    town.sync_all()
    said = refused(town, {OWN: f"{HEAD}name: {name}\n"})
    assert (
        f"zone {name} would answer for names of the world at name server ns of production" in said
    )


def test_names_of_the_world_that_the_servers_own_branch_knows(tmp_path: Path) -> None:
    zone = f"{HEAD}name: example.org\nenvironment: development\n"
    town = TownOfNames(tmp_path, {"nameservers.yaml": SERVER, "shared.yaml": zone})
    town.sync_all()
    assert "example.org" in town.farm.state.nameservers["ns"].zones
