"""What a host answers is told without the secrets that were sent to it, however it writes them."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from shlex import quote as shell_quoted
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.redact import MASK, PIECE, redact

SECRET = "Tr0ub4dor&3 / \"zwölf\" 'x'\\+"
PEM = "-----BEGIN K-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ\n-----END K-----\n"
WRITINGS: list[Callable[[str], str]] = [
    str,
    repr,
    ascii,
    json.dumps,
    lambda v: json.dumps(v, ensure_ascii=False),
    lambda v: v.encode().hex(),
    lambda v: v.encode().hex().upper(),
    lambda v: v.encode().hex(" "),
    lambda v: v.encode().hex(":"),
    lambda v: b64encode(v.encode()).decode(),
    lambda v: b64encode(b"x" + v.encode() + b"yz").decode(),
    lambda v: b64encode(b"ab" + v.encode() + b"c").decode(),
    lambda v: urlsafe_b64encode(v.encode()).decode(),
    lambda v: quote(v, safe=""),
    quote_plus,
    shell_quoted,
]


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("secret", [SECRET, PEM])
def test_a_secret_is_taken_out_however_it_is_written(
    writing: Callable[[str], str], secret: str
) -> None:
    said = writing(secret)
    told = redact(f"line 3: bad value [{said}] in /etc/x", [secret])
    assert told.startswith("line 3: bad value [")
    assert told.endswith("] in /etc/x")
    assert MASK in told
    left = told.removeprefix("line 3: bad value [").removesuffix("] in /etc/x")
    assert not any(said[at : at + PIECE] in left for at in range(len(said) - PIECE + 1))


def test_a_part_of_a_secret_is_taken_out() -> None:
    assert redact(f"near '{SECRET[4:16]}'", [SECRET]) == f"near '{MASK}'"
    assert redact(f"unexpected {PEM.splitlines()[2]}", [PEM]) == f"unexpected {MASK}"


@pytest.mark.parametrize(
    ("secret", "text", "told"),
    [
        ("hunter2", "bad hunter2 here", f"bad {MASK} here"),
        ("hunter2", "aHVudGVyMg==", f"{MASK}=="),
        ("abcd", "xabcdx", f"x{MASK}x"),
        ("7", "line 7 of 77", f"line {MASK} of 77"),
        ("", "nothing", "nothing"),
        ("a b", "say a b now", f"say {MASK} now"),
    ],
)
def test_a_short_secret_is_taken_out_as_a_whole(secret: str, text: str, told: str) -> None:
    assert redact(text, [secret]) == told


def test_without_secrets_nothing_is_changed() -> None:
    assert redact("as it is", []) == "as it is"
    assert redact("", [SECRET]) == ""


def test_each_of_several_secrets_is_taken_out() -> None:
    assert redact("first-one, second-one", ["first-one", "second-one"]) == f"{MASK}, {MASK}"


@given(secret=st.text(min_size=PIECE, max_size=80), before=st.text(), after=st.text())
def test_no_piece_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    told = redact(f"{before}{secret}{after}", [secret])
    assert not any(secret[at : at + PIECE] in told for at in range(len(secret) - PIECE + 1))
