"""Signed messages over TCP (RFC 7766, RFC 8945), within a deadline that holds for all of them.

The connection is our own and not the library's, whose deadlines and signatures go by the machine's
clock: here one comes in as `monotonic`, the other as `now`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from reconciler.drivers.dns.access import Key, ServerAccess
from reconciler.drivers.dns.refusals import BADTIME, NOERROR, Answered, Lost, trusting_nothing

HEADER_BYTES = 12
FUDGE_SECONDS = 300
MOST_UNSIGNED = 100  # messages of a transfer in a row (RFC 8945 §5.3.1)
_READ_BYTES = 256 * 1024
_FIXED = struct.Struct("!HHIH")
_TSIG_TYPE, _CLASS_ANY = 250, 255
_POINTER = 0xC0


class Line:
    """One TCP connection, up to a moment of the monotonic clock."""

    def __init__(self, wire: socket.socket, ends: float, monotonic: Callable[[], float]) -> None:
        """Take a connected socket."""
        self._wire = wire
        self._ends = ends
        self._monotonic = monotonic
        self._buffer = bytearray()
        self._is_sent = False

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            Lost: it could not be sent in time.
        """
        self._is_sent = True
        try:
            self._limit()
            self._wire.sendall(struct.pack("!H", len(message)) + message)
        except OSError as error:
            raise self._lost(error) from None

    def receive(self) -> bytes:
        """The next message.

        Raises:
            Lost: none came in time, or the connection ended.
        """
        self._fill(2)
        length = int.from_bytes(self._buffer[:2], "big")
        self._fill(2 + length)
        message = bytes(self._buffer[2 : 2 + length])
        del self._buffer[: 2 + length]
        return message

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            try:
                self._limit()
                data = self._wire.recv(_READ_BYTES)
            except OSError as error:
                raise self._lost(error) from None
            if not data:
                raise Lost("it ended the connection before it had answered", is_sent=self._is_sent)
            self._buffer += data

    def _limit(self) -> None:
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError
        self._wire.settimeout(left)

    def _lost(self, error: OSError) -> Lost:
        return Lost(_words(error), is_sent=self._is_sent)


@contextmanager
def connected(access: ServerAccess, monotonic: Callable[[], float]) -> Iterator[Line]:
    """A new connection, for as long as the server's deadline.

    Raises:
        Lost: there is none.
    """
    seconds = access.deadline.total_seconds()
    ends = monotonic() + seconds
    try:
        wire = socket.create_connection((access.address, access.port), timeout=seconds)
    except OSError as error:
        cause = f"{access.address} port {access.port}: {_words(error)}"
        raise Lost(cause, is_sent=False) from None
    with wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Line(wire, ends, monotonic)


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no whole answer in time"
    return error.strerror or str(error)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with a key, at the time that `now` tells."""

    key: Key
    now: Callable[[], datetime]

    def signed(self, message: bytes) -> tuple[bytes, Checker]:
        """The message with its signature, and what checks the answers to it."""
        name = dns.name.from_text(self.key.name)
        secret = dns.tsig.Key(name, self.key.secret, self.key.algorithm)
        number = int.from_bytes(message[:2], "big")
        words = (secret.algorithm, 0, FUDGE_SECONDS, b"", number, NOERROR, b"")
        blank = TSIG(_CLASS_ANY, _TSIG_TYPE, *words)  # type: ignore[no-untyped-call]
        moment = int(self.now().timestamp())
        rdata, _ = dns.tsig.sign(message, secret, blank, moment)  # type: ignore[no-untyped-call]
        body = rdata.to_wire() or b""
        more = struct.pack("!H", int.from_bytes(message[10:12], "big") + 1)
        record = (name.to_wire() or b"") + _FIXED.pack(_TSIG_TYPE, _CLASS_ANY, 0, len(body)) + body
        return message[:10] + more + message[12:] + record, Checker(secret, rdata.mac, moment)


class Checker:
    """Checks that the answers to one signed message are signed with its key, one after another."""

    def __init__(self, key: dns.tsig.Key, mac: bytes, moment: int) -> None:
        """`mac` is the signature of the question, `moment` when it was asked."""
        self._key = key
        self._mac = mac
        self._moment = moment
        self._context: dns.tsig.HMACTSig | None = None
        self._unsigned = 0

    def check(self, message: bytes, *, is_one_of_many: bool = False) -> bool:
        """Check the next answer; whether it is signed itself.

        Of many, some in between may be unsigned: then the next signature is over these, too.

        Raises:
            Lost: it is not signed, or by somebody else, so that nobody knows who sent it.
            Answered: the server refused the signature of the question.
        """
        start = signature_start(message)
        code = message[3] & 0xF
        if start is None:
            return self._unsigned_answer(message, code)
        with trusting_nothing():
            owner, after = dns.name.from_wire(message, start)
            at = start + after + _FIXED.size
            rdata: Any = dns.rdata.from_wire("ANY", "TSIG", message, at, len(message) - at)
        if rdata.error:
            raise Answered(code, int(rdata.error), self._skew(rdata))
        try:
            # The time that passes while a long answer comes is not held against it.
            self._context = dns.tsig.validate(  # type: ignore[no-untyped-call]
                message, self._key, owner, rdata, rdata.time_signed, self._mac, start,
                self._context, is_one_of_many,
            )  # fmt: skip
        except (dns.exception.DNSException, NotImplementedError) as error:
            cause = f"its answer is not signed with key {self._key.name} as ours is"
            raise Lost(f"{cause} ({type(error).__name__})", is_sent=True) from None
        if abs(rdata.time_signed - self._moment) > 2 * FUDGE_SECONDS:
            raise Answered(code, BADTIME, rdata.time_signed - self._moment)
        self._unsigned = 0
        return True

    def _unsigned_answer(self, message: bytes, code: int) -> bool:
        if code != NOERROR:
            raise Answered(
                code
            )  # somebody in between may have said it; it is no harm to believe it
        self._unsigned += 1
        if self._context is None or self._unsigned >= MOST_UNSIGNED:
            raise Lost("its answer is not signed", is_sent=True)
        self._context.update(message)  # type: ignore[no-untyped-call]
        return False

    def _skew(self, rdata: Any) -> int:
        told = int.from_bytes(rdata.other, "big") if rdata.other else rdata.time_signed
        return told - self._moment


def signature_start(message: bytes) -> int | None:
    """Where the signature begins, which is the last record; None if there is none.

    Raises:
        Lost: the message is garbled.
    """
    with trusting_nothing():
        questions, *records = struct.unpack_from("!4H", message, 4)
        if not records[2]:
            return None
        at = start = HEADER_BYTES
        for _ in range(questions):
            at = skipped(message, at) + 4
        for _ in range(sum(records)):
            start = at
            at = skipped(message, at) + _FIXED.size
            at += int.from_bytes(message[at - 2 : at], "big")
        if at != len(message):
            raise IndexError
        after = skipped(message, start)
        is_signature = int.from_bytes(message[after : after + 2], "big") == _TSIG_TYPE
    return start if is_signature else None


def skipped(message: bytes, at: int) -> int:
    """Where a name ends that begins there."""
    while length := message[at]:
        if length >= _POINTER:
            return at + 2
        at += length + 1
    return at + 1
