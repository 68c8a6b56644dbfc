"""Messages as bytes (RFC 1035 §4): questions to be asked, and the records of an answer.

A zone has a hundred thousand records and dnspython makes several objects of each, which takes
seconds. So what a record is about is read here, and only values of rarer types are left to it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from socket import AF_INET6, inet_ntoa, inet_ntop

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.config.records import as_answered
from reconciler.config.records.addresses import shortest
from reconciler.config.records.syntax import escaped, quoted
from reconciler.drivers.dns.refusals import Answered, Lost
from reconciler.ports.nameserver import Timers

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV = 1, 2, 5, 6, 12, 16, 28, 33
TSIG, IXFR, AXFR = 250, 251, 252
IN, NONE, ANY = 1, 254, 255
IS_ANSWER, IS_AUTHORITATIVE = 0x8000, 0x0400
CODE_MASK = 0xF
APEX_POINTER = b"\xc0\x0c"  # where the name in the first question stands
FIXED = struct.Struct("!HHIH")
HEADER = struct.Struct("!6H")
_POINTER, _MOST_JUMPS = 0xC0, 127
_LONGEST_NAME = 4 * 255  # as text, if each byte is written as its number
_IN = dns.rdataclass.IN
_IPV4_BYTES, _IPV6_BYTES = 4, 16
_SRV = struct.Struct("!3H")
_SIMPLE = re.compile(rb"[a-z0-9_*/-]+")
_NAMES = frozenset({NS, CNAME, PTR})
_SPECIAL = b'"().;\\@$'
GARBLED = "its answer is garbled"


@dataclass(frozen=True, slots=True)
class Soa:
    """A SOA record: as bytes without pointers, so that it can be asked for exactly, and read."""

    wire: bytes
    ttl_seconds: int
    serial: int
    timers: Timers


@dataclass(frozen=True, slots=True)
class Head:
    """What a message says about itself."""

    number: int
    flags: int
    questions: int
    answers: int

    @property
    def code(self) -> int:
        """Whether and why it says no."""
        return self.flags & CODE_MASK


def head_of(message: bytes) -> Head:
    """The beginning of an answer.

    Raises:
        Lost: it is too short.
    """
    if len(message) < HEADER.size:
        raise Lost(GARBLED, is_sent=True)
    number, flags, questions, answers, _, _ = HEADER.unpack_from(message)
    return Head(number, flags, questions, answers)


def accepted(message: bytes, number: int) -> Head:
    """The beginning of an answer to that question, if it does not say no.

    Raises:
        Answered: it does.
        Lost: it answers something else.
    """
    head = head_of(message)
    if head.number != number or not head.flags & IS_ANSWER:
        raise Lost("it answers what was not asked", is_sent=True)
    if head.code:
        raise Answered(head.code)
    return head


def question(number: int, zone: str, kind: int, known: Soa | None = None) -> bytes:
    """Ask for records of a zone's apex. With `known`: for what has changed since (RFC 1995)."""
    message = HEADER.pack(number, 0, 1, 0, int(known is not None), 0)
    message += wire_name(zone) + struct.pack("!HH", kind, IN)
    if known is not None:
        message += APEX_POINTER + FIXED.pack(SOA, IN, 0, len(known.wire)) + known.wire
    return message


@lru_cache(maxsize=4096)
def wire_name(name: str) -> bytes:
    """An absolute name as bytes; the final dot may be missing.

    Raises:
        ValueError: it is no name.
    """
    try:
        return dns.name.from_text(name).to_wire() or b""
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{name[:80]!r} is no name: {error}") from None


class Reader:
    """Reads the records of the answer section of one message, inside of `trusting_nothing`."""

    def __init__(self, message: bytes) -> None:
        """Take a whole message."""
        self._message = message
        self._names: dict[int, str] = {}

    def records(self) -> Iterator[tuple[str, int, int, int, int]]:
        """The owner, type and TTL of each record, and where its value begins and ends."""
        message, head = self._message, head_of(self._message)
        unpack, size, name = FIXED.unpack_from, FIXED.size, self.name
        at = HEADER.size
        for _ in range(head.questions):
            at = name(at)[1] + 4
        for _ in range(head.answers):
            owner, at = name(at)
            kind, _, ttl, length = unpack(message, at)
            start = at + size
            at = start + length
            if at > len(message):
                raise IndexError
            yield owner, kind, ttl, start, at

    def name(self, at: int, jumps: int = 0) -> tuple[str, int]:
        """The name that begins there, lower case and with its final dot, and where it ends.

        Raises:
            IndexError: there is none, or it is longer than names can be.
        """
        message, names = self._message, self._names
        length = message[at]
        if length >= _POINTER:
            target = (length & 0x3F) << 8 | message[at + 1]
            known = names.get(target)
            if known is None:
                if target >= at or jumps > _MOST_JUMPS:
                    raise IndexError
                known = self.name(target, jumps + 1)[0]
            return known, at + 2
        if not length:
            return ".", at + 1
        after = at + 1 + length
        label = _label(message[at + 1 : after])
        if message[after] >= _POINTER:  # as nearly always
            rest = names.get((message[after] & 0x3F) << 8 | message[after + 1])
            if rest is not None and len(rest) < _LONGEST_NAME:
                names[at] = text = f"{label}.{rest}"
                return text, after + 2
        rest, end = self.name(after, jumps + 1)
        if len(rest) >= _LONGEST_NAME:
            raise IndexError
        names[at] = text = f"{label}." if rest == "." else f"{label}.{rest}"
        return text, end

    def value(self, kind: int, start: int, end: int) -> str:
        """A value in canonical form."""
        message = self._message
        if kind == A and end - start == _IPV4_BYTES:
            return inet_ntoa(message[start:end])
        if kind in _NAMES:
            return self.name(start)[0]
        if kind == TXT and end - start == message[start] + 1:
            return quoted(message[start + 1 : end])
        if kind == AAAA and end - start == _IPV6_BYTES:
            return _ipv6(message[start:end])
        if kind == SRV:
            priority, weight, port = _SRV.unpack_from(message, start)
            return f"{priority} {weight} {port} {self.name(start + _SRV.size)[0]}"
        rdata = dns.rdata.from_wire(_IN, _type(kind), message, start, end - start)
        return as_answered(type_name(kind), rdata.to_text(), "")

    def soa(self, ttl: int, start: int, end: int) -> Soa:
        """A SOA record."""
        mname, at = self.name(start)
        rname, at = self.name(at)
        if at + 20 != end:
            raise IndexError
        serial, *timers = struct.unpack_from("!5I", self._message, at)
        rdata = dns.rdata.from_wire(_IN, _type(SOA), self._message, start, end - start)
        return Soa(rdata.to_wire() or b"", ttl, serial, Timers(mname, rname, *timers))


def _label(label: bytes) -> str:
    lower = label.lower()
    if _SIMPLE.fullmatch(lower):
        return lower.decode()
    return escaped(lower, _SPECIAL).replace(" ", "\\032")


def _ipv6(octets: bytes) -> str:
    text = inet_ntop(AF_INET6, octets)
    return shortest(IPv6Address(octets)) if "." in text or text.startswith("::") else text


@lru_cache(maxsize=256)
def _type(kind: int) -> dns.rdatatype.RdataType:
    return dns.rdatatype.RdataType.make(kind)


@lru_cache(maxsize=256)
def type_name(kind: int) -> str:
    """What a type of records is called, such as `TXT`, or `TYPE65400`."""
    return dns.rdatatype.to_text(_type(kind))
