"""S10: no text of a definition becomes structure of the XML that libvirt gets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.reading import Dialect, definition_of, owner_of
from reconciler.drivers.libvirt_.writing import domain_xml, owner_xml
from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.refusal import Refused
from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, NewVolume
from tests.unit.drivers.libvirt_.stores import storage_of

GIB = 1024**3
DIALECT = Dialect({"kvm": "kvm", "qemu": "test"})
OWNER = Owner("production", "web-1", "0123456789abcdef")
DEFINITION = DomainDefinition(
    name="web",
    uuid="6af613b6-569c-5c22-9c37-2ed93f31d3af",
    accelerator="qemu",
    vcpus=2,
    memory_bytes=2 * GIB,
    disks=(Disk("root", "default", "web-root"), Disk("seed", "default", "web-seed", "cdrom")),
    interfaces=(
        Interface("52:54:00:12:34:56", "br-lan", link="down", guarded="192.168.1.7"),
        Interface("52:54:00:12:34:57", "br-ovs", "openvswitch", vlan=42),
        Interface("52:54:00:12:34:58", "lan", "libvirt", portgroup="office"),
    ),
    vcpus_maximum=4,
    memory_maximum_bytes=4 * GIB,
    cpu_model="EPYC",
    firmware="uefi",
    tpm=True,
    title="The web",
    first_boot="0123456789abcdef",
)

NODE = """
<node><cpu><mhz>2000</mhz><model>x86_64</model><active>2</active><nodes>1</nodes>
  <sockets>1</sockets><cores>2</cores><threads>1</threads></cpu><memory>33554432</memory>
  <pool type="dir"><name>default</name><target><path>/pools/default</path></target></pool></node>
