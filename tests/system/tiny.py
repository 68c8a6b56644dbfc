"""Start the tiny guest by hand, for tests that need one before the product can make it."""

from __future__ import annotations

from pathlib import PurePosixPath

from tests.system.lab import Lab, LabHost

POOL = PurePosixPath("/var/lib/libvirt/images")
DEFINITION = """
<domain type="qemu">
  <name>{name}</name>
  <memory unit="MiB">96</memory>
  <vcpu>1</vcpu>
  <os><type arch="x86_64" machine="pc">hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type="file" device="disk">
      <driver name="qemu" type="qcow2"/>
      <source file="{pool}/{name}.qcow2"/>
      <target dev="vda" bus="virtio"/>
    </disk>
    <disk type="file" device="disk">
      <driver name="qemu" type="raw"/>
      <source file="{pool}/{name}.iso"/>
      <target dev="vdb" bus="virtio"/>
      <readonly/>
    </disk>
    <interface type="bridge">
      <mac address="{mac}"/>
      <source bridge="br-lan"/>
      <model type="virtio"/>
    </interface>
    <serial type="pty"/>
  </devices>
</domain>
"""
SEED = """
set -e
seed=$(mktemp -d)
cd "$seed"
printf 'local-hostname: %s\\n' "$1" >meta-data
printf 'version: 2\\nethernets: {lan: {match: {macaddress: "%s"}, addresses: [%s/24]}}\\n' \
    "$2" "$3" >network-config
genisoimage -quiet -V cidata -J -r -o "$4" meta-data network-config
rm -r "$seed"
"""


def start_tiny(lab: Lab, host: LabHost, name: str, *, address: str) -> None:
    """Define and start a tiny guest with a disk of its own, at an address on br-lan."""
    mac = "52:54:00:00:00:{:02x}".format(int(address.rpartition(".")[2]))
    host.write_file(str(POOL / f"{name}.qcow2"), lab.image("tiny").read_bytes())
    host.run("bash", "-c", SEED, "seed", name, mac, address, str(POOL / f"{name}.iso"))
    definition = DEFINITION.format(name=name, pool=POOL, mac=mac)
    host.run("virsh", "define", "/dev/stdin", stdin=definition.encode())
    host.run("virsh", "start", name)
