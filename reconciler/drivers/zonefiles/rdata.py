"""What stands after the type of a record, as its canonical value.

Types that documents have are read by the code that reads documents; the others by dnspython.
"""

from __future__ import annotations

import re
import struct

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer

from reconciler.config.records import RECORD_TYPES, as_answered, canonical

_OBSOLETE = frozenset({"MD", "MF", "MAILA", "MAILB", "NULL"})
_ECH = re.compile(r"\Aech=\"?(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))?\"?\Z")
_NSAP = re.compile(r"\A0x[0-9a-f.]*[0-9a-f.]", re.IGNORECASE)  # dnspython takes none at all, too
# What dnspython raises for values that are none.
_WRONG = (
    dns.exception.DNSException,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    struct.error,
)


def check_type(word: str) -> str:
    """A type in its usual letters.

    Raises:
        ValueError: there is none of that name, or none that can be in a zone.
    """
    kind = word.upper()
    if kind in RECORD_TYPES or kind == "SOA":
        return kind
    try:
        number = dns.rdatatype.from_text(kind)
    except _WRONG:
        raise ValueError(f"{word[:40]!r} is no type of records") from None
    if dns.rdatatype.is_metatype(number) or kind in _OBSOLETE or not number:
        raise ValueError(f"a record of type {kind} cannot be in a zone")
    return dns.rdatatype.to_text(number)


def value_of(kind: str, words: list[str], origin: str) -> str:
    """The value in its canonical form; `origin` has its final dot.

    Raises:
        ValueError: it is none of that type.
    """
    text = " ".join(words)
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"the value of the {kind} record is not plain ASCII")
    if kind in RECORD_TYPES and words[:1] != ["\\#"]:
        try:
            return _canonical(kind, words, origin[:-1])
        except ValueError as error:
            raise ValueError(f"{kind}: {error}") from None
    if kind == "NSAP" and not _NSAP.match(text):
        raise ValueError("that is no value of a NSAP record")
    try:
        number = dns.rdatatype.from_text(kind)
        name = dns.name.from_text(origin)
        read = dns.rdata.from_text(dns.rdataclass.IN, number, text, name, relativize=False)
        written = read.to_text(origin=None, relativize=False)
    except _WRONG as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise ValueError(f"that is no value of a {kind} record ({why})") from None
    return as_answered(kind, written, origin[:-1])


def _canonical(kind: str, words: list[str], origin: str) -> str:
    try:
        return canonical(kind, " ".join(words), origin)
    except ValueError:
        opaque = [word for word in words if _ECH.match(word)]
        if len(opaque) != 1:
            raise
    # Servers do not look into it, documents do: such a record is read here, but not adopted.
    rest = canonical(kind, " ".join(word for word in words if word not in opaque), origin)
    return f"{rest} {opaque[0]}"
