"""What every name server promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.errors import Conflict, NotFound
from reconciler.ports.nameserver import Nameserver, RecordSet, Timers, ZoneState, ZoneUpdate

ZONE = "farm.internal"
TIMERS = Timers("ns.farm.internal.", "hostmaster.farm.internal.", 10800, 1800, 1209600, 1800)
SERIAL = 2011031200
HOUR = 3600

NS = RecordSet("@", "NS", HOUR, ("ns.farm.internal.",))
NS_HOME = RecordSet("ns", "A", HOUR, ("192.168.1.17",))
WWW = RecordSet("www", "A", HOUR, ("192.168.1.129", "192.168.1.130"))
MAIL = RecordSet("mail", "CNAME", HOUR, ("www.farm.internal.",))
BASE = (NS, NS_HOME)


@pytest.fixture(params=["simulated"])
def server(farm: SimulatedFarm) -> Nameserver:
    return farm.nameserver("ns1")


@pytest.fixture
def zone(server: Nameserver) -> Callable[[], ZoneState]:
    """How the zone is now; it begins with `WWW`."""
    server.create_zone(ZONE, TIMERS, SERIAL, (*BASE, WWW))
    return lambda: server.zone(ZONE)


def test_a_new_zone_is_served_as_it_was_asked_for(server: Nameserver) -> None:
    server.create_zone(ZONE, TIMERS, SERIAL, (WWW, *BASE, MAIL))
    assert server.zones() == (ZONE,)
    assert server.zone(ZONE) == ZoneState(ZONE, SERIAL, TIMERS, (NS, MAIL, NS_HOME, WWW))


def test_values_are_seen_sorted(server: Nameserver) -> None:
    server.create_zone(ZONE, TIMERS, SERIAL, (*BASE, replace(WWW, values=WWW.values[::-1])))
    assert WWW in server.zone(ZONE).records


def test_a_zone_that_is_not_served_is_not_found(server: Nameserver) -> None:
    with pytest.raises(NotFound):
        server.zone(ZONE)
    with pytest.raises(NotFound):
        server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(WWW,)))


def test_a_zone_is_made_only_once(server: Nameserver, zone: Callable[[], ZoneState]) -> None:
    before = zone()
    with pytest.raises(Conflict, match="already"):
        server.create_zone(ZONE, TIMERS, SERIAL + 7, BASE)
    assert zone() == before


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
}


@pytest.mark.parametrize("records", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_records_that_make_no_zone_are_refused(
    server: Nameserver, records: tuple[RecordSet, ...]
) -> None:
    with pytest.raises(Conflict):
        server.create_zone(ZONE, TIMERS, SERIAL, (*BASE, *records))
    assert server.zones() == ()
    server.create_zone(ZONE, TIMERS, SERIAL, BASE)
    before = server.zone(ZONE)
    if len({record.key for record in records}) == len(records):  # of one key, the last is put
        with pytest.raises(Conflict):
            server.update_zone(ZoneUpdate(ZONE, SERIAL, put=records))
        assert server.zone(ZONE) == before


@pytest.mark.parametrize(
    "record",
    [
        RecordSet("*", "A", HOUR, ("192.168.1.1",)),
        RecordSet("@", "TXT", HOUR, ('"v=spf1 -all"',)),
        RecordSet("@.production._reconciler", "TXT", HOUR, ('"types=A"',)),
        RecordSet("_ssh._tcp", "SRV", HOUR, ("0 0 22 www.farm.internal.",)),
        RecordSet("www", "AAAA", HOUR, ("fd00::1",)),
        RecordSet("0/25", "NS", HOUR, ("ns.farm.internal.",)),
        RecordSet("@", "MX", HOUR, ("10 mail.farm.internal.",)),
    ],
)
def test_unusual_records_are_served(server: Nameserver, record: RecordSet) -> None:
    server.create_zone(ZONE, TIMERS, SERIAL, (*BASE, record))
    assert record in server.zone(ZONE).records


def test_a_zone_needs_a_name_server(server: Nameserver) -> None:
    with pytest.raises(Conflict, match="NS"):
        server.create_zone(ZONE, TIMERS, SERIAL, (WWW,))


def test_a_name_server_in_the_zone_needs_an_address_there(server: Nameserver) -> None:
    with pytest.raises(Conflict, match="no address"):
        server.create_zone(ZONE, TIMERS, SERIAL, (NS, WWW))
    abroad = replace(NS, values=("ns.elsewhere.example.",))
    server.create_zone(ZONE, TIMERS, SERIAL, (abroad, WWW))


@pytest.mark.parametrize("name", ["", "Farm", "farm.", "a..b", "-a", "a b", "a" * 64, "a\nb"])
def test_what_cannot_name_a_zone_is_refused(server: Nameserver, name: str) -> None:
    with pytest.raises(Conflict, match="name of a zone"):
        server.create_zone(name, TIMERS, SERIAL, BASE)


@pytest.mark.parametrize("serial", [0, -1, 2**32])
def test_what_cannot_be_a_serial_is_refused(server: Nameserver, serial: int) -> None:
    with pytest.raises(Conflict, match="serial"):
        server.create_zone(ZONE, TIMERS, serial, BASE)


def test_an_update_puts_and_removes_at_once(
    server: Nameserver, zone: Callable[[], ZoneState]
) -> None:
    new = RecordSet("db", "A", HOUR, ("192.168.1.140",))
    slower = replace(TIMERS, refresh_seconds=7200)
    server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(new,), remove=("www/A",), timers=slower))
    assert zone() == ZoneState(ZONE, SERIAL + 1, slower, (NS, new, NS_HOME))


def test_an_update_replaces_a_whole_set(server: Nameserver, zone: Callable[[], ZoneState]) -> None:
    fewer = replace(WWW, values=WWW.values[:1], ttl_seconds=60)
    server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(fewer,)))
    assert fewer in zone().records
    assert WWW not in zone().records


def test_removing_what_is_not_there_is_nothing(
    server: Nameserver, zone: Callable[[], ZoneState]
) -> None:
    before = zone()
    server.update_zone(ZoneUpdate(ZONE, SERIAL, remove=("nobody/A",)))
    assert zone().records == before.records


def test_an_update_of_an_older_zone_is_refused(
    server: Nameserver, zone: Callable[[], ZoneState]
) -> None:
    server.update_zone(ZoneUpdate(ZONE, SERIAL, remove=("www/A",)))
    before = zone()
    with pytest.raises(Conflict, match="serial"):
        server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(WWW,)))
    assert zone() == before


def test_an_update_overwrites_nobody(server: Nameserver, zone: Callable[[], ZoneState]) -> None:
    before = zone()
    with pytest.raises(Conflict, match="www/A"):
        server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(WWW,), absent=("db/A", "www/A")))
    assert zone() == before


@pytest.mark.parametrize(
    "update",
    [
        ZoneUpdate(ZONE, SERIAL, remove=("@/NS",)),
        ZoneUpdate(ZONE, SERIAL, put=(replace(MAIL, name="www"),)),
        ZoneUpdate(ZONE, SERIAL, put=(MAIL, replace(WWW, name="out.of.zone."))),
    ],
)
def test_an_update_that_leaves_no_zone_changes_nothing(
    server: Nameserver, zone: Callable[[], ZoneState], update: ZoneUpdate
) -> None:
    before = zone()
    with pytest.raises(Conflict):
        server.update_zone(update)
    assert zone() == before


def test_a_cname_takes_the_place_of_an_address_in_one_update(
    server: Nameserver, zone: Callable[[], ZoneState]
) -> None:
    cname = RecordSet("www", "CNAME", HOUR, ("ns.farm.internal.",))
    server.update_zone(ZoneUpdate(ZONE, SERIAL, put=(cname,), remove=("www/A",)))
    assert zone().records == (NS, NS_HOME, cname)


def test_a_zone_is_served_no_more(server: Nameserver, zone: Callable[[], ZoneState]) -> None:
    for _ in range(2):
        server.delete_zone(ZONE)
    assert server.zones() == ()


def test_the_serial_goes_round_and_is_never_nought(server: Nameserver) -> None:
    server.create_zone(ZONE, TIMERS, 2**32 - 1, BASE)
    server.update_zone(ZoneUpdate(ZONE, 2**32 - 1, put=(WWW,)))
    assert server.zone(ZONE).serial == 1
