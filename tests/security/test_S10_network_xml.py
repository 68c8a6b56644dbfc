"""S10: no text of a network or a reservation becomes structure of XML, or a setting of dnsmasq."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from reconciler.drivers.libvirt_.network_xml import network_xml, reservation_xml
from reconciler.drivers.network_soundness import unsound_reservations
from reconciler.drivers.refusal import Refused
from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.network_facts import Reservation, Route
from tests.security.test_S10_domain_xml import PAYLOADS, shape_of

NETWORK = NetworkDefinition(
    name="nat0",
    uuid="543540aa-56bb-516e-b822-949a8ea3cd7c",
    address="192.168.122.1/24",
    bridge="nat0",
    ranges=("192.168.122.100-192.168.122.199",),
    lease_seconds=3600,
    router="192.168.122.254",
    nameservers=("192.168.122.53",),
    routes=(Route("10.5.0.0/16", "192.168.122.9"),),
    domain="farm.internal",
    mtu=1400,
    boot_file="pxelinux.0",
    boot_server="192.168.122.7",
)
ENTRY = Reservation("52:54:00:00:00:01", "192.168.122.9", "production-web")
TEXTS = ("name", "uuid", "forward", "address", "bridge", "router", "domain")
FIELDS = (*TEXTS, "boot_file", "boot_server", "ranges", "nameservers", "to", "via")
MORE = {
    "another setting": "192.168.122.9\ndhcp-script=/tmp/x",
    "another word": "192.168.122.9,10.0.0.1",
    "ignored": "a,ignore",
    "option": "192.168.122.9 --dhcp-script=/tmp/x",
    "class": "set:known,a",
    "path": "../../../etc/shadow",
    "not canonical": "192.168.122.009",
}
ALL: dict[str, str] = {**PAYLOADS, **MORE}
BENIGN = shape_of(network_xml(NETWORK))


def with_payload(field: str, payload: str) -> NetworkDefinition:
    (route,) = NETWORK.routes
    routes = {"to": Route(payload, route.via), "via": Route(route.to, payload)}
    if field in routes:
        return replace(NETWORK, routes=(routes[field],))
    several = field in {"ranges", "nameservers"}
    changed: Any = (payload,) if several else payload
    return replace(NETWORK, **{field: changed})


def assert_harmless(wanted: NetworkDefinition) -> None:
    """Refused; or of the benign shape, and no text of it is more than one word of a line."""
    try:
        text = network_xml(wanted)
    except Refused:
        return
    assert not shape_of(text) - BENIGN
    values = [value for each in etree.fromstring(text).iter() for value in each.attrib.values()]
    assert not [value for value in values if "\n" in value or " " in value]


@pytest.mark.parametrize("payload", ALL.values(), ids=ALL)
@pytest.mark.parametrize("field", FIELDS)
def test_text_stays_text(field: str, payload: str) -> None:
    assert_harmless(with_payload(field, payload))


@given(field=st.sampled_from(FIELDS), text=st.text(max_size=80))
def test_any_text_stays_text(field: str, text: str) -> None:
    assert_harmless(with_payload(field, text))


@pytest.mark.parametrize("payload", MORE.values(), ids=MORE)
@pytest.mark.parametrize("field", ["router", "boot_server", "nameservers", "via"])
def test_what_is_no_address_is_never_told_to_dnsmasq(field: str, payload: str) -> None:
    with pytest.raises(Refused):
        network_xml(with_payload(field, payload))


@pytest.mark.parametrize("payload", ALL.values(), ids=ALL)
@pytest.mark.parametrize("field", ["mac", "address", "hostname"])
def test_a_reservation_is_three_words_or_refused(field: str, payload: str) -> None:
    entry = replace(ENTRY, **{field: payload})
    if list(unsound_reservations((entry,))):
        return
    assert field == "hostname"
    root = etree.fromstring(reservation_xml(entry))
    assert (len(root), dict(root.attrib)) == (
        0,
        {"mac": entry.mac, "name": payload, "ip": entry.address},
    )
    assert not set(payload) & set(" ,\n\t:#=/<>&'\"")


def test_what_is_usual_is_not_refused() -> None:
    """Else the tests above would pass by refusing all."""
    assert not list(unsound_reservations((ENTRY,)))
    assert "192.168.122.53" in network_xml(NETWORK)
