"""The parameters of SVCB and HTTPS records (RFC 9460 §7), each in its one form."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from reconciler.config.records.addresses import ipv4, ipv6
from reconciler.config.records.syntax import (
    LONGEST_STRING,
    SHORT,
    Word,
    number,
    quoted,
    shown,
    unescaped,
)

MANDATORY, ALPN, NO_DEFAULT_ALPN, PORT, IPV4HINT, ECH, IPV6HINT, DOHPATH, OHTTP = range(9)
DOCPATH = 10
KEYS: Mapping[str, int] = {
    "mandatory": MANDATORY,
    "alpn": ALPN,
    "no-default-alpn": NO_DEFAULT_ALPN,
    "port": PORT,
    "ipv4hint": IPV4HINT,
    "ech": ECH,
    "ipv6hint": IPV6HINT,
    "dohpath": DOHPATH,
    "ohttp": OHTTP,
    "docpath": DOCPATH,
}
NAMES: Mapping[int, str] = {key: name for name, key in KEYS.items()}
_PARAM = re.compile(r"([a-z0-9-]{1,63})(=?)(.*)", re.DOTALL)
_NUMBERED = re.compile(r"key(0|[1-9][0-9]{0,4})")
_ITEM = re.compile(rb"((?:[^,\\]|\\.)*)(,|\Z)", re.DOTALL)
_SHORTEST_ECH = 6  # RFC 9849 §4
_INVALID = 65535  # kept by RFC 9460 §14.3.2


def param(word: Word) -> tuple[int, str | None]:
    """A parameter's key, and its value in the one form; None if it has none.

    Raises:
        ValueError: there is no such key, or the value is not one of its own.
    """
    match = _PARAM.fullmatch(word.bare.lower())
    if match is None or (word.quoted is not None and word.bare[-1:] != "="):
        raise ValueError(f'a parameter is written key or key="value", not {shown(word)}')
    key = key_of(match[1])
    given = word.bare[match.start(3) :] if word.quoted is None else word.quoted
    has_value = bool(match[2])
    if _NUMBERED.fullmatch(match[1]) and key in NAMES:
        raise ValueError(f"{match[1]} is written {NAMES[key]}")
    if key in {NO_DEFAULT_ALPN, OHTTP}:
        if given:
            raise ValueError(f"{NAMES[key]} has no value")
        return key, None
    content = unescaped(given)
    if key not in _FORMS or (key == DOCPATH and not content):
        return key, quoted(content) if content else None
    if not has_value or not content:
        raise ValueError(f"{NAMES[key]} needs a value")
    return key, _FORMS[key](content)


def key_of(name: str) -> int:
    """The number of a key.

    Raises:
        ValueError: there is none of this name.
    """
    if name in KEYS:
        return KEYS[name]
    match = _NUMBERED.fullmatch(name)
    if match is None or int(match[1]) >= _INVALID:
        known = ", ".join(KEYS)
        raise ValueError(f"there is no parameter {shown(name)}, only {known} and keyNNNNN")
    return int(match[1])


def name_of(key: int) -> str:
    """How a key is written."""
    return NAMES.get(key, f"key{key}")


def _mandatory(content: bytes) -> str:
    keys = [key_of(each.lower()) for each in content.decode("latin-1").split(",")]
    if MANDATORY in keys or len(set(keys)) < len(keys):
        raise ValueError("mandatory names other keys, each once")
    return f'"{",".join(name_of(key) for key in sorted(keys))}"'


def _list(content: bytes) -> str:
    """Texts; a comma or backslash in one is escaped (RFC 9460 appendix A.1)."""
    items, start, more = [], 0, True
    while more:
        match = _ITEM.match(content, start)
        item = re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL) if match else b""
        if match is None or not 0 < len(item) <= LONGEST_STRING:
            raise ValueError("it needs a list with commas between its parts, such as alpn=h2,h3")
        items.append(re.sub(rb"([,\\])", rb"\\\1", item))
        start, more = match.end(), bool(match[2])
    return quoted(b",".join(items))


def _port(content: bytes) -> str:
    return f'"{number(Word(content.decode("latin-1")), "port", SHORT)}"'


def _addresses(form: Callable[[str], str]) -> Callable[[bytes], str]:
    def read(content: bytes) -> str:
        return f'"{",".join(form(each) for each in content.decode("latin-1").split(","))}"'

    return read


def _ech(content: bytes) -> str:
    try:
        decoded = base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError("ech must be base64") from None
    if len(decoded) < _SHORTEST_ECH or int.from_bytes(decoded[:2], "big") != len(decoded) - 2:
        raise ValueError("ech is cut off: its first two bytes are not the length of the rest")
    return f'"{base64.b64encode(decoded).decode()}"'


def _dohpath(content: bytes) -> str:
    """A relative URI template with the variable `dns` (RFC 9461 §5)."""
    if not re.match(rb"/.*\{[?&]?[^}]*\bdns\b[^}]*\}", content, re.DOTALL):
        raise ValueError("dohpath is a path with {?dns} in it, such as /dns-query{?dns}")
    return quoted(content)


_FORMS: Mapping[int, Callable[[bytes], str]] = {
    MANDATORY: _mandatory,
    ALPN: _list,
    PORT: _port,
    IPV4HINT: _addresses(ipv4),
    ECH: _ech,
    IPV6HINT: _addresses(ipv6),
    DOHPATH: _dohpath,
    DOCPATH: _list,
}
