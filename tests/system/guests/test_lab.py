"""The lab itself: what its hosts can do, what they must not, and that nothing of it stays."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.system.lab import (
    CHECKOUT,
    COMMAND,
    Lab,
    LabHost,
    ask_guest,
    await_guest,
    call,
    eventually,
)
from tests.system.tiny import POOL, start_tiny

Pair = tuple[LabHost, LabHost]


def own(lab: Lab) -> tuple[LabHost, ...]:
    """The hosts that no test of bases or networks cuts off at the same time."""
    return lab.hosts["virt1"], lab.hosts["virt2"]


def started_at(host: LabHost) -> str:
    return host.run("systemctl", "show", "--property=UserspaceTimestampMonotonic")


def test_hosts_run_their_services_and_say_qemu_only(lab: Lab) -> None:
    for host in own(lab):
        units = ("libvirtd.socket", "ssh", "ovs-vswitchd", "named", "kea-dhcp4-server")
        assert host.run("systemctl", "is-active", *units).split() == ["active"] * len(units)
        types = re.findall("domain type='(.*?)'", host.run("virsh", "capabilities"))
        assert set(types) == {"qemu"}


def test_both_pools_are_active_and_start_by_themselves(virthost: LabHost) -> None:
    for pool in ("default", "images"):
        told = virthost.run("virsh", "pool-info", pool)
        assert re.search(r"State: +running", told)
        assert re.search(r"Autostart: +yes", told)


def test_hosts_are_told_apart(lab: Lab) -> None:
    seen = {
        (host.run("hostname"), host.run("cat", "/etc/machine-id"), host.run("virsh", "uri"))
        for host in own(lab)
    }
    uuids = {
        re.findall("<uuid>(.*)</uuid>", host.run("virsh", "capabilities"))[0] for host in own(lab)
    }
    assert len(seen) == len(uuids) == len(own(lab))


def test_no_host_can_set_the_time_of_the_machine(lab: Lab) -> None:
    for host in own(lab):
        refused = host.attempt("date", "--set=@0")
        assert "Operation not permitted" in refused.stderr


def test_a_host_key_that_is_not_pinned_is_refused(lab: Lab, tmp_path: Path) -> None:
    host = lab.hosts["virt1"]
    nothing = tmp_path / "known_hosts"
    nothing.touch()
    stranger = LabHost(host.name, host.address, host.ssh_key, nothing)
    assert "Host key verification failed" in stranger.attempt("true").stderr


def test_hosts_reach_each_other_by_name_for_moves(lab: Lab) -> None:
    one, two = lab.hosts["virt1"], lab.hosts["virt2"]
    for here, there in ((one, two), (two, one)):
        uri = f"qemu+ssh://root@{there.name}/system"
        assert here.run("virsh", "--connect", uri, "hostname").strip() == there.name


def test_the_switches_of_the_hosts_are_one_network(virthosts: Pair) -> None:
    for number, host in enumerate(virthosts, start=1):
        host.run("ip", "address", "replace", f"10.213.200.{number}/24", "dev", "br-ovs")
        host.run("ip", "link", "set", "br-ovs", "up")
    try:
        virthosts[0].run("ping", "-c1", "-W5", "-M", "do", "-s", "1472", "10.213.200.2")
    finally:
        for host in virthosts:
            host.run("ip", "address", "flush", "dev", "br-ovs")


def test_a_guest_moves_to_the_other_host_and_counts_on(lab: Lab, virthosts: Pair) -> None:
    one, two = virthosts
    start_tiny(lab, one, "wanderer", address="10.213.8.40")
    before = await_guest("10.213.8.40")
    # What is only read is not copied along.
    seed = str(POOL / "wanderer.iso")
    two.run("scp", "-q", f"{one.name}:{seed}", seed)
    one.run(
        *("virsh", "migrate", "--live", "--p2p", "--copy-storage-all", "--persistent"),
        *("--undefinesource", "wanderer", f"qemu+ssh://root@{two.name}/system"),
        within=timedelta(seconds=60),
    )
    after = await_guest("10.213.8.40")
    assert two.run("virsh", "list", "--name").split() == ["wanderer"]
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)
    assert eventually(lambda: _ticks_above("10.213.8.40", after.ticks)) > before.ticks


def _ticks_above(address: str, ticks: int) -> int | None:
    told = ask_guest(address)
    return told.ticks if told and told.ticks > ticks else None


def test_up_leaves_running_hosts_alone_and_boots_a_dead_one_with_its_files(
    lab: Lab, virthosts: Pair
) -> None:
    one, two = virthosts
    two.write_file("/root/mark", b"kept")
    before = started_at(one), started_at(two)
    lab.kill(two.name)
    assert f"{two.name} does not run" in call("status", lab.directory)
    lab.boot()
    assert started_at(one) == before[0]
    assert started_at(two) != before[1]
    assert two.run("cat", "/root/mark") == "kept"


def test_a_frozen_host_accepts_and_says_nothing(lab: Lab, virthosts: Pair) -> None:
    host = virthosts[1]
    with lab.frozen(host.name), pytest.raises(TimeoutError):
        _banner(host)
    assert _banner(host).startswith(b"SSH-2.0")


def test_a_host_that_is_cut_off_runs_on(lab: Lab, virthosts: Pair) -> None:
    host = virthosts[1]
    before = started_at(host)
    with lab.cut_off(host.name), pytest.raises(OSError, match=r"timed out|unreachable|No route"):
        _banner(host)
    assert started_at(host) == before


def _banner(host: LabHost) -> bytes:
    with socket.create_connection((host.address, 22), timeout=2) as connection:
        return connection.recv(64)


def test_the_config_repository_is_valid_and_the_settings_point_at_it(
    lab: Lab, tmp_path: Path
) -> None:
    reconciler("validate", "--repo", lab.repository)
    plan = ("plan", "--config", lab.settings, "--world", "empty", "--environment", "development")
    assert "hello" in reconciler(*plan, "--state", tmp_path, code=2)


def reconciler(*arguments: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_down_leaves_nothing_of_a_lab_that_was_killed_in_any_state(
    lab: Lab, tmp_path: Path, own_group: Path
) -> None:
    (tmp_path / "cache").symlink_to(lab.directory / "cache")
    here = Path(__file__).parents[1]
    done = subprocess.run(
        [here / "own-world", own_group, here / "break-lab", COMMAND, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture
def own_group() -> Iterator[Path]:
    """A control group for processes that end with the test."""
    find = ("findmnt", "--noheadings", "--first-only", "--output=TARGET", "--types=cgroup2")
    mounted = subprocess.run(find, capture_output=True, text=True, timeout=10, check=True)
    group = Path(mounted.stdout.strip(), "lab-under-test")
    group.mkdir(exist_ok=True)
    yield group
    (group / "cgroup.kill").write_text("1")
    eventually(lambda: "populated 0" in (group / "cgroup.events").read_text() or None)
    for place in sorted(group.rglob("*/"), reverse=True):
        place.rmdir()
    group.rmdir()
