"""F17: name servers that refuse, fail, lie or say nothing: each has its error, within the deadline.

The same on a real BIND, with replays and lost answers: tests/system/names/test_bind_safety.py.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.dns.server import DynamicNameserver
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.ports.nameserver import RecordSet, ZoneUpdate
from tests.faults.nameserver_stub import (
    KEY,
    OTHERS,
    SERIAL,
    SOA,
    ZONE,
    Answer,
    Question,
    Stub,
    framed,
    hanging_up,
    saying,
    signed,
    stub,
    wire_of,
)

NEW = RecordSet("db", "A", 60, ("192.0.2.9",))
UPDATE = ZoneUpdate(ZONE, SERIAL, "production", put=(NEW,), absent=("db/A",))
NEW_TEXT = f"db.{ZONE}. 60 IN A 192.0.2.9"
NEW_SOA = SOA.replace(f" {SERIAL} ", f" {SERIAL + 1} ")
DEADLINE_SECONDS = 0.6


@pytest.fixture
def served() -> Iterator[Stub]:
    with stub() as served:
        yield served


@pytest.fixture
def server(served: Stub) -> DynamicNameserver:
    return served.server(time.monotonic)


def changed(question: Question, stream: socket.socket) -> None:
    """What an incremental transfer says after our update."""
    saying(NEW_SOA, SOA, NEW_SOA, NEW_TEXT, NEW_SOA)(question, stream)


def test_an_update_that_is_done_is_read_back(served: Stub, server: DynamicNameserver) -> None:
    served.answers["IXFR"] = changed
    server.update_zone(UPDATE)
    assert served.asked == ["SOA", "AXFR", "UPDATE", "IXFR"]


REFUSALS: list[tuple[int, type[DriverError], str]] = [
    (1, Conflict, "FORMERR"),
    (2, Conflict, "SERVFAIL"),
    (4, Denied, "NOTIMP"),
    (5, Denied, r"REFUSED.*reconciler-production.*update-policy"),
    (6, Conflict, "look again"),
    (7, Conflict, "look again"),
    (8, Conflict, "look again"),
    (9, Denied, r"NOTAUTH.*view"),
    (10, Conflict, "NOTZONE"),
    (11, Conflict, "code 11"),
]


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize(("code", "kind", "words"), REFUSALS)
def test_a_refused_update_says_what_to_check(
    served: Stub,
    server: DynamicNameserver,
    code: int,
    kind: type[DriverError],
    words: str,
    is_signed: bool,
) -> None:
    served.answers["UPDATE"] = saying(code=code, key=KEY if is_signed else None)
    with pytest.raises(kind, match=words):
        server.update_zone(UPDATE)
    assert served.asked.count("UPDATE") == 1


@pytest.mark.parametrize(
    ("code", "kind"), [(2, Conflict), (3, NotFound), (5, NotFound), (9, NotFound)]
)
def test_a_zone_that_is_not_served_is_told_from_one_that_is_broken(
    served: Stub, server: DynamicNameserver, code: int, kind: type[DriverError]
) -> None:
    served.answers["SOA"] = saying(code=code)
    with pytest.raises(kind):
        server.zone(ZONE)
    assert server.serials([ZONE]) == {}


@pytest.mark.parametrize("code", [5, 9])
def test_a_refused_transfer_is_no_missing_zone(
    served: Stub, server: DynamicNameserver, code: int
) -> None:
    served.answers["AXFR"] = saying(code=code)
    with pytest.raises(Denied, match=KEY.name):
        server.zone(ZONE)


def test_a_partial_transfer_that_is_not_known_is_a_whole_one(
    served: Stub, server: DynamicNameserver
) -> None:
    server.zone(ZONE)
    served.answers |= {
        "SOA": saying(NEW_SOA),
        "IXFR": saying(code=4),
        "AXFR": saying(NEW_SOA, *OTHERS, NEW_TEXT, NEW_SOA),
    }
    assert NEW in server.zone(ZONE).records


def waiting(question: Question, stream: socket.socket) -> None:
    """Until the other side gives up."""
    del question
    stream.recv(1)


SILENCES: dict[str, Answer] = {
    "says nothing": waiting,
    "hangs up": hanging_up,
    "says half": lambda question, stream: stream.sendall(framed(wire_of(question))[:9]),
    "garbles": lambda question, stream: stream.sendall(framed(wire_of(question)[:7])),
    "answers another": lambda question, stream: stream.sendall(
        framed(signed(question, b"\0\0" + wire_of(question, SOA)[2:]))
    ),
    "signs a garbled record": lambda question, stream: stream.sendall(
        framed(signed(question, wire_of(question, SOA)[:-30] + b"\xff" * 30))
    ),
    "does not sign": saying(SOA, key=None),
    "signs with another secret": saying(SOA, key=replace(KEY, secret="eHh4" * 12)),
    "signs with another key": saying(SOA, key=replace(KEY, name="other")),
}


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("kind", ["SOA", "AXFR"])
def test_no_answer_that_can_be_trusted_is_no_answer(served: Stub, kind: str, silence: str) -> None:
    server = served.server(time.monotonic, DEADLINE_SECONDS)
    served.answers[kind] = SILENCES[silence]
    start = time.monotonic()
    with pytest.raises(Unreachable):
        server.zone(ZONE)
    assert time.monotonic() - start < 2 * DEADLINE_SECONDS + 1


@pytest.mark.parametrize("kind", ["SOA", "AXFR", "UPDATE"])
def test_a_server_that_drips_is_given_up_at_the_deadline(served: Stub, kind: str) -> None:
    def drip(question: Question, stream: socket.socket) -> None:
        for byte in framed(wire_of(question, SOA)):
            stream.sendall(bytes([byte]))
            if served.is_over.wait(0.1):
                return

    server = served.server(time.monotonic, DEADLINE_SECONDS)
    served.answers[kind] = drip
    start = time.monotonic()
    with pytest.raises(Unreachable, match=r"in time|tries"):
        server.update_zone(UPDATE)
    assert time.monotonic() - start < 3 * DEADLINE_SECONDS + 1


def test_a_port_where_nobody_answers_is_unreachable(served: Stub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dead:
        served.port = dead.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        served.server(time.monotonic).zone(ZONE)


def test_a_connection_that_nobody_takes_is_given_up(served: Stub) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        served.port = deaf.getsockname()[1]
        with pytest.raises(Unreachable, match="in time"):
            served.server(time.monotonic, DEADLINE_SECONDS).zone(ZONE)


CUT: dict[str, tuple[str, ...]] = {
    "no SOA at all": OTHERS,
    "no SOA at the end": (SOA, *OTHERS),
    "another serial at the end": (SOA, *OTHERS, NEW_SOA),
    "goes on after the end": (SOA, *OTHERS, SOA, NEW_TEXT),
    "another zone": (SOA, "www.example. 60 IN A 192.0.2.1", SOA),
    "another zone's SOA": (SOA.replace(f"{ZONE}. 60", "other.example. 60"), *OTHERS, SOA),
    "nothing": (),
}


@pytest.mark.parametrize("records", CUT.values(), ids=CUT)
def test_a_transfer_that_is_not_whole_is_no_zone(served: Stub, records: tuple[str, ...]) -> None:
    def cut(question: Question, stream: socket.socket) -> None:
        saying(*records)(question, stream)
        hanging_up(question, stream)

    served.answers["AXFR"] = cut
    with pytest.raises(Unreachable):
        served.server(time.monotonic).zone(ZONE)


def test_a_transfer_whose_end_is_not_signed_is_no_zone(served: Stub) -> None:
    def unsigned_end(question: Question, stream: socket.socket) -> None:
        saying(SOA, *OTHERS)(question, stream)
        stream.sendall(framed(wire_of(question, NEW_TEXT, SOA)))

    served.answers["AXFR"] = unsigned_end
    with pytest.raises(Unreachable, match="not signed"):
        served.server(time.monotonic).zone(ZONE)


def test_an_update_whose_answer_is_lost_is_found_done(
    served: Stub, server: DynamicNameserver
) -> None:
    served.answers |= {"UPDATE": hanging_up, "IXFR": changed}
    server.update_zone(UPDATE)
    assert served.asked.count("UPDATE") == 1


@pytest.mark.parametrize("answer", [hanging_up, saying(key=None), saying(code=2)])
def test_an_update_that_never_arrives_is_sent_twice_at_most(
    served: Stub, server: DynamicNameserver, answer: Any
) -> None:
    served.answers["UPDATE"] = answer
    with pytest.raises((Unreachable, Conflict)):
        server.update_zone(UPDATE)
    assert served.asked.count("UPDATE") <= 2


def test_an_update_with_an_unknown_outcome_in_a_zone_that_changed_is_a_conflict(
    served: Stub, server: DynamicNameserver
) -> None:
    other = f"other.{ZONE}. 60 IN A 192.0.2.7"
    served.answers |= {
        "UPDATE": hanging_up,
        "IXFR": saying(NEW_SOA, SOA, NEW_SOA, other, NEW_SOA),
    }
    with pytest.raises(Conflict, match="look again"):
        server.update_zone(UPDATE)
    assert served.asked.count("UPDATE") == 1


def test_what_the_server_dropped_silently_is_named(served: Stub, server: DynamicNameserver) -> None:
    served.answers["IXFR"] = saying(SOA)
    with pytest.raises(Conflict, match="db/A did not become"):
        server.update_zone(UPDATE)
