"""An overlay between hosts of the lab, from documents through the program.

Open vSwitch forwards in user space here, which tunnels only out of a switch of its own: so the
hosts have an underlay on the lab's switch, and the overlay runs in that.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.networks_farm import PROGRAM, Document, NetworksFarm

pytestmark = pytest.mark.timeout(900)  # a host may be another test's for a while
FIRST, LAST = ("virt3", "virt4", "virt5"), "virt6"
ALL = (*FIRST, LAST)
HERE = Path(__file__).parents[1]
MINUTE = timedelta(seconds=60)
MOST = 1462 - 28  # bytes of a ping through GRE over 1500
UNDERLAY, OVERLAY = "networks/underlay.yaml", "networks/overlay.yaml"
RECEIVE = """\
import socket, sys, time
receiver = socket.create_server((sys.argv[1], 5001))
receiver.settimeout(30)
connection, _ = receiver.accept()
connection.settimeout(10)
count = sum(map(len, iter(lambda: connection.recv(65536), b"")))
open("/run/mesh-received", "w").write(str(count))
"""
SEND = """\
import socket, sys
connection = socket.create_connection((sys.argv[1], 5001), 10)
connection.settimeout(10)
for _ in range(20):
    connection.sendall(bytes(1_000_000))
"""
CUT = """\
ovs-vsctl del-port "$1"
began=$(date +%s%N)
until ovs-vsctl list-ports br-mesh | grep -qx "$1"; do sleep 0.02; done
echo "$(($(date +%s%N) - began))e-9"
"""
SENT_BYTES = 20_000_000
AT_ONCE_SECONDS, REST_SECONDS = 3.0, 4.0  # a sweep finds it within ten, too
SHOUT = """\
import socket, sys
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
raw.bind(("br-mesh", 0))
for _ in range(100):
    raw.send(b"\\xff" * 6 + bytes.fromhex("020000000001") + b"\\x88\\xb5" + bytes(60))
