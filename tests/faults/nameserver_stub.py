"""A name server on loopback that answers as a test wants: signed or not, whole or in drips."""

from __future__ import annotations

import socket
import struct
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from reconciler.drivers.dns.access import Key, ServerAccess
from reconciler.drivers.dns.server import DynamicNameserver

ZONE = "farm.internal"
SERIAL = 7
KEY = Key("reconciler-production", "hmac-sha256", b64encode(b"s" * 32).decode())
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOA = f"{ZONE}. 60 IN SOA ns.{ZONE}. h.{ZONE}. {SERIAL} 1 2 3 4"
OTHERS = (f"{ZONE}. 60 IN NS ns.{ZONE}.", f"ns.{ZONE}. 60 IN A 192.0.2.1")
Answer = Callable[["Question", socket.socket], None]


@dataclass(frozen=True)
class Question:
    """What was asked, and by which signature."""

    message: dns.message.Message
    mac: bytes

    @property
    def kind(self) -> str:
        """`UPDATE`, or the type that was asked for."""
        if self.message.opcode() == dns.opcode.UPDATE:
            return "UPDATE"
        return dns.rdatatype.to_text(self.message.question[0].rdtype)


@dataclass
class Stub:
    """`answers` by kind of question; `asked` are the kinds that came."""

    port: int
    answers: dict[str, Answer]
    asked: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def server(self, monotonic: Callable[[], float], seconds: float = 5) -> DynamicNameserver:
        """The driver on it."""
        deadline = timedelta(seconds=seconds)
        access = ServerAccess(
            "ns", "127.0.0.1", self.port, lambda _: KEY, "production", None, deadline
        )
        return DynamicNameserver(access, None, monotonic=monotonic, now=lambda: NOW)


@contextmanager
def stub() -> Iterator[Stub]:
    """A server of one small zone; a test changes its answers."""
    answers = {
        "SOA": saying(SOA),
        "AXFR": saying(SOA, *OTHERS, SOA),
        "IXFR": saying(SOA),
        "UPDATE": saying(),
    }
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Stub(listener.getsockname()[1], answers)
        thread = threading.Thread(target=_serve, args=(listener, served), daemon=True)
        thread.start()
        yield served
        served.is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket, served: Stub) -> None:
    with suppress(OSError):
        while True:
            stream, _ = listener.accept()
            threading.Thread(target=_answer, args=(stream, served), daemon=True).start()


def _answer(stream: socket.socket, served: Stub) -> None:
    with suppress(OSError), stream:
        while True:
            size = stream.recv(2, socket.MSG_WAITALL)
            if len(size) < 2:
                return
            wire = stream.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
            message = dns.message.from_wire(wire, keyring=False)
            tsig: Any = message.tsig
            question = Question(message, tsig[0].mac)
            served.asked.append(question.kind)
            served.answers[question.kind](question, stream)


def framed(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def wire_of(question: Question, *records: str, code: int = 0) -> bytes:
    """An answer without a signature."""
    asked = question.message
    answer = dns.message.Message(asked.id)
    answer.flags = dns.flags.QR | dns.flags.AA
    answer.set_opcode(asked.opcode())
    answer.set_rcode(dns.rcode.Rcode(code))
    answer.sections[0] = list(asked.sections[0])
    for record in records:
        name, ttl, _, kind, value = record.split(" ", 4)
        answer.sections[1].append(dns.rrset.from_text(name, int(ttl), "IN", kind, value))
    return answer.to_wire()


def signed(question: Question, wire: bytes, key: Key = KEY, *, error: int = 0) -> bytes:
    """The answer with its signature."""
    name = dns.name.from_text(key.name)
    secret = dns.tsig.Key(name, key.secret, key.algorithm)
    words = (secret.algorithm, 0, 300, b"", question.message.id, error, b"")
    blank = TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, *words)  # type: ignore[no-untyped-call]
    moment = int(NOW.timestamp())
    rdata, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]
        wire, secret, blank, moment, question.mac
    )
    body: bytes = rdata.to_wire()
    record = (name.to_wire() or b"") + struct.pack("!HHIH", 250, 255, 0, len(body)) + body
    return (
        wire[:10] + struct.pack("!H", int.from_bytes(wire[10:12], "big") + 1) + wire[12:] + record
    )


def saying(*records: str, code: int = 0, key: Key | None = KEY) -> Answer:
    """Answer this, signed unless `key` is None."""

    def answer(question: Question, stream: socket.socket) -> None:
        wire = wire_of(question, *records, code=code)
        stream.sendall(framed(wire if key is None else signed(question, wire, key)))

    return answer


def hanging_up(question: Question, stream: socket.socket) -> None:
    """Say nothing, and go."""
    del question
    stream.shutdown(socket.SHUT_RDWR)
