"""The token of a forge: read from a file, sent in one header, and never shown."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from reconciler.errors import SettingsError

LONGEST_BYTES = 4096
MASK = "***"


@dataclass(frozen=True, slots=True)
class Token:
    """A token. Only `reveal` gives it away."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The token itself."""
        return self._value

    def masked(self, text: str) -> str:
        """A text of the forge without the token, plain or encoded: some answers repeat it."""
        encoded = base64.b64encode(self._value.encode()).decode()
        for form in {self._value, quote(self._value, safe=""), encoded, encoded.rstrip("=")}:
            text = text.replace(form, MASK)
        return text


class TokenFile:
    """A file with a token. A short-lived token may be renewed there while we run."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            SettingsError: it cannot be read, or holds no token; its text is never repeated.
        """
        self._file = file
        self._token = _read(file)

    def read(self) -> Token:
        """The token that is in the file now; the last good one while it cannot be read."""
        if self._file.is_file():  # a pipe is read once
            with suppress(SettingsError):  # it is being replaced; the forge tells if that matters
                self._token = _read(self._file)
        return self._token


def _read(file: Path) -> Token:
    try:
        with file.open("rb") as stream:
            content = stream.read(LONGEST_BYTES + 1)
    except OSError as error:
        raise SettingsError("forge.token_file", [f"{file}: {error.strerror or error}"]) from error
    text = content.decode("latin-1").strip()
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > LONGEST_BYTES:
        raise SettingsError("forge.token_file", [f"{file} must hold a token, and nothing else"])
    if not text:
        raise SettingsError("forge.token_file", [f"{file} is empty"])
    return Token(text)
