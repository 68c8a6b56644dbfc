"""Sixty secrets that may appear nowhere, and a search for them in every form that programs write.

The search is its own: it knows nothing of how the program takes secrets out.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, quote_plus

from tests.remotes.origin import git

_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_ODD = "'\"\\ /&%{}$`<>|:;#~^äß漢😀"
LEAST = 12  # the letters of a secret's line that are looked for alone


def _canaries() -> Iterator[tuple[str, str]]:
    chance = random.Random(18)

    def word(letters: str, length: int) -> str:
        return "".join(chance.choice(letters) for _ in range(length))

    for number in range(20):
        yield f"password-{number}", word(_LETTERS, 20)
    for number in range(20):
        yield f"phrase-{number}", word(_LETTERS + _ODD, 24) + word(_LETTERS, 12)
    for number in range(10):
        body = "\n".join(word(_LETTERS, 40) for _ in range(4))
        yield f"pem-{number}", f"-----BEGIN CANARY-----\n{body}\n-----END CANARY-----\n"
    for number in range(10):
        yield f"token.{number}", f"{word(_LETTERS, 12)}:{word('0123456789abcdef', 32)}"


CANARIES: Mapping[str, str] = MappingProxyType(dict(_canaries()))


def leaks(content: bytes | str, values: Iterable[str] = CANARIES.values()) -> list[str]:
    """The forms of the values that are in the content."""
    data = content.encode(errors="surrogateescape") if isinstance(content, str) else content
    return [form for value in values for form in _forms(value) if form.encode() in data]


def repository_content(path: Path) -> bytes:
    """Every object of a git repository, unpacked, and its references."""
    objects = git(path, "cat-file", "--batch-all-objects", "--batch").encode()
    return objects + git(path, "for-each-ref").encode()


def directory_content(path: Path) -> bytes:
    """Every file below a directory, with its name; of git repositories what is in them."""
    parts = []
    for each in sorted(path.rglob("*")):
        if each.is_file() and not each.is_symlink():
            parts += [str(each).encode(), each.read_bytes()]
        elif each.is_dir() and (each / "objects").is_dir() and (each / "HEAD").is_file():
            parts.append(repository_content(each))
    return b"\n".join(parts)


def _forms(value: str) -> Iterator[str]:
    for text in {value, *(line for line in value.splitlines() if "CANARY" not in line)}:
        if len(text) < LEAST:
            continue
        raw = text.encode()
        yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (repr(text)[1:-1], raw.hex(), raw.hex().upper())
        yield from (quote(text), quote(text, safe=""), quote_plus(text))
        for offset in range(3):
            for coded in (b64encode, urlsafe_b64encode):
                yield coded(bytes(offset) + raw).decode().rstrip("=")[4 if offset else 0 : -2]
