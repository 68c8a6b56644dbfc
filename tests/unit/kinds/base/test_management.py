"""What of a base can cut us off, and what the host is told to put back."""

from __future__ import annotations

import pytest

from reconciler.kinds.base.management import (
    safety_of_file,
    safety_of_service,
    safety_of_sysctl,
    safety_of_user,
    units_reading,
)
from reconciler.model.address import Address

THING = Address("file", "thing", "virt1")


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/etc/ssh/sshd_config", ("ssh", "sshd")),
        ("/etc/ssh", ("ssh", "sshd")),
        ("/etc/nftables.conf", ("nftables",)),
        ("/etc/nftables.d/10-lan.nft", ("nftables",)),
        ("/etc/systemd/network/lan.network", ("systemd-networkd",)),
        ("/etc/hosts.deny", ()),
        ("/root/.ssh/authorized_keys", ()),
        ("/root", ()),
        ("/root/.bashrc", ()),
        ("/etc/ld.so.preload", ()),
        ("/etc/systemd/system/ssh.service", ("ssh.service",)),
        ("/etc/systemd/system/ssh.service.d/more.conf", ("ssh.service",)),
        ("/lib/systemd/system/nftables.service", ("nftables.service",)),
        ("/etc/systemd/system/chrony.service", None),
        ("/rooted", None),
        ("/etc/nftables.config", None),
        ("/etc/sshd", None),
        ("/etc/motd", None),
    ],
)
def test_files_that_can_cut_us_off(path: str, units: tuple[str, ...] | None) -> None:
    assert units_reading(path) == units
    safety = safety_of_file(THING, path, "digest")
    assert (safety is None) == (units is None)
    if safety:
        assert (safety.files, safety.services) == ((path,), units)
        assert safety.concerns == ((THING, "digest"),)


def test_services_put_their_files_back() -> None:
    safety = safety_of_service(THING, "nftables.service", ["/etc/nftables.conf"], "digest")
    assert safety
    assert safety.files == ("/etc/nftables.conf",)
    assert safety.services == ("nftables.service",)


def test_a_service_that_reads_a_guarded_file_is_guarded() -> None:
    assert safety_of_service(THING, "hand-made", ["/etc/network/interfaces"], "digest")
    assert safety_of_service(THING, "chrony", ["/etc/chrony/chrony.conf"], "digest") is None


@pytest.mark.parametrize("unit", ["ifup@eth0", "ssh.socket", "wg-quick@wg0.service"])
def test_services_that_carry_the_way_in_are_guarded(unit: str) -> None:
    assert safety_of_service(THING, unit, [], "digest")


@pytest.mark.parametrize(
    "name",
    [
        "net.ipv6.conf.all.forwarding",
        "net.netfilter.nf_conntrack_max",
        "net.ipv4.tcp_mem",
        "net.ipv4.neigh.default.gc_thresh3",
    ],
)
def test_kernel_settings_by_which_nobody_comes_in_any_more_are_guarded(name: str) -> None:
    assert safety_of_sysctl(THING, name, "digest")


def test_kernel_settings_go_back_now_and_for_the_next_boot() -> None:
    safety = safety_of_sysctl(THING, "net.ipv4.conf.eth0/100.rp_filter", "digest")
    assert safety
    assert safety.files == (
        "/proc/sys/net/ipv4/conf/eth0.100/rp_filter",
        "/etc/sysctl.d/90-reconciler.conf",
    )
    assert safety_of_sysctl(THING, "net.ipv4.ip_forward", "digest") is None
    assert safety_of_sysctl(THING, "vm.swappiness", "digest") is None


def test_the_account_we_come_in_by() -> None:
    safety = safety_of_user(THING, "root", "digest")
    assert safety
    assert "/root/.ssh/authorized_keys" in safety.files
    assert safety_of_user(THING, "alice", "digest") is None
