"""From what runs on a host to the documents that describe it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.config.documents import Host, MachineDefaults, VirtualMachine
from reconciler.config.networks import Network
from reconciler.kinds.domain import DomainSpec
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, PoolState
from reconciler.ports.libvirt_networks import NetworkState
from reconciler.render.adoption import (
    Plug,
    Surveyed,
    adopt_machine,
    document_name,
    missing_pools,
    new_networks,
)
from tests.farms.specs import GIB, domain_spec, volume_spec

HOST = Host.model_validate(
    {
        "kind": "Host",
        "name": "virt1",
        "environment": "production",
        "address": "192.168.1.1",
        "memory": "64 GiB",
        "pools": [{"name": "default", "size": "100 GiB", "target": "/pool"}],
    }
)
LAN = Network.model_validate(
    {"kind": "Network", "name": "lan", "subnet": "192.168.1.0/24", "bridge": "br-lan"}
)
MAC = "52:54:00:00:00:01"
OLD = domain_spec(
    libvirt_name="Old_Web",
    disks=(Disk("vda", "default", "old.qcow2"),),
    interfaces=(Interface(MAC, "br-lan"),),
)
VOLUMES = {("default", "old.qcow2"): volume_spec(name="x", capacity_bytes=8 * GIB)}
NO_DEFAULTS = MachineDefaults()
SURVEYED = Surveyed(HOST, VOLUMES, (Plug.of(LAN),), NO_DEFAULTS)


def document(**fields: Any) -> dict[str, Any]:
    adoption = adopt_machine("old-web", replace(OLD, **fields), SURVEYED)
    assert adoption.reasons == ()
    return dict(adoption.document)


def reasons(spec: DomainSpec) -> str:
    return "; ".join(adopt_machine("old-web", spec, SURVEYED).reasons)


def test_a_machine_is_described_by_all_that_makes_it_what_it_is() -> None:
    assert document() == {
        "kind": "VirtualMachine",
        "name": "old-web",
        "host": "virt1",
        "adopt": True,
        "libvirt_name": "Old_Web",
        "uuid": OLD.uuid,
        "cpus": 2,
        "memory": "2 GiB",
        "disks": [
            {
                "name": "vda",
                "size": "8 GiB",
                "pool": "default",
                "volume": "old.qcow2",
                "format": "qcow2",
            }
        ],
        "networks": [{"network": "lan", "mac": MAC}],
    }


def test_the_document_is_one_that_can_be_read() -> None:
    assert VirtualMachine.model_validate(document()).adopt


@pytest.mark.parametrize(
    ("fields", "key", "value"),
    [
        ({"running": False}, "running", False),
        ({"autostart": False}, "autostart", False),
        ({"title": "the old one"}, "description", "the old one"),
        ({"vcpus_maximum": 4}, "cpus_maximum", 4),
        ({"memory_maximum_bytes": 4 * GIB}, "memory_maximum", "4 GiB"),
    ],
)
def test_what_is_not_as_usual_is_said(fields: dict[str, Any], key: str, value: Any) -> None:
    assert key not in document()
    assert document(**fields)[key] == value


def test_a_guest_that_waits_for_a_restart_is_not_restarted_for_being_adopted() -> None:
    guest = DomainDefinition(OLD.libvirt_name, OLD.uuid, "kvm", 1, GIB)
    assert document(guest=guest)["restart"] == "manual"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (replace(OLD, disks=(Disk("vda", "", "/srv/x.img"),)), "disk vda is /srv/x.img, in no"),
        (replace(OLD, disks=()), "it has no disk"),
        (replace(OLD, memory_bytes=GIB + 1024), "no whole number of MiB"),
        (replace(OLD, accelerator="qemu"), "it runs with qemu, and virt1 with kvm"),
        (replace(OLD, interfaces=(Interface(MAC, "br-x"),)), "br-x (linux), which no Network"),
        (
            replace(
                OLD, interfaces=(Interface(MAC, "br-lan"), Interface("52:54:00:0:0:2", "br-lan"))
            ),
            "plugged into lan twice",
        ),
    ],
)
def test_what_no_document_can_say_is_a_reason(spec: DomainSpec, reason: str) -> None:
    assert reason in reasons(spec)


def test_all_reasons_are_told_at_once() -> None:
    odd = replace(OLD, disks=(), memory_bytes=1, accelerator="qemu")
    assert len(adopt_machine("Old Web", odd, SURVEYED).reasons) == 4


def test_a_network_is_found_by_bridge_switch_and_vlan() -> None:
    plugs = (
        Plug("lan", "br0", "openvswitch"),
        Plug("dmz", "br0", "openvswitch", vlan=7),
        Plug("nat", "default", "libvirt", portgroup="slow"),
    )
    interfaces = (
        Interface(MAC, "br0", "openvswitch", vlan=7, link="down"),
        Interface("52:54:00:00:00:02", "default", "libvirt", portgroup="slow"),
        Interface("52:54:00:00:00:03", "br0", "openvswitch", vlan=9),
    )
    adoption = adopt_machine(
        "old-web", replace(OLD, interfaces=interfaces), Surveyed(HOST, VOLUMES, plugs, NO_DEFAULTS)
    )
    assert adoption.document["networks"] == [
        {"network": "dmz", "mac": MAC, "link": "down"},
        {"network": "nat", "mac": "52:54:00:00:00:02"},
        {"network": "lan", "mac": "52:54:00:00:00:03", "vlan": 9},
    ]


def test_networks_of_libvirt_that_are_used_and_unknown_are_described() -> None:
    spec = replace(
        OLD, interfaces=tuple(Interface(MAC, name, "libvirt") for name in ("Default", "known", "x"))
    )
    networks = (
        NetworkState("Default", "virbr0", "192.168.122.0/24"),
        NetworkState("known", "virbr1", "10.0.0.0/24"),
        NetworkState("x", "virbr2"),
        NetworkState("unused", "virbr3", "10.0.1.0/24"),
    )
    (found,) = new_networks([spec], networks, [Plug("known", "known", "libvirt")])
    assert found == {
        "kind": "Network",
        "name": "default",
        "subnet": "192.168.122.0/24",
        "bridge": "Default",
        "switch": "libvirt",
    }


def test_a_network_of_the_host_never_takes_the_name_of_another_in_the_repository() -> None:
    spec = replace(OLD, interfaces=(Interface(MAC, "Lan", "libvirt"),))
    networks = (NetworkState("Lan", "virbr9", "10.66.0.0/24"),)
    assert new_networks([spec], networks, [Plug.of(LAN)]) == []


def test_pools_that_the_document_does_not_know_are_listed() -> None:
    pools = (
        PoolState("default", "dir", "/pool", 100 * GIB),
        PoolState("tank", "zfs", "tank/vms", 10 * GIB + 1),
        PoolState("strange", "mpath", "/dev/mapper", GIB),
    )
    assert missing_pools(HOST, pools) == [
        {"name": "tank", "size": "10 GiB", "type": "zfs", "target": "tank/vms"}
    ]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("production-web-1", "web-1"), ("Old_Web", "old-web"), ("web", "web"), ("a.b", "a-b")],
)
def test_a_machine_is_called_as_on_its_host(theirs: str, ours: str) -> None:
    assert document_name(theirs, "production") == ours


def test_the_defaults_of_the_farm_change_nothing_of_it() -> None:
    defaults = MachineDefaults.model_validate(
        {
            "image": "debian-12",
            "cpus": 8,
            "cpus_maximum": 16,
            "running": False,
            "restart": "manual",
            "disks": [{"name": "root", "size": "8 GiB"}, {"name": "vda", "size": "1 GiB"}],
            "networks": [{"network": "dmz"}, {"network": "lan"}],
        }
    )
    adoption = adopt_machine("old-web", OLD, Surveyed(HOST, VOLUMES, (Plug.of(LAN),), defaults))
    told = adoption.document
    assert {key: told[key] for key in ("image", "cpus", "cpus_maximum", "running", "restart")} == {
        "image": None,
        "cpus": 2,
        "cpus_maximum": None,
        "running": True,
        "restart": "automatic",
    }
    assert told["disks"][1:] == [{"name": "root", "absent": True}]
    assert told["networks"][1:] == [{"network": "dmz", "absent": True}]


@pytest.mark.parametrize(
    ("of_the_host", "told"), [(None, None), ("qemu64", None), ("x86-64-v2", "qemu64")]
)
def test_the_processor_of_the_hosts_group_changes_nothing_of_it(
    of_the_host: str | None, told: str | None
) -> None:
    seen = replace(OLD, cpu_model="qemu64")
    adoption = adopt_machine("old-web", seen, replace(SURVEYED, cpu_model=of_the_host))
    assert adoption.document.get("cpu_model") == told
