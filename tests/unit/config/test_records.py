"""Values of records: what they are, how they are written, and what is said of wrong ones."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from ipaddress import IPv4Address, IPv6Address
from typing import get_args

import pytest

from reconciler.config.records import (
    RECORD_TYPES,
    A,
    Aaaa,
    Caa,
    Cname,
    Generic,
    Https,
    Mx,
    Naptr,
    Ns,
    Ptr,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
    Value,
    absolute,
    as_answered,
    canonical,
    parse,
    target_of,
)
from reconciler.config.zones import RecordType

HASH = "AB" * 32
ROWS: list[tuple[str, str, Value, str, str | None]] = [
    ("A", "192.0.2.1", A(IPv4Address("192.0.2.1")), "192.0.2.1", None),
    ("AAAA", "2001:DB8::1", Aaaa(IPv6Address("2001:db8::1")), "2001:db8::1", None),
    ("CAA", "0 Issue ca.example", Caa(0, "issue", b"ca.example"), '0 issue "ca.example"', None),
    ("CNAME", "WWW", Cname("www.farm."), "www.farm.", "www.farm."),
    ("MX", "010  mail", Mx(10, "mail.farm."), "10 mail.farm.", "mail.farm."),
    ("MX", "0 .", Mx(0, "."), "0 .", None),
    ("NS", "@", Ns("farm."), "farm.", "farm."),
    ("PTR", r"A\032b.example.", Ptr(r"a\032b.example."), r"a\032b.example.", r"a\032b.example."),
    ("SRV", "0 5 443 web", Srv(0, 5, 443, "web.farm."), "0 5 443 web.farm.", "web.farm."),
    ("TXT", "a b", Txt((b"a b",)), '"a b"', None),
    ("TXT", '"a" "\\066"', Txt((b"a", b"B")), '"a" "B"', None),
    ("HTTPS", "0 cdn.example.", Https(0, "cdn.example."), "0 cdn.example.", "cdn.example."),
    (
        "SVCB",
        "1 . port=0853 ALPN=dot,doq key9",
        Svcb(1, ".", ((1, '"dot,doq"'), (3, '"853"'), (9, None))),
        '1 . alpn="dot,doq" port="853" key9',
        None,
    ),
    (
        "NAPTR",
        '1 2 u E2U+sip "!^.*$!sip:a@b!" .',
        Naptr(1, 2, b"u", b"E2U+sip", b"!^.*$!sip:a@b!", "."),
        '1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
        None,
    ),
    ("SSHFP", f"4 2 {HASH}", Sshfp(4, 2, HASH.lower()), f"4 2 {HASH.lower()}", None),
    (
        "TLSA",
        f"3 1 1 {HASH[:9]} {HASH[9:]}",
        Tlsa(3, 1, 1, HASH.lower()),
        f"3 1 1 {HASH.lower()}",
        None,
    ),
]
WRONG = [
    ("A", "192.0.2.256", "'192.0.2.256' is no IPv4 address"),
    ("A", "192.0.2.1 192.0.2.2", "'192.0.2.1 192.0.2.2' is no IPv4 address"),
    ("A", "192.0.2.01", "'192.0.2.01' is no IPv4 address"),
    ("A", "١.0.2.1", "'١.0.2.1' is no IPv4 address"),
    ("AAAA", "192.0.2.1", "'192.0.2.1' is no IPv6 address"),
    ("AAAA", "fe80::1%eth0", "'fe80::1%eth0' is no IPv6 address"),
    ("CNAME", "a b", "it has 2 parts, and must be a name"),
    ("CNAME", "a..b", "the name 'a..b' has an empty label"),
    ("CNAME", "", "it has 0 parts, and must be a name"),
    ("CNAME", '"a"', "the name must not stand in quotes: '\"a\"'"),
    ("CNAME", "x" * 64, f"the name '{'x' * 40}…' has a label of more than 63 bytes"),
    ("CNAME", f"{'x.' * 125}x", f"the name '{'x.' * 20}…' is longer than 255 bytes"),
    ("CNAME", r"a\.b\256", r"a backslash before a digit needs three, from \000 to \255"),
    ("NS", "a;b", "a ; begins a comment, which has no place in a value"),
    ("PTR", "a(b", "parentheses have no place in a value, which stands on one line"),
    ("MX", "ten mail", "the preference must be a number from 0 to 65535, not 'ten'"),
    ("MX", "65536 mail", "the preference must be a number from 0 to 65535, not '65536'"),
    ("MX", '"10" mail', "the preference must be a number from 0 to 65535, not '\"10\"'"),
    ("MX", "10 mail extra", "it has 3 parts, and must be a preference, then a name"),
    (
        "SRV",
        "0 5 443",
        "it has 3 parts, and must be a priority, then a weight, then a port, then a name",
    ),
    ("CAA", '256 issue "x"', "the flags must be a number from 0 to 255, not '256'"),
    ("CAA", '0 is-sue "x"', "the tag must be letters and digits such as issue, not 'is-sue'"),
    ("TXT", '"a', "the quotes of '\"a' do not match"),
    ("TXT", '"a"b', "the quotes of '\"a\"b' do not match"),
    ("TXT", '"a" b', "each piece of the text must stand in quotes, with a space between"),
    ("TXT", f'"{"x" * 256}"', "the piece is 256 bytes long, the most is 255"),
    ("TXT", "x" * 70_000, "the text is longer than 65535 bytes"),
    ("TXT", '"ä"', "it must be one line of plain ASCII text; write other bytes as \\DDD"),
    ("SSHFP", "1 1 ab", "the fingerprint is 1 bytes long, and must be 20"),
    ("SSHFP", "9 9 abc", "the fingerprint must be pairs of hexadecimal digits"),
    ("TLSA", "3 1 2 ab", "the hash of the certificate is 1 bytes long, and must be 64"),
    ("HTTPS", "1", "it has one part, and must be a priority, then a name, then parameters"),
    ("HTTPS", "0 . alpn=h2", "with priority 0 it is an alias, which has no parameters"),
    ("HTTPS", "1 . alpn=h2 alpn=h3", "alpn is there twice"),
    (
        "HTTPS",
        "1 . alpn=h2,,h3",
        "it needs a list with commas between its parts, such as alpn=h2,h3",
    ),
    ("HTTPS", "1 . alpn", "alpn needs a value"),
    ("HTTPS", '1 . alpn"h2"', 'a parameter is written key or key="value", not \'alpn"h2"\''),
    ("HTTPS", "1 . ohttp=1", "ohttp has no value"),
    ("HTTPS", "1 . mandatory=port", "mandatory names port, which is not there"),
    ("HTTPS", "1 . mandatory=mandatory", "mandatory names other keys, each once"),
    ("HTTPS", "1 . key1=h2", "key1 is written alpn"),
    ("HTTPS", "1 . ech=!", "ech must be base64"),
    ("HTTPS", "1 . port=70000", "the port must be a number from 0 to 65535, not '70000'"),
    (
        "NAPTR",
        '1 1 "" "" "!a!" .',
        "the regular expression must be of the form !expression!replacement!",
    ),
    (
        "NAPTR",
        '1 1 "" "" "1a1b1" .',
        "the regular expression must be of the form !expression!replacement!",
    ),
    (
        "NAPTR",
        r'1 1 "" "" "!(a)!\\2!" .',
        "the regular expression has not as many groups (…) as are used, or closed",
    ),
    ("TYPE65", r"\# 3 c0ff", r"bytes are written \# length digits, such as \# 2 c0ff"),
    ("TYPE65", "a\nb", "it must be one line of plain ASCII text"),
]


def test_every_type_a_document_may_name_is_known() -> None:
    assert sorted(RECORD_TYPES) == sorted(get_args(RecordType))
    assert {row[0] for row in ROWS} == set(RECORD_TYPES)


@pytest.mark.parametrize(("kind", "text", "value", "shown", "target"), ROWS)
def test_a_value(kind: str, text: str, value: Value, shown: str, target: str | None) -> None:
    assert parse(kind, text, "farm") == value
    assert str(value) == shown
    assert canonical(kind, text, "farm") == shown
    assert target_of(kind, value) == target


@pytest.mark.parametrize(("kind", "text", "why"), WRONG)
def test_what_is_wrong_is_told_in_words(kind: str, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        canonical(kind, text, "farm")
    assert str(refused.value) == why
    assert as_answered(kind, text, "farm") == text


def test_values_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Cname("a.").target = "b."  # type: ignore[misc]  # that it is frozen is what is shown


def test_of_one_name_a_cname_is_no_ns() -> None:
    values: list[Value] = [Cname("a."), Ns("a."), Ptr("a."), Svcb(1, "a."), Https(1, "a.")]
    assert all(one != other for one in values for other in values if one is not other)


def test_every_type_has_its_own_class() -> None:
    assert len(get_args(Value)) == len(RECORD_TYPES) + 1


@pytest.mark.parametrize("text", [r"\# 0", r"\# 2 c0ff", r"\# 4 c0ff ee00", "anything else"])
def test_unknown_types_are_left_as_they_are(text: str) -> None:
    assert canonical("TYPE65280", text, "farm") == text
    assert target_of("TYPE65280", Generic(text)) is None


def test_an_absolute_name_needs_no_origin_and_a_relative_one_does() -> None:
    assert parse("MX", "1 a.b.") == Mx(1, "a.b.")
    assert absolute("*.a/b.", "") == "*.a/b."
    for name in ("a", r"a\$"):
        with pytest.raises(ValueError, match="needs a final dot"):
            absolute(name, "")


@pytest.mark.parametrize("origin", ["farm", "a/26.2.0.192.in-addr.arpa"])
def test_names_are_as_long_as_dns_allows(origin: str) -> None:
    room = 255 - len(origin) - 2 - 1
    longest = ".".join(["a" * 62] * 3)
    longest += "." + "b" * (room - len(longest) - 1)
    assert absolute(longest, origin) == f"{longest}.{origin}."
    assert absolute(rf"{longest[:-1]}\$", origin).endswith(rf"\$.{origin}.")
    for name in (f"{longest}b", rf"{longest}\$"):
        with pytest.raises(ValueError, match="longer than 255 bytes"):
            absolute(name, origin)
