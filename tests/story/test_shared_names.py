"""Three environments with names in one zone, and in one reverse zone: from git to the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.engine.apply import Result
from tests.scenes.scene import ENVIRONMENTS
from tests.scenes.town_of_names import REVERSE, TownOfNames, machine

APEX = {"@/NS": ("ns.farm.internal.",)}


@pytest.fixture
def town(tmp_path: Path) -> TownOfNames:
    town = TownOfNames(tmp_path)
    town.sync_all()
    return town


def test_each_environment_has_its_names_in_the_one_zone(town: TownOfNames) -> None:
    assert town.records() == APEX | {
        "ns/A": ("192.168.1.2",),
        "virt1.host/A": ("192.168.1.17",),
        "web/A": ("192.168.1.31",),
        "web.stage/A": ("192.168.1.32",),
        "web.dev/A": ("192.168.1.33",),
    }
    assert town.records(REVERSE) == APEX | {
        "17/PTR": ("virt1.host.farm.internal.",),
        "31/PTR": ("web.farm.internal.",),
        "32/PTR": ("web.stage.farm.internal.",),
        "33/PTR": ("web.dev.farm.internal.",),
    }


def test_then_nobody_has_anything_to_do(town: TownOfNames) -> None:
    before = town.farm.state
    for environment in ENVIRONMENTS:
        report = town.sync(environment)
        assert (report.refusal, report.outcomes) == (None, ())
    assert town.farm.state == before


def test_a_machine_goes_up_from_one_environment_to_the_next(town: TownOfNames) -> None:
    more = machine("api", 43, "development") | machine("api", 42, "staging")
    commit = town.push("development", more)
    town.sync("development")
    assert "api.dev/A" in town.records()
    assert "api.stage/A" not in town.records(), "staging has not merged it yet"
    town.promote(commit, "staging")
    town.sync("staging")
    assert town.records()["api.stage/A"] == ("192.168.1.42",)
    assert town.records(REVERSE)["42/PTR"] == ("api.stage.farm.internal.",)
    assert town.records(REVERSE)["43/PTR"] == ("api.dev.farm.internal.",)


def test_a_machine_that_goes_takes_its_names_along_and_no_others(town: TownOfNames) -> None:
    town.push("development", machine("api", 43, "development"))
    town.sync("development")
    names, pointers = town.records(), town.records(REVERSE)
    gone = dict.fromkeys(machine("web", 33, "development"))
    town.push("development", gone, allow="mass-deletion")
    report = town.sync("development")
    assert report.refusal is None
    assert {each.result for each in report.outcomes} == {Result.DONE}
    del names["web.dev/A"], pointers["33/PTR"]
    assert (town.records(), town.records(REVERSE)) == (names, pointers)


def test_names_wait_until_the_zone_is_there(tmp_path: Path) -> None:
    town = TownOfNames(tmp_path)
    early = town.sync("development")
    assert early.refusal is None
    assert {each.result for each in early.outcomes} == {Result.DONE}, "its machine does not wait"
    assert not town.farm.state.nameservers["ns"].zones
    town.sync("production")
    town.sync("development")
    assert "web.dev/A" in town.records()


def test_the_maker_of_a_zone_leaves_the_names_of_others_alone(town: TownOfNames) -> None:
    more = machine("api", 41, "production")
    town.push("production", more)
    town.sync("production")
    assert {"api/A", "web.dev/A", "web.stage/A"} <= town.records().keys()
