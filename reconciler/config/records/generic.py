"""Values of types that we know nothing of: kept as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

_GENERIC = re.compile(r"\\# ([0-9]{1,5})((?: [0-9A-Fa-f]+)*)")


@dataclass(frozen=True, slots=True)
class Generic:
    """A value of an unknown type: as bytes (RFC 3597 §5), or as a server answered it."""

    text: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Generic:
        r"""From presentation form.

        Raises:
            ValueError: it is not on one line, or after `\#` not of the length it says.
        """
        del origin
        if not text or not text.isascii() or not text.isprintable():
            raise ValueError("it must be one line of plain ASCII text")
        if text.startswith("\\#"):
            match = _GENERIC.fullmatch(text)
            if match is None or len(match[2].replace(" ", "")) != 2 * int(match[1]):
                raise ValueError("bytes are written \\# length digits, such as \\# 2 c0ff")
        return cls(text)

    def __str__(self) -> str:
        return self.text
