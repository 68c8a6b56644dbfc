"""S30: a name server that somebody else runs costs neither memory nor time without end."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest

from reconciler.drivers.dns import transfer
from reconciler.drivers.dns.access import Key
from reconciler.drivers.dns.messages import FIXED, HEADER, Reader, wire_name
from reconciler.drivers.dns.refusals import Flood, Lost, trusting_nothing
from reconciler.drivers.dns.transfer import MOST_RECORDS, transferred
from reconciler.drivers.dns.updates import soa_with
from reconciler.drivers.dns.wire import Checker, Line, Signer
from reconciler.ports.nameserver import Timers

ZONE = "farm.internal"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOA = soa_with(Timers("ns.farm.internal.", "h.farm.internal.", 1, 2, 3, 4), 7, 60)
KEY = Signer(Key("reconciler-production", "hmac-sha256", "c2VjcmV0c2VjcmV0c2VjcmV0"), lambda: NOW)
APEX = b"\xc0\x0c"
SOA_RECORD = APEX + FIXED.pack(6, 1, 60, len(SOA.wire)) + SOA.wire


class _Flooding(Line):
    """A server that answers with small records for ever."""

    def __init__(self, records: int) -> None:
        self._record = b"\1x" + APEX + FIXED.pack(1, 1, 60, 4) + b"\n\0\0\1"
        self._records = records
        self.messages = 0

    def send(self, message: bytes) -> None:
        del message

    def receive(self) -> bytes:
        self.messages += 1
        first = SOA_RECORD if self.messages == 1 else self._record
        body = first + self._record * (self._records - 1)
        head = HEADER.pack(1, 0x8400, 1, self._records, 0, 0)
        return head + wire_name(ZONE) + struct.pack("!HH", 252, 1) + body


class _Trusting(Checker):
    """The server has a key that is right."""

    def check(self, message: bytes, *, is_one_of_many: bool = False) -> bool:
        del message, is_one_of_many
        return True


@dataclass(frozen=True)
class _Signing:
    def signed(self, message: bytes) -> tuple[bytes, Checker]:
        return KEY.signed(message)[0], _Trusting.__new__(_Trusting)


def test_a_zone_without_end_is_given_up_before_it_fills_the_memory() -> None:
    line = _Flooding(2_000)
    with pytest.raises(Flood, match="more than 10000 records"):
        transferred(line, cast("Signer", _Signing()), ZONE, 1, most_records=10_000)
    assert line.messages == 6
    assert MOST_RECORDS * 2 < transfer.LARGEST_BYTES  # the bytes alone do not hold them off


def test_names_that_lead_on_and_on_are_refused() -> None:
    """Each name is one label more than the last, by a pointer: 64 KiB would become 26 MiB."""
    record = FIXED.pack(1, 1, 60, 4) + b"\n\0\0\1"
    message = HEADER.pack(1, 0x8400, 1, 200, 0, 0) + wire_name(ZONE) + struct.pack("!HH", 252, 1)
    last = HEADER.size
    for _ in range(200):
        here = len(message)
        message += b"\x3f" + b"x" * 63 + struct.pack("!H", 0xC000 | last) + record
        last = here
    with pytest.raises(Lost, match="garbled"), trusting_nothing():
        list(Reader(message).records())
