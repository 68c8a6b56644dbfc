"""Updates as messages, and the serials that come after others."""

from __future__ import annotations

from datetime import UTC, datetime

import dns.message
import dns.opcode
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.dns.updates import (
    as_served,
    is_after,
    message,
    missing,
    next_serial,
    size_of,
    soa_with,
)
from reconciler.drivers.refusal import Refused
from reconciler.ports.nameserver import RecordSet, Timers, ZoneUpdate

ZONE = "farm.internal"
TIMERS = Timers("ns.farm.internal.", "h.farm.internal.", 1, 2, 3, 4)
SOA = soa_with(TIMERS, 7, 60)
WWW = RecordSet("www", "A", 60, ("192.0.2.1", "192.0.2.2"))
NS = RecordSet("@", "NS", 60, ("ns1.farm.internal.", "ns2.farm.internal."))
SERIALS = st.integers(1, 2**32 - 1)


def read(wire: bytes) -> dns.update.UpdateMessage:
    found = dns.message.from_wire(wire)
    assert isinstance(found, dns.update.UpdateMessage)
    return found


def test_an_update_asks_for_exactly_the_zone_that_was_seen() -> None:
    update = ZoneUpdate(ZONE, 7, "production", (WWW,), ("old/TXT",), ("www/A", "x/CNAME"))
    found = read(message(9, update, SOA, {}))
    assert (found.id, found.opcode()) == (9, dns.opcode.UPDATE)
    assert [each.to_text() for each in found.prerequisite] == [
        "farm.internal. 0 IN SOA ns.farm.internal. h.farm.internal. 7 1 2 3 4",
        "www.farm.internal. NONE A",
        "x.farm.internal. NONE CNAME",
    ]
    assert [line for each in found.update for line in each.to_text().splitlines()] == [
        "old.farm.internal. ANY TXT",
        "www.farm.internal. ANY A",
        "www.farm.internal. 60 IN A 192.0.2.1",
        "www.farm.internal. 60 IN A 192.0.2.2",
    ]


def test_name_servers_of_the_zone_are_exchanged_one_by_one() -> None:
    after = RecordSet("@", "NS", 60, ("ns2.farm.internal.", "ns3.farm.internal."))
    update = ZoneUpdate(ZONE, 7, "production", (after,))
    found = read(message(9, update, SOA, {"@/NS": NS}))
    assert [line for each in found.update for line in each.to_text().splitlines()] == [
        "farm.internal. 60 IN NS ns2.farm.internal.",
        "farm.internal. 60 IN NS ns3.farm.internal.",
        "farm.internal. 0 NONE NS ns1.farm.internal.",
    ]


def test_the_size_is_what_the_message_grows_by() -> None:
    update = ZoneUpdate(ZONE, 7, "production", (WWW, NS), ("old/TXT",), ("www/A",))
    empty = ZoneUpdate(ZONE, 7, "production")
    grown = len(message(9, update, SOA, {})) - len(message(9, empty, SOA, {}))
    assert size_of(update, {}) == grown


@pytest.mark.parametrize(
    "record",
    [
        RecordSet("a..b", "A", 60, ("192.0.2.1",)),
        RecordSet("a", "NOTYPE", 60, ("x",)),
        RecordSet("a", "MX", 60, ("mail.",)),
        RecordSet("a", "A", 60, ("192.0.2.256",)),
        RecordSet("a", "A", 2**32, ("192.0.2.1",)),
        RecordSet("a", "TXT", 60, (f'"{"x" * 255}" ' * 256 + '"x"',)),
    ],
    ids=lambda each: f"{each.name} {each.type} {each.values[0][:15]} {each.ttl_seconds}",
)
def test_what_cannot_be_said_is_refused(record: RecordSet) -> None:
    with pytest.raises(Refused):
        message(9, ZoneUpdate(ZONE, 7, "production", (record,)), SOA, {})


def test_what_did_not_become_so_is_named() -> None:
    update = ZoneUpdate(ZONE, 7, "production", (WWW, NS), ("old/A",), timers=TIMERS)
    old = RecordSet("old", "A", 60, ("192.0.2.9",))
    assert missing(update, [WWW, NS], TIMERS) == ()
    assert missing(update, [old, NS], TIMERS) == ("www/A", "old/A")
    slower = Timers("ns.farm.internal.", "h.farm.internal.", 9, 2, 3, 4)
    assert missing(update, [WWW, NS], slower) == ("@/SOA",)


def test_values_are_compared_as_they_are_served() -> None:
    written = RecordSet("WWW", "AAAA", 60, ("2001:0db8::0:1", "::FFFF:192.0.2.1"))
    served = RecordSet("www", "AAAA", 60, ("2001:db8::1", "::ffff:192.0.2.1"))
    assert as_served(written) == served


@given(SERIALS, st.sampled_from(["increment", "date"]), st.dates())
def test_a_serial_goes_up_whatever_the_date(serial: int, serials: str, day: object) -> None:
    after = next_serial(serial, serials, datetime.fromisoformat(f"{day}T00:00:00+00:00"))
    assert is_after(after, serial)
    assert 0 < after < 2**32


@pytest.mark.parametrize(
    ("serial", "serials", "after"),
    [
        (7, "increment", 8),
        (2**32 - 1, "increment", 1),
        (7, "date", 2026030100),
        (2026030100, "date", 2026030101),
        (2026030199, "date", 2026030200),
        (2030010100, "date", 2030010101),
        (4294967295, "date", 2026030100),
    ],
)
def test_the_next_serial(serial: int, serials: str, after: int) -> None:
    assert next_serial(serial, serials, datetime(2026, 3, 1, tzinfo=UTC)) == after
