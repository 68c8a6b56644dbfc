"""S12: who may write marks of its own cannot make records of others, or a zone, its own so."""

from __future__ import annotations

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict, Denied
from reconciler.kinds.zone import ZoneKind, ZoneSpec
from reconciler.kinds.zone_registry import Holding, marks, read_marks, registry_grant
from reconciler.model.address import Scope
from reconciler.model.resource import Observed
from reconciler.ports.nameserver import Grant, RecordSet, Rules, ZoneUpdate
from tests.farms.rounds import Environment
from tests.farms.specs import a_record, simulated_farm, want, zone_spec
from tests.farms.sync import settle

INTRUDER = "development"  # its name comes before that of the owner
RULES = Rules((Grant("production"), Grant(INTRUDER, "dev", types=("A",)), registry_grant(INTRUDER)))
MINE = a_record("web.dev")
ZONE = want(zone_spec(a_record("www"), rules=RULES), "farm")
CLAIMED = frozenset({"www/A", "@/NS", "web.dev/A"})
LIE = marks(Holding(INTRUDER, "00", authority=True, keys=CLAIMED, open=True))


@pytest.fixture
def farm() -> SimulatedFarm:
    farm = simulated_farm()
    settle(Environment(farm, [ZONE]))
    return farm


def write(farm: SimulatedFarm, *records: RecordSet) -> None:
    server = farm.nameserver("ns1")
    serial = server.serials(["farm"])["farm"]
    server.update_zone(ZoneUpdate("farm", serial, INTRUDER, put=records))


def parts(farm: SimulatedFarm) -> dict[str | None, Observed[ZoneSpec]]:
    seen = ZoneKind().observe(Scope("zone", "farm", "ns1"), farm)
    return {each.owner.environment if each.owner else None: each for each in seen}


def test_a_lie_takes_nothing_from_the_owner(farm: SimulatedFarm) -> None:
    before = parts(farm)["production"]
    write(farm, MINE, *LIE)
    after = parts(farm)
    assert (after["production"].spec, after["production"].owner) == (before.spec, before.owner)
    assert after[INTRUDER].spec.records == (MINE,)
    assert after[INTRUDER].spec.timers is None
    plan = Environment(farm, [ZONE]).look().plan
    assert (plan.changes, plan.obstacles) == ((), ())


def test_what_was_shared_once_and_is_not_any_more_is_nobodys(farm: SimulatedFarm) -> None:
    write(farm, MINE, *marks(Holding(INTRUDER, "00", authority=False, keys=frozenset({MINE.key}))))
    assert None not in parts(farm)
    farm.nameserver("ns1").set_rules("farm", Rules((Grant("production"),)))
    assert parts(farm)[None].spec.records == (MINE,)


def test_marks_that_a_share_has_left_behind_hold_nobody_up(farm: SimulatedFarm) -> None:
    """Who wrote them may take them away no more, and must not try for ever."""
    write(farm, MINE, *marks(Holding(INTRUDER, "00", authority=False, keys=frozenset({MINE.key}))))
    farm.nameserver("ns1").set_rules("farm", Rules((Grant("production"),)))
    assert INTRUDER not in parts(farm)
    owner = parts(farm)["production"]
    assert owner.owner is not None
    (drop,) = ZoneKind().delete(owner.spec, owner.owner)
    with pytest.raises(Conflict, match=r"records of others: web\.dev/A; adopt"):
        drop.run(farm)
    by_hand.remove_record(farm, "ns1", "farm", MINE.key)
    drop.run(farm)
    assert farm.nameserver("ns1").zones() == ()


@pytest.mark.parametrize(
    "record",
    [
        *marks(Holding("production", "00", authority=False, keys=frozenset())),
        RecordSet("_reconciler", "TXT", 60, ('"x"',)),
        RecordSet("x.production._reconciler", "TXT", 60, ('"x"',)),
    ],
    ids=lambda each: each.name,
)
def test_marks_of_others_cannot_be_written_at_all(farm: SimulatedFarm, record: RecordSet) -> None:
    with pytest.raises(Denied):
        write(farm, record)
    assert read_marks(farm.nameserver("ns1").zone("farm").records)["production"].authority
