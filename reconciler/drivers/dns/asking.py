"""Asking one server: each question signed, on a connection of its own, within the deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from secrets import randbits

from reconciler.drivers.dns.access import ServerAccess
from reconciler.drivers.dns.messages import (
    IS_AUTHORITATIVE,
    SOA,
    Reader,
    Soa,
    accepted,
    head_of,
    question,
    wire_name,
)
from reconciler.drivers.dns.refusals import NOERROR, SERVFAIL, Answered, Lost, trusting_nothing
from reconciler.drivers.dns.transfer import Content, transferred
from reconciler.drivers.dns.wire import Checker, Line, Signer, connected
from reconciler.drivers.refusal import Missing

AT_ONCE = 64  # questions on the way; more and neither side may be able to send
_NUMBERS = 2**16


@dataclass(frozen=True, slots=True)
class Asking:
    """What one server is asked. Everything may raise `Lost` and `Answered`."""

    access: ServerAccess
    monotonic: Callable[[], float]
    now: Callable[[], datetime]

    def soas(self, zones: Iterable[str]) -> dict[str, Soa]:
        """The SOA records of those zones that it serves, in one round trip."""
        waiting = [zone for zone in dict.fromkeys(zones) if _is_name(zone)][::-1]
        found: dict[str, Soa] = {}
        if not waiting:
            return found
        signer, number = self._signer(self.access.reader), randbits(16)
        asked: dict[int, tuple[str, Checker]] = {}
        with connected(self.access, self.monotonic) as line:
            while waiting or asked:
                while waiting and len(asked) < AT_ONCE:
                    number = (number + 1) % _NUMBERS
                    asked[number] = waiting[-1], _asked(line, signer, number, waiting.pop())
                message = line.receive()
                head = head_of(message)
                if head.number not in asked:
                    raise Lost("it answers what was not asked", is_sent=True)
                zone, checker = asked.pop(head.number)
                soa, _ = _soa_in(message, zone, checker, head.number)
                if soa is not None:
                    found[zone] = soa
        return found

    def soa(self, zone: str) -> Soa:
        """The SOA record of a zone.

        Raises:
            Missing: it does not serve it.
        """
        if not _is_name(zone):
            raise Missing(f"{zone[:80]!r} cannot be the name of a zone")
        signer, number = self._signer(self.access.reader), randbits(16)
        with connected(self.access, self.monotonic) as line:
            checker = _asked(line, signer, number, zone)
            soa, code = _soa_in(line.receive(), zone, checker, number)
        if code == SERVFAIL:
            raise Answered(code)
        if soa is None:
            raise Missing(f"it does not serve zone {zone}, or not to key {signer.key.name}")
        return soa

    def content(self, zone: str, known: Content | None = None) -> Content:
        """The whole zone. What is `known` need not come again."""
        signer = self._signer(self.access.reader)
        try:
            with connected(self.access, self.monotonic) as line:
                return transferred(line, signer, zone, randbits(16), known)
        except Answered as error:
            if known is None or error.tsig_error:
                raise
            return self.content(zone)  # it may be that it knows no partial transfer

    def tell(self, holder: str, message: bytes) -> None:
        """Send a message in somebody's name, and get it acknowledged."""
        asked, checker = self._signer(holder).signed(message)
        with connected(self.access, self.monotonic) as line:
            line.send(asked)
            answer = line.receive()
        checker.check(answer)
        accepted(answer, int.from_bytes(message[:2], "big"))

    def _signer(self, holder: str) -> Signer:
        return Signer(self.access.key(holder), self.now)


def _is_name(zone: str) -> bool:
    try:
        wire_name(zone)
    except ValueError:
        return False
    return True


def _asked(line: Line, signer: Signer, number: int, zone: str) -> Checker:
    message, checker = signer.signed(question(number, zone, SOA))
    line.send(message)
    return checker


def _soa_in(message: bytes, zone: str, checker: Checker, number: int) -> tuple[Soa | None, int]:
    """The SOA record in an answer, and its code; none if this is no server of the zone.

    Raises:
        Answered: our signature is refused.
        Lost: the answer is garbled, or not signed.
    """
    try:
        checker.check(message)
        head = accepted(message, number)
    except Answered as error:
        if error.tsig_error:
            raise
        return None, error.code
    if not head.flags & IS_AUTHORITATIVE:
        return None, NOERROR
    with trusting_nothing():
        reader = Reader(message)
        for owner, kind, ttl, start, end in reader.records():
            if kind == SOA and owner == f"{zone}.":
                return reader.soa(ttl, start, end), NOERROR
    return None, NOERROR