"""

PAYLOADS = {
    "closes the name": "</name><devices><disk type='block' device='disk'>"
    "<source dev='/dev/sda'/><target dev='vdz'/></disk></devices><name>",
    "closes an attribute": "x'/><hostdev mode='subsystem' type='pci'/><y z='",
    "closes a double quote": 'x"/><filesystem><source dir="/"/></filesystem><y z="',
    "commandline": "x'/></devices><qemu:commandline xmlns:qemu='q'><qemu:arg value='-s'/>",
    "entity": "&xxe;",
    "known entity": "&lt;disk&gt;",
    "number reference": "&#60;disk&#62;",
    "document type": "<!DOCTYPE x [<!ENTITY xxe SYSTEM 'file:///etc/passwd'>]>",
    "comment": "--><disk/><!--",
    "cdata": "]]><disk/><![CDATA[",
    "instruction": "?><?xml-stylesheet href='x'?>",
    "newline": "web\n<disk/>",
    "carriage return": "web\r",
    "tab": "web\t1",
    "nul": "web\x00",
    "control": "web\x01",
    "delete": "web\x7f",
    "line separator": "web\u2028",
    "not a character": "web\ufffe",
    "half a pair": "web\ud800",
    "right to left": "web\u202emoc",
    "beyond the plane": "web\U0001f600",
    "path": "../../../dev/sda",
    "device": "/dev/sda",
    "option": "-drive file=/dev/sda",
    "comma": "web,file=/dev/sda",
    "long": "w" * 100_000,
    "blank": " ",
    "empty": "",
    "format": "{0}%s$x",
    "name space": "x:y",
}


def with_payload(field: str, payload: str) -> tuple[DomainDefinition, Owner]:
    """The definition with the payload in a field; `disks.0.name` is one of the first disk."""
    kind, _, rest = field.partition(".")
    if kind == "owner":
        return DEFINITION, replace(OWNER, **{rest: payload})
    changed: Any = payload
    if rest:
        index, _, name = rest.partition(".")
        changed = list(getattr(DEFINITION, kind))
        changed[int(index)] = replace(changed[int(index)], **{name: payload})
        changed = tuple(changed)
    return replace(DEFINITION, **{kind: changed}), OWNER


FIELDS = (
    "name",
    "uuid",
    "accelerator",
    "cpu_model",
    "title",
    "first_boot",
    "disks.0.name",
    "disks.0.pool",
    "disks.0.volume",
    "disks.1.volume",
    "interfaces.0.mac",
    "interfaces.0.bridge",
    "interfaces.0.guarded",
    "interfaces.1.bridge",
    "interfaces.2.bridge",
    "interfaces.2.portgroup",
    "owner.environment",
    "owner.name",
    "owner.digest",
)


def xml_of(definition: DomainDefinition, owner: Owner, known: str | None = None) -> str:
    formats = {(disk.pool, disk.volume): "qcow2" for disk in definition.disks}
    return domain_xml(definition, owner, DIALECT, formats, known)  # type: ignore[arg-type]


def shape_of(text: str) -> Counter[str]:
    """How often each element is there, and each attribute of such an element."""
    found = Counter[str]()
    for each in etree.fromstring(text).iter():
        path = re.sub(r"\[\d+\]", "", each.getroottree().getpath(each))
        found.update([path, *(f"{path}/@{key}" for key in each.attrib)])
    return found


BENIGN = xml_of(DEFINITION, OWNER)
BENIGN_SHAPE = shape_of(BENIGN)


def assert_harmless(definition: DomainDefinition, owner: Owner, known: str | None) -> None:
    """Refused; or the XML has the benign shape and says what the definition says."""
    try:
        text = xml_of(definition, owner, known)
    except Refused:
        return
    assert not shape_of(text) - BENIGN_SHAPE
    first, _, last = definition.interfaces
    if definition.title and last.portgroup and first.guarded:  # which else are left out
        assert shape_of(text) == BENIGN_SHAPE
    root = etree.fromstring(text)
    assert is_same_definition(definition, definition_of(root, DIALECT))
    assert owner_of(root) == owner
    assert not root.xpath("//@file | //@dev[parent::source] | //@path | //@dir")


@pytest.mark.parametrize("known", [None, BENIGN], ids=["new", "known"])
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
@pytest.mark.parametrize("field", FIELDS)
def test_text_stays_text(field: str, payload: str, known: str | None) -> None:
    assert_harmless(*with_payload(field, payload), known)


@given(field=st.sampled_from(FIELDS), text=st.text(max_size=80))
def test_any_text_stays_text(field: str, text: str) -> None:
    assert_harmless(*with_payload(field, text), None)


def test_markup_in_a_name_is_refused_nowhere_but_kept_as_text() -> None:
    """Else the tests above would pass by refusing all."""
    payload = PAYLOADS["closes an attribute"].replace("/", "")
    definition, _ = with_payload("name", payload)
    assert etree.fromstring(xml_of(definition, OWNER)).findtext("name") == payload


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_mark_stays_one_element(payload: str) -> None:
    try:
        text = owner_xml(replace(OWNER, name=payload))
    except Refused:
        return
    root = etree.fromstring(text)
    assert (root.tag, len(root), root.get("name")) == ("owner", 0, payload)


def test_the_format_of_a_disk_is_always_said() -> None:
    driver = etree.fromstring(BENIGN).find("devices/disk/driver")
    assert driver is not None
    assert driver.get("type") == "qcow2"


@pytest.mark.libvirt
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_libvirt_sees_no_more_devices_than_there_are(payload: str, tmp_path: Path) -> None:
    node = tmp_path / "node.xml"  # a host of its own, so that nothing is left of the last test
    node.write_text(NODE, encoding="utf-8")
    connection = LibvirtConnection("virt1", f"test://{node}")
    patience = Patience(sleep=lambda _seconds: None, monotonic=lambda: 0.0)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"qemu": "test"})
    owner = replace(OWNER, name=payload)
    definition = replace(
        DEFINITION,
        name=payload,
        disks=(Disk("root", "default", payload),),
        interfaces=(Interface("52:54:00:12:34:56", payload),),
    )
    try:
        port.create_volume(NewVolume("default", payload, "qcow2", GIB), owner)
        port.define_domain(definition, owner)
        assert [each.definition for each in port.domains()] == [definition]
        assert connection.run("read", device_counts) == Counter(disk=1, interface=1)
    except Conflict:
        assert port.domains() == ()
    finally:
        connection.close()


def device_counts(raw: Any) -> Counter[str]:
    (domain,) = raw.listAllDomains()
    root = etree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
    watched = {"disk", "interface", "hostdev", "filesystem", "redirdev", "shmem", "smartcard"}
    return Counter(each.tag for each in root.iterfind("devices/*") if each.tag in watched)
