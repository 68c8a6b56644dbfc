"""S10, S30: a domain that moves brings nothing along that reaches beyond its guest."""

from __future__ import annotations

import pytest
from lxml import etree

from reconciler.drivers.libvirt_.baggage import baggage

USUAL = """
<domain type="kvm">
  <name>web</name>
  <metadata><a:x xmlns:a="urn:anything"/></metadata>
  <os firmware="efi"><type>hvm</type>
    <loader readonly="yes" type="pflash">/usr/share/OVMF/OVMF_CODE_4M.fd</loader></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type="volume" device="disk"><source pool="default" volume="web-root"/></disk>
    <interface type="bridge"><source bridge="br-lan"/></interface>
    <serial type="pty"><target port="0"/></serial>
    <channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>
    {device}
  </devices>
  {top}
</domain>
"""
QEMU = 'xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0"'


def found(top: str = "", device: str = "") -> str:
    return "; ".join(baggage(etree.fromstring(USUAL.format(top=top, device=device))))


def test_what_a_machine_of_ours_has_may_move() -> None:
    assert found() == ""


@pytest.mark.parametrize(
    ("top", "device", "reason"),
    [
        (f'<qemu:commandline {QEMU}><qemu:arg value="-x"/></qemu:commandline>', "", "commandline"),
        ("<os><kernel>/etc/shadow</kernel></os>", "", "a kernel"),
        ("<os><loader>/srv/evil</loader></os>", "", "the firmware /srv/evil"),
        ("<os><loader>/usr/share/../../tmp/x</loader></os>", "", "the firmware /usr/share/../"),
        ("", "<emulator>/tmp/evil</emulator>", "the program /tmp/evil"),
        ("", "<emulator>/usr/bin/qemu-system-x86_64 -x</emulator>", "the program /usr/bin"),
        ("", '<hostdev mode="subsystem" type="pci"/>', "a hostdev"),
        ("", '<filesystem><source dir="/"/><target dir="x"/></filesystem>', "a filesystem"),
        ("", '<interface type="hostdev"/>', "interface of type hostdev"),
        (
            "",
            '<serial type="file"><source path="/etc/passwd"/></serial>',
            "a serial that is a file",
        ),
        ("", '<serial type="pty"><log file="/etc/passwd"/></serial>', "that writes to a file"),
        ("", '<disk type="network"/>', "disk of type network"),
    ],
)
def test_what_reaches_beyond_the_guest_is_found(top: str, device: str, reason: str) -> None:
    assert reason in found(top, device)
