"""Encrypted files in the work tree of a person: opened with their age key, and written back."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli.command import Failure
from reconciler.cli.repository import pause
from reconciler.config.secret_rules import RULES_FILE, rule_for
from reconciler.config.secrets import FOLDER, is_secret_file, name_of, path_of
from reconciler.config.settings import Settings
from reconciler.daemon.clock import SystemClock
from reconciler.drivers.sharedfile import replace_file
from reconciler.drivers.sops.age import identities
from reconciler.drivers.sops.document import Document, finished, new_document, open_document

_LOCK_TRIES = 200
_LOCK_PAUSE_SECONDS = 0.02
_NO_KEY = (
    "{}: all of its values are needed, because the checksum is over all of them; "
    "name your age key with --identity FILE, or in the settings (secrets.identity)"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An encrypted file as it was read: `before` is None if it is not there yet."""

    root: Path
    file: str
    before: bytes | None
    document: Document

    def write(self, document: Document) -> bool:
        """Put the document in the file's place if it differs, and say whether it did.

        Raises:
            Failure: somebody else has changed the file meanwhile; then nothing is written.
        """
        if document.body == self.document.body:
            return False
        made = finished(document, SystemClock().now(), os.urandom)
        path = self.root / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with _only_writer(path.parent):
            if _content(path) != self.before:
                raise Failure(
                    f"{self.file}: somebody else changed it meanwhile; nothing was written; "
                    "do it again"
                )
            replace_file(path, made.text.encode())
        return True


def opened(root: Path, named: str, keys: Sequence[Path]) -> Kept:
    """A file by its name or path, opened with one of the keys; a new one by the rules.

    Raises:
        ConfigError: it, or the rules, cannot be used.
        Failure: it cannot be opened.
    """
    file = _file(root, named)
    before = _content(root / file)
    try:
        document = _new(root, file) if before is None else _opened(file, before, keys)
    except ValueError as error:
        raise Failure(f"{file}: {error}") from None
    return Kept(root, file, before, document)


def keys_of(settings: Settings, identity: Path | None) -> tuple[Path, ...]:
    """The files of age keys that a person may use."""
    named = settings.secrets.files()
    return (identity,) if identity else tuple(dict.fromkeys(file for _, file in named))


def _file(root: Path, named: str) -> str:
    """The path of the file in the work tree.

    Raises:
        Failure: it is none that references can name.
    """
    file = named if "/" in named or named.endswith(".yaml") else path_of(named)
    file = file.removeprefix("./")
    if not is_secret_file(file) or "/" in name_of(file):
        raise Failure(f"{named}: a file of secrets is {path_of('NAME')} below {root}")
    return file


def _new(root: Path, file: str) -> Document:
    rules = _content(root / RULES_FILE)
    if rules is None:
        raise ValueError(
            f"it is not there, and no {RULES_FILE} in {root} says who may read a new one; "
            "write one, or name the work tree with --into"
        )
    rule = rule_for(file, rules)
    return new_document(file, rule.recipients, rule.selectors, os.urandom)


def _opened(file: str, content: bytes, keys: Sequence[Path]) -> Document:
    if not keys:
        raise Failure(_NO_KEY.format(file))
    found: list[Any] = []
    for each in keys:
        try:
            found += identities(each)
        except FileNotFoundError:
            raise ValueError(f"the age key {each} is not there") from None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8") from None
    return open_document(file, text, found)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


@contextmanager
def _only_writer(directory: Path) -> Iterator[None]:
    """Keep other commands like this one away while a file is compared and replaced."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pause(_LOCK_PAUSE_SECONDS)
            else:
                break
        else:
            raise Failure(f"another process keeps {directory} locked; stop that one")
        yield
    finally:
        os.close(descriptor)


def secret_paths(root: Path) -> tuple[str, ...]:
    """The encrypted files of a work tree."""
    found = (f"{FOLDER}/{each.name}" for each in (root / FOLDER).glob("*"))
    return tuple(sorted(path for path in found if is_secret_file(path)))
