"""No text of a document ends a word in the configuration of a name server and begins another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.config.nameserver import Nameserver
from reconciler.errors import ConfigError
from reconciler.render.nameservers.programs import PROGRAMS
from reconciler.render.nameservers.site import Site
from tests.golden.nameservers.nameservers import SERVERS, ZONE, farm

PAYLOADS = ('a"; };', "a;b", "a{", "a\n}", "a'b", "a b", "/*x", "a#b", "a\\b", "")
FIELDS = ("name", "inside", "forwarders", "hosts", "address", "keys", "environment", "port")
ZONE_FIELDS = ("name", "to")
DOCUMENT = {
    "kind": "Nameserver",
    "name": "ns",
    "hosts": [{"name": "ns-1"}, {"name": "ns-2"}],
    "keys": {"production": "secret://dns/production"},
}


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\n", "\n\n") + "'"


def with_payload(field: str, text: str) -> str:
    """A Nameserver document with the text in one of its fields."""
    plain = SERVERS["redundant"].replace("ns-2}", "ns-2, address: 192.168.1.20}")
    places = {
        "name": ("hosts:", f"description: x\nname: {quoted(text)}\nhosts:"),
        "inside": ("'2001:db8:7::/64'", quoted(text)),
        "forwarders": ("192.0.2.53", quoted(text)),
        "hosts": ("name: ns-2", f"name: {quoted(text)}"),
        "address": ("192.168.1.20", quoted(text)),
        "keys": ("'secret://dns/production'", quoted(text)),
        "environment": ("hosts:", f"environment: {quoted(text)}\nhosts:"),
        "port": ("hosts:", f"port: {quoted(text)}\nhosts:"),
    }
    assert places[field][0] in plain
    return plain.replace(*places[field])


@pytest.mark.parametrize("text", PAYLOADS)
@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_word_is_refused_in_the_document(field: str, text: str) -> None:
    with pytest.raises(ConfigError):
        farm(with_payload(field, text))


@pytest.mark.parametrize("text", PAYLOADS)
def test_what_is_no_name_is_refused_in_a_delegation(text: str) -> None:
    zone = ZONE.replace("to: lab", f"to: {quoted(text)}")
    with pytest.raises(ConfigError):
        farm(SERVERS["redundant"], {"environments/production/zone.yaml": zone})


@pytest.mark.parametrize("text", [each for each in PAYLOADS if each not in {"", "a b"}])
@pytest.mark.parametrize("software", PROGRAMS)
def test_what_comes_through_all_the_same_is_not_written(software: str, text: str) -> None:
    server = Nameserver.model_validate({**DOCUMENT, "software": software})
    site = Site(server, "production", "ns-1", ("192.0.2.1", "192.0.2.2"), zones=(("inside", "z"),))
    renamed = server.model_copy(update={"name": text})
    second = {
        "listed": replace(site, host="ns-2", zones=(("inside", text),)),
        "catalog": replace(site, host="ns-2", server=renamed),
    }["listed" if software in {"nsd", "bind-files"} else "catalog"]
    for broken in (replace(site, addresses=("192.0.2.1", text)), second):
        with pytest.raises(ValueError, match=r"is no (word|value) of|does not appear to be an"):
            PROGRAMS[software].configuration(broken)
