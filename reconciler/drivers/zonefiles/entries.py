"""The entries of a zone file (RFC 1035 §5.1): words in lines, before anybody asks what they mean.

Parentheses join lines, a semicolon begins a comment, quotes and backslashes protect both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLANKS = " \t\r"
_PLAIN = re.compile(r'[^"();\\]*')
_WORD = re.compile(r'[^\s"();\\]+')
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')


class Unreadable(Exception):
    """Words that cannot be told apart, on a line."""

    def __init__(self, line: int, what: str) -> None:
        """`what` is wrong from there on."""
        self.line = line
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Entry:
    """A record or a directive as its words; `is_same_owner`: it begins with a blank."""

    line: int
    is_same_owner: bool
    words: tuple[str, ...]


def entries(text: str) -> Iterator[Entry]:
    """The entries of a file, in order.

    Raises:
        Unreadable: a quote or a parenthesis has no other; nothing can be said of what follows.
    """
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if _PLAIN.fullmatch(line):
            words, after = tuple(line.split()), at + 1
        else:
            words, after = _words(lines, at)
        if words:
            yield Entry(at + 1, line[0] in _BLANKS, words)
        at = after


def _words(lines: list[str], first: int) -> tuple[tuple[str, ...], int]:
    """The words of the entry that begins on a line, and the line after it."""
    words: list[str] = []
    depth, number = 0, first
    while True:
        depth = _take_line(lines[number], number + 1, words, depth)
        number += 1
        if depth == 0:
            return tuple(words), number
        if number == len(lines):
            raise Unreadable(first + 1, "a parenthesis is opened here and never closed")


def _take_line(line: str, number: int, words: list[str], depth: int) -> int:
    """Add the words of one line; how many parentheses are open after it."""
    at = 0
    while at < len(line):
        letter = line[at]
        if letter in _BLANKS or letter.isspace():
            at += 1
        elif letter == ";":
            break
        elif letter == "(":
            depth, at = depth + 1, at + 1
        elif letter == ")":
            if depth == 0:
                raise Unreadable(number, "a parenthesis is closed that was never opened")
            depth, at = depth - 1, at + 1
        else:
            end = _word_end(line, at, number)
            words.append(line[at:end])
            at = end
    return depth


def _word_end(line: str, start: int, number: int) -> int:
    at = start
    while at < len(line):
        if line[at] == '"':
            match = _QUOTED.match(line, at)
            if match is None:
                raise Unreadable(number, "a quote has no other on its line")
            at = match.end()
            if start == at - len(match[0]):  # a word in quotes ends with them
                return at
        elif line[at] == "\\":
            if at + 1 == len(line):
                raise Unreadable(number, "a backslash stands at the end of the line")
            at += 2
        else:
            plain = _WORD.match(line, at)
            if plain is None:
                return at
            at = plain.end()
    return at
