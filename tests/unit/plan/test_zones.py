"""What of a zone becomes ours, what is in the way, and how the foreign is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, Observed, Owner, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Cause, Plan
from reconciler.plan.show.text import plan_text
from reconciler.plan.zones import NAMED_AT_MOST, adopt, foreign_names
from reconciler.ports.nameserver import Grant, RecordSet, Rules
from tests.farms.specs import APEX, PRODUCTION, TIMERS, a_record, seen, want, zone_spec

WWW, API, OLD = a_record("www"), a_record("api"), a_record("old")
PLACE = Address("zone", "farm", "ns1")
GUEST = ZoneSpec("ns1", "farm", None, (WWW,))
ALIAS = RecordSet("www", "CNAME", 60, ("api.farm.",))


def foreign(*records: RecordSet, **fields: Any) -> Observed[ZoneSpec]:
    return Observed(PLACE, ZoneSpec("ns1", "farm", None, records, **fields))


def foreign_zone(*records: RecordSet, **fields: Any) -> Observed[ZoneSpec]:
    return Observed(PLACE, zone_spec(*records, **fields))


def plan_for(desired: Desired[Any], *observed: Observed[Any]) -> Plan:
    return make_plan(PRODUCTION, [desired], World(observed))


def test_a_part_that_is_as_wanted_but_for_what_is_nobodys_is_only_marked() -> None:
    desired = want(zone_spec(WWW, API))
    ours = seen(want(zone_spec(API)))
    plan = plan_for(desired, ours, foreign(WWW))
    (change,) = plan.changes
    assert [(field.path, field.after) for field in change.fields] == [("adopt", ["www/A"])]
    assert change.cause is Cause.PENDING
    assert [str(step) for step in change.operations] == ["mark records of zone farm on ns1"]
    assert (plan.foreign, plan.obstacles) == ((), ())


def test_what_is_adopted_and_what_is_changed_go_together() -> None:
    desired = want(zone_spec(WWW, API))
    plan = plan_for(desired, seen(want(zone_spec())), foreign(WWW, OLD))
    (change,) = plan.changes
    assert [field.path for field in change.fields] == ["records.api/A", "adopt"]
    assert [str(name) for name in plan.foreign] == ["zone@ns1/farm/old/A"]


def test_a_guest_adopts_records_but_never_the_zone() -> None:
    desired = want(GUEST, "farm")
    plan = plan_for(desired, foreign_zone(WWW))
    (change,) = plan.changes
    assert change.fields[-1].after == ["www/A"]
    assert [str(name) for name in plan.foreign] == ["zone@ns1/farm", "zone@ns1/farm/@/NS"]


@pytest.mark.parametrize("rules", [None, Rules(), Rules((Grant(PRODUCTION),))])
def test_a_whole_zone_is_adopted_and_gets_its_rules_first(rules: Rules | None) -> None:
    desired = want(zone_spec(WWW, rules=Rules((Grant(PRODUCTION),))))
    plan = plan_for(desired, foreign_zone(WWW, rules=rules))
    (change,) = plan.changes
    assert change.fields[-1].after == ["@/SOA", "@/NS", "www/A"]
    words = [str(step) for step in change.operations]
    assert words[-1] == "mark records of zone farm on ns1"
    assert words[:-1] == (
        [] if rules == desired.spec.rules else ["set the rules of zone farm on ns1"]
    )


IN_THE_WAY = {
    "another value": (zone_spec(WWW), replace(WWW, values=("10.9.9.9",)), "record farm www/A"),
    "another TTL": (zone_spec(WWW), replace(WWW, ttl_seconds=1), "record farm www/A"),
    "an alias": (zone_spec(WWW), ALIAS, "record farm www/A"),
    "at the name of an alias": (zone_spec(ALIAS), WWW, "record farm www/CNAME"),
}


@pytest.mark.parametrize(("spec", "there", "claim"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_differs_is_in_the_way(spec: ZoneSpec, there: RecordSet, claim: str) -> None:
    plan = plan_for(want(spec), seen(want(zone_spec())), foreign(there))
    (obstacle,) = plan.obstacles
    assert (obstacle.claim, obstacle.is_foreign) == (claim, True)
    assert obstacle.holder == "zone@ns1/farm, which belongs to nobody we know"


def test_what_another_environment_has_is_in_the_way_however_equal() -> None:
    theirs = Observed(Address("zone", "farm"), GUEST, Owner("staging", "farm", "00"))
    plan = plan_for(want(zone_spec(WWW)), seen(want(zone_spec())), theirs)
    (obstacle,) = plan.obstacles
    assert (obstacle.claim, obstacle.is_foreign) == ("record farm www/A", False)
    assert obstacle.holder == "zone/farm, which belongs to environment staging"


def test_other_types_at_a_name_are_not_in_the_way() -> None:
    text = RecordSet("www", "TXT", 60, ('"x"',))
    plan = plan_for(want(zone_spec(WWW)), seen(want(zone_spec())), foreign(text))
    assert plan.obstacles == ()


def test_views_of_one_name_are_zones_of_their_own() -> None:
    inside, outside = zone_spec(WWW), zone_spec(API, server="ns1/outside")
    desired = [want(inside), Desired(zone_address("ns1/outside", "farm"), outside)]
    strange = Observed(
        Address("zone", "farm/outside", "ns1"), replace(outside, records=(APEX, OLD))
    )
    plan = make_plan(PRODUCTION, desired, World((strange,)))
    assert {str(change) for change in plan.changes} == {
        "create zone/farm",
        "update zone/farm/outside",
    }
    assert [str(name) for name in plan.foreign] == ["zone@ns1/farm/outside/old/A"]
    assert plan.obstacles == ()


def test_records_for_a_zone_that_nobody_made_yet_wait_for_it() -> None:
    plan = plan_for(want(GUEST, "farm"))
    assert (plan.changes, plan.unknown, plan.unchanged) == ((), (), 0)
    (problem,) = plan.waiting
    assert problem.what.startswith("zone/farm waits until the environment that makes the zone")
    assert "zone/farm waits" in plan_text(plan)
    made = seen(want(zone_spec()), "staging")
    assert [str(change) for change in plan_for(want(GUEST, "farm"), made).changes] == [
        "create zone/farm"
    ]


def test_nobody_waits_for_a_zone_that_cannot_be_looked_at() -> None:
    unknown = {Scope("zone", "farm", "ns1"): "no answer"}
    plan = make_plan(PRODUCTION, [want(GUEST, "farm")], World((), unknown))
    assert (plan.waiting, len(plan.unknown)) == ((), 1)


def test_nothing_strange_means_nothing_to_adopt() -> None:
    world = World((seen(want(zone_spec(WWW))),))
    assert adopt(PRODUCTION, [want(zone_spec(WWW))], world).world is world


def test_of_very_many_foreign_records_some_are_named() -> None:
    many = [a_record(f"n{number:04}") for number in range(NAMED_AT_MOST + 7)]
    names = list(map(str, foreign_names(foreign(*many))))
    assert names[:2] == ["zone@ns1/farm/n0000/A", "zone@ns1/farm/n0001/A"]
    assert names[-1] == "zone@ns1/farm and 7 more of its record sets"
    assert len(names) == NAMED_AT_MOST + 1


def test_a_zone_that_is_nobodys_is_named_too() -> None:
    assert [str(name) for name in foreign_names(foreign_zone(timers=TIMERS))] == [
        "zone@ns1/farm",
        "zone@ns1/farm/@/NS",
    ]
