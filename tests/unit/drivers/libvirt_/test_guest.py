"""What a running guest is said to have, beside what is stored."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.libvirt_.guest import guest_of
from reconciler.drivers.libvirt_.reading import GUEST_URN, Dialect, definition_of
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_guest
from reconciler.ports.hypervisor import DomainDefinition

DIALECT = Dialect({"kvm": "kvm"}, lambda path: ("default", path.rpartition("/")[2]))
XML = """<domain type="kvm"><name>web</name><uuid>6af613b6-569c-5c22-9c37-2ed93f31d3af</uuid>
  <metadata>{note}</metadata><memory>{most}</memory><currentMemory>{memory}</currentMemory>
  <cpu mode="{mode}">{model}</cpu>
  <devices><disk type="file"><source file="/pools/default/web-root"/><target dev="vda"/>{alias}
  </disk>{more}</devices></domain>"""
USUAL = {"note": "", "most": 4096, "memory": 1024, "mode": "custom", "alias": "", "more": ""}
HOST = {"mode": "host-model", "model": ""}
AS_EPYC = {"mode": "custom", "model": "<model>EPYC</model>"}


def xml(**changes: Any) -> Any:
    return parse(XML.format(**{**USUAL, **AS_EPYC, **changes}))


def note(**notes: Any) -> str:
    said = " ".join(f'{key}="{value}"' for key, value in notes.items())
    return f'<g:guest xmlns:g="{GUEST_URN}" {said}/>'


def guest(live: Any, stored: Any) -> tuple[DomainDefinition, bool]:
    """The guest's definition, and whether it is what is stored."""
    definition = definition_of(stored, DIALECT)
    found = guest_of(live, definition, DIALECT)
    return found, is_same_guest(found, definition)


def test_a_guest_that_was_started_before_its_disks_had_names_waits_for_nothing() -> None:
    found, is_same = guest(xml(), xml(alias='<alias name="ua-root"/>'))
    assert is_same
    assert found.disks[0].name == "root"


@pytest.mark.parametrize("noted", ["", note(cpu_model="host-model")])
def test_as_the_host_is_a_model_by_name_once_it_runs(noted: str) -> None:
    assert guest(xml(note=noted), xml(**HOST))[1]


def test_a_model_in_place_of_as_the_host_waits_for_a_restart() -> None:
    assert not guest(xml(note=note(cpu_model="host-model")), xml())[1]


def test_as_the_host_in_place_of_a_model_waits_for_a_restart() -> None:
    assert not guest(xml(note=note(cpu_model="EPYC")), xml(**HOST))[1]


@pytest.mark.parametrize("has_kib", [4096, 3000, 1024])
def test_a_guest_that_boots_gives_back_memory_in_its_time(has_kib: int) -> None:
    live = xml(memory=has_kib, note=note(memory=1024 * 1024))
    assert guest(live, xml())[1]


def test_a_guest_that_was_started_with_more_waits_for_less() -> None:
    assert not guest(xml(memory=4096, note=note(memory=4096 * 1024)), xml())[1]


def test_memory_below_what_it_was_started_with_is_drift() -> None:
    found, is_same = guest(xml(memory=512, note=note(memory=1024 * 1024)), xml())
    assert (found.memory_bytes, is_same) == (512 * 1024, False)


@pytest.mark.parametrize("noted", ["", note(first_boot="01")])
def test_memory_of_a_guest_that_was_asked_is_what_it_has(noted: str) -> None:
    assert guest(xml(memory=4096, note=noted), xml())[0].memory_bytes == 4096 * 1024


def test_other_first_boot_data_waits_for_a_restart() -> None:
    assert not guest(xml(note=note(first_boot="01")), xml(note=note(first_boot="02")))[1]


def test_an_interface_of_a_network_is_as_stored_while_it_runs() -> None:
    stored = '<interface type="network"><mac address="52:54:00:00:00:01"/><source network="lan"/>'
    live = (
        '<interface type="bridge"><mac address="52:54:00:00:00:01"/>'
        '<source network="lan" portid="x" bridge="ovs0"/><vlan><tag id="9"/></vlan>'
        '<virtualport type="openvswitch"/>'
    )
    end = "</interface>"
    assert guest(xml(more=live + end), xml(more=stored + end))[1]
