"""The form of record values is dnspython's, letter by letter, and stays what it is."""

from __future__ import annotations

import base64
from collections.abc import Callable

import dns.name
import dns.rdata
import dns.zone
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.config.records import RECORD_TYPES, canonical

ORIGIN = "farm.internal"
BYTE, SHORT = st.integers(0, 255), st.integers(0, 65535)
TEXTS = st.binary(max_size=40) | st.sampled_from([b"", b'"', b"\\", b"; x", b"()", b"\n$INCLUDE x"])
REGEXPS = st.sampled_from([b"", b"!^.*$!sip:a@b!", rb"/^(\+49)(.*)$/\2\1/i", b'";"\\";(" "'])
HOSTS = st.from_regex(r"\A[a-z0-9_][a-z0-9_-]{0,20}(\.[a-z0-9_-]{1,9}){0,2}\.?\Z")
LABELS = st.binary(min_size=1, max_size=10).map(bytes.lower)
ODD = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: dns.name.Name([*labels, b""]))
NAMES = HOSTS | st.sampled_from(["@", "."]) | ODD.map(str)


def quoted(content: bytes) -> str:
    """Every byte by its number: the form that leaves nothing to interpretation."""
    return '"' + "".join(f"\\{byte:03}" for byte in content) + '"'


def in_pieces(digits: str) -> str:
    return " ".join(digits[start : start + 56] for start in range(0, len(digits), 56))


def joined(*parts: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda each: " ".join(map(str, each)))


def fingerprint(*head: st.SearchStrategy[int], **lengths: int) -> st.SearchStrategy[str]:
    """Numbers, a type of hash, and as many bytes as this type has."""
    sorts = {int(sort.removeprefix("hash_")): length for sort, length in lengths.items()}
    return st.sampled_from(sorted(sorts)).flatmap(
        lambda sort: joined(
            *head,
            st.just(sort),
            st.binary(min_size=sorts[sort], max_size=sorts[sort]).map(bytes.hex).map(in_pieces),
        )
    )


def items(each: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return st.lists(each, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found)))


def listed(alpn: list[bytes]) -> str:
    """Names of protocols with what is special in lists escaped, then all of it as text."""
    escaped = [each.replace(b"\\", b"\\\\").replace(b",", b"\\,") for each in alpn]
    return "alpn=" + quoted(b",".join(escaped))


ALPN = st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=3).map(listed)
PARAMS: dict[str, st.SearchStrategy[str]] = {
    "port": SHORT.map(lambda port: f"port={port}"),
    "ipv4hint": items(st.ip_addresses(v=4)).map(lambda hint: f"ipv4hint={hint}"),
    "ipv6hint": items(st.ip_addresses(v=6)).map(lambda hint: f'ipv6hint="{hint}"'),
    "ech": st.binary(min_size=4, max_size=30).map(
        lambda ech: f"ech={base64.b64encode(len(ech).to_bytes(2) + ech).decode()}"
    ),
    "dohpath": st.just('dohpath="/dns-query{?dns}"'),
    "key65000": TEXTS.map(lambda text: f"key65000={quoted(text)}"),
    "key9": st.just("key9"),
    "ohttp": st.just("ohttp"),
    "docpath": st.just("docpath=a,b"),
}


@st.composite
def bindings(draw: Callable[..., list[str]]) -> str:
    """Service bindings with parameters in any order, some of them mandatory."""
    keys = draw(st.lists(st.sampled_from(sorted(PARAMS)), unique=True))
    params = [str(draw(PARAMS[key])) for key in keys]
    if keys and draw(st.booleans()):
        params.append(f"mandatory={','.join(draw(st.permutations(keys)))}")
    if draw(st.booleans()):
        params += [str(draw(ALPN)), *draw(st.sampled_from([[], ["no-default-alpn"]]))]
    head = f"{draw(st.integers(1, 65535))} {draw(NAMES)}"
    return " ".join([head, *draw(st.permutations(params))])


