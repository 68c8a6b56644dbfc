"""The zones of a farm of 2011, record for record: two people's machines under one domain.

What its administrator had typed is listed here once more, and independently of the documents.
"""

from __future__ import annotations

from reconciler.ports.nameserver import Timers
from tests.golden.zones.test_zones import served

HOUR, DAY, WEEK = 3600, 86400, 604800
FORWARD = {
    ("@", HOUR, "NS", "ns.farm."),
    ("ns", HOUR, "A", "10.10.0.254"),
    ("gnt-cluster", HOUR, "A", "10.10.59.1"),
    ("host01", HOUR, "A", "10.10.59.10"),
    ("dev.dachary.vm", HOUR, "A", "10.10.60.1"),
    ("skaro.xivo.vm", HOUR, "A", "10.10.60.2"),
}
REVERSE = {
    ("@", WEEK, "NS", "localhost."),
    ("1.60", WEEK, "PTR", "dev.dachary.vm.farm."),
    ("2.60", WEEK, "PTR", "skaro.xivo.vm.farm."),
}
TIMERS = {
    "farm": Timers("ns.farm.", "hostmaster.farm.", HOUR, HOUR // 2, 2 * WEEK, HOUR // 2),
    "10.10.in-addr.arpa": Timers("localhost.", "root.localhost.", WEEK, DAY, 4 * WEEK, WEEK),
}


def test_the_zones_are_what_was_typed_in_2011() -> None:
    zones = served("of-2011")
    found = {
        name: {
            (record.name, record.ttl_seconds, record.type, value)
            for spec in specs
            for record in spec.records
            for value in record.values
        }
        for name, specs in zones.items()
    }
    assert found == {"farm": FORWARD, "10.10.in-addr.arpa": REVERSE}
    assert {name: specs[0].timers for name, specs in zones.items()} == TIMERS
    assert {specs[0].serial for specs in zones.values()} == {2011031200}


def test_each_environment_writes_only_its_own_names() -> None:
    for makes_it, adds in served("of-2011").values():
        assert makes_it.timers is not None
        assert adds.timers is None
        assert len(adds.records) == 1
