"""Zone files of a name server on this host: which it serves, and one of them changed at a time.

A file is not what is served: somebody may have edited it, or a writer may have died before the
server read it. So beside each file lies what the server was last seen to have taken of it, and a
look tells the serial that the server answers with.

What comes in is `{"software": ..., "view": ..., "address": ..., "port": ..., "do": "look"}` with
the fields of what is to be done. Out goes one line of JSON: the answer, `{"refused": why}` or
`{"silent": why}`.
"""

from __future__ import annotations

import json
import os
import signal
from hashlib import sha256

from reconciler.drivers.ssh.onhost.directory import Directory, directory_of
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.paths import Untrusted
from reconciler.drivers.ssh.onhost.zonefiles_change import Ended, drop, put, set_text
from reconciler.drivers.ssh.onhost.zonefiles_place import KEPT, Place, file_of
from reconciler.drivers.ssh.onhost.zonefiles_served import Silent, served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any

_ACTS: dict[str, Callable[..., None]] = {"put": put, "drop": drop, "set_text": set_text}


def main(stdin: bytes, told_to: int = 1) -> int:
    """Do what the standard input says."""
    task = json.loads(stdin)
    signal.signal(signal.SIGTERM, _end)
    os.umask(0o022)  # whoever logged in may have another
    answer = json.dumps(answer_to(Batch(), task)).encode() + b"\n"
    while answer:
        answer = answer[os.write(told_to, answer) :]
    return 0


def answer_to(batch: Batch, task: Mapping[str, Any]) -> dict[str, Any]:
    """Look, or change one zone."""
    fields = dict(task)
    place = Place(
        batch,
        fields.pop("software"),
        fields.pop("view"),
        fields.pop("address"),
        fields.pop("port"),
    )
    do = fields.pop("do")
    try:
        if do == "look":
            return look(place, **fields)
        _ACTS[do](place, **fields)
    except (Refused, Untrusted) as error:
        return {"refused": str(error)}
    except Silent as error:
        return {"silent": str(error)}
    except Ended:
        return {"silent": "it was not done in time, and was stopped"}
    except OSError as error:
        return {"refused": f"{error.filename or place.directory}: {error.strerror or error}"}
    return {"done": True}


def look(
    place: Place,
    zones: list[str] | None = None,
    contents: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """The serials of these zones, of all without a choice; and the texts of some.

    `contents` names those, each with the sum of the file that is known already. A text comes with
    `kept`, what was last taken of it, where that is another.

    Raises:
        Silent: the server does not answer.
    """
    ours = place.names()
    asked = ours if zones is None else [each for each in zones if each in ours]
    told: dict[str, Any] = {"serials": served(place, asked)}
    if contents:
        told["files"] = {zone: _file(place, zone, known) for zone, known in contents.items()}
    return told


def _file(place: Place, zone: str, known: str | None) -> dict[str, Any]:
    file = file_of(zone)
    try:
        directory, _ = directory_of(place.batch, place.path(zone))
    except Refused:  # nothing was ever made here
        return {"sum": None}
    with directory:
        text, kept = _read(directory, file), _read(directory, file + KEPT)
    told: dict[str, Any] = {"sum": None if text is None else sha256(text).hexdigest()}
    if told["sum"] == known and text == kept:
        return told
    told["text"] = None if text is None else text.decode("latin-1")
    if kept is not None and kept != text:
        told["kept"] = kept.decode("latin-1")
    return told


def _read(directory: Directory, name: str) -> bytes | None:
    try:
        return directory.read(name)
    except FileNotFoundError:
        return None


def _end(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise Ended
