"""Domain XML as it was agreed: each folder of `xml` has a case and what must come of it.

`case.json` gives definition, mark and formats, `known.xml` what the host has of it already, and
`domain.xml` what is then sent to libvirt.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import libvirt
import pytest
from lxml import etree

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.reading import Dialect, definition_of, owner_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_definition
from reconciler.model.plain import from_plain
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition
from tests.conftest import Golden

CASES = sorted(path for path in (Path(__file__).parent / "xml").iterdir() if path.is_dir())
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")  # comes with libvirt itself
DIALECT = Dialect(
    {"kvm": "kvm", "qemu": "qemu"},
    {"/srv/old/web.img": ("default", "old-web-root")}.get,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, ids=[path.name for path in CASES])


def wanted(case: Path) -> tuple[DomainDefinition, Owner, Formats]:
    plain = json.loads((case / "case.json").read_text(encoding="utf-8"))
    formats = {tuple(place.split("/")): form for place, form in plain["formats"].items()}
    return (
        from_plain(DomainDefinition, plain["definition"]),
        from_plain(Owner, plain["owner"]),
        cast("Formats", formats),
    )


def written(case: Path) -> str:
    known = case / "known.xml"
    text = known.read_text(encoding="utf-8") if known.exists() else None
    return domain_xml(*wanted(case)[:2], DIALECT, wanted(case)[2], text)


def test_there_are_cases() -> None:
    assert len(CASES) >= 7


def test_the_xml_is_as_agreed(case: Path, golden: Golden) -> None:
    golden(case / "domain.xml", written(case))


def test_the_xml_says_what_the_definition_says(case: Path) -> None:
    definition, owner, _ = wanted(case)
    root = parse(written(case))
    assert is_same_definition(definition, definition_of(root, DIALECT))
    assert owner_of(root) == owner


def test_writing_it_again_changes_nothing(case: Path) -> None:
    definition, owner, formats = wanted(case)
    once = written(case)
    assert domain_xml(definition, owner, DIALECT, formats, once) == once


def test_the_xml_obeys_libvirts_schema(case: Path) -> None:
    assert SCHEMA.exists(), "libvirt's schemas are missing; they come with the package libvirt0"
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(written(case)))


@pytest.mark.libvirt
def test_libvirt_keeps_what_the_xml_says(case: Path) -> None:
    definition, owner, _ = wanted(case)

    def define(raw: Any) -> str:
        text = written(case).replace("/usr/bin/qemu-system-x86_64", "/usr/bin/test-hv")
        domain = raw.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        kept: str = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        domain.undefine()
        return kept

    connection = LibvirtConnection("virt1", "test:///default")
    root = parse(connection.run("define", define))
    connection.close()
    assert is_same_definition(definition, definition_of(root, DIALECT))
    assert owner_of(root) == owner