VALUES: dict[str, st.SearchStrategy[str]] = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(v=6).map(lambda address: address.exploded.upper())
    | st.integers(0, 2**48 - 1).map(
        lambda low: f"::{low >> 32:x}:{low >> 16 & 0xFFFF:x}:{low & 0xFFFF:x}"
    ),
    "CAA": joined(BYTE, st.from_regex(r"\A[a-z0-9]{1,15}\Z"), TEXTS.map(quoted)),
    "CNAME": NAMES,
    "HTTPS": bindings() | joined(st.just(0), NAMES),
    "MX": joined(SHORT, NAMES),
    "NAPTR": joined(SHORT, SHORT, *[TEXTS.map(quoted)] * 2, REGEXPS.map(quoted), NAMES),
    "NS": NAMES,
    "PTR": NAMES,
    "SRV": joined(SHORT, SHORT, SHORT, NAMES),
    "SSHFP": fingerprint(BYTE, hash_1=20, hash_2=32),
    "SVCB": bindings(),
    "TLSA": fingerprint(BYTE, BYTE, hash_0=140, hash_1=32, hash_2=64),
    "TXT": st.lists(TEXTS, min_size=1, max_size=3).map(lambda each: " ".join(map(quoted, each))),
}
RECORDS = st.sampled_from(RECORD_TYPES).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))


def by_dnspython(kind: str, text: str) -> str:
    """How dnspython writes it, names absolute and data in one piece."""
    rdata = dns.rdata.from_text("IN", kind, text, dns.name.from_text(ORIGIN), relativize=False)
    if kind in {"SSHFP", "TLSA"}:
        return str(rdata.to_text(chunksize=0))
    return str(rdata.to_text())


def test_there_are_values_of_every_type() -> None:
    assert set(VALUES) == set(RECORD_TYPES)


@given(RECORDS)
@example(("AAAA", "::FFFF:192.0.2.1"))
@example(("AAAA", "::192.0.2.1"))
@example(("AAAA", "1:0:0:2:0:0:0:3"))
@example(("AAAA", "1:0:2:3:4:5:6:7"))
@example(("HTTPS", r'1 . alpn="f\\\\oo\\,bar,h2"'))
def test_the_form_is_the_one_of_dnspython(record: tuple[str, str]) -> None:
    kind, text = record
    assert canonical(kind, text, ORIGIN) == by_dnspython(kind, text)


@given(RECORDS)
def test_what_is_in_this_form_stays_as_it_is(record: tuple[str, str]) -> None:
    kind, text = record
    shown = canonical(kind, text, ORIGIN)
    assert canonical(kind, shown, "elsewhere") == shown


@given(RECORDS)
def test_a_value_is_one_record_in_a_zone_file(record: tuple[str, str]) -> None:
    kind, text = record
    shown = canonical(kind, text, ORIGIN)
    assert shown.isascii()
    assert shown.isprintable()
    zone = dns.zone.from_text(
        f"@ 300 IN SOA a. b. 1 2 3 4 5\nx 300 IN {kind} {shown}\n",
        origin=f"{ORIGIN}.",
        relativize=False,
        check_origin=False,
    )
    read = [(name, each) for name, _, each in zone.iterate_rdatas(kind)]
    assert [name for name, _ in read] == [dns.name.from_text(f"x.{ORIGIN}")]
    assert read[0][1] == dns.rdata.from_text("IN", kind, shown)
    assert len(list(zone.iterate_rdatas())) == 2


ANYTHING = st.text(max_size=60) | st.text('0123456789 ."\\;()$@*-_/=,ah:#\t', max_size=40)


@given(st.sampled_from(RECORD_TYPES), ANYTHING)
def test_any_text_is_refused_in_words_or_is_one_value(kind: str, text: str) -> None:
    """Nothing that a person could write is a traceback."""
    try:
        shown = canonical(kind, text, ORIGIN)
    except ValueError as refused:
        why = str(refused)
    else:
        why = "-"
        assert canonical(kind, shown, ORIGIN) == by_dnspython(kind, shown) == shown
    assert why.isprintable()
    assert why
