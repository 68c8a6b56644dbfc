"""The XML of libvirt's networks as it was agreed: each folder of `network_xml` has a case.

`case.json` gives the definition, `known.xml` what the host has of it already, and `network.xml`
what is then sent to libvirt.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from reconciler.drivers.libvirt_.network_xml import definition_of, network_xml, says
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.model.plain import from_plain
from reconciler.ports.libvirt_networks import NetworkDefinition
from tests.conftest import Golden

FOLDER = Path(__file__).parent / "network_xml"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
SCHEMA = Path("/usr/share/libvirt/schemas/network.rng")  # comes with libvirt itself
KNOWN = "known.xml"


@pytest.fixture(params=CASES, ids=[path.name for path in CASES])
def case(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def wanted(case: Path) -> NetworkDefinition:
    plain = json.loads((case / "case.json").read_text(encoding="utf-8"))
    return from_plain(NetworkDefinition, plain)


def written(case: Path) -> str:
    known = case / KNOWN
    text = known.read_text(encoding="utf-8") if known.exists() else None
    return network_xml(wanted(case), text)


def test_the_xml_is_as_agreed(case: Path, golden: Golden) -> None:
    golden(case / "network.xml", written(case))


def test_the_xml_says_what_the_definition_says(case: Path) -> None:
    assert says(definition_of(parse(written(case))), wanted(case))


def test_writing_it_again_changes_nothing(case: Path) -> None:
    assert network_xml(wanted(case), written(case)) == written(case)


def test_the_xml_obeys_libvirts_schema(case: Path) -> None:
    assert SCHEMA.exists(), "libvirt's schemas are missing; they come with the package libvirt0"
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(written(case)))


def test_all_that_was_said_can_be_taken_back() -> None:
    everything, minimal = written(FOLDER / "everything"), wanted(FOLDER / "minimal")
    after = definition_of(parse(network_xml(minimal, everything)))
    assert after == replace(minimal, bridge="nat0", mtu=1400)  # which was left open


def test_what_others_said_stays() -> None:
    root = etree.fromstring(written(FOLDER / "adopt-default"))
    assert root.xpath("//portgroup/@name") == ["office"]
    assert root.findtext("uuid") == "0a0e1c5e-2f0a-4a8a-8a3e-5d3f0c1b2a39"
    assert root.xpath("//hostname/text()") == ["printer"]
    assert root.xpath("//dhcp/host/@name") == ["printer"]
    assert root.xpath("//ip[@family='ipv6']/@address") == ["2001:db8:ca2:2::1"]
    assert root.xpath("//bridge/@name") == ["virbr0"]
    assert [each.get("value") for each in root[-1]] == ["log-dhcp"]
