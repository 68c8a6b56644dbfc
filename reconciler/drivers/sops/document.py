"""An encrypted file in the open: to look at it, to change it, and to encrypt it again.

What was not changed keeps its ciphertext, so that its version stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from reconciler.config.parse import parse
from reconciler.config.secret_rules import Selectors
from reconciler.config.secret_text import (
    INDENT,
    Comment,
    Keys,
    Leaf,
    Scanned,
    quoted,
    scan,
    split,
    value_text,
    with_value,
)
from reconciler.config.secrets import METADATA, read_secrets
from reconciler.drivers.sops.age import open_data_key, seal_data_key
from reconciler.drivers.sops.checksum import checksum, prove, seal_checksum
from reconciler.drivers.sops.value import (
    KEY_BYTES,
    Plain,
    RandomBytes,
    open_value,
    place_of,
    seal_value,
)
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem
from reconciler.model.secret import SealedFile

VERSION = "3.11.0"
_COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Document:
    """An encrypted file with its key: `body` holds the values, `block` what sops says of them."""

    file: str
    body: str
    block: str
    data_key: bytes
    selectors: Selectors
    is_mac_marked: bool = False

    def __repr__(self) -> str:
        """Without the key."""
        return f"Document({self.file!r})"

    @property
    def text(self) -> str:
        """The file."""
        return self.body + self.block


def open_document(file: str, text: str, keys: list[Any]) -> Document:
    """A file as sops encrypted it, with its key.

    Raises:
        ConfigError: it is no such file.
        ValueError: none of the keys is one of its readers, or somebody without a key changed it.
    """
    found = read_secrets(file, text.encode())
    body, block = split(file, text)
    written = parse(file, block.encode())[0].value[METADATA]
    encrypted = tuple(each["enc"] for each in written.get("age") or ())
    data_key = open_data_key(encrypted, keys)
    if data_key is None:
        raise ValueError("none of your age keys is one of its readers")
    prove(found.whole, data_key)
    return Document(file, body, block, data_key, Selectors.of(written), found.whole.is_mac_marked)


def new_document(
    file: str, recipients: Sequence[str], selectors: Selectors, random_bytes: RandomBytes
) -> Document:
    """A file without any value yet.

    Raises:
        ValueError: one of the recipients is no public age key.
    """
    data_key = random_bytes(KEY_BYTES)
    lines = [f"{METADATA}:", "    age:"]
    for each in recipients:
        lines += [f"        - recipient: {each}", "          enc: |"]
        lines += [f"            {line}" for line in seal_data_key(data_key, each).splitlines()]
    lines += ['    lastmodified: ""', '    mac: ""', *selectors.lines(), f"    version: {VERSION}"]
    block = "\n".join(lines) + "\n"
    return Document(file, "", block, data_key, selectors, selectors.is_mac_only_encrypted)


def with_secret(document: Document, keys: Keys, value: str, random_bytes: RandomBytes) -> Document:
    """The document with a value at these keys, as text; others stay as they are.

    Raises:
        ConfigError: the file cannot be changed.
        ValueError: no value can be there; the message says why.
    """
    scanned = scan(document.file, document.body)
    plain = Plain(value)
    for leaf in scanned.leaves:
        if leaf.keys == keys and leaf.value and _opened(document, leaf) == plain:
            return document
    made = seal_value(plain, document.data_key, place_of(keys), random_bytes)
    return replace(document, body=with_value(scanned, keys, made))


def readable(document: Document) -> str:
    """The values and comments in the open, as YAML for an editor."""
    scanned = scan(document.file, document.body)
    changes: list[tuple[int, int, str]] = []
    for leaf in scanned.leaves:
        if not leaf.value:
            continue
        plain = _opened(document, leaf)
        changes.append((leaf.start - 2 * leaf.is_comment, leaf.end, _shown(scanned, leaf, plain)))
    changes += [
        (comment.start, comment.end, f"#{text}")
        for comment in scanned.comments
        if (text := _opened_comment(document, scanned, comment)) is not None
    ]
    return scanned.replaced(changes)


def encrypted_again(document: Document, text: str, random_bytes: RandomBytes) -> Document:
    """The document with what a person made of `readable`.

    Raises:
        ConfigError: the text cannot be encrypted; no value is told.
    """
    before = scan(document.file, document.body)
    known = dict(_known(document, before))
    scanned = scan(document.file, text)
    changes: list[tuple[int, int, str]] = []

    def sealed(plain: Plain, place: str) -> str:
        kept = known.get((place, plain))
        return kept.pop(0) if kept else seal_value(plain, document.data_key, place, random_bytes)

    for leaf in scanned.leaves:
        plain = _plain(document.file, leaf)
        if plain is not None and plain.text:
            made = sealed(plain, place_of(leaf.keys))
            changes.append((leaf.start, leaf.end, quoted(made) if leaf.is_in_flow else made))
    for comment in scanned.comments:
        made = sealed(Plain(comment.text, _COMMENT), place_of(comment.keys))
        changes.append((comment.start, comment.end, f"#{made}"))
    body = scanned.replaced(changes)
    return replace(document, body=body if not body or body.endswith("\n") else body + "\n")


def finished(document: Document, now: datetime, random_bytes: RandomBytes) -> Document:
    """The document with its checksum and time, proven once more as a reader will prove it.

    Raises:
        ConfigError: it is not one that can be read here, or a value of it would not be encrypted.
    """
    leaves = scan(document.file, document.body).leaves
    problems = [
        Problem(Position(document.file), f"{'.'.join(each.keys)} would not be encrypted: {reason}")
        for each in leaves
        if (reason := document.selectors.leaves_open(each.keys))
    ]
    if problems:
        raise ConfigError(problems)
    opened = (_opened(document, each) for each in leaves if each.value and not each.is_comment)
    total = checksum(opened, is_marked=document.is_mac_marked)
    modified = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    mac = seal_checksum(total, document.data_key, modified, random_bytes)
    block = _line(_line(document.block, "lastmodified", f'"{modified}"'), "mac", mac)
    made = replace(document, block=block)
    prove(whole_of(made), document.data_key)
    return made


def whole_of(document: Document) -> SealedFile:
    """All that is encrypted in it."""
    return read_secrets(document.file, document.text.encode()).whole


def _line(block: str, key: str, value: str) -> str:
    return re.sub(
        rf"(?m)^([ ]+){key}:.*$", lambda match: f"{match[1]}{key}: {value}", block, count=1
    )


def _opened(document: Document, leaf: Leaf) -> Plain:
    return open_value(str(leaf.value), document.data_key, place_of(leaf.keys))


def _shown(scanned: Scanned, leaf: Leaf, plain: Plain) -> str:
    """A value as it stands in the editor, such that it is read as the same again."""
    if plain.type == _COMMENT:
        return f"#{plain.text}"
    if plain.type == "bool":
        return "true" if plain.summed == b"True" else "false"
    if plain.type == "float":
        return repr(float(plain.text))  # 1.0 and 1e+300, where sops encrypts 1 and 300 zeros
    if plain.type == "int":
        return plain.text
    if leaf.is_in_flow:
        return quoted(plain.text)
    line = scanned.text[scanned.text.rfind("\n", 0, leaf.start) + 1 : leaf.start]
    return value_text(plain.text, len(line) - len(line.lstrip(" -")) + INDENT)


def _opened_comment(document: Document, scanned: Scanned, comment: Comment) -> str | None:
    """The text of a comment; None if it was not encrypted."""
    if not comment.text.startswith("ENC["):
        return None
    places = (comment.keys, *scanned.ends, *(each.keys for each in scanned.entries))
    for keys in dict.fromkeys(places):
        try:
            return open_value(comment.text, document.data_key, place_of(keys)).text
        except ValueError:
            continue
    return None


def _known(document: Document, scanned: Scanned) -> Iterator[tuple[tuple[str, Plain], list[str]]]:
    """What is encrypted by its place and what it stands for, in the order of the file."""
    found: dict[tuple[str, Plain], list[str]] = {}
    for leaf in scanned.leaves:
        if leaf.value:
            key = (place_of(leaf.keys), _opened(document, leaf))
            found.setdefault(key, []).append(str(leaf.value))
    for each in scanned.comments:
        text = _opened_comment(document, scanned, each)
        if text is not None:
            key = (place_of(each.keys), Plain(text, _COMMENT))
            found.setdefault(key, []).append(each.text)
    yield from found.items()


def _plain(file: str, leaf: Leaf) -> Plain | None:
    """A value that a person wrote, as sops encrypts it."""
    value = leaf.value
    if value is None:
        return None
    if isinstance(value, bool):
        return Plain(str(value), "bool")
    if isinstance(value, int):
        return Plain(str(value), "int")
    if isinstance(value, float):
        if not isfinite(value):
            what = f"{'.'.join(leaf.keys)} is a number that has no end"
            raise ConfigError([Problem(Position(file), what, "write it in quotes")])
        text = format(Decimal(repr(value)), "f")
        return Plain(text.rstrip("0").rstrip(".") if "." in text else text, "float")
    return Plain(str(value))
