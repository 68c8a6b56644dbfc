"""What every name server promises: zones as they are made, changed and taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.nameserver import RecordSet, ZoneUpdate
from tests.contract.name_bench import (
    BASE,
    HOUR,
    MAIL,
    MAKER,
    NS,
    NS_HOME,
    SERIAL,
    TIMERS,
    WWW,
    ZONE,
    NameBench,
)


def test_a_new_zone_is_served_as_it_was_asked_for(name_bench: NameBench) -> None:
    name_bench.make(WWW, *BASE, MAIL)
    assert ZONE in name_bench.server.zones()
    zone = name_bench.zone
    assert (zone.name, zone.serial, zone.timers) == (ZONE, SERIAL, TIMERS)
    assert set(zone.records) == {NS, MAIL, NS_HOME, WWW}
    assert len(zone.records) == 4


def test_values_are_seen_sorted(name_bench: NameBench) -> None:
    name_bench.make(*BASE, replace(WWW, values=WWW.values[::-1]))
    assert WWW in name_bench.zone.records


def test_a_zone_that_is_not_served_is_not_found(name_bench: NameBench) -> None:
    with pytest.raises(NotFound):
        name_bench.server.zone(ZONE)
    with pytest.raises(NotFound):
        name_bench.server.update_zone(ZoneUpdate(ZONE, SERIAL, MAKER, put=(WWW,)))
    assert name_bench.server.serials([ZONE]) == {}


def test_a_zone_is_made_only_once(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    before = name_bench.zone
    with pytest.raises(Conflict, match="already"):
        name_bench.make(*BASE, serial=SERIAL + 7)
    assert name_bench.zone == before


CONTRADICTIONS = {
    "cname beside an address": (MAIL, replace(WWW, name="mail")),
    "cname beside an address in capitals": (MAIL, replace(WWW, name="MAIL")),
    "two cnames": (replace(MAIL, values=("www.farm.internal.", "ns.farm.internal.")),),
    "one set twice": (WWW, replace(WWW, ttl_seconds=1)),
    "out of zone": (replace(WWW, name="www.other.example."),),
    "empty label": (replace(WWW, name="www..a"),),
    "long label": (replace(WWW, name="w" * 64),),
    "long name": (replace(WWW, name=".".join(["w" * 60] * 4)),),
    "newline in a name": (replace(WWW, name="www\n$INCLUDE /etc/passwd"),),
    "comment in a name": (replace(WWW, name="www;"),),
    "own SOA": (RecordSet("@", "SOA", HOUR, ("a. b. 1 2 3 4 5",)),),
    "no type": (replace(WWW, type=""),),
    "type in small letters": (replace(WWW, type="a"),),
    "no value": (replace(WWW, values=()),),
    "one value twice": (replace(WWW, values=("192.168.1.129", "192.168.1.129")),),
    "no address": (replace(WWW, values=("192.168.1.300",)),),
    "no v6 address": (replace(WWW, type="AAAA", values=("192.168.1.30",)),),
    "relative target": (replace(MAIL, values=("www",)),),
    "newline in a value": (RecordSet("t", "TXT", HOUR, ('"a\n@ A 1.2.3.4"',)),),
    "blank value": (RecordSet("t", "TXT", HOUR, (" ",)),),
    "negative ttl": (replace(WWW, ttl_seconds=-1),),
    "enormous ttl": (replace(WWW, ttl_seconds=2**31),),
    "no preference": (RecordSet("@", "MX", HOUR, ("www.farm.internal.",)),),
    "no port": (RecordSet("_x._tcp", "SRV", HOUR, ("0 0 www.farm.internal.",)),),
    "no fingerprint": (RecordSet("www", "SSHFP", HOUR, ("1 1 xyz",)),),
}


@pytest.mark.parametrize("records", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_records_that_make_no_zone_are_refused(
    name_bench: NameBench, records: tuple[RecordSet, ...]
) -> None:
    with pytest.raises(Conflict):
        name_bench.make(*BASE, *records)
    assert ZONE not in name_bench.server.zones()
    name_bench.make(*BASE)
    before = name_bench.zone
    if len({record.key for record in records}) == len(records):  # of one key, the last is put
        with pytest.raises(Conflict):
            name_bench.update(*records)
        assert name_bench.zone == before


UNUSUAL = [
    RecordSet("*", "A", HOUR, ("192.168.1.1",)),
    RecordSet("@", "TXT", HOUR, ('"v=spf1 -all"',)),
    RecordSet("long", "TXT", HOUR, (f'"{"x" * 255}" "{"y" * 255}" "z"',)),
    RecordSet("_ssh._tcp", "SRV", HOUR, ("0 0 22 www.farm.internal.",)),
    RecordSet("www", "AAAA", HOUR, ("fd00::1",)),
    RecordSet("0/25", "NS", HOUR, ("ns.farm.internal.",)),
    RecordSet("@", "MX", HOUR, ("10 mail.example.", "20 mx.example.")),
    RecordSet("@", "CAA", HOUR, ('0 issue "ca.example"',)),
    RecordSet("www", "SSHFP", HOUR, ("4 2 " + "ab" * 32,)),
    RecordSet("_443._tcp.www", "TLSA", HOUR, ("3 1 1 " + "cd" * 32,)),
    RecordSet("www", "HTTPS", HOUR, ('1 . alpn="h2"',)),
]


@pytest.mark.parametrize("record", UNUSUAL, ids=lambda each: each.key)
def test_unusual_records_are_served(name_bench: NameBench, record: RecordSet) -> None:
    name_bench.make(*BASE, record)
    assert record in name_bench.zone.records


@pytest.mark.parametrize("record", UNUSUAL, ids=lambda each: each.key)
def test_unusual_records_are_put_and_removed(name_bench: NameBench, record: RecordSet) -> None:
    name_bench.make(*BASE)
    name_bench.update(record, absent=(record.key,))
    assert record in name_bench.zone.records
    name_bench.update(remove=(record.key,))
    assert set(name_bench.zone.records) == {*BASE}


def test_a_zone_needs_a_name_server(name_bench: NameBench) -> None:
    with pytest.raises(Conflict, match="NS"):
        name_bench.make(WWW)


def test_a_name_server_in_the_zone_needs_an_address_there(name_bench: NameBench) -> None:
    with pytest.raises(Conflict, match="no address"):
        name_bench.make(NS, WWW)
    abroad = replace(NS, values=("ns.elsewhere.example.",))
    name_bench.make(abroad, WWW)


@pytest.mark.parametrize("name", ["", "Farm", "farm.", "a..b", "-a", "a b", "a" * 64, "a\nb"])
def test_what_cannot_name_a_zone_is_refused(name_bench: NameBench, name: str) -> None:
    with pytest.raises(Conflict, match="name of a zone"):
        name_bench.make(*BASE, name=name)


@pytest.mark.parametrize("serial", [0, -1, 2**32])
def test_what_cannot_be_a_serial_is_refused(name_bench: NameBench, serial: int) -> None:
    with pytest.raises(Conflict, match="serial"):
        name_bench.make(*BASE, serial=serial)


def test_an_update_puts_and_removes_at_once(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    new = RecordSet("db", "A", HOUR, ("192.168.1.140",))
    slower = replace(TIMERS, refresh_seconds=7200)
    name_bench.update(new, remove=("www/A",), timers=slower)
    zone = name_bench.zone
    assert (zone.serial, zone.timers) == (SERIAL + 1, slower)
    assert set(zone.records) == {NS, new, NS_HOME}


def test_an_update_replaces_a_whole_set(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    fewer = replace(WWW, values=WWW.values[:1], ttl_seconds=60)
    name_bench.update(fewer)
    assert set(name_bench.zone.records) == {*BASE, fewer}


def test_removing_what_is_not_there_is_nothing(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    before = name_bench.zone
    name_bench.update(remove=("nobody/A", "www/TXT"))
    assert name_bench.zone.records == before.records


def test_an_update_of_an_older_zone_is_refused(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    name_bench.update(remove=("www/A",))
    before = name_bench.zone
    with pytest.raises(Conflict, match="serial"):
        name_bench.update(WWW, serial=SERIAL)
    assert name_bench.zone == before


def test_the_same_update_twice_is_done_once(name_bench: NameBench) -> None:
    """A replayed packet is one that was sent before."""
    name_bench.make(*BASE, WWW)
    again = ZoneUpdate(ZONE, SERIAL, MAKER, remove=("www/A",))
    name_bench.server.update_zone(again)
    name_bench.update(WWW)
    before = name_bench.zone
    with pytest.raises(Conflict):
        name_bench.server.update_zone(again)
    assert name_bench.zone == before


def test_an_update_overwrites_nobody(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    before = name_bench.zone
    with pytest.raises(Conflict, match="www/A"):
        name_bench.update(WWW, absent=("db/A", "www/A"))
    assert name_bench.zone == before


UNZONED = {
    "no name server": ((), ("@/NS",)),
    "cname beside an address that is there": ((replace(MAIL, name="www"),), ()),
    "address beside a cname that is there": ((replace(WWW, name="mail"),), ()),
    "one good and one bad": ((MAIL, replace(WWW, name="out.of.zone.")), ()),
}


@pytest.mark.parametrize(("put", "remove"), UNZONED.values(), ids=UNZONED)
def test_an_update_that_leaves_no_zone_changes_nothing(
    name_bench: NameBench, put: tuple[RecordSet, ...], remove: tuple[str, ...]
) -> None:
    name_bench.make(*BASE, WWW, MAIL)
    before = name_bench.zone
    with pytest.raises(Conflict):
        name_bench.update(*put, remove=remove)
    assert name_bench.zone == before


def test_a_cname_takes_the_place_of_an_address_in_one_update(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    cname = RecordSet("www", "CNAME", HOUR, ("ns.farm.internal.",))
    name_bench.update(cname, remove=("www/A",))
    assert set(name_bench.zone.records) == {NS, NS_HOME, cname}
    name_bench.update(WWW, remove=("www/CNAME",))
    assert set(name_bench.zone.records) == {NS, NS_HOME, WWW}


def test_a_zone_is_served_no_more(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    for _ in range(2):
        name_bench.server.delete_zone(ZONE)
    assert ZONE not in name_bench.server.zones()
    with pytest.raises(NotFound):
        name_bench.server.zone(ZONE)


def test_a_zone_that_is_made_again_is_as_it_is_asked_for_then(name_bench: NameBench) -> None:
    name_bench.make(*BASE, WWW)
    name_bench.server.delete_zone(ZONE)
    name_bench.make(*BASE, MAIL, serial=7)
    assert (name_bench.zone.serial, set(name_bench.zone.records)) == (7, {*BASE, MAIL})


CLASSLESS = "64/26.2.0.192.in-addr.arpa"


def test_a_zone_may_have_a_slash_in_its_name(name_bench: NameBench) -> None:
    abroad = RecordSet("@", "NS", HOUR, ("ns.elsewhere.example.",))
    pointer = RecordSet("65", "PTR", HOUR, ("www.farm.internal.",))
    name_bench.make(abroad, pointer, name=CLASSLESS)
    assert set(name_bench.server.zone(CLASSLESS).records) == {abroad, pointer}
    name_bench.server.delete_zone(CLASSLESS)
    assert CLASSLESS not in name_bench.server.zones()
