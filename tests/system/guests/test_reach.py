"""F10, F12, F13, F14: hosts that restart, freeze and vanish while we talk to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from reconciler.config.documents import Host
from reconciler.drivers.farm import Means, RealFarm
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.manifest import RemoteManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell
from reconciler.engine.observe import observe
from reconciler.errors import Conflict, Unreachable
from reconciler.model.address import Scope
from reconciler.model.resource import Owner
from tests.system.lab import Lab, LabHost, eventually
from tests.system.tiny import start_tiny

DEADLINE = timedelta(seconds=3)
ALLOWED_SECONDS = 4.0
GUEST = "10.213.8.77"


def access_to(lab: Lab, deadline: timedelta = DEADLINE) -> Access:
    return Access(lab.ssh_key, lab.known_hosts, connect_deadline=deadline, deadline=deadline)


@pytest.fixture
def connection(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[LibvirtConnection]:
    program = SshProgram(tmp_path, access_to(lab))
    made = LibvirtConnection(
        virthost.name, "", deadline=DEADLINE, dial=lambda: program.dial(virthost.address)
    )
    eventually(lambda: look(made), within=timedelta(seconds=60))  # its first call takes long
    yield made
    made.close()
    program.close()


@pytest.fixture
def shell(lab: Lab, virthost: LabHost) -> Iterator[Shell]:
    made = Shell(virthost.name, virthost.address, access_to(lab))
    made.run(["true"])
    yield made
    made.close()


def look(connection: LibvirtConnection) -> str | None:
    """The host's name as libvirt says it; None while it does not answer."""
    try:
        return str(connection.run("look", lambda raw: raw.getHostname()))
    except Unreachable:
        return None


def guests(connection: LibvirtConnection) -> dict[str, int]:
    """The running domains by UUID, with their numbers: another number is another process."""

    def ask(raw: object) -> dict[str, int]:
        return {each.UUIDString(): each.ID() for each in raw.listAllDomains(1)}  # type: ignore[attr-defined]

    return connection.run("look", ask)


def signal_libvirtd(host: LabHost, signal: str) -> None:
    """To the daemon alone: the guests are of the same unit."""
    host.run("systemctl", "kill", "--kill-who=main", f"--signal={signal}", "libvirtd")


def seconds_until_unreachable(call: Callable[[], object]) -> float:
    begun = time.monotonic()
    with pytest.raises(Unreachable):
        call()
    return time.monotonic() - begun


def test_F12_a_killed_libvirtd_is_found_again_and_the_guests_run_on(
    lab: Lab, virthost: LabHost, connection: LibvirtConnection
) -> None:
    start_tiny(lab, virthost, "reach", address=GUEST)
    before = guests(connection)
    signal_libvirtd(virthost, "KILL")
    eventually(lambda: look(connection), within=timedelta(seconds=60))
    assert guests(connection) == before
    assert len(before) == 1


def test_F13_a_frozen_libvirtd_costs_the_deadline(
    virthost: LabHost, connection: LibvirtConnection
) -> None:
    signal_libvirtd(virthost, "STOP")
    try:
        for _ in range(2):
            assert seconds_until_unreachable(lambda: guests(connection)) < ALLOWED_SECONDS
    finally:
        signal_libvirtd(virthost, "CONT")
    assert eventually(lambda: look(connection)) == virthost.name
    eventually(lambda: _lines() <= 1 or None)


@pytest.mark.parametrize("harm", ["frozen", "cut_off"])
def test_F14_a_host_that_is_gone_costs_the_deadline(
    lab: Lab, virthost: LabHost, connection: LibvirtConnection, shell: Shell, harm: str
) -> None:
    with getattr(lab, harm)(virthost.name):
        for call in (lambda: shell.run(["true"]), lambda: guests(connection)):
            for _ in range(2):  # the kept connection, and a new one
                assert seconds_until_unreachable(call) < ALLOWED_SECONDS
    eventually(lambda: look(connection))
    assert eventually(lambda: _answer(shell)) == b"here\n"


def test_F10_a_host_that_is_gone_holds_up_no_other(
    lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    gone, there = virthosts
    start_tiny(lab, there, "reach", address=GUEST)
    hosts = {each.name: _document(each) for each in virthosts}
    means = Means(
        access_to(lab),
        ImageRules(),
        tmp_path,
        lambda: datetime.now(UTC),  # noqa: TID251 - hosts have no other time
        time.monotonic,
        time.sleep,  # noqa: TID251 - as the program does
    )
    farm = RealFarm(lambda: hosts, means)
    scopes = [Scope("host", each.name) for each in virthosts]
    eventually(lambda: None if observe(scopes, farm).unknown else True)
    with lab.frozen(gone.name):
        begun = time.monotonic()
        world = observe(scopes, farm)
        waited = time.monotonic() - begun
    farm.close()
    assert set(world.unknown) == {Scope("host", gone.name)}
    assert {str(each.address) for each in world.observed if each.address.kind == "domain"} == {
        f"domain@{there.name}/reach"
    }
    assert waited < ALLOWED_SECONDS


def test_marks_of_two_reconcilers_are_all_kept(lab: Lab, virthost: LabHost) -> None:
    path = "/var/lib/reconciler/test/volumes.json"
    shells = [Shell(virthost.name, virthost.address, access_to(lab)) for _ in range(2)]

    def write(number: int) -> None:
        manifest = RemoteManifest(shells[number], path)
        for each in range(5):
            eventually(partial(_try_write, manifest, f"default/{number}-{each}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(RemoteManifest(shells[0], path).read()) == 10
    assert virthost.run("ls", "-A", "/var/lib/reconciler/test").split() == ["volumes.json"]
    virthost.run("rm", "-r", "/var/lib/reconciler/test")
    for shell in shells:
        shell.close()


def _try_write(manifest: RemoteManifest, key: str) -> bool | None:
    manifest.look()  # what the other writer did is seen; else the host's fence refuses the change
    try:
        manifest.write(key, Mark(Owner("production", key, "")))
    except Conflict:  # the other was faster
        return None
    return True


def _answer(shell: Shell) -> bytes | None:
    try:
        return shell.output(["echo", "here"])
    except Unreachable:
        return None


def _document(host: LabHost) -> Host:
    return Host.model_validate(
        {
            "kind": "Host",
            "name": host.name,
            "environment": "production",
            "address": host.address,
            "memory": "4 GiB",
            "accelerator": "qemu",
        }
    )


def _lines() -> int:
    return sum(each.name.startswith("libvirt-virt") for each in threading.enumerate())