"""


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworksFarm]:
    """Three hosts that have the overlay."""
    with ExitStack() as stack:
        for name in FIRST:
            stack.enter_context(taken_clean(lab, name))
        farm = NetworksFarm(tmp_path_factory.mktemp("farm"), lab, [lab.hosts[name] for name in ALL])
        documents = {f"hosts/{name}.yaml": host(farm, name) for name in FIRST}
        image = {"kind": "Image", "name": "tiny", "url": lab.image("tiny").as_uri()}
        documents["images/tiny.yaml"] = {**image, "sha256": lab.checksum("tiny")}
        farm.declare({**documents, f"hosts/{LAST}.yaml": None})
        connect(farm, FIRST)
        yield farm


@contextmanager
def taken_clean(lab: Lab, name: str) -> Iterator[LabHost]:
    """A host without an overlay before and after."""
    with taken(lab.directory, name):
        clean(lab.hosts[name])
        try:
            yield lab.hosts[name]
        finally:
            clean(lab.hosts[name])


def clean(host: LabHost) -> None:
    host.clean()
    host.run("bash", "-s", stdin=HERE.joinpath("clean-overlay").read_bytes(), within=MINUTE)


def host(farm: NetworksFarm, name: str) -> Document:
    """Its kernel answers for an address only where it has it, and sets up its switches at boot."""
    pool = {"name": "default", "size": "20 GiB", "target": "/var/lib/libvirt/images"}
    return farm.host(
        name,
        accelerator="qemu",
        switch_datapath="netdev",
        sysctls=[{"name": "net.ipv4.conf.all.arp_ignore", "value": "1"}],
        services=[{"name": "systemd-networkd", "enabled": True, "running": True}],
        pools=[pool],
    )


def connect(farm: NetworksFarm, names: Sequence[str]) -> None:
    """Declare that these hosts have the overlay, and let it be made."""
    head = {"kind": "Network", "environment": "production", "switch": "openvswitch"}
    beneath = [{"name": each, "address": under(each), "ports": ["ovs0"]} for each in names]
    above = [{"name": each, "address": over(each)} for each in names]
    farm.declare(
        {
            UNDERLAY: {
                **head,
                "name": "underlay",
                "subnet": "10.213.240.0/24",
                "bridge": "br-ovs",
                "hosts": beneath,
            },
            OVERLAY: {
                **head,
                "name": "overlay",
                "subnet": "10.213.241.0/24",
                "bridge": "br-mesh",
                "hosts": above,
                "tunnel": {"type": "gre", "underlay": "underlay"},
            },
        }
    )
    farm.sync()


def under(name: str) -> str:
    return f"10.213.240.{name[-1]}"


def over(name: str) -> str:
    return f"10.213.241.{name[-1]}"


def reaches(host: LabHost, address: str, size: int = MOST) -> bool:
    """Whether a packet of this size goes there whole and comes back; the first may be lost."""
    return host.attempt("ping", "-M", "do", "-s", str(size), "-c1", "-W1", address).code == 0


def expect_mesh(farm: NetworksFarm, names: Sequence[str]) -> None:
    """Each of the hosts reaches each with packets that just fit."""
    for one in names:
        for other in names:
            if one != other:
                found = lambda: reaches(farm.hosts[one], over(other)) or None  # noqa: B023, E731
                eventually(found, within=MINUTE)


def ends(host: LabHost) -> list[str]:
    said = host.run("ovs-vsctl", "list-ports", "br-mesh").split()
    return [name for name in said if name.startswith("gre")]


def test_all_reach_all_with_packets_that_just_fit(farm: NetworksFarm) -> None:
    expect_mesh(farm, FIRST)
    assert not farm.plan()
    for name in FIRST:
        assert len(ends(farm.hosts[name])) == len(FIRST) - 1
        assert "mtu 1462" in farm.hosts[name].run("ip", "link", "show", "br-mesh")
    assert not reaches(farm.hosts["virt3"], over("virt5"), MOST + 1)


def test_a_large_transfer_goes_through(farm: NetworksFarm) -> None:
    expect_mesh(farm, FIRST)
    with receiving(farm.hosts["virt5"], over("virt5")) as got:
        farm.hosts["virt3"].run("python3", "-", over("virt5"), stdin=SEND.encode(), within=MINUTE)
        assert got() == SENT_BYTES


@contextmanager
def receiving(host: LabHost, address: str) -> Iterator[Callable[[], int]]:
    """Somebody listens there; how many bytes came until the other side had enough."""
    host.write_file("/run/mesh-receiver", RECEIVE.encode())
    host.attempt("rm", "/run/mesh-received")
    host.run("systemd-run", "--unit=mesh-receiver", "python3", "/run/mesh-receiver", address)
    eventually(lambda: ":5001" in host.run("ss", "-ltn") or None)

    def received() -> int | None:
        said = host.attempt("cat", "/run/mesh-received").stdout
        return int(said) if said else None

    try:
        yield lambda: eventually(received, within=MINUTE)
    finally:
        host.attempt("systemctl", "stop", "mesh-receiver")


def test_what_is_sent_to_all_arrives_once(farm: NetworksFarm) -> None:
    """Each host has a way to each: what comes from one tunnel must not go into another."""
    before = {name: received(farm.hosts[name]) for name in FIRST}
    farm.hosts["virt3"].run("python3", "-", stdin=SHOUT.encode())
    for name in ("virt4", "virt5"):
        got = eventually(lambda: at_least(100, received(farm.hosts[name]) - before[name]))  # noqa: B023
        assert got < 130
    assert received(farm.hosts["virt3"]) - before["virt3"] < 30


def received(host: LabHost) -> int:
    return int(host.run("cat", "/sys/class/net/br-mesh/statistics/rx_packets"))


def at_least(least: int, number: int) -> int | None:
    return number if number >= least else None


def test_an_end_that_is_changed_or_cut_by_hand_is_seen_and_healed(farm: NetworksFarm) -> None:
    host = farm.hosts["virt4"]
    first, second = sorted(ends(host))
    host.run("ovs-vsctl", "del-port", first)
    host.run("ovs-vsctl", "set", "interface", second, "options:local_ip=10.0.0.1")
    host.run("ovs-vsctl", "set", "port", second, "protected=false", "tag=7")
    change = farm.plan()["tunnel@virt4/br-mesh"]
    told = {field["path"].rpartition(".")[2] for field in change["fields"]}
    assert {"is_isolated", "flaws"} <= told
    farm.sync()
    assert not farm.plan()
    expect_mesh(farm, FIRST)


def test_an_end_that_is_cut_while_the_program_runs_is_back_at_once(
    farm: NetworksFarm, tmp_path: Path
) -> None:
    host, log = farm.hosts["virt4"], tmp_path / "log"
    with following(farm, log):
        eventually(lambda: "production at" in log.read_text() or None, within=MINUTE)
        took = []
        for name in ends(host):
            await_rest(log)
            took.append(float(host.run("bash", "-c", CUT, "cut", name, within=MINUTE)))
    assert max(took) < AT_ONCE_SECONDS, took
    expect_mesh(farm, FIRST)


@contextmanager
def following(farm: NetworksFarm, log: Path) -> Iterator[None]:
    """The program follows the branch, and tells the log."""
    argv = [str(PROGRAM), "--config", str(farm.settings), "run"]
    with log.open("wb") as told, subprocess.Popen(argv, stdout=told, stderr=told) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def await_rest(log: Path) -> None:
    """Wait until nothing was told for a while: what it did is done, and looked at again."""
    told, since = log.stat().st_size, time.monotonic()

    def rests() -> bool | None:
        nonlocal told, since
        if (now := log.stat().st_size) != told:
            told, since = now, time.monotonic()
        return time.monotonic() - since > REST_SECONDS or None

    eventually(rests, within=MINUTE)


def test_a_guest_reaches_a_guest_on_another_host(farm: NetworksFarm) -> None:
    guests = {"one-mesh": ("virt3", 101), "two-mesh": ("virt5", 102)}
    farm.declare({f"vms/{name}.yaml": machine(name, *where) for name, where in guests.items()})
    farm.sync()
    there = farm.hosts["virt4"]
    for name, (where, number) in guests.items():
        address = f"10.213.241.{number}"
        eventually(lambda: reaches(there, address) or None, within=MINUTE)  # noqa: B023
        assert name in farm.hosts[where].run("virsh", "list", "--name")
    said = in_guest(farm.hosts["virt3"], f"ping -c 3 -s {MOST} 10.213.241.102")
    assert "3 packets received" in said


def in_guest(host: LabHost, command: str) -> str:
    """What the guest on this host says to a command."""
    script = HERE.joinpath("guest-shell").read_bytes()
    return host.run("python3", "-", "production-one-mesh", command, stdin=script, within=MINUTE)


def machine(name: str, host: str, number: int) -> Document:
    return {
        "kind": "VirtualMachine",
        "name": name,
        "image": "tiny",
        "host": host,
        "cpus": 1,
        "memory": "96 MiB",
        "first_boot": {},
        "disks": [{"name": "root", "size": "1 GiB"}],
        "networks": [{"network": "overlay", "address": f"10.213.241.{number}"}],
    }


def test_F36_the_mesh_stands_again_after_a_boot_without_us(farm: NetworksFarm, lab: Lab) -> None:
    lab.kill("virt4")
    lab.boot()
    expect_mesh(farm, FIRST)
    assert not farm.plan()


def test_a_host_that_joins_gets_its_ends_and_all_others_theirs(
    farm: NetworksFarm, lab: Lab
) -> None:
    with taken_clean(lab, LAST) as last:
        farm.declare({f"hosts/{LAST}.yaml": host(farm, LAST)})
        connect(farm, ALL)
        expect_mesh(farm, ALL)
        assert {len(ends(farm.hosts[name])) for name in ALL} == {len(FIRST)}
        connect(farm, FIRST)
        assert {len(ends(farm.hosts[name])) for name in FIRST} == {len(FIRST) - 1}
        assert "br-mesh" not in last.run("ovs-vsctl", "list-br").split()
        assert not farm.plan()
