"""Zone files on real servers: what is served counts, and nobody's hand is written over unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.drivers.zonefiles.server import ZoneFileNameserver
from reconciler.errors import Conflict, NotFound, Unreachable
from reconciler.ports.nameserver import NewZone, RecordSet, ZoneUpdate
from tests.contract.name_bench import BASE, MAKER, OURS, TIMERS, WWW, ZONE
from tests.system.driven import driven
from tests.system.lab import Lab, taken
from tests.system.names.zonefile_host import BIND, EVERY, VIEWS, ZoneFileHost, set_up

HOST = "virt8"
FIRST = 100
DB = replace(WWW, name="db")


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    with taken(lab.directory, HOST), driven(lab, tmp_path_factory.mktemp("files")) as farm:
        yield farm


@pytest.fixture(params=EVERY.values(), ids=list(EVERY))
def files(request: pytest.FixtureRequest, lab: Lab, farm: RealFarm) -> Iterator[ZoneFileHost]:
    """A server with one zone of ours."""
    with set_up(lab.hosts[HOST], request.param, farm.shell(HOST)) as made:
        made.server().create_zone(NewZone(ZONE, TIMERS, FIRST, (*BASE, WWW), MAKER, OURS))
        yield made


def update(server: ZoneFileNameserver, *put: RecordSet) -> None:
    server.update_zone(ZoneUpdate(ZONE, server.zone(ZONE).serial, MAKER, put))


def edit(files: ZoneFileHost, script: str) -> None:
    files.host.run("sed", "-i", script, files.path(ZONE))


def test_an_edit_between_look_and_write_is_found(files: ZoneFileHost) -> None:
    server = files.server()
    serial = server.zone(ZONE).serial
    edit(files, "s/192.168.1.129/192.168.1.251/")
    with pytest.raises(Conflict, match="was changed since it was looked at"):
        server.update_zone(ZoneUpdate(ZONE, serial, MAKER, (DB,)))
    told = {each.key: each for each in server.zone(ZONE).records}
    assert told["www/A"].values == ("192.168.1.130", "192.168.1.251")
    update(server, WWW)
    assert files.served(f"www.{ZONE}", "A") == list(WWW.values)


def test_what_nobody_loaded_is_not_told_and_kept_aside(files: ZoneFileHost) -> None:
    server = files.server()
    edit(files, r"s/ SOA \(\S* \S*\) 100/ SOA \1 500/;s/192.168.1.129/192.168.1.66/")
    zone = server.zone(ZONE)
    assert (zone.serial, WWW in zone.records) == (FIRST, True)
    update(server, DB)
    assert server.zone(ZONE).serial == 501
    assert files.served(f"www.{ZONE}", "A") == list(WWW.values)
    kept = files.host.run("cat", f"{files.path(ZONE)}.before-reconciler")
    assert "192.168.1.66" in kept


def test_a_writer_that_died_before_the_reload_is_made_good(files: ZoneFileHost) -> None:
    edit(files, r"s/ SOA \(\S* \S*\) 100/ SOA \1 101/;s/^www /web /")
    server = files.server()
    assert WWW in server.zone(ZONE).records
    update(server, replace(WWW, name="web"))
    assert server.zone(ZONE).serial == 102
    assert files.served(f"web.{ZONE}", "A") == list(WWW.values)


def test_a_restart_makes_the_file_what_is_served(files: ZoneFileHost) -> None:
    server = files.server()
    server.zone(ZONE)
    edit(files, r"s/ SOA \(\S* \S*\) 100/ SOA \1 101/;s/^www /web /")
    files.restart()
    assert replace(WWW, name="web") in server.zone(ZONE).records
    assert server.serials([ZONE]) == {ZONE: 101}


def test_a_file_that_cannot_be_read_is_not_what_is_served(files: ZoneFileHost) -> None:
    edit(files, "$ a garbage here")
    server = files.server()
    assert server.zone(ZONE).serial == FIRST
    update(server, DB)
    assert DB in server.zone(ZONE).records


def test_what_the_checker_refuses_changes_nothing(files: ZoneFileHost) -> None:
    server = files.server()
    before = server.zone(ZONE)
    with pytest.raises(Conflict, match="refuses zone"):
        update(server, RecordSet("bad", "TYPE65280", 60, ("\\# 4 zz",)))
    assert files.server().zone(ZONE) == before


def test_a_server_that_is_down_is_unreachable_and_loses_nothing(files: ZoneFileHost) -> None:
    server = files.server()
    before = server.zone(ZONE)
    files.host.run("systemctl", "stop", files.software.unit)
    with pytest.raises(Unreachable):
        server.zones()
    with pytest.raises(Unreachable):
        server.zone(ZONE)
    with pytest.raises(Unreachable):
        server.update_zone(ZoneUpdate(ZONE, FIRST, MAKER, (DB,)))
    files.restart()
    assert server.zone(ZONE) == before


def test_a_serial_by_date_does_not_follow_a_clock_that_jumps_back(files: ZoneFileHost) -> None:
    server = files.server()
    server.set_rules(ZONE, replace(OURS, serials="date"))
    assert server.zone(ZONE).serial == FIRST
    update(server, DB)
    assert server.zone(ZONE).serial == 2026112200
    past = files.server(now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    update(past, replace(DB, ttl_seconds=1))
    assert past.zone(ZONE).serial == 2026112201


def test_of_a_zone_that_is_gone_no_file_stays(files: ZoneFileHost) -> None:
    server = files.server()
    server.delete_zone(ZONE)
    with pytest.raises(NotFound):
        server.zone(ZONE)
    assert files.served(ZONE) == []
    left = files.host.run("ls", files.path(ZONE).rpartition("/")[0])
    assert left.split() == []


@pytest.fixture
def named(lab: Lab, farm: RealFarm) -> Iterator[ZoneFileHost]:
    with set_up(lab.hosts[HOST], BIND, farm.shell(HOST)) as made:
        yield made


def test_a_reload_that_fails_puts_the_old_file_back(named: ZoneFileHost) -> None:
    server, host = named.server(), named.host
    server.create_zone(NewZone(ZONE, TIMERS, FIRST, (*BASE, WWW), MAKER, OURS))
    before = host.run("cat", named.path(ZONE))
    host.run("mv", "/etc/bind/rndc.key", "/etc/bind/rndc.key.away")
    try:
        with pytest.raises(Conflict, match="is as before, because rndc reload says"):
            update(server, DB)
    finally:
        host.run("mv", "/etc/bind/rndc.key.away", "/etc/bind/rndc.key")
    assert host.run("cat", named.path(ZONE)) == before
    assert server.zone(ZONE).serial == FIRST
    update(server, DB)
    assert DB in server.zone(ZONE).records


def test_a_zone_of_somebody_else_is_not_taken_over(named: ZoneFileHost) -> None:
    stanza = 'zone "farm.internal" { type primary; file "/etc/bind/db.empty"; };\n'
    named.host.write_file("/etc/bind/reconciler-zones/theirs.conf", stanza.encode())
    named.restart()
    server = named.server()
    assert server.zones() == ()
    with pytest.raises(Conflict, match="already, by a configuration that is not ours"):
        server.create_zone(NewZone(ZONE, TIMERS, FIRST, BASE, MAKER, OURS))


def test_each_view_has_zones_of_its_own(lab: Lab, farm: RealFarm) -> None:
    with set_up(lab.hosts[HOST], VIEWS, farm.shell(HOST)) as made:
        inside, outside = made.server(), made.server(view="outside")
        inside.create_zone(NewZone(ZONE, TIMERS, 1, (*BASE, WWW), MAKER, OURS))
        assert outside.zones() == ()
        outside.create_zone(NewZone(ZONE, TIMERS, 7, (*BASE, DB), MAKER, OURS))
        update(outside, replace(DB, ttl_seconds=5))
        assert (inside.zone(ZONE).serial, outside.zone(ZONE).serial) == (1, 8)
        assert made.served(f"www.{ZONE}", "A") == list(WWW.values)
        assert made.served(f"db.{ZONE}", "A") == []
        outside.delete_zone(ZONE)
        assert (inside.zones(), outside.zones()) == ((ZONE,), ())
