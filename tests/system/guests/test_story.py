"""From a merge to a machine that answers, and all that happens to it, with the real program."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.remotes.origin import Origin
from tests.system.lab import CHECKOUT, Lab, LabHost, await_guest, eventually

PROGRAM = CHECKOUT / ".venv/bin/reconciler"
DEBIAN_BOOTS = timedelta(minutes=4)
SETTINGS = """\
repository: {{url: {url}}}
environments: [production, staging]
state_directory: {state}
hosts: {{ssh_key: {lab.ssh_key}, known_hosts: {lab.known_hosts}}}
images: {{directories: [{lab.directory}/images]}}
"""
FILES = {
    "farm.yaml": """\
kind: Farm
name: lab
domain: lab.internal
contact: hostmaster@lab.internal
""",
    "environments/production/environment.yaml": """\
kind: Environment
name: production
domain: lab.internal
""",
    "environments/staging/environment.yaml": """\
kind: Environment
name: staging
domain: stage.lab.internal
""",
    "networks/lan.yaml": """\
kind: Network
name: lan
subnet: 10.213.8.0/24
bridge: br-lan
gateway: 10.213.8.1
""",
    "stacks/tiny.yaml": """\
kind: Stack
name: tiny
image: tiny
memory: 128 MiB
disks:
  - {name: root, size: 256 MiB}
first_boot: {}
""",
    "stacks/debian.yaml": """\
kind: Stack
name: debian
image: debian-12
memory: 512 MiB
disks:
  - {name: root, size: 3 GiB}
""",
}
HOST = """\
kind: Host
name: {name}
environment: production
address: {address}
memory: 4 GiB
accelerator: qemu
pools:
  - {{name: default, size: 20 GiB, target: /var/lib/libvirt/images}}
share:
  staging: {{memory: 256 MiB, cpus: 2}}
"""
IMAGE = """\
kind: Image
name: {name}
url: {path}
sha256: {checksum}
"""
FIRST_BOOT = """\
first_boot:
  accounts:
    - name: engineer
      ssh_keys: ["{key}"]
      sudo: true
  files:
    - {{path: /etc/motd, content: "hello from git\\n"}}
