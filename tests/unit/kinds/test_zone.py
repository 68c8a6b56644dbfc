"""Parts of a zone by owner, and which operations make, change and remove them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict, NotFound
from reconciler.kinds.protocol import Operation
from reconciler.kinds.zone import ZoneKind, ZoneSpec, zone_address
from reconciler.kinds.zone_operations import UpdateZone
from reconciler.kinds.zone_registry import Holding, is_mark, marks, read_marks
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.resource import Observed, Owner
from reconciler.ports.nameserver import NewZone, RecordSet
from tests.farms.specs import APEX, TIMERS, a_record, simulated_farm, zone_spec

KIND = ZoneKind()
SCOPE = Scope("zone", "farm", "ns1")
OWNER = Owner("production", "farm", "d" * 16)
GUEST = Owner("staging", "farm", "e" * 16)
WWW, API = a_record("www"), a_record("api")
SEEN = zone_spec(WWW)
PART = ZoneSpec("ns1", "farm", None, (API,))


def run(farm: SimulatedFarm, operations: tuple[Operation, ...]) -> None:
    for operation in operations:
        operation.run(farm)


def farm_with_zone(*parts: tuple[ZoneSpec, Owner]) -> SimulatedFarm:
    farm = simulated_farm(servers=("ns1", "ns2"))
    for spec, owner in ((SEEN, OWNER), *parts):
        run(farm, KIND.create(spec, owner))
    return farm


def look(farm: SimulatedFarm) -> dict[str | None, Observed[ZoneSpec]]:
    """The parts by environment, None for what is nobody's."""
    parts = KIND.observe(SCOPE, farm)
    return {part.owner.environment if part.owner else None: part for part in parts}


def update(farm: SimulatedFarm, desired: ZoneSpec, owner: Owner = OWNER) -> None:
    observed = look(farm)[owner.environment].spec
    run(farm, KIND.update(desired, observed, KIND.diff(desired, observed), owner))


def keys(farm: SimulatedFarm, server: str = "ns1") -> set[str]:
    """All record sets of the zone but the registry's."""
    records = farm.nameserver(server).zone("farm").records
    return {record.key for record in records if not is_mark(record)}


def owned(farm: SimulatedFarm) -> dict[str, set[str]]:
    """What the marks in the zone name, by environment."""
    holdings = read_marks(farm.nameserver("ns1").zone("farm").records)
    return {environment: set(holding.keys) for environment, holding in holdings.items()}


def test_a_zone_needs_nothing_and_claims_its_name_and_records() -> None:
    assert KIND.needs(Address("zone", "farm"), SEEN) == frozenset()
    assert KIND.claims(SEEN) == {"zone farm", "record farm @/NS", "record farm www/A"}
    assert KIND.claims(PART) == {"record farm api/A"}


def test_a_zone_lives_on_its_server_and_on_no_host() -> None:
    assert KIND.host(SEEN) is None
    assert KIND.identity(SEEN) == "farm"
    assert KIND.scopes([SEEN, PART], ["virt1"]) == {SCOPE}


def test_losing_what_it_needs_changes_nothing_because_it_needs_nothing() -> None:
    assert KIND.without(Address("zone", "farm"), SEEN, frozenset()) is SEEN
    assert KIND.release(Address("zone", "farm"), SEEN, frozenset(), OWNER) == ()


@pytest.mark.parametrize("scope", [Scope("host", "virt1"), Scope("zone", "farm")])
def test_only_a_zone_on_a_server_is_looked_at(scope: Scope) -> None:
    assert not list(KIND.observe(scope, simulated_farm()))


def test_a_zone_that_is_not_served_is_absent() -> None:
    assert not list(KIND.observe(SCOPE, simulated_farm()))


def test_a_zone_is_seen_as_it_was_made() -> None:
    (part,) = look(farm_with_zone()).values()
    assert (part.address, part.owner) == (Address("zone", "farm"), OWNER)
    assert KIND.diff(SEEN, part.spec) == ()
    assert part.spec.timers == TIMERS


def test_environments_see_their_own_records_of_one_zone() -> None:
    parts = look(farm_with_zone((PART, GUEST)))
    assert parts["production"].spec.records == SEEN.records
    assert parts["staging"].spec == replace(PART, serial=2)
    assert None not in parts


def test_what_no_mark_names_is_nobodys() -> None:
    farm = farm_with_zone()
    by_hand.put_record(farm, "ns1", "farm", API)
    foreign = look(farm)[None]
    assert foreign.address == Address("zone", "farm", "ns1")
    assert foreign.spec.records == (API,)
    assert foreign.spec.timers is None


