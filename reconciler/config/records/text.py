"""Text: what any program may read about a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.config.records.syntax import LONGEST_STRING, SHORT, quoted, string, words

_QUOTED_ALREADY = re.compile(r'"[ !#-\[\]-~]{0,255}"')
_PLAIN = re.compile(r"[ !#-\[\]-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Txt:
    """Text in pieces of at most 255 bytes (RFC 1035 §3.3.14)."""

    pieces: tuple[bytes, ...]

    @classmethod
    def parse(cls, text: str, origin: str) -> Txt:
        """From pieces in quotes, with escapes; or from bare text, which is taken as it is.

        Raises:
            ValueError: a piece that is too long, or quotes that do not match.
        """
        del origin
        if text.startswith('"'):
            found = words(text)
            if any(word.quoted is None or word.bare for word in found):
                raise ValueError(
                    "each piece of the text must stand in quotes, with a space between"
                )
            pieces = tuple(string(word, "piece") for word in found)
        else:
            content = text.encode()
            starts = range(0, len(content), LONGEST_STRING)
            pieces = tuple(content[i : i + LONGEST_STRING] for i in starts) or (b"",)
        if sum(len(piece) + 1 for piece in pieces) > SHORT:
            raise ValueError(f"the text is longer than {SHORT} bytes")
        return cls(pieces)

    def __str__(self) -> str:
        return " ".join(map(quoted, self.pieces))


def text_in_quotes(text: str, origin: str) -> str:
    """The canonical form of a TXT value.

    Raises:
        ValueError: a piece that is too long, or quotes that do not match.
    """
    if _QUOTED_ALREADY.fullmatch(text):
        return text
    return f'"{text}"' if _PLAIN.fullmatch(text) else str(Txt.parse(text, origin))
