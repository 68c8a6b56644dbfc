"""Zones of several environments and views, planned for without asking any name server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.command import Given
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.world import surroundings
from reconciler.drivers.simulated import by_hand
from reconciler.kinds.zone_operations import UpdateZone
from reconciler.ports.nameserver import RecordSet
from reconciler.reconcile import Site, plan
from tests.remotes.origin import Origin
from tests.sealed.sealing import Reader, seal
from tests.story.desk import Desk, program

KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
MAIL = "zones/farm.yaml"
Document = Mapping[str, Any]


def zone(name: str, **fields: Any) -> Document:
    served = {"primary": "ns1.farm.internal.", "nameservers": ["ns1.farm.internal."]}
    head = {"kind": "Zone", "name": name, "environment": "production", "server": "ns"}
    records = [{"name": "ns1", "type": "A", "values": ["192.168.1.1"]}]
    return {**head, **served, "records": records, **fields}


def machine(name: str, address: str) -> Document:
    return {
        "kind": "VirtualMachine",
        "name": name,
        "memory": "1 GiB",
        "networks": [{"network": "lan", "address": address}],
    }


DOCUMENTS: Mapping[str, Document] = {
    "farm.yaml": {
        "kind": "Farm",
        "name": "farm",
        "domain": "farm.internal",
        "contact": "noc@farm.internal",
    },
    "environments/production/environment.yaml": {
        "kind": "Environment",
        "name": "production",
        "domain": "farm.internal",
    },
    "environments/development/environment.yaml": {
        "kind": "Environment",
        "name": "development",
        "domain": "dev.farm.internal",
    },
    "networks/lan.yaml": {
        "kind": "Network",
        "name": "lan",
        "environment": "production",
        "subnet": "192.168.1.0/24",
        "bridge": "br-lan",
    },
    "hosts/virt1.yaml": {
        "kind": "Host",
        "name": "virt1",
        "environment": "production",
        "address": "192.168.1.1",
        "memory": "64 GiB",
        "share": {"development": {"memory": "8 GiB", "cpus": 4}},
    },
    "nameservers/ns.yaml": {
        "kind": "Nameserver",
        "name": "ns",
        "environment": "production",
        "address": "192.168.1.53",
        "keys": {"production": "secret://names/key", "development": "secret://names/key"},
        "inside": ["lan"],
        "outside": True,
    },
    MAIL: zone(
        "farm.internal",
        reverse=["lan"],
        share={"development": {"below": ["dev"], "networks": ["lan"]}},
    ),
    "zones/farm-outside.yaml": zone("farm-outside", origin="farm.internal", view="outside"),
    "environments/production/vms/web-1.yaml": machine("web-1", "192.168.1.11"),
    "environments/development/vms/try-1.yaml": machine("try-1", "192.168.1.21"),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A farm with names whose two environments were synced."""
    desk = Desk(tmp_path)
    origin = Origin(desk.remote)
    files = {path: json.dumps(each).encode() for path, each in DOCUMENTS.items()}
    sealed = seal({"key": KEY}, [Reader().recipient]).encode()
    origin.commit("production", {**files, "secrets/names.sops.yaml": sealed})
    origin.git("branch", "development", "production")
    for environment in ("production", "development"):
        done = desk.run("sync", "-e", environment)
        assert done.exit_code == 0, done.output
    return desk


def planned(desk: Desk, environment: str, branch: str) -> list[Any]:
    """The changes of a branch as CI plans them: with the repository alone."""
    options = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    what = ("--branch", branch, "-e", environment, "--world", "journal", "--format", "json")
    done = program("plan", *options, *what)
    assert done.exit_code in {0, 2}, done.output
    changes: list[Any] = json.loads(done.stdout)["changes"]
    return changes


def test_both_views_and_both_environments_have_their_names(desk: Desk) -> None:
    servers = desk.farm.state.nameservers
    assert set(servers) == {"ns", "ns/outside"}
    inside = {each.key for each in servers["ns"].zones["farm.internal"].records}
    outside = {each.key for each in servers["ns/outside"].zones["farm.internal"].records}
    assert {"web-1/A", "try-1.dev/A", "ns1/A"} <= inside
    assert "ns1/A" in outside
    assert not {"web-1/A", "try-1.dev/A"} & outside
    assert "1.168.192.in-addr.arpa" in servers["ns"].zones


def test_a_farm_that_is_as_it_was_has_nothing_to_do_by_the_journal_alone(desk: Desk) -> None:
    desk.world.unlink()
    assert planned(desk, "production", "production") == []
    assert planned(desk, "development", "development") == []
    assert not desk.world.exists()


def test_a_name_of_a_shared_zone_is_planned_without_asking_its_server(desk: Desk) -> None:
    desk.git("branch", "feature/more", "development")
    path = "environments/development/vms/try-2.yaml"
    desk.put({path: json.dumps(machine("try-2", "192.168.1.22"))}, branch="feature/more")
    desk.world.unlink()
    changes = {each["address"]: each for each in planned(desk, "development", "feature/more")}
    assert changes["zone/farm.internal"]["action"] == "update"
    assert "try-2.dev" in json.dumps(changes["zone/farm.internal"]["fields"])
    assert "web-1" not in json.dumps(changes["zone/farm.internal"]["fields"])
    assert "zone/1.168.192.in-addr.arpa" in changes


def test_a_record_of_one_view_changes_but_that_view(desk: Desk) -> None:
    desk.git("branch", "feature/mail", "production")
    desk.edit("zones/farm-outside.yaml", "192.168.1.1", "198.51.100.1", branch="feature/mail")
    desk.world.unlink()
    changes = planned(desk, "production", "feature/mail")
    assert [each["address"] for each in changes] == ["zone/farm.internal/outside"]


def test_a_plan_goes_by_the_serial_of_the_last_look_also_if_nothing_else_moved(desk: Desk) -> None:
    """Else the update would ask for a serial that the zone has no more, again and again."""
    head = desk.edit(MAIL, "192.168.1.1", "192.168.1.2")
    with open_repository(settings_of(Given(config=desk.settings))) as repository:
        repository.fetch()
        site = site_of(repository, surroundings(repository, "production"))
        before = _serials_asked_for(site, head)
        by_hand.put_record(desk.farm, "ns", "farm.internal", RecordSet("x", "TXT", 60, ('"x"',)))
        by_hand.remove_record(desk.farm, "ns", "farm.internal", "x/TXT")
        after = _serials_asked_for(site, head)
        assert after == {desk.farm.nameserver("ns").zone("farm.internal").serial}
    assert before != after


def _serials_asked_for(site: Site, revision: str) -> set[int]:
    look, _ = plan("production", revision, site)
    operations = [each for change in look.plan.changes for each in change.operations]
    return {each.update.serial for each in operations if isinstance(each, UpdateZone)}
