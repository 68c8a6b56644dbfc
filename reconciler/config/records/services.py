"""Where services are: mail, services by name, and rules that rewrite names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.config.records.names import absolute
from reconciler.config.records.syntax import fields, number, quoted, string, unquoted

_SHORT = (
    r"(?:0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
_MAIL = re.compile(rf"({_SHORT}) ([A-Za-z0-9_.-]+)")
_SERVICE = re.compile(rf"({_SHORT} {_SHORT} {_SHORT}) ([A-Za-z0-9_.-]+)")

_TEXT = rb"(?:\\.|(?!(?P=delimiter))[^\\\0])"
_SUBSTITUTION = re.compile(
    rb"(?P<delimiter>[^\\\0])(?P<expression>%b+)(?P=delimiter)(?P<replacement>%b*)(?P=delimiter)i?"
    % (_TEXT, _TEXT),
    re.DOTALL,
)
_BRACKETS = (rb"(?<!\\)\(", rb"(?<!\\)\)")


@dataclass(frozen=True, slots=True)
class Mx:
    """A server that takes mail; `.` takes none (RFC 7505)."""

    preference: int
    exchange: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Mx:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        preference, exchange = fields(text, "a preference", "a name")
        name = absolute(unquoted(exchange, "name"), origin)
        return cls(number(preference, "preference"), name)

    def __str__(self) -> str:
        return f"{self.preference} {self.exchange}"


@dataclass(frozen=True, slots=True)
class Srv:
    """Where a service is (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Srv:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        priority, weight, port, target = fields(text, "a priority", "a weight", "a port", "a name")
        return cls(
            number(priority, "priority"),
            number(weight, "weight"),
            number(port, "port"),
            absolute(unquoted(target, "name"), origin),
        )

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.target}"


@dataclass(frozen=True, slots=True)
class Naptr:
    """A rule by which a name becomes another, or a URI (RFC 3403)."""

    order: int
    preference: int
    flags: bytes
    service: bytes
    regexp: bytes
    replacement: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Naptr:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        order, preference, flags, service, regexp, replacement = fields(
            text, "an order", "a preference", "flags", "a service", "a regular expression", "a name"
        )
        value = cls(
            number(order, "order"),
            number(preference, "preference"),
            string(flags, "flags"),
            string(service, "service"),
            string(regexp, "regular expression"),
            absolute(unquoted(replacement, "name"), origin),
        )
        _check_substitution(value.regexp)
        return value

    def __str__(self) -> str:
        texts = " ".join(map(quoted, (self.flags, self.service, self.regexp)))
        return f"{self.order} {self.preference} {texts} {self.replacement}"


def _check_substitution(regexp: bytes) -> None:
    """As BIND does when it loads a zone: what it would not load again must never be in one."""
    if not regexp:
        return
    match = _SUBSTITUTION.fullmatch(regexp)
    if match is None or match["delimiter"] in b"0123456789i":
        raise ValueError("the regular expression must be of the form !expression!replacement!")
    opened, closed = (len(re.findall(each, match["expression"])) for each in _BRACKETS)
    used = [int(each) for each in re.findall(rb"\\([0-9])", match["replacement"])]
    if opened != closed or any(not 0 < each <= opened for each in used):
        raise ValueError("the regular expression has not as many groups (…) as are used, or closed")


def mail(text: str, origin: str) -> str:
    """The canonical form of an MX value.

    Raises:
        ValueError: what is wrong in which part.
    """
    match = _MAIL.fullmatch(text)
    return f"{match[1]} {absolute(match[2], origin)}" if match else str(Mx.parse(text, origin))


def service(text: str, origin: str) -> str:
    """The canonical form of a SRV value.

    Raises:
        ValueError: what is wrong in which part.
    """
    match = _SERVICE.fullmatch(text)
    return f"{match[1]} {absolute(match[2], origin)}" if match else str(Srv.parse(text, origin))
