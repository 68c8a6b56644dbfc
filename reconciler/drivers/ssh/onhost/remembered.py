"""What the host remembers for us, as a look needs it: marks, seals, and the key for secret sums.

`base.json` is `{"version": 1, "marks": [{kind, owner, question, note, seal}]}`; what writes it is
told in `marks`.
"""

from __future__ import annotations

import json
import os

from reconciler.drivers.ssh.onhost.paths import read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGEST_BYTES = 32 << 20
_KEY_BYTES = 32
SECRET = "secret"  # noqa: S105 (a word in the details of a question)


class Damaged(Exception):
    """What the host remembers for us cannot be read."""


class Remembered:
    """The marks of one host, with what they sealed."""

    def __init__(self, marks: list[dict[str, Any]], directory: str = "", root: str = "/") -> None:
        """`root` is where the host's files are; tests have another."""
        self.marks = marks
        self.directory = directory
        self.root = root
        self._public: frozenset[str] = frozenset()
        self._sealed = {(mark["kind"], mark["question"]["name"]): mark for mark in marks}

    @classmethod
    def of(cls, directory: str, root: str = "/") -> Remembered:
        """As it stands in the directory.

        Raises:
            Damaged: the list is there and cannot be read.
        """
        path = directory + "/base.json"
        text = read_small(path, _LARGEST_BYTES)
        try:
            marks = [_whole(mark) for mark in json.loads(text)["marks"]] if text is not None else []
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Damaged(
                f"{path} is damaged; move it away: what is declared becomes ours again by that"
            ) from None
        return cls(marks, directory, root)

    def questions(self) -> list[dict[str, Any]]:
        """What the marks ask."""
        return [mark["question"] for mark in self.marks]

    def consider(self, asked: list[dict[str, Any]]) -> None:
        """Take note of all that is asked: what only one question calls secret is secret in all."""
        named: dict[bool, set[str]] = {True: set(), False: set()}
        for question in asked:
            if question["about"] == "file":
                named[SECRET in question["details"]].add(question["name"])
        self._public = frozenset(named[False] - named[True])

    def public_files(self) -> frozenset[str]:
        """The files whose content and sum may be told: of no other is it known to be no secret."""
        return self._public

    def seal(self, kind: str, name: str) -> Any:
        """What the mark of a thing sealed, or None."""
        mark = self._sealed.get((kind, name))
        return mark.get("seal") if mark else None

    def path(self, path: str) -> str:
        """Where a path of the host is."""
        return self.root.rstrip("/") + path

    def undone(self) -> dict[str, str]:
        """What the dead man's switch took back: addresses, with the digests."""
        path = self.directory + "/switch/undone.json"
        text = read_small(path)
        try:
            return dict(json.loads(text)) if text else {}
        except (ValueError, TypeError):
            raise Damaged(f"{path} is damaged; look what it says, and delete it") from None

    def secret_key(self) -> bytes:
        """The key for the sums of secret contents: made when first needed, never sent."""
        path = self.directory + "/secret.key"
        key = read_small(path, _KEY_BYTES)
        if key is None or len(key) < _KEY_BYTES:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)  # noqa: PTH103
            _make_key(path)
            key = read_small(path, _KEY_BYTES)
        return key or b""


def _whole(mark: dict[str, Any]) -> dict[str, Any]:
    """The mark, if it has all parts of one."""
    names = (*mark["owner"].values(), *mark["question"]["details"], mark["note"], mark["kind"])
    names = (*names, mark["question"]["about"], mark["question"]["name"])
    if not all(isinstance(name, str) for name in names):
        raise TypeError
    return mark


def _make_key(path: str) -> None:
    """Make it whole, and only once if two looks do."""
    new = f"{path}.{os.getpid()}"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(file, os.urandom(_KEY_BYTES))
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(new)  # noqa: PTH108
