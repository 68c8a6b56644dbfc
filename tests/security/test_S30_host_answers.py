"""S30: a host that lies in its XML makes its own look fail, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.reading import Dialect, definition_of
from reconciler.drivers.libvirt_.xmltext import LARGEST_BYTES, parse
from reconciler.drivers.refusal import Refused
from reconciler.errors import Conflict
from tests.unit.drivers.libvirt_.stores import storage_of

DOMAIN = (
    "<domain type='kvm'><name>{name}</name><uuid>6af613b6-569c-5c22-9c37-2ed93f31d3af</uuid>"
    "<memory unit='{unit}'>{memory}</memory><vcpu>{vcpus}</vcpu>{more}</domain>"
)
USUAL = {"name": "web", "unit": "KiB", "memory": "1024", "vcpus": "1", "more": ""}
BOMB = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
)
HOSTILE = {
    "entity bomb": BOMB + "]><domain><name>&j;</name></domain>",
    "outside entity": "<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    + DOMAIN.format(**{**USUAL, "name": "&x;"}),
    "outside document type": "<!DOCTYPE d SYSTEM 'http://127.0.0.1:1/x.dtd'>"
    + DOMAIN.format(**USUAL),
    "giant": DOMAIN.format(**{**USUAL, "more": "<x/>" * LARGEST_BYTES}),
    "deep": "<x>" * 100_000,
    "no xml": "not at all",
    "nothing": "",
    "control characters": DOMAIN.format(**{**USUAL, "name": "\x00\x1b[2J"}),
    "no name": DOMAIN.format(**{**USUAL, "name": ""}),
    "long name": DOMAIN.format(**{**USUAL, "name": "w" * 10_000}),
    "memory of many digits": DOMAIN.format(**{**USUAL, "memory": "9" * 10_000}),
    "memory that is no number": DOMAIN.format(**{**USUAL, "memory": "many"}),
    "memory in other digits": DOMAIN.format(**{**USUAL, "memory": "\u0661\u0662"}),
    "negative memory": DOMAIN.format(**{**USUAL, "memory": "-1"}),
    "memory in furlongs": DOMAIN.format(**{**USUAL, "unit": "furlong"}),
    "no memory": "<domain><name>web</name><uuid>u</uuid></domain>",
    "processors that are no number": DOMAIN.format(**{**USUAL, "vcpus": "1e9"}),
    "long source": DOMAIN.format(
        **{
            **USUAL,
            "more": f"<devices><disk type='file'><source file='{'/x' * 9000}'/></disk></devices>",
        }
    ),
}
DIALECT = Dialect({"kvm": "kvm"})


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_xml_is_refused_quickly(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(Refused):
        definition_of(parse(text), DIALECT)
    assert time.monotonic() - began < 2


def test_the_usual_is_read() -> None:
    """Else the test above would pass by refusing all."""
    assert definition_of(parse(DOMAIN.format(**USUAL)), DIALECT).memory_bytes == 1024 * 1024


_RARE = libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED | libvirt.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT


class HostileDomain:
    """One domain as libvirt-python would give it, with XML of the host's choosing."""

    def __init__(self, text: str) -> None:
        self.text = text

    def UUIDString(self) -> str:
        return "6af613b6-569c-5c22-9c37-2ed93f31d3af"

    def XMLDesc(self, _flags: int) -> str:
        return self.text


class HostileHost:
    """What `libvirt.open` gives of a host that was taken over."""

    def __init__(self, text: str) -> None:
        self.text = text

    def listAllDomains(self, flags: int) -> list[HostileDomain]:
        return [] if flags & _RARE else [HostileDomain(self.text)]

    def close(self) -> None:
        return None


def hypervisor(host: str, opener: Callable[[str], Any]) -> LibvirtHypervisor:
    patience = Patience(sleep=lambda _seconds: None, monotonic=lambda: 0.0)
    connection = LibvirtConnection(host, "test:///default", opener=opener)
    return LibvirtHypervisor(connection, storage_of(), patience, domain_types={"kvm": "kvm"})


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_only_the_host_that_lies_cannot_be_looked_at(text: str) -> None:
    honest = hypervisor("virt1", lambda _uri: HostileHost(DOMAIN.format(**USUAL)))
    liar = hypervisor("virt2", lambda _uri: HostileHost(text))
    with pytest.raises(Conflict) as caught:
        liar.domains()
    assert caught.value.where == "virt2"
    assert len(str(caught.value)) < 1000
    assert [each.definition.name for each in honest.domains()] == ["web"]
    honest.close()
    liar.close()
