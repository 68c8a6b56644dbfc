"""A zone read from its server: whole (AXFR, RFC 5936), or what changed since (IXFR, RFC 1995).

Each message is checked by its signature, and a transfer is whole when it ends as it began, with
the SOA record, in a message that is signed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from reconciler.drivers.dns.messages import (
    AXFR,
    IXFR,
    SOA,
    Reader,
    Soa,
    accepted,
    question,
    type_name,
)
from reconciler.drivers.dns.refusals import Flood, Lost, trusting_nothing
from reconciler.drivers.dns.wire import Line, Signer
from reconciler.ports.nameserver import RecordSet

LARGEST_BYTES = 256 * 1024**2
MOST_RECORDS = 500_000  # which take 500 MiB; a message can hold thousands that say next to nothing
_SELF_MADE = frozenset(  # what a server makes by itself of a signed zone
    {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "ZONEMD", "TYPE65534"}
)
_FRAME = "the transfer does not begin and end with the SOA record"
APEX = "@"


@dataclass(frozen=True, slots=True)
class Content:
    """A zone at one serial: its SOA record, and its record sets in order of name and type."""

    soa: Soa
    records: tuple[RecordSet, ...]


class _Change(NamedTuple):
    is_coming: bool
    owner: str
    kind: int
    ttl_seconds: int
    value: str


def transferred(
    line: Line,
    signer: Signer,
    zone: str,
    number: int,
    known: Content | None = None,
    *,
    most_records: int = MOST_RECORDS,
) -> Content:
    """The zone as it is now. With `known`, only what has changed since is asked for.

    `number` tells the answers from others; `zone` is without the final dot.

    Raises:
        Answered: the server refuses.
        Lost: the transfer did not arrive whole and signed.
        Flood: it does not end.
    """
    kind = AXFR if known is None else IXFR
    asked, checker = signer.signed(
        question(number, zone, kind, None if known is None else known.soa)
    )
    line.send(asked)
    arrival = _Arrival(zone, known)
    is_signed, size, count = False, 0, 0
    while not arrival.is_over:
        message = line.receive()
        size += len(message)
        if size > LARGEST_BYTES:
            raise Flood(f"the zone is larger than {LARGEST_BYTES} bytes")
        is_signed = checker.check(message, is_one_of_many=True)
        count += accepted(message, number).answers
        if count > most_records:
            raise Flood(f"the zone has more than {most_records} records")
        with trusting_nothing():
            arrival.take(message)
    if not is_signed:
        raise Lost("the end of the transfer is not signed", is_sent=True)
    return arrival.content()


class _Arrival:
    """What of a transfer has come so far.

    What changed is a row of steps: the old SOA record, what is gone, the new one, what has come.
    """

    def __init__(self, zone: str, known: Content | None) -> None:
        self.is_over = False
        self._apex = f"{zone}."
        self._inside = f".{zone}."
        self._known = known
        self._soa: Soa | None = None
        # By type and owner; strings and numbers cost the collector of garbage nothing.
        self._values: dict[int, dict[str, str | list[str]]] = defaultdict(dict)
        self._ttls: dict[int, dict[str, int]] = defaultdict(dict)
        self._changes: list[_Change] = []
        self._step: Soa | None = None
        self._is_coming = False

    def take(self, message: bytes) -> None:
        """Read the next message."""
        reader = Reader(message)
        value = reader.value
        for owner, kind, ttl, start, end in reader.records():
            if kind == SOA:
                self._take_soa(owner, reader.soa(ttl, start, end))
            elif self._soa is None or self.is_over:
                raise Lost(_FRAME, is_sent=True)
            elif self._step is not None:
                change = _Change(self._is_coming, owner, kind, ttl, value(kind, start, end))
                self._changes.append(change)
            else:
                self._keep(owner, kind, ttl, value(kind, start, end))
        if self._soa is None:
            raise Lost(_FRAME, is_sent=True)
        if not self._values and self._is_known(self._soa):
            self.is_over = True  # nothing has changed: then the SOA record is all

    def _keep(self, owner: str, kind: int, ttl: int, value: str) -> None:
        sets = self._values[kind]
        known = sets.get(owner)
        if known is None:
            sets[owner] = value
            self._ttls[kind][owner] = ttl
        elif isinstance(known, list):
            known.append(value)
        else:
            sets[owner] = [known, value]

    def _take_soa(self, owner: str, soa: Soa) -> None:
        if owner != self._apex or self.is_over:
            raise Lost(_FRAME, is_sent=True)
        if self._soa is None:
            self._soa = soa
        elif self._step is not None:
            self._take_step(self._soa, self._step, soa)
        elif not self._values and self._is_known(soa):
            self._step = soa
        elif soa.serial == self._soa.serial:
            self.is_over = True
        else:
            raise Lost("the zone changed during the transfer", is_sent=True)

    def _take_step(self, newest: Soa, step: Soa, soa: Soa) -> None:
        if not self._is_coming:
            self._is_coming, self._step = True, soa
        elif step.serial == newest.serial == soa.serial:
            self.is_over = True
        else:
            self._is_coming, self._step = False, soa

    def _is_known(self, soa: Soa) -> bool:
        return self._known is not None and soa.serial == self._known.soa.serial

    def content(self) -> Content:
        """The zone, when all of it is there."""
        if self._soa is None:
            raise Lost(_FRAME, is_sent=True)
        if self._known is not None and not self._values:
            return Content(self._soa, self._changed(self._known.records))
        return Content(self._soa, _in_order(self._found()))

    def _found(self) -> Iterator[RecordSet]:
        for kind, sets in self._values.items():
            if (text := type_name(kind)) in _SELF_MADE:
                continue
            ttls = self._ttls[kind]
            for owner, known in sets.items():
                values = (known,) if isinstance(known, str) else tuple(sorted(known))
                yield RecordSet(self._relative(owner), text, ttls[owner], values)

    def _changed(self, before: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
        """The record sets after all changes."""
        after = {(record.name, record.type): record for record in before}
        for change in self._changes:
            name, kind = key = self._relative(change.owner), type_name(change.kind)
            if kind in _SELF_MADE:
                continue
            known = after.pop(key, None)
            values = set(known.values if known else ()) - {change.value}
            if change.is_coming:
                after[key] = _record_set(name, kind, change.ttl_seconds, {*values, change.value})
            elif values:
                after[key] = _record_set(name, kind, change.ttl_seconds, values)
        return _in_order(after.values())

    def _relative(self, owner: str) -> str:
        if owner.endswith(self._inside):
            return owner.removesuffix(self._inside)
        if owner != self._apex:
            raise Lost(f"the transfer holds {owner[:80]}, which is not in the zone", is_sent=True)
        return APEX


def _in_order(records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(sorted(records, key=attrgetter("name", "type")))


def _record_set(name: str, kind: str, ttl_seconds: int, values: Iterable[str]) -> RecordSet:
    return RecordSet(name, kind, ttl_seconds, tuple(sorted(values)))
