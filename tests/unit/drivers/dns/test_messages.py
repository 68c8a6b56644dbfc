"""Records of an answer: as dnspython reads them, in the form that documents are written in."""

from __future__ import annotations

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.records import canonical
from reconciler.drivers.dns.messages import SOA, Reader, question, type_name
from reconciler.drivers.dns.refusals import Lost, trusting_nothing
from reconciler.drivers.dns.wire import signature_start

NAMES = st.sampled_from(
    ["a.farm.", "b.a.farm.", r"x\.y.farm.", r"s\032t.farm.", "WWW.Farm.", "*.farm."]
)
BYTES = st.integers(0, 255)
VALUES = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.sampled_from(["CNAME", "NS", "PTR"]), NAMES),
    st.tuples(st.just("MX"), NAMES.map("10 {}".format)),
    st.tuples(st.just("SRV"), NAMES.map("1 2 3 {}".format)),
    st.tuples(
        st.just("TXT"),
        st.lists(BYTES, max_size=9).map(
            lambda each: '"' + "".join(f"\\{b:03}" for b in each) + '"'
        ),
    ),
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12))
def test_records_are_read_in_canonical_form(records: list[tuple[str, tuple[str, str]]]) -> None:
    answer = dns.message.from_wire(question(7, "farm", SOA))
    for owner, (kind, value) in records:
        answer.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, value))
    reader = Reader(answer.to_wire())
    found = [
        (owner, type_name(kind), ttl, reader.value(kind, start, end))
        for owner, kind, ttl, start, end in reader.records()
    ]
    assert found == [
        (canonical("NS", owner, ""), kind, 60, canonical(kind, value, ""))
        for owner, (kind, value) in records
    ]


@given(st.sampled_from([1, 2, 5, 6, 15, 16, 28, 33, 35, 52, 64, 257]), st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(kind: int, noise: bytes) -> None:
    head = b"\0\7\x84\0\0\0\0\2\0\0\0\0" + b"\1a\0" + bytes([kind >> 8, kind & 255])
    reader = Reader(head + b"\0\1\0\0\0\7" + len(noise).to_bytes(2, "big") + noise)
    try:
        with trusting_nothing():
            for _, found, ttl, start, end in reader.records():
                reader.soa(ttl, start, end) if found == SOA else reader.value(found, start, end)
    except Lost:
        return


@given(st.binary(max_size=80))
def test_a_signature_is_found_or_the_message_refused(noise: bytes) -> None:
    try:
        signature_start(b"\0\7\x84\0\0\0\0\0\0\0\0\1" + noise)
    except Lost:
        return


def test_a_name_that_points_at_itself_is_refused() -> None:
    with pytest.raises(Lost, match="garbled"), trusting_nothing():
        list(Reader(b"\0\7\x84\0\0\0\0\1\0\0\0\0\xc0\x0c" + b"\0" * 10).records())
