"""Takes secrets out of what comes back from a host: by value, in pieces, and as others write it.

A program that does not like its configuration often quotes it. What is taken out for nothing does
less harm than what stays in.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from shlex import quote as shell_quoted
from urllib.parse import quote, quote_plus

MASK = "••••"
PIECE = 8  # so many letters of a secret in a row, and they are taken out
LONGEST_TEXT = 64 * 1024
SHORTEST = 4  # what is shorter is taken out where it stands as a word
_OFFSETS = 3  # bytes before a value, by which its base64 differs

Span = tuple[int, int]


def redact(text: str, values: Iterable[str]) -> str:
    """The text without any of the values, and without what they are as base64, hex, URL or JSON.

    Any `PIECE` letters of a value count; a shorter value only as a whole. Of a text that no person
    would read the beginning is given: a host may say anything, at any length.
    """
    text = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
    forms = {form for value in set(values) for form in _forms(value) if form}
    short = {form for form in forms if len(form) < PIECE}
    spans = [*_pieces(text, forms - short), *_wholes(text, short)]
    return _without(text, spans)


def _forms(value: str) -> Iterator[str]:
    """A value as programs write it down. A line of it may be quoted alone."""
    yield value
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= SHORTEST)
    raw = value.encode(errors="surrogatepass")
    yield from (raw.hex(), raw.hex().upper(), raw.hex(" "), raw.hex(":"))
    yield from _base64_forms(raw)
    yield from (quote(value, safe="", errors="replace"), quote_plus(value, errors="replace"))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield from (repr(value)[1:-1], ascii(value)[1:-1], shell_quoted(value))


def _base64_forms(raw: bytes) -> Iterator[str]:
    """What a value is in base64, whatever stands before and after it."""
    for coded in (b64encode, urlsafe_b64encode):
        for offset in range(_OFFSETS):
            # The first letters and the last one also hold bits of what stands beside the value.
            form = coded(bytes(offset) + raw).decode().rstrip("=")[offset and offset + 1 :]
            yield from (form, form[:-1])


def _pieces(text: str, forms: Iterable[str]) -> Iterator[Span]:
    """Where there are `PIECE` letters of a form. The text is short, the forms need not be."""
    said = {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}
    secret = {
        form[at : at + PIECE]
        for form in forms
        for at in range(len(form) - PIECE + 1)
        if form[at : at + PIECE] in said
    }
    for start in range(len(text) - PIECE + 1):
        if text[start : start + PIECE] in secret:
            yield start, start + PIECE


def _wholes(text: str, forms: Iterable[str]) -> Iterator[Span]:
    for form in forms:
        pattern = re.escape(form)
        if len(form) < SHORTEST:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        yield from (match.span() for match in re.finditer(pattern, text))


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with a mask where the spans are; those that touch are one."""
    parts: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start > end or not parts:
            parts += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*parts, text[end:]])
