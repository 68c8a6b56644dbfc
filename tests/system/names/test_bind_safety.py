"""Hijacks, replays and clocks on a real BIND (S12, S13, S17, F18, F20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dns.message
import dns.rcode
import pytest

from reconciler.drivers.dns.access import Key
from reconciler.drivers.dns.server import DynamicNameserver
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.ports.nameserver import Grant, NewZone, RecordSet, Rules, ZoneUpdate
from tests.contract.name_bench import BASE, HOUR, NS, OURS, SERIAL, TIMERS, WWW, ZONE
from tests.system.lab import Lab, taken
from tests.system.names.bind_host import HOME, HOST, PORT, Bind, bind_on, key_of, secret_of
from tests.system.names.relay import Relay, ask, is_update, relay_to

NEW = RecordSet("db", "A", HOUR, ("192.168.1.140",))
SHARED = Rules((Grant("production"), Grant("development", "dev")))


@pytest.fixture(scope="module")
def bind(lab: Lab) -> Iterator[Bind]:
    with taken(lab.directory, HOST), bind_on(lab) as bind:
        yield bind


@pytest.fixture
def server(bind: Bind) -> Iterator[DynamicNameserver]:
    server = bind.server()
    yield server
    for zone in server.zones():
        server.delete_zone(zone)


@pytest.fixture
def relay(bind: Bind) -> Iterator[Relay]:
    with relay_to(bind.host.address, PORT) as relay:
        yield relay


def make(server: DynamicNameserver, rules: Rules = OURS, serial: int = SERIAL) -> None:
    server.create_zone(NewZone(ZONE, TIMERS, serial, (*BASE, WWW), "production", rules))


FORCED: dict[str, Callable[[ZoneUpdate], ZoneUpdate]] = {
    "a name of production": lambda each: replace(each, put=(replace(WWW, values=("192.0.2.1",)),)),
    "a new name": lambda each: replace(each, put=(NEW,)),
    "its removal": lambda each: replace(each, remove=("www/A",)),
    "the name servers": lambda each: replace(
        each, put=(replace(NS, values=("ns.evil.example.", "ns.farm.internal.")),)
    ),
    "the SOA record": lambda each: replace(
        each, timers=replace(TIMERS, primary="ns.evil.example.")
    ),
    "a name that only looks like its own": lambda each: replace(
        each, put=(replace(NEW, name="xdev"),)
    ),
    "a mark of production": lambda each: replace(
        each, put=(RecordSet("production._reconciler", "TXT", 300, ('"digest=x"',)),)
    ),
}


@pytest.mark.parametrize("force", FORCED.values(), ids=FORCED)
def test_S12_what_is_anothers_is_refused_by_the_server_itself(
    server: DynamicNameserver, force: Callable[[ZoneUpdate], ZoneUpdate]
) -> None:
    make(server, SHARED)
    before = server.zone(ZONE)
    update = ZoneUpdate(ZONE, SERIAL, "development")
    server.update_zone(replace(update, put=(replace(NEW, name="x.dev"),)))
    allowed = server.zone(ZONE)
    assert len(allowed.records) == len(before.records) + 1
    with pytest.raises(Denied, match=r"REFUSED.*reconciler-development"):
        server.update_zone(force(replace(update, serial=allowed.serial)))
    assert server.zone(ZONE) == allowed


def test_S13_an_update_that_is_sent_again_changes_nothing(
    bind: Bind, server: DynamicNameserver, relay: Relay
) -> None:
    make(server)
    near = bind.server(address="127.0.0.1", port=relay.port)
    near.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,)))
    near.update_zone(ZoneUpdate(ZONE, SERIAL + 1, "production", remove=("db/A",)))
    before = server.zone(ZONE)
    assert len(relay.updates) == 2
    for captured in (*relay.updates, *relay.updates[::-1]):
        answer = dns.message.from_wire(
            ask(bind.host.address, PORT, captured), keyring=False, ignore_trailing=True
        )
        assert answer.rcode() == dns.rcode.NXRRSET
        assert server.zone(ZONE) == before


def test_F11_an_answer_that_is_lost_is_looked_for_and_not_sent_again(
    bind: Bind, server: DynamicNameserver, relay: Relay
) -> None:
    make(server)
    relay.loses = is_update
    near = bind.server(address="127.0.0.1", port=relay.port, deadline=timedelta(seconds=3))
    near.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,)))
    assert len(relay.updates) == 1
    assert server.zone(ZONE).serial == SERIAL + 1
    assert NEW in server.zone(ZONE).records


def test_F11_what_has_not_arrived_is_sent_once_more(
    bind: Bind, server: DynamicNameserver, relay: Relay
) -> None:
    make(server)
    relay.holds = lambda message: is_update(message) and len(relay.updates) == 1
    near = bind.server(address="127.0.0.1", port=relay.port)
    near.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,)))
    assert len(relay.updates) == 2
    assert server.zone(ZONE).serial == SERIAL + 1
    assert NEW in server.zone(ZONE).records


def test_F18_an_edit_between_plan_and_apply_is_not_overwritten(
    bind: Bind, server: DynamicNameserver
) -> None:
    make(server)
    planned = server.zone(ZONE).serial
    theirs = replace(WWW, values=("192.0.2.9",))
    bind.put(ZONE, theirs)
    with pytest.raises(Conflict, match="look again"):
        server.update_zone(ZoneUpdate(ZONE, planned, "production", put=(WWW, NEW)))
    records = server.zone(ZONE).records
    assert theirs in records
    assert NEW not in records


def test_F18_an_edit_just_before_the_update_is_not_overwritten(
    bind: Bind, server: DynamicNameserver, relay: Relay
) -> None:
    make(server)
    theirs = replace(NEW, values=("192.0.2.9",))

    def edits_first(message: bytes) -> bool:
        if is_update(message):
            bind.put(ZONE, theirs)
        return False

    relay.holds = edits_first
    near = bind.server(address="127.0.0.1", port=relay.port)
    with pytest.raises(Conflict, match=r"look again|already there"):
        near.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,), absent=("db/A",)))
    assert theirs in server.zone(ZONE).records


def test_F18_an_edit_that_keeps_the_serial_is_not_overwritten(
    bind: Bind, server: DynamicNameserver
) -> None:
    make(server)
    server.zone(ZONE)
    script = (
        f"set -e; r='rndc -c {HOME}/rndc.conf'; $r freeze {ZONE}; "
        f"echo 'db.{ZONE}. 60 IN A 192.0.2.9' >>{HOME}/zones/{ZONE}.db; $r thaw {ZONE}"
    )
    bind.host.run("sh", "-c", script)
    with pytest.raises(Conflict, match="already there: db/A"):
        server.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,), absent=("db/A",)))
    assert any(record.values == ("192.0.2.9",) for record in server.zone(ZONE).records)


@pytest.mark.parametrize("hours", [-1, 24])
def test_F20_a_wrong_clock_is_named_with_its_skew(
    bind: Bind, server: DynamicNameserver, hours: int
) -> None:
    make(server)
    skewed = bind.server(now=lambda: datetime.now(UTC) + timedelta(hours=hours))  # noqa: TID251
    with pytest.raises(Conflict, match=r"clock skew \d+ s") as caught:
        skewed.zone(ZONE)
    told = int(caught.value.cause.split()[2])
    assert abs(told - abs(hours) * 3600) <= 5
    assert ("behind" if hours > 0 else "ahead of") in caught.value.cause


@pytest.mark.parametrize("days", [-400, 0, 400])
@pytest.mark.parametrize("serial", [1, SERIAL, 2147483649, 2**32 - 1])
def test_F20_a_serial_never_goes_back_whatever_the_clock_says(
    bind: Bind, server: DynamicNameserver, serial: int, days: int
) -> None:
    make(server, replace(OURS, serials="date"), serial)
    is_jumped = False

    def clock() -> datetime:
        """Right for signatures, and wrong when the serial is counted."""
        now = datetime.now(UTC)  # noqa: TID251 - BIND checks it
        return now + timedelta(days=days) if is_jumped else now

    near = bind.server(now=clock)
    seen = near.zone(ZONE).serial
    slower = replace(TIMERS, refresh_seconds=7200)
    for changes in ({"put": (NEW,)}, {"timers": slower}, {"remove": ("db/A",)}):
        near.update_zone(ZoneUpdate(ZONE, seen, "production", **changes))
        after = server.zone(ZONE).serial
        assert 0 < (after - seen) % 2**32 < 2**31
        seen = after
    assert server.zone(ZONE).timers == slower


WRONG_KEYS = {
    "BADSIG": Key("reconciler-production", "hmac-sha256", secret_of("somebody else")),
    "BADKEY": Key("reconciler-nobody", "hmac-sha256", secret_of("nobody")),
}


@pytest.mark.parametrize("reason", WRONG_KEYS)
def test_a_wrong_key_is_named(bind: Bind, server: DynamicNameserver, reason: str) -> None:
    make(server)
    key = WRONG_KEYS[reason]
    wrong = bind.server(key=lambda _holder: key)
    for call in (lambda: wrong.zone(ZONE), lambda: wrong.serials([ZONE])):
        with pytest.raises(Denied, match=reason) as caught:
            call()
        assert key.name in str(caught.value)
        assert key.secret not in str(caught.value)


def test_each_environment_signs_with_its_own_key(bind: Bind, server: DynamicNameserver) -> None:
    make(server, SHARED)
    wrong = WRONG_KEYS["BADSIG"]
    mixed = bind.server(key=lambda holder: wrong if holder == "staging" else key_of(holder))
    with pytest.raises(Denied, match="BADSIG"):
        mixed.update_zone(ZoneUpdate(ZONE, SERIAL, "staging", put=(NEW,)))


ODD = ["0/25.2.0.192.in-addr.arpa", "_a.test", "a_b.test", "x-1.test", "1//2.test", "a" * 63 + ".t"]


@pytest.mark.parametrize("name", ODD)
def test_S17_an_odd_name_is_a_zone_like_any_other(
    bind: Bind, server: DynamicNameserver, name: str
) -> None:
    timers = replace(TIMERS, primary="ns.elsewhere.example.")
    ns = RecordSet("@", "NS", HOUR, ("ns.elsewhere.example.",))
    ptr = RecordSet("1", "PTR", HOUR, ("web.farm.internal.",))
    server.create_zone(NewZone(name, timers, 7, (ns,), "production", OURS))
    server.update_zone(ZoneUpdate(name, 7, "production", put=(ptr,)))
    assert server.zones() == (name,)
    assert server.zone(name).records == (ptr, ns)
    server.set_rules(name, SHARED)
    assert server.zone(name).rules == SHARED
    server.delete_zone(name)
    assert bind.host.run("ls", f"{HOME}/zones") == ""


HOSTILE = [
    'a"; }; zone "evil',
    "a; };",
    "$(touch /tmp/evil)",
    "`id`",
    "../../etc/passwd",
    "-a",
    "a b",
    "a\nb",
    "a\\000b",
    "é",
    "a{b",
    "'a'",
    "..",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_S17_a_hostile_name_is_refused_before_anything_is_done(
    bind: Bind, server: DynamicNameserver, name: str
) -> None:
    before = bind.host.run("ls", "-R", HOME)
    with pytest.raises(Conflict, match="name of a zone"):
        server.create_zone(NewZone(name, TIMERS, 1, BASE, "production", OURS))
    for call in (
        lambda: server.zone(name),
        lambda: server.set_rules(name, OURS),
        lambda: server.update_zone(ZoneUpdate(name, 1, "production")),
    ):
        with pytest.raises((NotFound, Conflict)):
            call()
    server.serials([name])
    assert bind.host.run("ls", "-R", HOME) == before


def test_a_server_that_is_not_ours_is_only_updated(bind: Bind, server: DynamicNameserver) -> None:
    other = bind.server(is_ours=False)
    with pytest.raises(Denied, match="add the zone there"):
        other.create_zone(NewZone(ZONE, TIMERS, 1, BASE, "production"))
    make(server)
    assert other.zone(ZONE).rules is None
    other.update_zone(ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,)))
    assert NEW in other.zone(ZONE).records
    for call in (
        lambda: other.set_rules(ZONE, OURS),
        lambda: other.delete_zone(ZONE),
        other.zones,
    ):
        with pytest.raises(Denied, match="configuration is not ours"):
            call()
    with pytest.raises(Conflict, match="already"):
        other.create_zone(NewZone(ZONE, TIMERS, 1, BASE, "production"))
    other.delete_zone("nobody.test")


def test_a_server_that_is_not_there_is_unreachable(bind: Bind, server: DynamicNameserver) -> None:
    make(server)
    bind.stop(by="-KILL")
    try:
        for call in (
            lambda: server.zone(ZONE),
            lambda: server.serials([ZONE]),
            lambda: server.set_rules(ZONE, SHARED),
        ):
            with pytest.raises(Unreachable):
                call()
    finally:
        bind.start()
    assert WWW in server.zone(ZONE).records


def test_creating_goes_on_after_a_crash_between_its_steps(
    bind: Bind, server: DynamicNameserver
) -> None:
    bind.host.run("mkdir", "-p", f"{HOME}/zones")
    for left in (f"{ZONE}.db", f"{ZONE}.db.jnl"):
        bind.host.write_file(f"{HOME}/zones/{left}", b"left by a crash")
    make(server)
    assert WWW in server.zone(ZONE).records
    with pytest.raises(DriverError, match="already"):
        make(server)
    bind.host.run("rndc", "-c", f"{HOME}/rndc.conf", "delzone", ZONE)
    server.delete_zone(ZONE)
    assert bind.host.run("ls", f"{HOME}/zones") == ""
