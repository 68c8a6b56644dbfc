"""One zone file changed: checked, put in place, read by the server, and else put back."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from hashlib import sha256

from reconciler.drivers.ssh.onhost.directory import Directory, owned_by_us
from reconciler.drivers.ssh.onhost.host import Refused
from reconciler.drivers.ssh.onhost.zonefiles_place import KEPT, Place, file_of
from reconciler.drivers.ssh.onhost.zonefiles_served import Silent, served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"
CHECKED = ".checked.db"
BY_HAND = ".before-reconciler"  # what somebody wrote, and no server had read, before we wrote
LOCK_SECONDS = 15.0
LOAD_SECONDS = 15.0
_PAUSE_SECONDS = 0.02
_MODE = 0o644


class Ended(Exception):
    """The time is over, and whoever set it wants this to end."""


def put(  # noqa: PLR0913 (what is written, and what must be there before)
    place: Place,
    zone: str,
    *,
    text: str,
    serial: int,
    expected_sum: str | None,
    expected_serial: int | None,
    is_served: bool,
) -> None:
    """Let a zone be this text, which has that serial.

    What is expected is what was looked at: the file's sum, and the serial that was served; without
    one, the zone is new. `is_served` says that the file looked at is what the server serves.

    Raises:
        Refused: it was changed since, the checker or the server refuses it; all is as before.
        Silent: the server does not answer.
    """
    with _alone(place) as directory:
        before = _content(directory, file_of(zone))
        _expect(place, zone, before, expected_sum, expected_serial)
        content = text.encode("latin-1")
        access, file = owned_by_us(_MODE), file_of(zone)
        directory.put(CHECKED, content, access)
        place.check(zone, CHECKED, directory)
        if before is not None:
            directory.put(file + (KEPT if is_served else BY_HAND), before, access)
        _replace(place, directory, zone, before, serial)
        directory.put(file + KEPT, content, access)


def set_text(
    place: Place, zone: str, text: str, expected_sum: str | None, expected_serial: int | None
) -> None:
    """Write another comment into a file that is served, which its server need not know.

    Raises:
        Refused: it was changed since it was looked at.
    """
    with _alone(place) as directory:
        _expect(place, zone, _content(directory, file_of(zone)), expected_sum, expected_serial)
        for file in (file_of(zone) + KEPT, file_of(zone)):
            directory.put(file, text.encode("latin-1"), owned_by_us(_MODE))


def drop(place: Place, zone: str) -> None:
    """Let the server have a zone no more. Its file goes last, so that a look finds what is left.

    Raises:
        Refused: the server keeps it.
        Silent: the server does not answer.
    """
    if zone not in place.names():
        return
    with _alone(place) as directory:
        place.put_list(each for each in place.listed() if each != zone)
        said = place.reconfigure()
        if not _until_served(place, zone, None):
            raise Refused(said or f"the server goes on serving zone {zone}; see its log")
        for suffix in (KEPT, ""):
            directory.remove(file_of(zone) + suffix)


def _expect(
    place: Place,
    zone: str,
    before: bytes | None,
    expected_sum: str | None,
    expected_serial: int | None,
) -> None:
    """Nothing has changed since somebody looked.

    Raises:
        Refused: something has.
    """
    now = served(place, [zone]).get(zone)
    if expected_serial is None and now is not None:
        whose = "" if zone in place.listed() else ", by a configuration that is not ours"
        raise Refused(f"zone {zone} is served already{whose}")
    if now != expected_serial:
        raise Refused(f"the serial is {now} and no longer {expected_serial}; look again")
    if expected_serial is not None and _sum(before) != expected_sum:
        raise Refused(f"{place.path(zone)} was changed since it was looked at; look again")


def _replace(
    place: Place, directory: Directory, zone: str, before: bytes | None, serial: int
) -> None:
    """Put the checked file in place for the server to read; if it does not, put all back."""
    listed = place.listed()
    try:
        directory.rename(CHECKED, file_of(zone))
        if zone in listed:
            said = place.reload(zone)
        else:
            place.put_list([*listed, zone])
            said = place.reconfigure()
        if said is None and not _until_served(place, zone, serial):
            said = "the server does not take it; see its log"
        if said is not None:
            raise Refused(f"zone {zone} is as before, because {said}")
    except BaseException:
        _put_back(place, directory, zone, before, listed)
        raise


def _put_back(
    place: Place, directory: Directory, zone: str, before: bytes | None, listed: list[str]
) -> None:
    if zone not in listed:
        place.put_list(listed)
        place.reconfigure()
    if before is None:
        directory.remove(file_of(zone))
    else:
        directory.put(file_of(zone), before, owned_by_us(_MODE))
    if zone in listed:
        place.reload(zone)


def _until_served(place: Place, zone: str, serial: int | None) -> bool:
    """Whether the server comes to serve that serial; for None, no zone at all."""
    ends = time.monotonic() + LOAD_SECONDS
    while True:
        try:
            if served(place, [zone]).get(zone) == serial:
                return True
        except Silent:
            if time.monotonic() > ends:
                raise
        if time.monotonic() > ends:
            return False
        time.sleep(_PAUSE_SECONDS)


@contextmanager
def _alone(place: Place) -> Iterator[Directory]:
    """The directory of the files, where no other writer of ours is at work.

    Raises:
        Refused: one is all the time.
    """
    import fcntl

    with place.opened() as directory:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=directory.fd)
        try:
            ends = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends:
                        raise Refused("another writer is still changing the zones") from None
                    time.sleep(_PAUSE_SECONDS)
            yield directory
        finally:
            os.close(lock)


def _content(directory: Directory, name: str) -> bytes | None:
    try:
        return directory.read(name)
    except FileNotFoundError:
        return None


def _sum(content: bytes | None) -> str | None:
    return None if content is None else sha256(content).hexdigest()
