"""What a name server's answer means in our words: one table from response codes to errors."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from dns.exception import DNSException

from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
YXDOMAIN, YXRRSET, NXRRSET, NOTAUTH, NOTZONE = range(6, 11)
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22
CHANGED = "the zone changed since it was looked at; look again"

_NOT_PRIMARY = (
    "it is not the primary of the zone for {key} (NOTAUTH); "
    "check the address, and the view that the key leads to"
)
_REFUSED = (
    "it refuses (REFUSED); its configuration must allow {key} that (update-policy, allow-transfer)"
)
_ANSWERS: dict[int, tuple[type[DriverError], str]] = {
    FORMERR: (Conflict, "it does not understand the message (FORMERR)"),
    SERVFAIL: (Conflict, "it failed (SERVFAIL); its log says why"),
    NXDOMAIN: (NotFound, "it does not know the name (NXDOMAIN)"),
    NOTIMP: (Denied, "it does no such thing (NOTIMP)"),
    REFUSED: (Denied, _REFUSED),
    YXDOMAIN: (Conflict, f"a name is there that must not be (YXDOMAIN): {CHANGED}"),
    YXRRSET: (Conflict, f"a record set is there that must not be (YXRRSET): {CHANGED}"),
    NXRRSET: (Conflict, f"{CHANGED} (NXRRSET)"),
    NOTAUTH: (Denied, _NOT_PRIMARY),
    NOTZONE: (Conflict, "a name is not in the zone (NOTZONE)"),
}


class Answered(Exception):
    """The server said no. `skew_seconds`: its clock less ours, if that is the reason."""

    def __init__(self, code: int, tsig_error: int = 0, skew_seconds: int = 0) -> None:
        """Give the codes of RFC 1035 and RFC 8945."""
        super().__init__(code, tsig_error, skew_seconds)
        self.code = code
        self.tsig_error = tsig_error
        self.skew_seconds = skew_seconds


class Lost(Exception):
    """There was no usable answer; the message says why. Nothing had been sent if not `is_sent`."""

    def __init__(self, cause: str, *, is_sent: bool) -> None:
        """Give the cause in words."""
        super().__init__(cause)
        self.is_sent = is_sent


@contextmanager
def trusting_nothing() -> Iterator[None]:
    """What is read in here came from elsewhere: whatever cannot be read is no answer.

    Raises:
        Lost: it cannot be read.
    """
    try:
        yield
    except (IndexError, ValueError, RecursionError, struct.error, DNSException):
        raise Lost("its answer is garbled", is_sent=True) from None


class Flood(Exception):
    """An answer without end."""


def error_of(where: str, operation: str, key: str, error: Exception) -> DriverError:
    """The error in the words of `reconciler.errors`. `key` is the name of the key that was used."""
    if isinstance(error, Answered):
        kind, cause = _meaning(error)
        return kind(where, operation, cause.format(key=f"key {key}"))
    if isinstance(error, Lost):
        return Unreachable(where, operation, str(error))
    return Conflict(where, operation, str(error))


def _meaning(answer: Answered) -> tuple[type[DriverError], str]:
    if answer.tsig_error == BADTIME:
        skew = answer.skew_seconds
        relation = "ahead of" if skew > 0 else "behind"
        cause = (
            f"clock skew {abs(skew)} s: its clock is {relation} ours (BADTIME); "
            "set both by NTP (timedatectl)"
        )
        return Conflict, cause
    if answer.tsig_error == BADKEY:
        return Denied, "it does not know {key} (BADKEY); check its name and algorithm there"
    if answer.tsig_error in {BADSIG, BADTRUNC}:
        return Denied, "{key} has another secret there (BADSIG)"
    return _ANSWERS.get(answer.code, (Conflict, f"it answers with code {answer.code}"))
