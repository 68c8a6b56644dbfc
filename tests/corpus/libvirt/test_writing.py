"""Within the XML of others we change what differs, nothing else, and nothing libvirt forbids.

It is tried on what libvirt writes (the outputs): nothing else is ever known of a domain.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from reconciler.drivers.libvirt_.reading import GUEST_TAG, OWNER_TAG, definition_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from tests.corpus.libvirt.conftest import Complaint
from tests.corpus.libvirt.data import POOL, Data, dialect, read

OWNER = Owner("production", "web-1", "0123456789abcdef")
FORMATS: Formats = defaultdict(lambda: "qcow2")
GIB = 1024**3
Known = tuple[str, str, DomainDefinition]
Change = Callable[[DomainDefinition], DomainDefinition]
CHANGES: dict[str, Change] = {
    "more memory": lambda d: replace(
        d, memory_bytes=d.memory_bytes + GIB, memory_maximum_bytes=None
    ),
    "less memory": lambda d: replace(d, memory_bytes=GIB // 64, memory_maximum_bytes=None),
    "more processors": lambda d: replace(d, vcpus=d.vcpus + 1, vcpus_maximum=None),
    "one processor": lambda d: replace(d, vcpus=1),
    "another disk": lambda d: replace(d, disks=(*d.disks, Disk("extra", POOL, "extra"))),
    "no disks": lambda d: replace(d, disks=()),
    "other volumes": lambda d: replace(d, disks=tuple(moved(disk) for disk in d.disks)),
    "another interface": lambda d: replace(
        d, interfaces=(*d.interfaces, Interface("52:54:00:fe:fe:01", "br-lan"))
    ),
    "no interfaces": lambda d: replace(d, interfaces=()),
    "other bridges": lambda d: replugged(d, bridge="br-other"),
    "a switch with a VLAN": lambda d: replugged(d, bridge="ovs0", switch="openvswitch", vlan=42),
    "a network with a port group": lambda d: replugged(
        d, bridge="lan", switch="libvirt", portgroup="office"
    ),
    "links down": lambda d: replace(
        d, interfaces=tuple(replace(each, link="down") for each in d.interfaces)
    ),
    "room to grow": lambda d: replace(
        d, vcpus_maximum=d.vcpus + 4, memory_maximum_bytes=d.memory_bytes + GIB
    ),
    "a model of processor": lambda d: replace(d, cpu_model="EPYC"),
    "the processor of the host": lambda d: replace(d, cpu_model="host-passthrough"),
    "UEFI": lambda d: replace(d, firmware="uefi"),
    "BIOS": lambda d: replace(d, firmware="bios"),
    "a TPM": lambda d: replace(d, tpm=True),
    "no TPM": lambda d: replace(d, tpm=False),
    "a title": lambda d: replace(d, title="web <1> & 'co'"),
    "another first boot": lambda d: replace(d, first_boot="0123456789abcdef"),
}


@pytest.fixture(scope="module")
def writable(data: Data) -> tuple[Known, ...]:
    """What is not refused."""
    known = ((name, text, read(text)) for name, text in data.outputs.items())
    return tuple(
        (name, text, definition)
        for name, text, definition in known
        if isinstance(definition, DomainDefinition) and refusal(definition, text) == [""]
    )


def test_nothing_changes_where_nothing_differs(writable: tuple[Known, ...]) -> None:
    changed = [
        name for name, text, definition in writable if bare(written(definition, text)) != bare(text)
    ]
    assert changed == []


def test_nearly_all_can_be_written(data: Data) -> None:
    """What cannot has disks that are no volumes, or what no two can share twice."""
    reasons = Counter[str]()
    for text in data.outputs.values():
        definition = read(text)
        if isinstance(definition, DomainDefinition):
            reasons.update(refusal(definition, text))
    assert reasons.pop("") > 0.9 * len(data.outputs)
    assert set(reasons) == {
        "names nothing",
        "two disks are one volume",
        "two interfaces have one hardware address",
    }


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_is_made_and_libvirts_schema_allows_it(
    writable: tuple[Known, ...], complaint: Complaint, change: Change
) -> None:
    wrong = {}
    for name, text, definition in writable:
        if complaint(text):
            continue
        wanted = change(definition)
        result = written(wanted, text)
        if said := complaint(result):
            wrong[name] = said
        elif not is_same_definition(wanted, definition_of(parse(result), dialect())):
            wrong[name] = "says something else"
    assert wrong == {}


def replugged(definition: DomainDefinition, **plug: Any) -> DomainDefinition:
    plugged = tuple(Interface(each.mac, **plug) for each in definition.interfaces)
    return replace(definition, interfaces=plugged)


def moved(disk: Disk) -> Disk:
    return replace(disk, volume=f"{disk.volume[:40]}-new")


def written(definition: DomainDefinition, known: str) -> str:
    return domain_xml(definition, OWNER, dialect(), FORMATS, known)


def refusal(definition: DomainDefinition, known: str) -> list[str]:
    """Why it cannot be written, without what is named."""
    try:
        written(definition, known)
    except Refused as refused:
        return [reason.rpartition("' ")[2] for reason in str(refused).split("; ")]
    return [""]


def bare(text: str) -> bytes:
    """The XML without our mark and without white space between elements."""
    root = parse(text)
    for metadata in root.findall("metadata"):
        for mark in [*metadata.findall(OWNER_TAG), *metadata.findall(GUEST_TAG)]:
            metadata.remove(mark)
    for name in ("metadata", "devices"):
        for each in [found for found in root.findall(name) if not len(found)]:
            root.remove(each)
    for element in root.iter():
        strip(element)
    canonical: bytes = etree.tostring(root, method="c14n")
    return canonical


def strip(element: Any) -> None:
    element.tail = None
    if len(element) and not (element.text or "").strip():
        element.text = None
