"""Which serial a server answers with for each zone: what it serves, whatever its files say."""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.drivers.ssh.onhost.zonefiles_place import Place

TRIES = 3
TRY_SECONDS = 1.0
_AT_ONCE = 64
_SOA, _IN, _HEADER_BYTES = 6, 1, 12
_ANSWER, _AUTHORITATIVE, _CODE = 0x8000, 0x0400, 0x000F
_POINTER = 0xC0
_SERIAL = re.compile(r"^serial: (\d{1,10})$", re.MULTILINE)
_NO_ZONE = re.compile(r"not found|not loaded|no matching zone", re.IGNORECASE)


class Silent(Exception):
    """The server does not answer."""


def served(place: Place, zones: Iterable[str]) -> dict[str, int]:
    """The serial of each of these zones that the server serves.

    Raises:
        Silent: it does not answer for all of them.
    """
    names = list(zones)
    if place.view:  # which of them answers a question is a matter of who asks
        told = {zone: _status(place, zone, place.view) for zone in names}
        return {zone: serial for zone, serial in told.items() if serial is not None}
    found: dict[str, int] = {}
    for first in range(0, len(names), _AT_ONCE):
        found.update(_asked(place, names[first : first + _AT_ONCE]))
    return found


def _status(place: Place, zone: str, view: str) -> int | None:
    ran = place.batch.run(("rndc", "zonestatus", zone, "IN", view), seconds=10.0)
    match = _SERIAL.search(ran.stdout)
    if ran.code == 0:
        return int(match[1]) if match else None
    if _NO_ZONE.search(ran.stderr):
        return None
    raise Silent(f"rndc says: {ran.complaint}")


def _asked(place: Place, zones: list[str]) -> dict[str, int]:
    family = socket.AF_INET6 if ":" in place.address else socket.AF_INET
    where = f"{place.address} port {place.port}"
    waiting = dict(zip(_numbers(len(zones)), zones))  # noqa: B905 (strict came with Python 3.10)
    found: dict[str, int] = {}
    with socket.socket(family, socket.SOCK_DGRAM) as wire:
        try:
            wire.connect((place.address, place.port))
            for _ in range(TRIES):
                _try(wire, waiting, found)
                if not waiting:
                    return found
        except OSError as error:
            raise Silent(f"nothing answers at {where}: {error.strerror or error}") from None
    raise Silent(f"no answer from {where} about {min(waiting.values())}")


def _numbers(count: int) -> list[int]:
    """Numbers for questions that nobody can guess, each once."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[int.from_bytes(os.urandom(2), "big")] = None
    return list(found)


def _try(wire: socket.socket, waiting: dict[int, str], found: dict[str, int]) -> None:
    """Ask about all that is open, and take what comes within the time."""
    for number, zone in waiting.items():
        wire.send(question(number, zone))
    ends = time.monotonic() + TRY_SECONDS
    while waiting and (left := ends - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            return
        _take(wire.recv(65535), waiting, found)


def _take(packet: bytes, waiting: dict[int, str], found: dict[str, int]) -> None:
    if len(packet) < _HEADER_BYTES:
        return
    number, flags = struct.unpack_from("!HH", packet)
    zone = waiting.get(number)
    if zone is None or not flags & _ANSWER:
        return
    serial = serial_in(packet) if flags & _AUTHORITATIVE and not flags & _CODE else None
    del waiting[number]
    if serial is not None:
        found[zone] = serial


def question(number: int, zone: str) -> bytes:
    """A question for the SOA record of a zone (RFC 1035 §4.1)."""
    head = struct.pack("!HHHHHH", number, 0, 1, 0, 0, 0)
    labels = b"".join(bytes([len(each)]) + each.encode() for each in zone.split("."))
    return head + labels + b"\0" + struct.pack("!HH", _SOA, _IN)


def serial_in(packet: bytes) -> int | None:
    """The serial in an answer; None if its first record is no SOA record."""
    try:
        _, _, questions, answers, _, _ = struct.unpack_from("!HHHHHH", packet)
        at = _HEADER_BYTES
        for _ in range(questions):
            at = _after_name(packet, at) + 4
        if not answers:
            return None
        at = _after_name(packet, at)
        kind, _, _, _ = struct.unpack_from("!HHIH", packet, at)
        if kind != _SOA:
            return None
        at = _after_name(packet, _after_name(packet, at + 10))
        return int(struct.unpack_from("!I", packet, at)[0])
    except (struct.error, IndexError):
        return None


def _after_name(packet: bytes, at: int) -> int:
    while packet[at]:
        if packet[at] & _POINTER == _POINTER:
            return at + 2
        at += packet[at] + 1
    return at + 1
