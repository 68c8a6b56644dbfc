"""Large changes and views on a real BIND."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import dns.exception
import dns.resolver
import pytest

from reconciler.errors import Conflict
from reconciler.ports.nameserver import NewZone, RecordSet, ZoneUpdate
from tests.contract.name_bench import BASE, HOUR, OURS, TIMERS, ZONE
from tests.system.lab import Lab, taken
from tests.system.names.bind_host import HOST, PORT, Bind, bind_on
from tests.system.names.relay import is_update, relay_to

MANY = 4000
ALIAS = RecordSet("www", "CNAME", HOUR, (f"m0.{ZONE}.",))


@pytest.fixture
def bind(lab: Lab) -> Iterator[Bind]:
    with taken(lab.directory, HOST), bind_on(lab) as bind:
        yield bind


def machines(prefix: str, octet: int) -> tuple[RecordSet, ...]:
    return tuple(
        RecordSet(f"{prefix}{n}", "A", HOUR, (f"10.{octet}.{n >> 8}.{n & 255}",))
        for n in range(MANY)
    )


def test_a_change_of_many_messages_breaks_no_name(bind: Bind) -> None:
    old, new = machines("m", 1), machines("n", 2)
    server = bind.server()
    server.create_zone(NewZone(ZONE, TIMERS, 1, (*BASE, ALIAS, *old), "production", OURS))
    moved = replace(ALIAS, values=(f"n{MANY - 1}.{ZONE}.",))
    head = RecordSet("production._reconciler", "TXT", 300, ('"digest=x authority=1"',))
    removed = tuple(record.key for record in old)
    is_over, wrong = threading.Event(), list[str]()
    with relay_to(bind.host.address, PORT) as relay:
        asker = threading.Thread(target=_ask_on, args=(bind, is_over, wrong))
        asker.start()
        near = bind.server(address="127.0.0.1", port=relay.port, deadline=timedelta(seconds=30))
        near.update_zone(ZoneUpdate(ZONE, 1, "production", (*new, moved, head), removed))
        is_over.set()
        asker.join()
        assert len(relay.updates) > 2
        assert b"_reconciler" in relay.updates[-1]
        assert not any(b"_reconciler" in message for message in relay.updates[:-1])
    assert set(server.zone(ZONE).records) == {*BASE, *new, moved, head}
    assert not wrong


def _ask_on(bind: Bind, is_over: threading.Event, wrong: list[str]) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [bind.host.address], PORT
    while not is_over.is_set():
        try:
            resolver.resolve(f"www.{ZONE}.", "A", lifetime=10)
        except dns.exception.DNSException as error:
            wrong.append(str(error))


def test_an_edit_between_two_parts_is_not_overwritten(bind: Bind) -> None:
    server = bind.server()
    server.create_zone(NewZone(ZONE, TIMERS, 1, BASE, "production", OURS))
    theirs = RecordSet(f"n{MANY - 1}", "A", HOUR, ("192.0.2.9",))
    with relay_to(bind.host.address, PORT) as relay:

        def edits(message: bytes) -> bool:
            if is_update(message) and len(relay.updates) == 2:
                bind.put(ZONE, theirs)
            return False

        relay.holds = edits
        near = bind.server(address="127.0.0.1", port=relay.port)
        with pytest.raises(Conflict):
            near.update_zone(ZoneUpdate(ZONE, 1, "production", machines("n", 2)))
    assert theirs in server.zone(ZONE).records


def test_each_view_has_its_own_zone(lab: Lab) -> None:
    with taken(lab.directory, HOST), bind_on(lab, views=True) as bind:
        inside, outside = bind.server("inside"), bind.server("outside")
        www = RecordSet("www", "A", HOUR, ("192.0.2.1",))
        inside.create_zone(NewZone(ZONE, TIMERS, 1, (*BASE, www), "production", OURS))
        assert outside.serials([ZONE]) == {}
        assert outside.zones() == ()
        outside.create_zone(NewZone(ZONE, TIMERS, 5, BASE, "production", OURS))
        outside.update_zone(
            ZoneUpdate(ZONE, 5, "production", (replace(www, values=("203.0.113.1",)),))
        )
        assert (inside.zone(ZONE).serial, outside.zone(ZONE).serial) == (1, 6)
        assert www in inside.zone(ZONE).records
        assert (inside.zone(ZONE).rules, outside.zone(ZONE).rules) == (OURS, OURS)
        inside.delete_zone(ZONE)
        assert (inside.zones(), outside.zones()) == ((), (ZONE,))
