"""What no DHCP server is told, whatever it would take: it sends on what it is given. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IP = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_ADDRESS = re.compile(rf"\A{_IP}\Z")
_MAC = re.compile(r"\A[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")
_HOSTNAME = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_VALUE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9 ,./:_-]{0,2000}\Z")
_TEXTS = {
    "subnet": (re.compile(rf"\A{_IP}/[0-9]{{1,2}}\Z"), "network"),
    "interface": (re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,14}\Z"), "interface"),
    "next_server": (re.compile(rf"\A(?:{_IP})?\Z"), "address of a server"),
    "names": (re.compile(rf"\A(?:(?:{_LABEL}\.)*{_LABEL})?\Z"), "zone"),
    "boot_file": (re.compile(r"\A(?:[A-Za-z0-9][A-Za-z0-9._/:-]{0,126})?\Z"), "boot file"),
}
_LEAST_SECONDS = 30


def unsound_subnet(wanted: Mapping[str, Any]) -> Iterator[str]:
    """Why nobody is served so; nothing if it is well. `options` are names with their values."""
    for key, (form, what) in _TEXTS.items():
        if not form.match(wanted.get(key, "")):
            yield f"{_shown(wanted[key])} is no {what}"
    for pool in wanted["pools"]:
        first, _, last = pool.partition("-")
        if not (_ADDRESS.match(first) and _ADDRESS.match(last)):
            yield f"{_shown(pool)} is no pool of addresses"
    for name, value in wanted["options"]:
        if not _VALUE.match(value):
            yield f"{_shown(value)} is no value of option {name}"
    if wanted["lease_seconds"] < _LEAST_SECONDS:
        yield f"a lease of {wanted['lease_seconds']} s is too short"


def unsound_entries(entries: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Why such reservations are made for nobody; nothing if they are well."""
    known = list(entries)
    for each in known:
        if not _MAC.match(each["mac"]):
            yield f"{_shown(each['mac'])} is not a hardware address in lower case"
        if each["address"] and not _ADDRESS.match(each["address"]):
            yield f"{_shown(each['address'])} is no IPv4 address"
        if not _HOSTNAME.match(each["hostname"]):
            yield f"{_shown(each['hostname'])} cannot be the name of a machine"
    for key in ("mac", "address"):
        yield from _twice([each[key] for each in known if each[key]])


def _twice(values: Sequence[str]) -> Iterator[str]:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield f"{_shown(value)} is there twice"
        seen.add(value)


def _shown(text: str) -> str:
    return ascii(text[:80])
