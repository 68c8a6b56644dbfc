"""F18: somebody changes the world between the plan and its application: no blind overwriting."""

from __future__ import annotations

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.engine.apply import Result
from reconciler.ports.nameserver import RecordSet
from tests.farms.rounds import Environment
from tests.farms.specs import GIB, a_record, machine, simulated_farm, want, zone_spec
from tests.farms.sync import settle

BEFORE = want(zone_spec(a_record("www")), "farm")
AFTER = want(zone_spec(a_record("www", "10.0.0.1"), a_record("api")), "farm")
MINE = RecordSet("mine", "TXT", 60, ('"by hand"',))


def planned() -> tuple[SimulatedFarm, Environment]:
    farm = simulated_farm()
    environment = Environment(farm, [BEFORE])
    settle(environment)
    environment.desired = [AFTER]
    return farm, environment


def records(farm: SimulatedFarm) -> dict[str, RecordSet]:
    return {each.key: each for each in farm.nameserver("ns1").zone("farm").records}


def test_a_zone_that_was_edited_meanwhile_is_not_written_but_planned_anew() -> None:
    farm, environment = planned()
    look = environment.look()
    by_hand.put_record(farm, "ns1", "farm", MINE)
    edited = farm.state
    (outcome,) = environment.apply(look)
    assert outcome.result is Result.FAILED
    assert "look again" in outcome.message
    assert farm.state == edited
    settle(environment)
    assert records(farm).items() >= {"mine/TXT": MINE, "api/A": a_record("api")}.items()


def test_a_record_of_somebody_else_under_a_name_that_is_needed_is_never_overwritten() -> None:
    farm, environment = planned()
    look = environment.look()
    theirs = a_record("api", "10.9.9.9")
    by_hand.put_record(farm, "ns1", "farm", theirs)
    environment.apply(look)
    for _ in range(3):
        environment.turn()
    assert records(farm)["api/A"] == theirs
    (obstacle,) = environment.look().plan.obstacles
    assert obstacle.claim == "record farm api/A"


def test_a_record_that_appears_while_a_guests_records_are_put_is_not_overwritten() -> None:
    farm, _ = planned()
    guest = want(zone_spec(timers=None, records=(a_record("shop"),)), "farm")
    environment = Environment(farm, [guest], "staging")
    look = environment.look()
    theirs = a_record("shop", "10.9.9.9")
    by_hand.put_record(farm, "ns1", "farm", theirs)
    (outcome,) = environment.apply(look)
    assert outcome.result is Result.FAILED
    assert records(farm)["shop/A"] == theirs


def test_a_mark_is_not_written_over_an_edit_either() -> None:
    farm, environment = planned()
    environment.desired = [want(zone_spec(a_record("www"), serial=7), "farm")]
    look = environment.look()
    assert (len(look.plan.changes), len(look.plan.remarks)) == (0, 1)
    by_hand.put_record(farm, "ns1", "farm", MINE)
    edited = farm.state
    environment.apply(look)
    assert farm.state == edited
    settle(environment)
    assert records(farm)["mine/TXT"] == MINE


def test_a_machine_that_was_switched_off_meanwhile_ends_as_wanted() -> None:
    farm = simulated_farm()
    environment = Environment(farm, machine())
    settle(environment)
    environment.desired = machine(memory_bytes=8 * GIB)
    look = environment.look()
    by_hand.remove_domain(farm, "virt1", "production-web-1")
    environment.apply(look)
    settle(environment)
    domain = farm.state.hosts["virt1"].domains["production-web-1"]
    assert (domain.running, domain.definition.memory_bytes) == (True, 8 * GIB)
