"""A real libvirt gives back what it was told, as far as we look at it.

Nothing is started: definitions are made, read and removed again, each by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import libvirt
import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.refusal import Refused
from reconciler.drivers.ssh.access import Access
from reconciler.kinds.domain import DomainKind
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition
from scripts.corpus import corpus
from tests.corpus.libvirt.data import data_in, dialect, read, spec_of
from tests.corpus.libvirt.definitions import successors
from tests.system.lab import Lab, taken

FORMATS: Formats = defaultdict(lambda: "qcow2")
OWNER = Owner("production", "corpus", "0123456789abcdef")
SECURE = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
# libvirt counts the memory of NUMA cells, DIMMs and NVDIMMs itself, whatever the total says.
SUMMED_UP = frozenset({"memory_bytes", "memory_maximum_bytes"})
DIFFERENT = {
    "boot-complex.xml": "disks are stored sorted by their targets",
    "disk-order.xml": "disks are stored sorted by their targets",
    "disk-network-iscsi.xml": "iSCSI units are written out: without a number it is unit 0",
}
LEAST_DEFINED = 600  # the others want machines, devices and architectures that hosts here lack


@pytest.fixture(scope="module")
def host(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtConnection]:
    address = lab.hosts["virt1"].address
    program = SshProgram(tmp_path_factory.mktemp("ssh"), Access(lab.ssh_key, lab.known_hosts))
    made = LibvirtConnection("virt1", "", dial=lambda: program.dial(address))
    with taken(lab.directory, "virt1"):
        yield made
    made.close()
    program.close()


def test_what_a_host_makes_of_libvirts_own_examples_is_no_difference(
    host: LibvirtConnection,
) -> None:
    different, defined = {}, 0
    for name, text in data_in(corpus()).inputs.items():
        example = as_a_guest_of_the_lab(name, text)
        stored = host.run(f"define {name}", partial(there_and_back, text=example))
        before, after = read(example), read(stored) if stored else None
        if isinstance(before, Refused) or not isinstance(after, DomainDefinition):
            continue
        defined += 1
        changes = DomainKind().diff(spec_of(before), spec_of(after))
        if {change.path for change in changes} - SUMMED_UP:
            different[name] = [str(change) for change in changes]
    assert different.keys() == DIFFERENT.keys(), different
    assert defined > LEAST_DEFINED


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(both=successors())
def test_what_a_host_makes_of_our_definitions_is_no_difference(
    host: LibvirtConnection, both: tuple[DomainDefinition, DomainDefinition]
) -> None:
    known = None
    for each in both:
        wanted = replace(each, name=f"corpus-{each.name}", accelerator="qemu")
        text = domain_xml(wanted, OWNER, dialect(), FORMATS, known)
        known = host.run("define", partial(there_and_back, text=text, strict=True))
        found = read(known)
        assert isinstance(found, DomainDefinition)
        assert DomainKind().diff(spec_of(wanted), spec_of(found)) == ()


def there_and_back(raw: Any, text: str, *, strict: bool = False) -> str:
    """What the host stores when it is told the text; "" when it does not take it."""
    try:
        domain = raw.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    except libvirt.libvirtError:
        if strict:
            raise
        return ""
    try:
        stored: str = domain.XMLDesc(SECURE)
    finally:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
    return stored


def as_a_guest_of_the_lab(name: str, text: str) -> str:
    """The example under a name and a UUID of its own, emulated, on a machine of today."""
    root = etree.fromstring(text)
    for old in root.findall("uuid"):
        root.remove(old)
    etree.SubElement(root, "uuid").text = str(uuid5(NAMESPACE_DNS, name))
    root.find("name").text = f"corpus-{name.removesuffix('.xml')}"
    root.set("type", "qemu")
    for system in root.iterfind("os/type"):
        machine = system.get("machine", "")
        if "q35" in machine:
            system.set("machine", "q35")
        elif machine.startswith("pc"):
            system.set("machine", "pc")
    given: str = etree.tostring(root, encoding="unicode")
    return given
