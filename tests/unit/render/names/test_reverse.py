"""Which reverse zones make names of a prefix, and where in them an address stands."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.names.reverse import (
    Cover,
    classless_name,
    cover_of_network,
    covers_of_prefix,
    pointer,
    prefix_of,
)


@pytest.mark.parametrize(
    ("network", "zone", "prefix"),
    [
        ("192.168.1.0/24", "1.168.192.in-addr.arpa", "192.168.1.0/24"),
        ("192.168.1.128/25", "1.168.192.in-addr.arpa", "192.168.1.0/24"),
        ("10.1.0.0/16", "1.10.in-addr.arpa", "10.1.0.0/16"),
        ("10.1.16.0/20", "1.10.in-addr.arpa", "10.1.0.0/16"),
        ("10.0.0.0/8", "10.in-addr.arpa", "10.0.0.0/8"),
    ],
)
def test_a_network_is_in_the_zone_at_its_last_whole_octet(
    network: str, zone: str, prefix: str
) -> None:
    assert cover_of_network(IPv4Network(network)) == Cover(zone, ip_network(prefix))


@pytest.mark.parametrize(
    ("prefix", "zones"),
    [
        ("10.0.0.0/8", ["10.in-addr.arpa"]),
        ("10.1.0.0/16", ["1.10.in-addr.arpa"]),
        ("10.1.2.0/23", ["2.1.10.in-addr.arpa", "3.1.10.in-addr.arpa"]),
        ("10.2.0.0/15", ["2.10.in-addr.arpa", "3.10.in-addr.arpa"]),
        ("192.0.2.64/26", ["64/26.2.0.192.in-addr.arpa"]),
        ("192.0.2.128/25", ["128/25.2.0.192.in-addr.arpa"]),
        ("192.0.2.6/31", ["6/31.2.0.192.in-addr.arpa"]),
        ("192.0.2.6/32", ["6.2.0.192.in-addr.arpa"]),
        ("2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa"]),
        ("2001:db8::/31", ["8.b.d.0.1.0.0.2.ip6.arpa", "9.b.d.0.1.0.0.2.ip6.arpa"]),
        ("2001:db8:0:f0::/60", ["f.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]),
        ("2001::/16", ["1.0.0.2.ip6.arpa"]),
        ("10.0.0.0/7", []),
        ("2000::/12", []),
    ],
)
def test_a_prefix_is_just_the_zones_that_it_takes(prefix: str, zones: list[str]) -> None:
    assert [cover.origin for cover in covers_of_prefix(ip_network(prefix))] == zones


@pytest.mark.parametrize(
    ("origin", "prefix"),
    [
        ("10.10.in-addr.arpa", "10.10.0.0/16"),
        ("1.168.192.in-addr.arpa", "192.168.1.0/24"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::/32"),
        ("300.10.in-addr.arpa", None),
        ("64-26.2.0.192.in-addr.arpa", None),
        ("1.2.3.4.5.in-addr.arpa", None),
        ("x.ip6.arpa", None),
        ("in-addr.arpa", None),
        ("farm.internal", None),
    ],
)
def test_the_name_of_a_reverse_zone_tells_its_addresses(origin: str, prefix: str | None) -> None:
    assert prefix_of(origin) == (ip_network(prefix) if prefix else None)


V4 = st.builds(
    lambda bits, length: ip_network((bits, length), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(8, 32),
)
V6 = st.builds(
    lambda bits, length: ip_network((bits, length), strict=False),
    st.integers(0, 2**128 - 1),
    st.integers(16, 128),
)


@given(st.one_of(V4, V6))
def test_the_zones_of_a_prefix_hold_each_of_its_addresses_once(
    prefix: IPv4Network,
) -> None:
    covers = list(covers_of_prefix(prefix))
    assert sum(cover.prefix.num_addresses for cover in covers) == prefix.num_addresses
    for address in (prefix[0], prefix[-1]):
        (cover,) = (cover for cover in covers if address in cover.prefix)
        full = pointer(address, cover)
        assert full == cover.origin or full.endswith(f".{cover.origin}")
        assert cover.is_classless or full == address.reverse_pointer
        assert cover.is_classless or prefix_of(cover.origin) == cover.prefix


def test_an_address_in_a_classless_zone_keeps_its_last_octet() -> None:
    prefix = ip_network("192.0.2.64/26")
    cover = Cover(classless_name(prefix), prefix)
    assert pointer(ip_address("192.0.2.65"), cover) == "65.64/26.2.0.192.in-addr.arpa"
