"""The values of DNS records: typed, and in the one form in which servers answer them.

What was written and what is served must be equal letter by letter, or every look is a difference:
names are lower case and absolute, numbers have no leading zeros, text is quoted, hexadecimal digits
are lower case and in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

from reconciler.config.records.addresses import A, Aaaa, ipv4, ipv6
from reconciler.config.records.generic import Generic
from reconciler.config.records.names import ROOT, Cname, Ns, Ptr, absolute, pointer
from reconciler.config.records.security import Caa, Sshfp, Tlsa
from reconciler.config.records.services import Mx, Naptr, Srv, mail, service
from reconciler.config.records.svcb import Https, Svcb
from reconciler.config.records.text import Txt, text_in_quotes

__all__ = [
    "RECORD_TYPES",
    "ROOT",
    "A",
    "Aaaa",
    "Caa",
    "Cname",
    "Generic",
    "Https",
    "Mx",
    "Naptr",
    "Ns",
    "Ptr",
    "Srv",
    "Sshfp",
    "Svcb",
    "Tlsa",
    "Txt",
    "Value",
    "absolute",
    "as_answered",
    "canonical",
    "parse",
    "target_of",
]

Value = (
    A
    | Aaaa
    | Caa
    | Cname
    | Generic
    | Https
    | Mx
    | Naptr
    | Ns
    | Ptr
    | Srv
    | Sshfp
    | Svcb
    | Tlsa
    | Txt
)
_PARSERS: Mapping[str, Callable[[str, str], Value]] = {
    each.__name__.upper(): each.parse for each in get_args(Value) if each is not Generic
}
RECORD_TYPES: tuple[str, ...] = tuple(_PARSERS)
_QUICK: Mapping[str, Callable[[str, str], str]] = {
    "A": ipv4,
    "AAAA": ipv6,
    "CNAME": pointer,
    "MX": mail,
    "NS": pointer,
    "PTR": pointer,
    "SRV": service,
    "TXT": text_in_quotes,
}


def parse(kind: str, text: str, origin: str = "") -> Value:
    """The value that is meant by text as in a zone file.

    `kind` is the type of the record. Names without a final dot are inside `origin`, which itself is
    written without one.

    Raises:
        ValueError: what is wrong in which part, in words for a person.
    """
    return _PARSERS.get(kind, Generic.parse)(text, origin)


def canonical(kind: str, text: str, origin: str) -> str:
    """The one form in which a value is written, sent and compared.

    Raises:
        ValueError: what is wrong in which part, in words for a person.
    """
    quick = _QUICK.get(kind)
    return quick(text, origin) if quick else str(parse(kind, text, origin))


def as_answered(kind: str, text: str, origin: str) -> str:
    """The canonical form of what a server answered; as it is, if nobody would write it so."""
    try:
        return canonical(kind, text, origin)
    except ValueError:
        return text


def target_of(kind: str, value: Value) -> str | None:
    """The absolute name that a record points at; None if its type has none, or it says `.`."""
    del kind
    match value:
        case Cname(name) | Ns(name) | Ptr(name):
            target = name
        case Mx(exchange=name) | Naptr(replacement=name):
            target = name
        case Srv(target=name) | Svcb(target=name) | Https(target=name):
            target = name
        case _:
            return None
    return None if target == ROOT else target