def test_a_zone_without_marks_is_nobodys_with_its_timers() -> None:
    farm = simulated_farm()
    farm.nameserver("ns1").create_zone(NewZone("farm", TIMERS, 7, (APEX,), "x"))
    assert look(farm)[None].spec == ZoneSpec("ns1", "farm", TIMERS, (APEX,), None, 7)


def test_of_two_that_claim_authority_the_first_by_name_has_it() -> None:
    farm = farm_with_zone()
    run(farm, KIND.update(replace(PART, timers=TIMERS), replace(PART, records=()), (), GUEST))
    parts = look(farm)
    assert parts["production"].spec.timers == TIMERS
    assert parts["staging"].spec.timers is None


def test_an_update_puts_changes_and_removes_just_what_differs() -> None:
    farm = farm_with_zone((PART, GUEST))
    update(farm, zone_spec(a_record("www", "10.0.0.1"), a_record("db")))
    assert keys(farm) == {"@/NS", "www/A", "db/A", "api/A"}
    update(farm, zone_spec())
    assert keys(farm) == {"@/NS", "api/A"}
    assert owned(farm) == {"production": {"@/NS"}, "staging": {"api/A"}}


def test_an_update_carries_new_timers() -> None:
    farm = farm_with_zone()
    update(farm, replace(SEEN, timers=replace(TIMERS, retry_seconds=60)))
    timers = look(farm)["production"].spec.timers
    assert timers is not None
    assert timers.retry_seconds == 60


def test_an_update_never_overwrites_a_record_of_somebody_else() -> None:
    farm = farm_with_zone()
    by_hand.put_record(farm, "ns1", "farm", API)
    before = farm.state
    with pytest.raises(Conflict, match="already there: api/A"):
        update(farm, zone_spec(WWW, a_record("api", "10.9.9.9")))
    assert farm.state == before


def test_an_update_of_a_zone_that_was_changed_meanwhile_is_refused() -> None:
    farm = farm_with_zone()
    observed = look(farm)["production"].spec
    by_hand.put_record(farm, "ns1", "farm", API)
    desired = zone_spec()
    with pytest.raises(Conflict, match="look again"):
        run(farm, KIND.update(desired, observed, KIND.diff(desired, observed), OWNER))


def test_records_are_put_into_the_zone_of_another_only_under_free_names() -> None:
    farm = farm_with_zone()
    with pytest.raises(Conflict, match="already there: www/A"):
        run(farm, KIND.create(replace(PART, records=(WWW,)), GUEST))
    with pytest.raises(NotFound):
        run(simulated_farm(), KIND.create(PART, GUEST))


def test_authority_that_is_not_wanted_any_more_is_given_up() -> None:
    farm = farm_with_zone()
    desired = replace(SEEN, timers=None)
    assert [each.path for each in KIND.diff(desired, look(farm)["production"].spec)] == ["timers"]
    update(farm, desired)
    assert look(farm)["production"].spec.timers is None
    assert KIND.diff(desired, look(farm)["production"].spec) == ()


def test_timers_are_taken_over_with_the_authority() -> None:
    taken = KIND.diff(SEEN, replace(SEEN, timers=None))
    assert [(each.path, each.before) for each in taken] == [("timers", None)]


def test_the_serial_is_the_servers_affair() -> None:
    assert KIND.diff(replace(SEEN, serial=9), SEEN) == ()


def test_a_zone_goes_with_the_authority_and_only_without_records_of_others() -> None:
    farm = farm_with_zone((PART, GUEST))
    delete = KIND.delete(look(farm)["production"].spec, OWNER)
    with pytest.raises(Conflict, match="holds records of others: api/A"):
        run(farm, delete)
    run(farm, KIND.delete(look(farm)["staging"].spec, GUEST))
    run(farm, delete)
    assert farm.nameserver("ns1").zones() == ()
    run(farm, delete)  # it is gone already


def test_without_the_authority_only_our_records_go() -> None:
    farm = farm_with_zone((PART, GUEST))
    run(farm, KIND.delete(look(farm)["staging"].spec, GUEST))
    assert keys(farm) == {"@/NS", "www/A"}
    assert owned(farm) == {"production": {"@/NS", "www/A"}}


def test_a_zone_moves_to_another_server_if_nobody_else_has_records_in_it() -> None:
    farm = farm_with_zone()
    update(farm, replace(SEEN, server="ns2"))
    assert farm.nameserver("ns1").zones() == ()
    assert keys(farm, "ns2") == {"@/NS", "www/A"}
    guests = farm_with_zone((PART, GUEST))
    with pytest.raises(Conflict, match="records of others"):
        update(guests, replace(SEEN, server="ns2"))
    assert guests.nameserver("ns2").zones() == ()


