"""The directory on the host that is ours: opened only if nobody else can have put something there.

`base.json` in it is `{"version": 1, "marks": [{"kind", "owner", "question", "note", "seal"}]}`, one
for each kind and name of a question, sorted by them.
"""

from __future__ import annotations

import json
import os
import stat

from reconciler.drivers.ssh.onhost.directory import Directory, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
OURS = owned_by_us(0o600)
_MARKS = "base.json"
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def opened(batch: Batch, folder: str = "") -> Directory:
    """Our directory, or a folder in it, made if it is not there.

    Raises:
        Refused: it is a link, of another account, or open to others.
    """
    path = f"{batch.directory}/{folder}".rstrip("/")
    for each in (batch.directory, path):  # one by one, as only the last gets the mode
        os.makedirs(each, mode=0o700, exist_ok=True)  # noqa: PTH103 (pathlib is slow to import)
    try:
        directory = Directory(os.open(path, _ENTER), path)
    except OSError:
        raise Refused(f"{path} is not a directory of ours: look into it, and remove it") from None
    try:
        _refuse(path, os.fstat(directory.fd))
    except Refused:
        os.close(directory.fd)
        raise
    return directory


def marks(batch: Batch) -> dict[tuple[str, str], dict[str, Any]]:
    """All marks, by kind and name.

    Raises:
        Refused: the list could be somebody else's, or cannot be read.
    """
    with opened(batch) as directory:
        seen = directory.stat(_MARKS)
        if seen is None:
            return {}
        path = f"{directory.path}/{_MARKS}"
        _refuse(path, seen)
        if not stat.S_ISREG(seen.st_mode):
            raise Refused(f"{path} is not a regular file: look into it, and remove it")
        text = directory.read(_MARKS)
    try:
        listed = json.loads(text)["marks"]
        return {(each["kind"], each["question"]["name"]): each for each in listed}
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{path} cannot be read: put an older copy there, or remove it") from None


def is_marked(batch: Batch, kind: str, name: str) -> bool:
    """Whether a thing of the host is ours."""
    return (kind, name) in marks(batch)


def put_marks(batch: Batch, wanted: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Make these all the marks, or leave them as they were."""
    listed = [wanted[key] for key in sorted(wanted)]
    content = json.dumps({"version": VERSION, "marks": listed}, indent=1) + "\n"
    with opened(batch) as directory:
        directory.put(_MARKS, content.encode(), OURS)


def _refuse(path: str, seen: os.stat_result) -> None:
    if seen.st_uid != os.geteuid():
        raise Refused(f"{path} belongs to another account: look into it, and remove it")
    if seen.st_mode & _OF_OTHERS and not stat.S_ISLNK(seen.st_mode):
        raise Refused(f"{path} is open to other accounts: look into it, and close it (chmod go=)")
