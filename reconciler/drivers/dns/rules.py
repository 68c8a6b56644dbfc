"""Who may change what in a zone, as BIND is told it and as it tells it back.

The text is what stands between the braces of a zone statement; `rndc showzone` prints it on one
line with each word in quotes or not, so it is read word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.config.nameserver import INSIDE, View, key_name
from reconciler.ports.nameserver import Grant, Rules

APEX, ALL_TYPES = "@", "ANY"
CLIENTS = "dhcp"  # who writes what others say: never at the apex
POLICY, METHOD = "update-policy", "serial-update-method"
_WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([{};])|([^\s"{};]+))')
_SAFE = re.compile(r"\A[a-zA-Z0-9._@/:*=+-]+\Z")  # in quotes; nothing that ends them
_HOLDER = re.compile(r"\A[a-z]+\Z")
_KEYWORD = re.compile(r"\A[a-zA-Z]+(?:-[a-zA-Z]+)*\Z")
_TYPE = re.compile(r"\A[A-Z][A-Z0-9]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the configuration: its words, and those in its braces.

    `read` are its words as they were read, in their quotes.
    """

    words: tuple[str, ...]
    body: tuple[Statement, ...] | None = None
    read: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        words = list(self.read or map(written, self.words))
        if self.body is not None:
            words += ["{", *map(str, self.body), "}"]
        return " ".join(words) + ";"


def written(word: str) -> str:
    """A word as it is written: in quotes, unless it can only be a word of the language.

    Raises:
        ValueError: it holds what could end the quotes.
    """
    return word if _KEYWORD.match(word) else quoted(word)


def quoted(word: str) -> str:
    """A word in quotes.

    Raises:
        ValueError: it holds what could end them.
    """
    if not _SAFE.match(word):
        raise ValueError(f"{word[:80]!r} cannot be written into the server's configuration")
    return f'"{word}"'


def rule_statements(rules: Rules, zone: str, view: str | None) -> tuple[Statement, ...]:
    """What a zone statement says about the rules.

    Raises:
        ValueError: a holder, a name or a type is none.
    """
    said = _view(view)
    denial = (_denial(zone, said),) if rules.of(CLIENTS) else ()
    grants = (*denial, *(_grant_statement(grant, zone, said) for grant in rules.grants))
    policy = (Statement((POLICY,), grants),) if grants else ()
    return (*policy, Statement((METHOD, rules.serials)))


def _denial(zone: str, view: View) -> Statement:
    """What comes first counts (BIND's update-policy): clients do not change the zone itself."""
    return Statement(("deny", key_name(CLIENTS, view), "name", f"{zone}.", ALL_TYPES))


def _grant_statement(grant: Grant, zone: str, view: View) -> Statement:
    for each in grant.types:
        if not _TYPE.match(each):
            raise ValueError(f"{each[:80]!r} is no type of records")
    types = grant.types or (ALL_TYPES,)
    if grant.name == APEX and grant.below:
        where: tuple[str, ...] = ("zonesub",)
    else:
        name = f"{zone}." if grant.name == APEX else f"{grant.name}.{zone}."
        where = ("subdomain" if grant.below else "name", name)
    return Statement(("grant", key_name(grant.holder, view), *where, *types))


def read_rules(statements: Iterable[Statement], zone: str, view: str | None) -> Rules:
    """What the statements of a zone say about it.

    What we would not write ourselves becomes a grant that nothing equals, so that it is seen.
    """
    grants: list[Grant] = []
    serials = ""
    for statement in statements:
        if statement.words[0] == POLICY:
            body = statement.body or (Statement(statement.words[1:]),)
            grants += _read_policy(body, zone, _view(view))
        elif statement.words[0] == METHOD:
            serials = statement.words[-1]
        elif statement.words[0] == "allow-update":
            grants.append(Grant(f"by hand: {statement}"))
    return Rules(tuple(grants), "date" if serials == "date" else "increment")


def _read_policy(body: Sequence[Statement], zone: str, view: View) -> Iterator[Grant]:
    """The grants, but for the denial that comes with one for clients."""
    is_denied = body[:1] == (_denial(zone, view),)
    grants = [_read_grant(each, zone, view) for each in body[is_denied:]]
    if is_denied is not any(grant.holder == CLIENTS for grant in grants):
        grants.append(Grant(f"by hand: the apex and {CLIENTS}"))
    yield from grants


def _read_grant(statement: Statement, zone: str, view: View) -> Grant:
    foreign = Grant("by hand: " + " ".join(statement.words))
    match statement.words:
        case ("grant", key, "zonesub", *types):
            name, below = APEX, True
        case ("grant", key, "subdomain" | "name" as what, absolute, *types):
            name, below = _relative(absolute, zone), what == "subdomain"
        case _:
            return foreign
    holder = _holder(key, view)
    if holder is None or not types or statement.body is not None:
        return foreign
    return Grant(holder, name, below, () if types == [ALL_TYPES] else tuple(types))


def _relative(name: str, zone: str) -> str:
    absolute = f"{name.removesuffix('.')}."
    return APEX if absolute == f"{zone}." else absolute.removesuffix(f".{zone}.")


def _holder(key: str, view: View) -> str | None:
    """Whose key it is, by its name; None if it is not one of ours for this view."""
    head, tail = key_name("\0", view).split("\0")
    holder = key.removesuffix(".").removeprefix(head)
    holder = holder.removesuffix(tail) if tail else holder
    is_whole = key.removesuffix(".") == key_name(holder, view)
    return holder if is_whole and _HOLDER.match(holder) else None


def _view(view: str | None) -> View:
    return "outside" if view == "outside" else INSIDE


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a configuration.

    Raises:
        ValueError: braces or quotes do not match.
    """
    return tuple(_statements(_words(text)))


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    read: str
    is_sign: bool = False


def _words(text: str) -> Iterator[_Word]:
    at, text = 0, text.strip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise ValueError("quotes do not match")
        at = match.end()
        in_quotes, sign, bare = match.groups()
        if in_quotes is None:
            yield _Word(sign or bare, sign or bare, is_sign=bool(sign))
        else:
            yield _Word(re.sub(r"\\(.)", r"\1", in_quotes), match[0].strip())


def _statements(words: Iterator[_Word], *, in_braces: bool = False) -> Iterator[Statement]:
    """The statements up to the brace that closes them, or to the end."""
    current: list[_Word] = []
    body: tuple[Statement, ...] | None = None
    for word in words:
        if not word.is_sign:
            current.append(word)
        elif word.text == "{":
            body = tuple(_statements(words, in_braces=True))
        elif word.text == "}":
            if current or body or not in_braces:
                raise ValueError("a brace closes what is not finished, or not open")
            return
        elif current or body is not None:
            said = tuple(each.text for each in current)
            yield Statement(said, body, tuple(each.read for each in current))
            current, body = [], None
    if current or body or in_braces:
        raise ValueError("a statement does not end")