"""


class Desk:
    """A config repository about the lab, and the program that follows it."""

    def __init__(self, root: Path, lab: Lab) -> None:
        self.lab = lab
        self.origin = Origin(root / "origin.git")
        self.settings = root / "reconciler.yaml"
        text = SETTINGS.format(url=self.origin.url, state=root / "state", lab=lab)
        self.settings.write_text(text)
        hosts = {
            f"hosts/{name}.yaml": HOST.format(name=name, address=host.address)
            for name, host in list(lab.hosts.items())[:2]
        }
        images = {
            f"images/{name}.yaml": IMAGE.format(
                name=name, path=lab.image(name), checksum=lab.checksum(name)
            )
            for name in ("tiny", "debian-12")
        }
        self.write("production", {**FILES, **hosts, **images})
        self.origin.git("branch", "staging", "production")

    def write(self, branch: str, files: dict[str, str | None]) -> None:
        """Commit files to a branch; None removes one."""
        self.origin.commit(
            branch, {path: None if text is None else text.encode() for path, text in files.items()}
        )

    def machine(self, name: str, *lines: str, branch: str = "production") -> None:
        """Describe a machine: the lines that follow kind and name."""
        text = "\n".join(["kind: VirtualMachine", f"name: {name}", *lines, ""])
        self.write(branch, {f"environments/{branch}/vms/{name}.yaml": text})

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, whatever that is."""
        return subprocess.run(
            [PROGRAM, "--config", self.settings, *arguments],
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def sync(self, *arguments: str, environment: str = "production") -> str:
        """Sync, which must end well and leave nothing to do."""
        done = self.run("sync", "-e", environment, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        plan = self.run("plan", "-e", environment)
        assert plan.returncode == 0, plan.stdout + plan.stderr
        return done.stdout

    def plan(self) -> Any:
        """What a sync would do: the fields that change, by address, with what that costs."""
        done = self.run("plan", "-e", "production", "--format", "json")
        changes = json.loads(done.stdout)["changes"]
        return {each["address"]: each["disruption"] for each in changes}


@pytest.fixture
def desk(lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path) -> Desk:
    return Desk(tmp_path, lab)


def guest(lab: Lab, address: str, command: str) -> str | None:
    """What a command says in a guest, entered with the declared key; None if nobody lets us in."""
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes")
    flags = [word for each in (*options, "ConnectTimeout=3") for word in ("-o", each)]
    key = lab.directory / "keys/guest"
    done = subprocess.run(
        ["ssh", "-F", "none", "-i", key, *flags, f"engineer@{address}", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None


@pytest.mark.timeout(900)
def test_a_machine_from_a_merge_to_cloud_init_finished(desk: Desk, lab: Lab) -> None:
    address = "10.213.8.140"
    key = (lab.directory / "keys/guest.pub").read_text().strip()
    desk.machine(
        "web",
        "stack: debian",
        "host: virt1",
        f"networks: [{{network: lan, address: {address}}}]",
        FIRST_BOOT.format(key=key),
    )
    desk.sync()
    waits = "cloud-init status --wait && cat /etc/motd && hostname -f && df -k --output=size /"
    told = eventually(lambda: guest(lab, address, waits), within=DEBIAN_BOOTS)
    assert "status: done" in told
    assert "hello from git\nweb.lab.internal" in told
    assert int(told.split()[-1]) > 2 * 1024**2  # KiB: the root file system filled its disk


@pytest.mark.timeout(600)
def test_a_machine_grows_without_noticing(desk: Desk, virthosts: tuple[LabHost, ...]) -> None:
    address = "10.213.8.141"
    networks = f"networks: [{{network: lan, address: {address}}}]"
    small = ("cpus: 1", "cpus_maximum: 3", "memory: 128 MiB", "memory_maximum: 256 MiB")
    desk.machine("grows", "stack: tiny", "host: virt1", networks, *small)
    desk.sync()
    before = await_guest(address)
    large = ("cpus: 2", "cpus_maximum: 3", "memory: 192 MiB", "memory_maximum: 256 MiB")
    disks = "disks: [{name: root, size: 512 MiB}, {name: data, size: 64 MiB}]"
    desk.machine("grows", "stack: tiny", "host: virt1", networks, *large, disks)
    assert set(desk.plan().values()) == {"live"}
    desk.sync()
    after = await_guest(address)
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)
    assert (before.cpus, after.cpus) == (1, 2)
    assert after.memory_kib > before.memory_kib
    assert after.disks == {"vda": 512 << 20, "vdb": 64 << 20}
    fewer = "disks: [{name: root, size: 512 MiB}]"
    desk.machine("grows", "stack: tiny", "host: virt1", networks, *large, fewer)
    done = desk.run("sync", "-e", "production")
    assert "data-loss" in done.stdout
    allowed = "environments/production/environment.yaml"
    policy = FILES[allowed] + "max_disruption: data-loss\n"
    desk.write("production", {allowed: policy})
    desk.sync()
    shrunk = await_guest(address)
    assert shrunk.disks == {"vda": 512 << 20}
    assert shrunk.boot_id == before.boot_id
    trash = desk.run("trash", "list", "-e", "production")
    assert "grows-data" in trash.stdout


@pytest.mark.timeout(600)
def test_what_costs_a_restart_waits_for_a_person(desk: Desk) -> None:
    address = "10.213.8.142"
    networks = f"networks: [{{network: lan, address: {address}}}]"
    first = ("stack: tiny", "host: virt1", "restart: manual", networks)
    desk.machine("waits", *first)
    desk.sync()
    before = await_guest(address)
    desk.machine("waits", *first, "memory: 160 MiB")
    said = desk.sync()
    assert "waiting for a restart: domain/waits" in said
    assert await_guest(address).boot_id == before.boot_id
    desk.sync("--restart")
    after = eventually(lambda: _booted_again(address, before.boot_id))
    assert after > before.memory_kib
    status = desk.run("status", "-e", "production").stdout
    assert "production: Ready" in status
    assert "PendingRestart" not in status


def _booted_again(address: str, boot_id: str) -> int | None:
    now = await_guest(address)
    return now.memory_kib if now.boot_id != boot_id else None


@pytest.mark.timeout(600)
def test_a_change_of_host_moves_the_running_machine(desk: Desk) -> None:
    address = "10.213.8.143"
    networks = f"networks: [{{network: lan, address: {address}}}]"
    desk.machine("mover", "stack: tiny", "host: virt1", networks)
    desk.sync()
    before = await_guest(address)
    desk.machine("mover", "stack: tiny", "host: virt2", networks)
    assert set(desk.plan().values()) == {"live"}
    desk.sync()
    after = await_guest(address)
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)
    assert after.ticks > before.ticks


@pytest.mark.timeout(600)
def test_F39_a_renamed_machine_keeps_its_guest_and_its_disks(desk: Desk) -> None:
    address = "10.213.8.144"
    networks = f"networks: [{{network: lan, address: {address}}}]"
    desk.machine("old", "stack: tiny", "host: virt1", networks)
    desk.sync()
    before = await_guest(address)
    desk.write("production", {"environments/production/vms/old.yaml": None})
    desk.machine("new", "stack: tiny", "host: virt1", "renamed_from: old", networks)
    desk.sync()
    after = await_guest(address)
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)


@pytest.mark.timeout(600)
def test_two_environments_share_a_host_within_the_quota(
    desk: Desk, virthosts: tuple[LabHost, ...]
) -> None:
    production = "networks: [{network: lan, address: 10.213.8.145}]"
    desk.machine("web", "stack: tiny", "host: virt1", production)
    desk.sync()
    before = await_guest("10.213.8.145")
    staging = "networks: [{network: lan, address: 10.213.8.146}]"
    desk.machine("web", "stack: tiny", "host: virt1", staging, branch="staging")
    desk.sync(environment="staging")
    await_guest("10.213.8.146")
    desk.machine("more", "stack: tiny", "host: virt1", "memory: 192 MiB", branch="staging")
    refused = desk.run("sync", "-e", "staging")
    assert refused.returncode == 1
    assert "virt1 has 128 MiB of memory left for it" in refused.stdout + refused.stderr
    desk.write(
        "staging", {f"environments/staging/vms/{name}.yaml": None for name in ("web", "more")}
    )
    desk.run("sync", "-e", "staging")
    names = virthosts[0].run("virsh", "list", "--name").split()
    assert "production-web" in names
    assert await_guest("10.213.8.145").boot_id == before.boot_id


@pytest.mark.timeout(600)
def test_a_machine_made_by_hand_is_adopted_and_left_as_it_is(
    desk: Desk, lab: Lab, tmp_path: Path
) -> None:
    address = "10.213.8.147"
    desk.machine(
        "made", "stack: tiny", "host: virt1", f"networks: [{{network: lan, address: {address}}}]"
    )
    desk.sync()
    _make_by_hand(lab.hosts["virt1"])
    before = await_guest(address)
    desk.write("production", {"environments/production/vms/made.yaml": None})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-b", "production", desk.origin.url, clone], check=True)
    done = desk.run(
        *("adopt", "-e", "production", "--host", "virt1"),
        *("--into", str(clone), "by-hand=made"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path = "environments/production/vms/made.yaml"
    desk.write("production", {path: (clone / path).read_text()})
    desk.sync()
    assert await_guest(address).boot_id == before.boot_id


def _make_by_hand(host: LabHost) -> None:
    """What the product made becomes what somebody might have made, with nothing of ours in it."""
    xml = host.run("virsh", "dumpxml", "--inactive", "production-made")
    xml = re.sub(r"<metadata>.*</metadata>", "", xml, flags=re.DOTALL)
    xml = re.sub(r"<alias name='ua-[^>]*>", "", xml)
    xml = xml.replace("<name>production-made</name>", "<name>by-hand</name>")
    host.run("virsh", "destroy", "production-made")
    host.run("virsh", "undefine", "production-made")
    host.run("virsh", "define", "/dev/stdin", stdin=xml.encode())
    host.run("virsh", "autostart", "by-hand")
    host.run("virsh", "start", "by-hand")
    host.run("rm", "-rf", "/var/lib/reconciler")