def test_a_mark_that_outlived_its_record_goes_with_the_next_mark() -> None:
    """Else whoever takes the free name would seem to be ours."""
    farm = farm_with_zone()
    by_hand.remove_record(farm, "ns1", "farm", "www/A")
    observed = look(farm)["production"].spec
    run(farm, KIND.mark(observed, replace(OWNER, digest="f" * 16)))
    by_hand.put_record(farm, "ns1", "farm", WWW)
    assert look(farm)[None].spec.records == (WWW,)
    owner = look(farm)["production"].owner
    assert owner is not None
    assert owner.digest == "f" * 16


def test_a_mark_that_outlived_its_record_goes_with_the_next_update() -> None:
    farm = farm_with_zone()
    by_hand.remove_record(farm, "ns1", "farm", "www/A")
    update(farm, zone_spec(a_record("db")))
    assert owned(farm) == {"production": {"@/NS", "db/A"}}


def test_a_mark_that_outlived_its_record_does_not_hold_the_zone() -> None:
    farm = farm_with_zone()
    by_hand.remove_record(farm, "ns1", "farm", "www/A")
    run(farm, KIND.delete(look(farm)["production"].spec, OWNER))
    assert farm.nameserver("ns1").zones() == ()


def test_one_of_two_types_at_a_name_may_go() -> None:
    aaaa = RecordSet("www", "AAAA", 300, ("2001:db8::1",))
    farm = farm_with_zone()
    update(farm, zone_spec(WWW, aaaa))
    by_hand.remove_record(farm, "ns1", "farm", "www/A")
    assert KIND.diff(zone_spec(aaaa), look(farm)["production"].spec) == ()


def test_only_marks_that_differ_are_written() -> None:
    farm = farm_with_zone()
    desired = zone_spec(WWW, API)
    observed = look(farm)["production"].spec
    (step,) = KIND.update(desired, observed, KIND.diff(desired, observed), OWNER)
    assert isinstance(step, UpdateZone)
    (bucket,) = {mark.key for mark in marks(holding("api/A")) if mark.name.count(".") > 1}
    assert [each.key for each in step.update.put] == ["api/A", bucket]
    (head,) = KIND.mark(observed, replace(OWNER, digest="f" * 16))
    assert isinstance(head, UpdateZone)
    assert [each.key for each in head.update.put] == ["production._reconciler/TXT"]


def test_what_is_left_of_older_marks_goes_with_the_next_update() -> None:
    farm = farm_with_zone()
    old = RecordSet("www.production._reconciler", "TXT", 300, ('"types=A"',))
    by_hand.put_record(farm, "ns1", "farm", old)
    update(farm, zone_spec())
    assert old not in farm.nameserver("ns1").zone("farm").records


def test_each_view_of_a_name_is_a_zone_of_its_own() -> None:
    outside = replace(SEEN, server="ns1/outside")
    assert zone_address("ns1", "farm") == Address("zone", "farm")
    assert zone_address("ns1/outside", "farm") == Address("zone", "farm/outside")
    assert KIND.identity(outside) == "farm/outside"
    assert not KIND.claims(outside) & KIND.claims(SEEN)


def test_looking_takes_one_call_of_the_server() -> None:
    farm = farm_with_zone()
    farm.revive()
    look(farm)
    assert [call.operation for call in farm.log] == ["zone"]


def test_a_server_that_nobody_knows_is_not_a_zone_that_is_absent() -> None:
    with pytest.raises(NotFound, match="no such name server"):
        KIND.observe(Scope("zone", "farm", "nowhere"), simulated_farm())


def holding(*keys: str) -> Holding:
    return Holding("production", "", authority=True, keys=frozenset(keys))


WORDS: list[tuple[tuple[Operation, ...], str]] = [
    (KIND.create(SEEN, OWNER), "create zone farm on ns1"),
    (KIND.create(PART, OWNER), "put 1 record sets into zone farm on ns1"),
    (KIND.mark(SEEN, OWNER), "mark records of zone farm on ns1"),
    (KIND.delete(SEEN, OWNER), "delete zone farm on ns1"),
    (KIND.delete(PART, OWNER), "remove 1 record sets from zone farm on ns1"),
]


@pytest.mark.parametrize(("operations", "words"), WORDS, ids=[each[1] for each in WORDS])
def test_operations_in_words(operations: Any, words: str) -> None:
    assert [str(operation) for operation in operations] == [words]
    assert operations[0].machines == {"ns1"}


def test_changes_name_the_record_set() -> None:
    changes = KIND.diff(zone_spec(a_record("www", "10.0.0.1")), SEEN)
    assert changes == (FieldChange("records.www/A.values", ["192.168.1.10"], ["10.0.0.1"]),)
