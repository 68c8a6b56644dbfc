"""Changes a zone in one message, or in several that break no name, and reads it back.

An answer that does not come leaves the outcome unknown: then the zone is looked at, and sent again
is only what has not arrived. A message that is late all the same finds another SOA record, and does
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import randbits

from reconciler.drivers.dns.asking import Asking
from reconciler.drivers.dns.batches import in_parts, name_of, type_of
from reconciler.drivers.dns.looking import Looking, Seen
from reconciler.drivers.dns.messages import Soa
from reconciler.drivers.dns.refusals import CHANGED, SERVFAIL, YXRRSET, Answered, Lost
from reconciler.drivers.dns.updates import (
    ROOM_BYTES,
    message,
    missing,
    next_serial,
    size_of,
    soa_with,
)
from reconciler.drivers.refusal import Refused
from reconciler.drivers.zone_soundness import contradictions, without_nameserver
from reconciler.ports.nameserver import RecordSet, ZoneUpdate

TRIES = 2
_NS_AT_APEX = "@/NS"
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Changing:
    """Changes the zones of one server."""

    asking: Asking
    looking: Looking
    now: Callable[[], datetime]

    def change(self, update: ZoneUpdate, seen: Seen) -> None:
        """Change a zone that was just seen.

        Raises:
            Refused: it is no longer what the update expects, no zone would result, or the server
                does not hold what it was given.
            Answered, Lost: the server refuses, or its answer did not come.
        """
        update = _lower(update)
        records = seen.content.records
        known = _touched(update, records)
        _check(update, seen.content.soa.serial, known)
        parts = _parts(update, records, known)
        try:
            for number, part in enumerate(parts):
                rest = parts[number + 1 :]
                after = self._send(part, seen)
                _check_rest(rest, seen, after)
                seen = after
        except Answered as error:
            self.looking.forget(update.zone)
            if error.code == YXRRSET:
                self._name_taken(update)
            raise
        except (Lost, Refused):
            self.looking.forget(update.zone)
            raise

    def _send(self, part: ZoneUpdate, seen: Seen) -> Seen:
        """One message, and the zone after it."""
        known = _touched(part, seen.content.records)
        wire = message(randbits(16), part, seen.content.soa, known, self._new_soa(part, seen))
        for last in range(TRIES):
            try:
                self.asking.tell(part.environment, wire)
            except (Answered, Lost) as error:
                if not _is_open(error, is_again=last > 0):
                    raise
                after = self._look_after(part, seen, error)
                if after.content.soa.wire != seen.content.soa.wire:
                    if missing(part, after.content.records, after.content.soa.timers):
                        raise Refused(f"{CHANGED}; what was sent has not arrived") from None
                    return after
                if isinstance(error, Answered):
                    raise
                continue
            after = self._look_after(part, seen)
            _check_done(part, after)
            return after
        cause = f"no answer came in {TRIES} tries, and nothing has arrived"
        raise Lost(cause, is_sent=True)

    def _look_after(self, part: ZoneUpdate, seen: Seen, error: Exception | None = None) -> Seen:
        try:
            return self.looking.look_after(part.zone, seen)
        except Lost as second:
            what = f"{error}; " if error else ""
            cause = f"{what}it could not be looked at whether it was done: {second}"
            raise Lost(cause, is_sent=True) from None

    def _new_soa(self, part: ZoneUpdate, seen: Seen) -> Soa | None:
        if part.timers is None:
            return None
        soa = seen.content.soa
        serials = seen.rules.serials if seen.rules else "increment"
        serial = next_serial(soa.serial, serials, self.now())
        return soa_with(part.timers, serial, soa.ttl_seconds)

    def _name_taken(self, update: ZoneUpdate) -> None:
        """Say which record sets are there that must not be."""
        records = self.looking.look(update.zone).content.records
        _check_absent(update, {record.key for record in records})


def _is_open(error: Answered | Lost, *, is_again: bool) -> bool:
    """Whether it may have been done all the same, now or by the message that was sent before."""
    if isinstance(error, Lost):
        return error.is_sent
    return not error.tsig_error and (is_again or error.code == SERVFAIL)


def _check(update: ZoneUpdate, serial: int, known: Mapping[str, RecordSet]) -> None:
    if serial != update.serial:
        raise Refused(f"the serial is {serial} and no longer {update.serial}; look again")
    _check_absent(update, known)
    after = {key: record for key, record in known.items() if key not in update.remove}
    after |= {record.key: record for record in update.put}
    reasons = list(contradictions(update.zone, after.values()))
    if _NS_AT_APEX in update.remove:
        reasons += without_nameserver(update.zone, after.values())
    if reasons:
        raise Refused("; ".join(reasons))


def _check_absent(update: ZoneUpdate, keys: Container[str]) -> None:
    if taken := sorted(key for key in update.absent if key in keys):
        raise Refused(f"already there: {', '.join(taken)}")


def _check_done(part: ZoneUpdate, after: Seen) -> None:
    if wrong := missing(part, after.content.records, after.content.soa.timers):
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        shown = ", ".join(wrong[:SHOWN])
        raise Refused(f"it took the update, but {shown}{more} did not become as sent; look again")


def _check_rest(rest: Iterable[ZoneUpdate], before: Seen, after: Seen) -> None:
    """What is still to be sent replaces what was seen, not what somebody has put there since."""
    for part in rest:
        old, new = (_touched(part, each.content.records) for each in (before, after))
        if old != new:
            names = sorted({name_of(key) for key in old.keys() ^ new.keys()}) or ["records"]
            shown = ", ".join(names[:SHOWN])
            raise Refused(f"somebody has changed {shown} between two parts of the update")


def _parts(
    update: ZoneUpdate, records: Collection[RecordSet], known: Mapping[str, RecordSet]
) -> tuple[ZoneUpdate, ...]:
    if size_of(update, known) <= ROOM_BYTES:
        return (update,)
    sizes: dict[str, int] = defaultdict(int)
    blank = replace(update, put=(), remove=(), absent=())
    for record in update.put:
        sizes[record.name] += size_of(replace(blank, put=(record,)), known)
    for key in update.remove:
        sizes[name_of(key)] += size_of(replace(blank, remove=(key,)), known)
    for key in update.absent:
        sizes[name_of(key)] += size_of(replace(blank, absent=(key,)), known)
    return in_parts(update, records, sizes.__getitem__, ROOM_BYTES)


def _touched(update: ZoneUpdate, records: Iterable[RecordSet]) -> dict[str, RecordSet]:
    """All record sets of the names that the update is about, by key."""
    names = {record.name for record in update.put}
    names |= {name_of(key) for key in (*update.remove, *update.absent)}
    return {record.key: record for record in records if record.name in names}


def _lower(update: ZoneUpdate) -> ZoneUpdate:
    """With names as they are read back."""
    return replace(
        update,
        put=tuple(replace(record, name=record.name.lower()) for record in update.put),
        remove=tuple(map(_lower_key, update.remove)),
        absent=tuple(map(_lower_key, update.absent)),
    )


def _lower_key(key: str) -> str:
    return f"{name_of(key).lower()}/{type_of(key)}"
