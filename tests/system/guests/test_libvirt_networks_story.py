"""A network of libvirt's own and a machine on it, from documents to a host and away again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.lab import Lab, LabHost
from tests.system.networks_farm import NetworksFarm

NAME, ADDRESS = "natstory", "10.213.98.11"
NETWORK = {
    "kind": "Network",
    "name": "private",
    "subnet": "10.213.98.0/24",
    "bridge": NAME,
    "switch": "libvirt",
    "gateway": "10.213.98.1",
    "nameservers": ["10.213.98.53"],
    "hosts": [{"name": "virt1"}],
    "dhcp": {},
    "partitions": [
        {"name": "any", "range": "10.213.98.100-10.213.98.120", "purpose": "dynamic"},
        {"name": "known", "range": "10.213.98.8-10.213.98.15", "purpose": "machines"},
    ],
}
POOLS = [{"name": "default", "size": "10 GiB", "target": "/var/lib/libvirt/images"}]
FILES = {"network": "networks/private.yaml", "machine": "vms/web.yaml"}
ORDER = [
    f"libvirt_network@virt1/{NAME}",
    f"libvirt_reservations@virt1/{NAME}.production",
    "domain/web",
]


@pytest.fixture
def farm(tmp_path: Path, lab: Lab, virthost: LabHost) -> Iterator[NetworksFarm]:
    farm = NetworksFarm(tmp_path, lab, [virthost])
    image = {"kind": "Image", "name": "tiny", "sha256": lab.checksum("tiny")}
    machine = {
        "kind": "VirtualMachine",
        "name": "web",
        "image": "tiny",
        "cpus": 1,
        "memory": "96 MiB",
        "disks": [{"name": "root", "size": "256 MiB"}],
        "networks": [{"network": "private", "address": ADDRESS}],
    }
    farm.declare(
        {
            "hosts/virt1.yaml": farm.host("virt1", accelerator="qemu", pools=POOLS),
            "images/tiny.yaml": {**image, "url": str(lab.image("tiny"))},
            FILES["network"]: NETWORK,
            FILES["machine"]: machine,
        }
    )
    yield farm
    for action in ("net-destroy", "net-undefine"):
        virthost.attempt("virsh", action, NAME)


def test_a_network_comes_heals_and_goes(farm: NetworksFarm, virthost: LabHost) -> None:
    made = [address for address in farm.plan() if address in ORDER]
    assert made == ORDER
    farm.sync()
    assert farm.plan() == {}
    stored = virthost.run("virsh", "net-dumpxml", NAME)
    assert f"ip='{ADDRESS}'" in stored
    assert "name='production-web'" in stored
    entry = next(line.strip() for line in stored.splitlines() if ADDRESS in line)
    virthost.run(
        *("virsh", "net-update", NAME, "delete", "ip-dhcp-host", entry, "--live", "--config")
    )
    assert set(farm.plan()) == {ORDER[1]}
    farm.sync()
    assert f"ip='{ADDRESS}'" in virthost.run("virsh", "net-dumpxml", NAME)
    farm.declare({FILES["network"]: {**NETWORK, "mtu": 1400}})
    assert ORDER[0] in farm.plan()
    farm.sync()
    assert farm.plan() == {}  # the rest waits for the machine to leave
    assert "1400" not in virthost.run("virsh", "net-dumpxml", NAME)
    assert "1400" in virthost.run("virsh", "net-dumpxml", "--inactive", NAME)
    farm.declare(dict.fromkeys(FILES.values()))
    gone = [address for address in farm.plan() if address in ORDER]
    assert gone == [ORDER[2], ORDER[1], ORDER[0]]
    farm.sync()
    assert NAME not in virthost.run("virsh", "net-list", "--all", "--name")
