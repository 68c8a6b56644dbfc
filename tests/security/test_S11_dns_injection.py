"""S11: whatever is written as a record, the zone is what was meant and no other zone changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Scope
from reconciler.model.resource import Desired
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.zones import zone_resources
from tests.farms import truth
from tests.farms.repository import FARM, documents
from tests.farms.rounds import Environment
from tests.farms.specs import APEX, TIMERS, a_record, simulated_farm, want, zone_spec
from tests.farms.sync import settle
from tests.farms.town import ANYTHING_GOES

FILE = "environments/production/zone.yaml"
NAMES = [
    "www\n$INCLUDE /etc/passwd",
    "www ; comment",
    "$GENERATE 1-9 a$ A 10.0.0.$",
    "$ORIGIN other.example.",
    "www.other.example.",
    "www.other.example",
    "other.example.",
    "..",
    ".",
    "",
    "(",
    "www 300 IN A 10.0.0.1",
    "@",
    "*",
    "*.www",
    "www.*",
    "www\\.other\\.example",
    'www"',
    "_reconciler",
    "staging._reconciler",
    "www.staging._reconciler",
    "www\x00",
    "ｗｗｗ",
    "a" * 64,
    ".".join(["a" * 63] * 5),
]
VALUES = [
    ("TXT", 'x"\n$INCLUDE /etc/passwd'),
    ("TXT", '" "; $INCLUDE /etc/passwd'),
    ("TXT", '"open'),
    ("TXT", '\\"'),
    ("TXT", 'a" 300 IN A 10.0.0.1 "'),
    ("TXT", "(a\\ b) ; c"),
    ("TXT", "digest=00 authority=1"),
    ("A", "10.0.0.1 10.0.0.2"),
    ("A", "10.0.0.1\n@ NS evil.example."),
    ("A", "010.0.0.1"),
    ("CNAME", "www.farm.internal. ; x"),
    ("CNAME", "a b"),
    ("MX", "10 mail\nevil"),
    ("MX", "10 $INCLUDE"),
    ("SRV", "1 2 3 (x"),
    ("CAA", '0 issue "x" "y"'),
    ("NS", "evil.example. ("),
]
OTHER = want(zone_spec(a_record("www"), name="other.example"), "other.example")


def with_record(name: str, kind: str, value: str) -> str:
    """The zone document with one more record, quoted so that YAML gives it as it is."""
    fields = json.dumps({"name": name, "type": kind, "values": [value]})
    return f"{FARM[FILE]}  - {fields}\n"


def farm() -> tuple[SimulatedFarm, dict[truth.Place, Any]]:
    """A server that also serves a zone of somebody else; and all of that zone."""
    served = simulated_farm()
    settle(Environment(served, [OTHER], "staging"))
    return served, truth.not_of("production", served.state)


def check_served_as_meant(text: str) -> None:
    """Either the document is refused, or the server has the rendered records and nothing else."""
    served, others = farm()
    try:
        desired = tuple(zone_resources(documents({FILE: text})))
    except ConfigError:
        return
    settle(Environment(served, desired, policy=ANYTHING_GOES))
    assert truth.misfits("production", desired, served.state) == []
    assert truth.not_of("production", served.state) == others
    assert set(served.state.nameservers["ns1"].zones) == {
        "other.example",
        *(each.address.name for each in desired),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_refused_or_means_what_it_says(name: str) -> None:
    check_served_as_meant(with_record(name, "TXT", "x"))


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_hostile_value_is_refused_or_means_what_it_says(kind: str, value: str) -> None:
    check_served_as_meant(with_record("hostile", kind, value))


@pytest.mark.parametrize("name", [name for name in NAMES if not set(name) <= set("abw.*@")])
def test_a_hostile_name_that_came_past_the_documents_is_refused_by_the_server(name: str) -> None:
    """The last line: a spec that no document can give."""
    spec = ZoneSpec("ns1", "farm", TIMERS, (APEX, RecordSet(name, "A", 300, ("10.0.0.1",))))
    served, others = farm()
    desired: list[Desired[Any]] = [want(spec, "farm")]
    environment = Environment(served, desired, policy=ANYTHING_GOES)
    for _ in range(2):
        environment.turn()
    assert truth.not_of("production", served.state) == others
    zone = served.state.nameservers["ns1"].zones.get("farm")
    assert zone is None or all(
        record.name in {"@", name} or record.name.endswith("_reconciler") for record in zone.records
    )


def test_an_environment_cannot_take_over_a_zone_or_a_record_of_another() -> None:
    """S12 in small: the plan refuses, whatever the document says."""
    served, _ = farm()
    before = served.state
    hijack = want(zone_spec(a_record("www", "10.6.6.6"), name="other.example"), "other.example")
    guest = ZoneSpec("ns1", "other.example", None, (a_record("www", "10.6.6.6"),))
    for desired in (hijack, want(guest, "other.example")):
        environment = Environment(served, [desired], policy=ANYTHING_GOES)
        environment.turn()
        assert served.state == before
        assert environment.look().plan.obstacles


def test_a_hand_made_mark_gives_nobody_the_zone() -> None:
    """Who may write to the zone may lie about owners; still nothing of others is deleted."""
    served, _ = farm()
    by_name = RecordSet("production._reconciler", "TXT", 60, ('"digest=00 authority=1"',))
    scopes = frozenset({Scope("zone", "other.example", "ns1")})
    environment = Environment(served, [], policy=ANYTHING_GOES, scopes=scopes)
    by_hand.put_record(served, "ns1", "other.example", by_name)
    environment.turn()
    left = {record.key for record in served.state.nameservers["ns1"].zones["other.example"].records}
    assert {"www/A", "@/NS"} <= left
