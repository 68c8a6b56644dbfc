"""Who may write into a zone: its rules, what is written while it goes, and what DHCP writes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict
from reconciler.kinds.protocol import Operation
from reconciler.kinds.zone import ZoneKind, ZoneSpec
from reconciler.model.address import Scope
from reconciler.model.resource import Observed, Owner
from reconciler.ports.nameserver import Grant, RecordSet, Rules, ZoneState
from tests.farms.specs import a_record, simulated_farm, zone_spec

KIND = ZoneKind()
OWNER = Owner("production", "farm", "d" * 16)
WWW, API = a_record("www"), a_record("api")
SEEN = zone_spec(WWW)


def run(farm: SimulatedFarm, operations: tuple[Operation, ...]) -> None:
    for operation in operations:
        operation.run(farm)


def look(farm: SimulatedFarm) -> dict[str | None, Observed[ZoneSpec]]:
    """The parts by environment, None for what is nobody's."""
    parts = KIND.observe(Scope("zone", "farm", "ns1"), farm)
    return {part.owner.environment if part.owner else None: part for part in parts}


def update(farm: SimulatedFarm, desired: ZoneSpec) -> None:
    observed = look(farm)["production"].spec
    run(farm, KIND.update(desired, observed, KIND.diff(desired, observed), OWNER))


RULES = Rules((Grant("production"), Grant("staging", "stage")))


def managed() -> SimulatedFarm:
    """A farm whose server is ours, with a zone that has rules."""
    farm = simulated_farm()
    run(farm, KIND.create(replace(SEEN, rules=RULES), OWNER))
    return farm


def test_rules_are_seen_with_the_authority_and_set_before_records_are_written() -> None:
    farm = managed()
    farm.nameserver("ns1").set_rules("farm", Rules())
    observed = look(farm)["production"].spec
    assert observed.rules == Rules()
    desired = replace(zone_spec(), rules=RULES)
    changed = KIND.diff(desired, observed)
    assert {each.path for each in changed} == {"rules.grants", "records.www/A"}
    run(farm, KIND.update(desired, observed, changed, OWNER))
    assert KIND.diff(desired, look(farm)["production"].spec) == ()


def test_rules_that_are_not_managed_are_left_as_they_are() -> None:
    farm = managed()
    update(farm, zone_spec())
    assert farm.nameserver("ns1").zone("farm").rules == RULES


def test_a_zone_that_nobody_may_write_into_any_more_is_not_dropped_over_a_late_record() -> None:
    """Between the look and the end somebody has put a record: it stays, and so does the zone."""
    farm = managed()
    delete = KIND.delete(look(farm)["production"].spec, OWNER)
    by_hand.put_record(farm, "ns1", "farm", API)
    with pytest.raises(Conflict, match="records of others: api/A"):
        run(farm, delete)
    assert farm.nameserver("ns1").zone("farm").rules == RULES
    by_hand.remove_record(farm, "ns1", "farm", "api/A")
    run(farm, delete)
    assert farm.nameserver("ns1").zones() == ()


def test_a_record_that_comes_while_a_zone_is_being_dropped_keeps_it() -> None:
    farm = managed()
    delete = KIND.delete(look(farm)["production"].spec, OWNER)
    with pytest.raises(Conflict, match="records of others: api/A"):
        delete[0].run(Late(farm))  # type: ignore[arg-type]  # all that it asks
    assert API in farm.nameserver("ns1").zone("farm").records
    assert farm.nameserver("ns1").zone("farm").rules == RULES


@dataclass(frozen=True)
class Late:
    """A farm, and its server, on which somebody writes just before the rules change."""

    farm: SimulatedFarm

    def nameserver(self, server: str) -> Late:
        assert server == "ns1"
        return self

    def zone(self, name: str) -> ZoneState:
        return self.farm.nameserver("ns1").zone(name)

    def set_rules(self, name: str, rules: Rules) -> None:
        if rules != RULES:
            by_hand.put_record(self.farm, "ns1", name, API)
        self.farm.nameserver("ns1").set_rules(name, rules)


LEASE = a_record("laptop")


def test_what_dhcp_writes_into_an_open_zone_is_not_seen_and_goes_with_it() -> None:
    farm = simulated_farm()
    run(farm, KIND.create(zone_spec(open=True), OWNER))
    by_hand.put_record(farm, "ns1", "farm", LEASE)
    parts = look(farm)
    assert parts.keys() == {"production"}
    assert KIND.diff(zone_spec(open=True), parts["production"].spec) == ()
    by_hand.put_record(farm, "ns1", "farm", RecordSet("@", "TXT", 60, ('"x"',)))
    assert [each.key for each in look(farm)[None].spec.records] == ["@/TXT"]
    run(farm, KIND.delete(parts["production"].spec, OWNER))
    assert farm.nameserver("ns1").zones() == ()


def test_a_zone_that_is_opened_or_closed_is_marked_so() -> None:
    farm = simulated_farm()
    run(farm, KIND.create(SEEN, OWNER))
    by_hand.put_record(farm, "ns1", "farm", LEASE)
    assert [each.path for each in KIND.diff(replace(SEEN, open=True), SEEN)] == ["open"]
    update(farm, replace(SEEN, open=True))
    assert look(farm).keys() == {"production"}
    update(farm, SEEN)
    assert look(farm)[None].spec.records == (LEASE,)
