"""Definitions of domains as Hypothesis makes them up, and pairs that follow each other."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st

from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface

T = TypeVar("T")
ALPHANUMERIC = string.ascii_letters + string.digits
names = st.text(ALPHANUMERIC + "_-.", min_size=1, max_size=40).filter(
    lambda name: name not in {".", ".."}
)
disk_names = st.text(ALPHANUMERIC + "_-", min_size=1, max_size=20)
bridge_names = st.text(ALPHANUMERIC + "_-", min_size=1, max_size=15)
macs = st.binary(min_size=5, max_size=5).map(lambda tail: (b"\x52" + tail).hex(":"))
links = st.sampled_from(["up", "down"])
disks = st.builds(
    Disk,
    name=disk_names,
    pool=names,
    volume=names,
    device=st.sampled_from(["disk", "disk", "cdrom"]),
)
interfaces = st.one_of(
    st.builds(Interface, mac=macs, bridge=bridge_names, link=links),
    st.builds(
        Interface,
        mac=macs,
        bridge=bridge_names,
        switch=st.just("openvswitch"),
        vlan=st.none() | st.integers(1, 4094),
        link=links,
    ),
    st.builds(
        Interface,
        mac=macs,
        bridge=bridge_names,
        switch=st.just("libvirt"),
        portgroup=st.just("") | names,
        link=links,
    ),
)


@st.composite
def definitions(draw: st.DrawFn) -> DomainDefinition:
    vcpus, kib = draw(st.integers(1, 255)), draw(st.integers(1, 2**30))
    kib_maximum = draw(st.none() | st.integers(kib, 2**31))
    return DomainDefinition(
        name=draw(names),
        uuid=str(UUID(int=draw(st.integers(1, 2**128 - 1)))),
        accelerator=draw(st.sampled_from(["kvm", "qemu"])),
        vcpus=vcpus,
        memory_bytes=kib * 1024,
        disks=draw(st.lists(disks, max_size=30, unique_by=(name_of, volume_of)).map(tuple)),
        interfaces=draw(st.lists(interfaces, max_size=8, unique_by=mac_of).map(tuple)),
        vcpus_maximum=draw(st.none() | st.integers(vcpus, 255)),
        memory_maximum_bytes=None if kib_maximum is None else kib_maximum * 1024,
        cpu_model=draw(st.sampled_from([None, "host-passthrough", "host-model", "EPYC", "qemu64"])),
        firmware=draw(st.sampled_from([None, "bios", "uefi"])),
        tpm=draw(st.none() | st.booleans()),
        title=draw(
            st.none() | st.text(string.ascii_letters + " <&'\"", max_size=40).map(str.strip)
        ),
        first_boot=draw(st.none() | st.text("0123456789abcdef", min_size=16, max_size=16)),
    )


@st.composite
def successors(draw: st.DrawFn) -> tuple[DomainDefinition, DomainDefinition]:
    """Two definitions of one domain. The later may have disks and interfaces of the earlier."""
    first, then = draw(definitions()), draw(definitions())
    disks = [*some_of(draw, first.disks), *then.disks]
    interfaces = [*some_of(draw, first.interfaces), *then.interfaces]
    disks = list({disk.name: disk for disk in disks}.values())
    disks = list({volume_of(disk): disk for disk in disks}.values())
    interfaces = list({each.mac: each for each in interfaces}.values())
    return first, replace(
        then,
        name=first.name,
        uuid=first.uuid,
        disks=tuple(draw(st.permutations(disks))),
        interfaces=tuple(draw(st.permutations(interfaces))),
    )


def some_of(draw: st.DrawFn, items: Sequence[T]) -> list[T]:
    return draw(st.lists(st.sampled_from(items), unique=True)) if items else []


def name_of(disk: Disk) -> str:
    return disk.name


def volume_of(disk: Disk) -> tuple[str, str]:
    return disk.pool, disk.volume


def mac_of(interface: Interface) -> str:
    return interface.mac
