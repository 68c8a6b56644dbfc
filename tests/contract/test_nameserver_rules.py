"""What every name server promises about rules, serials, large updates and other hands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Conflict, Denied, NotFound
from reconciler.ports.nameserver import Grant, RecordSet, Rules, Timers
from tests.contract.name_bench import (
    BASE,
    GUEST,
    HOUR,
    MAIL,
    MAKER,
    OURS,
    SERIAL,
    TIMERS,
    WWW,
    ZONE,
    NameBench,
)

LEASE = RecordSet("laptop.dyn", "A", HOUR, ("192.168.1.200",))
SHARED = Rules(
    (
        Grant(MAKER),
        Grant(GUEST, "stage", below=True, types=("A", "AAAA", "CNAME")),
        Grant(GUEST, "alone", below=False, types=("A",)),
        Grant(GUEST, "staging._reconciler", below=True, types=("TXT",)),
        Grant("dhcp", "dyn", below=True, types=("A", "AAAA", "TXT", "DHCID")),
    )
)


def test_rules_are_told_as_they_were_set(name_bench: NameBench) -> None:
    name_bench.make(*BASE, rules=SHARED)
    assert name_bench.zone.rules == SHARED
    name_bench.server.set_rules(ZONE, OURS)
    name_bench.server.set_rules(ZONE, OURS)
    assert name_bench.zone.rules == OURS


def test_new_rules_leave_the_zone_as_it_is(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    before = name_bench.zone
    name_bench.server.set_rules(ZONE, SHARED)
    assert name_bench.zone == replace(before, rules=SHARED)


def test_rules_of_what_is_not_served_are_not_set(name_bench: NameBench) -> None:
    with pytest.raises(NotFound):
        name_bench.server.set_rules(ZONE, Rules(serials="date"))


ALLOWED = {
    "the name itself": RecordSet("stage", "A", HOUR, ("192.168.1.1",)),
    "a name below": RecordSet("web.stage", "AAAA", HOUR, ("fd00::1",)),
    "far below": RecordSet("a.b.c.stage", "CNAME", HOUR, ("www.farm.internal.",)),
    "just that name": RecordSet("alone", "A", HOUR, ("192.168.1.1",)),
    "its mark": RecordSet("3f.staging._reconciler", "TXT", HOUR, ('"own web.stage=A"',)),
    "its head": RecordSet("staging._reconciler", "TXT", HOUR, ('"digest=00 authority=0"',)),
}
DENIED = {
    "a name beside": RecordSet("web", "A", HOUR, ("192.168.1.1",)),
    "a name that ends so": RecordSet("backstage", "A", HOUR, ("192.168.1.1",)),
    "another type": RecordSet("web.stage", "TXT", HOUR, ('"x"',)),
    "below a single name": RecordSet("not.alone", "A", HOUR, ("192.168.1.1",)),
    "a mark of others": RecordSet("3f.production._reconciler", "TXT", HOUR, ('"own www=A"',)),
    "the apex": RecordSet("@", "TXT", HOUR, ('"x"',)),
    "the name servers": RecordSet("@", "NS", HOUR, ("ns.elsewhere.example.",)),
    "what is there": replace(WWW, values=("10.6.6.6",)),
}


@pytest.mark.parametrize("record", ALLOWED.values(), ids=ALLOWED)
def test_a_guest_changes_what_it_may(name_bench: NameBench, record: RecordSet) -> None:
    name_bench.make(*BASE, WWW, rules=SHARED)
    name_bench.update(record, environment=GUEST, absent=(record.key,))
    assert record in name_bench.zone.records
    name_bench.update(remove=(record.key,), environment=GUEST)
    assert set(name_bench.zone.records) == {*BASE, WWW}


@pytest.mark.parametrize("record", DENIED.values(), ids=DENIED)
def test_a_guest_changes_nothing_else(name_bench: NameBench, record: RecordSet) -> None:
    name_bench.make(*BASE, WWW, rules=SHARED)
    before = name_bench.zone
    with pytest.raises(Denied):
        name_bench.update(record, environment=GUEST)
    assert name_bench.zone == before
    with pytest.raises(Denied):
        name_bench.update(ALLOWED["a name below"], record, environment=GUEST)
    assert name_bench.zone == before


@pytest.mark.parametrize(
    ("remove", "timers"),
    [(("www/A",), None), (("www/TXT",), None), ((), replace(TIMERS, retry_seconds=60))],
)
def test_a_guest_takes_nothing_away(
    name_bench: NameBench, remove: tuple[str, ...], timers: Timers | None
) -> None:
    name_bench.make(*BASE, WWW, rules=SHARED)
    before = name_bench.zone
    with pytest.raises(Denied):
        name_bench.update(remove=remove, timers=timers, environment=GUEST)
    assert name_bench.zone == before


def test_who_is_granted_nothing_changes_nothing(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    before = name_bench.zone
    with pytest.raises(Denied):
        name_bench.update(MAIL, environment=GUEST)
    name_bench.server.set_rules(ZONE, Rules())
    with pytest.raises(Denied):
        name_bench.update(MAIL)
    assert name_bench.zone.records == before.records


def test_dhcp_changes_names_in_its_part_only(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW, rules=SHARED)
    name_bench.update(LEASE, environment="dhcp")
    assert LEASE in name_bench.zone.records
    before = name_bench.zone
    with pytest.raises(Denied):
        name_bench.update(replace(LEASE, name="www"), environment="dhcp")
    assert name_bench.zone == before


def test_a_serial_goes_up_by_one(name_bench: NameBench) -> None:
    name_bench.make(*BASE)
    for number in (1, 2):
        name_bench.update(replace(WWW, ttl_seconds=number))
        assert name_bench.zone.serial == SERIAL + number
        assert name_bench.server.serials([ZONE, "other.example"]) == {ZONE: SERIAL + number}


def test_a_serial_goes_round_and_is_never_nought(name_bench: NameBench) -> None:
    name_bench.make(*BASE, serial=2**32 - 1)
    name_bench.update(WWW)
    assert name_bench.zone.serial == 1


def by_date(name_bench: NameBench) -> int:
    return int(f"{name_bench.today():%Y%m%d}00")


def dated(rules: Rules) -> Rules:
    return replace(rules, serials="date")


def test_a_serial_may_be_a_date_and_then_two_digits(name_bench: NameBench) -> None:
    name_bench.make(*BASE, serial=1, rules=dated(OURS))
    first = by_date(name_bench)
    name_bench.update(WWW)
    assert name_bench.zone.serial == first
    name_bench.update(MAIL)
    assert name_bench.zone.serial == first + 1


def test_a_serial_that_is_ahead_of_its_date_never_goes_back(name_bench: NameBench) -> None:
    ahead = by_date(name_bench) + 12_345
    name_bench.make(*BASE, serial=ahead, rules=dated(OURS))
    name_bench.update(WWW)
    assert name_bench.zone.serial == ahead + 1


def test_a_serial_counts_on_by_date_from_when_that_is_said(name_bench: NameBench) -> None:
    name_bench.make(*BASE, serial=1)
    name_bench.update(WWW)
    name_bench.server.set_rules(ZONE, dated(name_bench.zone.rules or Rules()))
    name_bench.update(MAIL)
    assert name_bench.zone.serial == by_date(name_bench)


def test_what_somebody_does_by_hand_is_seen_and_moves_the_serial(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    name_bench.put_by_hand(ZONE, MAIL)
    assert set(name_bench.zone.records) == {*BASE, WWW, MAIL}
    assert name_bench.server.serials([ZONE]) == {ZONE: name_bench.zone.serial}
    assert name_bench.zone.serial != SERIAL
    name_bench.remove_by_hand(ZONE, "www/A")
    assert set(name_bench.zone.records) == {*BASE, MAIL}


def test_what_was_done_by_hand_since_the_look_is_not_written_over(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    name_bench.put_by_hand(ZONE, MAIL)
    before = name_bench.zone
    with pytest.raises(Conflict, match="serial"):
        name_bench.update(replace(WWW, ttl_seconds=1), serial=SERIAL)
    with pytest.raises(Conflict, match="mail/"):
        name_bench.update(MAIL, absent=("mail/CNAME",))
    assert name_bench.zone == before


MANY = tuple(
    RecordSet(f"machine-{number:05}", "A", HOUR, (f"10.1.{number // 250}.{number % 250}",))
    for number in range(6_000)
)


def test_what_is_too_much_for_one_message_is_written_all_the_same(name_bench: NameBench) -> None:
    name_bench.make(*BASE)
    name_bench.update(*MANY, absent=tuple(record.key for record in MANY))
    assert set(name_bench.zone.records) == {*BASE, *MANY}
    moved = tuple(replace(record, ttl_seconds=60) for record in MANY[:5_000])
    name_bench.update(*moved, remove=tuple(record.key for record in MANY[5_500:]))
    assert set(name_bench.zone.records) == {*BASE, *moved, *MANY[5_000:5_500]}


def test_of_much_that_clashes_nothing_is_written(name_bench: NameBench) -> None:
    name_bench.make(*BASE, MANY[-1])
    before = name_bench.zone
    with pytest.raises(Conflict):
        name_bench.update(*MANY, absent=tuple(record.key for record in MANY))
    assert name_bench.zone == before


def test_a_zone_may_be_large_from_the_beginning(name_bench: NameBench) -> None:
    name_bench.make(*BASE, *MANY)
    assert set(name_bench.zone.records) == {*BASE, *MANY}
