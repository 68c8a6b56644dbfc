"""How a record's value is written in a zone file (RFC 1035 §5.1): words, quotes, escapes, numbers.

One value stands on one line: neither comments nor parentheses, so that nothing in it can become a
second record or an instruction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_STRING = 255
_MOST_SHOWN = 40
BYTE, SHORT = 0xFF, 0xFFFF
_WORD = re.compile(
    r'[ \t]*(?P<bare>(?:[!#-\'*-:<-\[\]-~]|\\[ -~])*)(?:"(?P<quoted>(?:[^"\\]|\\.)*)")?(?=[ \t]|\Z)'
)
_ESCAPE = re.compile(rb"\\([0-9]{1,3}|.|\Z)")
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a value, escapes unread: what stands bare, and what stands in quotes after it."""

    bare: str
    quoted: str | None = None

    def __str__(self) -> str:
        return self.bare if self.quoted is None else f'{self.bare}"{self.quoted}"'


def words(text: str) -> tuple[Word, ...]:
    """The parts of a value.

    Raises:
        ValueError: quotes that do not match, a comment, a parenthesis, or what is not ASCII.
    """
    text = text.strip(" \t")
    if not text.isascii() or not text.isprintable():
        raise ValueError("it must be one line of plain ASCII text; write other bytes as \\DDD")
    found, start = [], 0
    while start < len(text):
        match = _WORD.match(text, start)
        if match is None or match.end() == start:
            raise ValueError(_why(text[start:]))
        found.append(Word(match["bare"], match["quoted"]))
        start = match.end()
    return tuple(found)


def fields(text: str, *meanings: str) -> tuple[Word, ...]:
    """The parts of a value that has one for each of these meanings.

    Raises:
        ValueError: it has more or fewer.
    """
    found = words(text)
    if len(found) != len(meanings):
        raise ValueError(lacking(found, *meanings))
    return found


def lacking(found: tuple[Word, ...], *meanings: str) -> str:
    """What to say of a value with too many or too few parts."""
    have = "one part" if len(found) == 1 else f"{len(found)} parts"
    return f"it has {have}, and must be {', then '.join(meanings)}"


def number(word: Word, meaning: str, most: int = SHORT) -> int:
    """A whole number.

    Raises:
        ValueError: it is none, or too large.
    """
    if word.quoted is not None or not _NUMBER.fullmatch(word.bare) or int(word.bare) > most:
        raise ValueError(f"the {meaning} must be a number from 0 to {most}, not {shown(word)}")
    return int(word.bare)


def unquoted(word: Word, meaning: str) -> str:
    """What must not stand in quotes.

    Raises:
        ValueError: it does.
    """
    if word.quoted is not None:
        raise ValueError(f"the {meaning} must not stand in quotes: {shown(word)}")
    return word.bare


def string(word: Word, meaning: str = "text", most: int = LONGEST_STRING) -> bytes:
    """The bytes of a text, quoted or bare.

    Raises:
        ValueError: it is too long, or has a wrong escape.
    """
    if word.bare and word.quoted is not None:
        raise ValueError(f"the quotes of the {meaning} must enclose all of it: {shown(word)}")
    content = unescaped(word.bare if word.quoted is None else word.quoted)
    if len(content) > most:
        raise ValueError(f"the {meaning} is {len(content)} bytes long, the most is {most}")
    return content


def unescaped(text: str) -> bytes:
    r"""What is meant by text with escapes: `\DDD` is a byte, a backslash takes a letter as it is.

    Raises:
        ValueError: an escape that is none.
    """
    if "\\" not in text:
        return text.encode()

    return _ESCAPE.sub(_byte, text.encode())


def _byte(escape: re.Match[bytes]) -> bytes:
    meant = escape[1]
    if not meant.isdigit():
        if meant:
            return meant
        raise ValueError("a backslash at the end stands for nothing; write \\\\ for one")
    if len(meant) < len("DDD") or int(meant) > BYTE:
        raise ValueError("a backslash before a digit needs three, from \\000 to \\255")
    return bytes([int(meant)])


def quoted(content: bytes) -> str:
    """A text in quotes, with its escapes, as servers answer it."""
    plain = content.decode("latin-1")
    if _PLAIN.fullmatch(plain):
        return f'"{plain}"'
    return f'"{escaped(content)}"'


def escaped(content: bytes, special: bytes = b'"\\') -> str:
    """Bytes as text: a backslash before what is special, numbers for what cannot be printed."""
    return "".join(
        f"\\{chr(byte)}"
        if byte in special
        else (chr(byte) if ord(" ") <= byte <= ord("~") else f"\\{byte:03}")
        for byte in content
    )


def hexadecimal(parts: tuple[Word, ...], meaning: str) -> str:
    """Hexadecimal digits in one piece and in lower case.

    Raises:
        ValueError: they are none, or half a byte is missing.
    """
    digits = "".join(unquoted(part, meaning) for part in parts).lower()
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", digits):
        raise ValueError(f"the {meaning} must be pairs of hexadecimal digits")
    return digits


def shown(word: Word | str) -> str:
    """A part of a value as a message shows it."""
    text = str(word)
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…")


def _why(rest: str) -> str:
    if re.match(r'[^";()]*"', rest):
        return f"the quotes of {shown(rest.strip())} do not match"
    if re.match(r"[^;()]*;", rest):
        return "a ; begins a comment, which has no place in a value"
    if re.match(r"[^()]*[()]", rest):
        return "parentheses have no place in a value, which stands on one line"
    return f"{shown(rest.strip())} ends with half an escape"
