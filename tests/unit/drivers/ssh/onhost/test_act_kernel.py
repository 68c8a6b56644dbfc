"""Settings and modules of the kernel: now and at the next boot."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.look_kernel import modules, sysctls
from reconciler.drivers.ssh.onhost.remembered import Remembered
from tests.unit.drivers.ssh.onhost.ground import Ground, question

TTL = "net.ipv4.ip_default_ttl"
SYSCTLS = "/etc/sysctl.d/90-reconciler.conf"
MODULES = "/etc/modules-load.d/reconciler.conf"
OPTIONS = "/etc/modprobe.d/reconciler.conf"


def set_sysctl(name: str = TTL, value: str = "63") -> dict[str, Any]:
    return {"act": "set_sysctl", "name": name, "value": value}


def load(name: str, options: str = "") -> dict[str, Any]:
    return {"act": "load_module", "name": name, "options": options}


def lines(ground: Ground, path: str) -> list[str]:
    said = ground.path(path).read_text().splitlines()
    assert said[0].startswith("# Written by reconciler")
    return said[1:]


@pytest.fixture
def kernel(ground: Ground) -> Ground:
    ground.path("/proc/sys/net/ipv4/ip_default_ttl").write_text("64\n")
    ground.path("/proc/sys/net/ipv4/conf/eth0.7").mkdir(parents=True)
    ground.path("/proc/sys/net/ipv4/conf/eth0.7/forwarding").write_text("0\n")
    return ground


def test_a_setting_is_set_now_and_for_the_next_boot(kernel: Ground) -> None:
    kernel.done(set_sysctl())
    assert kernel.path("/proc/sys/net/ipv4/ip_default_ttl").read_text() == "63"
    assert lines(kernel, SYSCTLS) == [f"{TTL} = 63"]


def test_a_look_sees_what_was_set(kernel: Ground) -> None:
    kernel.done(set_sysctl())
    known = Remembered([], root=str(kernel.root))
    assert list(sysctls([question("sysctl", TTL)], known)) == [{"value": "63", "persisted": "63"}]


def test_settings_stand_in_one_order_and_once(kernel: Ground) -> None:
    other = "net.ipv4.conf.eth0/7.forwarding"
    kernel.done(set_sysctl(), set_sysctl(other, "1"), set_sysctl(value="65"))
    kernel.done(set_sysctl("net/ipv4/ip_default_ttl", "66"))
    assert lines(kernel, SYSCTLS) == [f"{other} = 1", "net/ipv4/ip_default_ttl = 66"]


def test_the_last_that_is_forgotten_takes_the_file_with_it(kernel: Ground) -> None:
    kernel.done(set_sysctl(), {"act": "forget_sysctl", "name": TTL})
    assert not kernel.path(SYSCTLS).exists()
    assert kernel.path("/proc/sys/net/ipv4/ip_default_ttl").read_text() == "63"


@pytest.mark.parametrize("name", ["net.ipv4.no_such", "net.ipv4/../../passwd", "../../etc/passwd"])
def test_what_is_no_setting_is_refused_and_not_written_down(kernel: Ground, name: str) -> None:
    assert f"cannot set {name} to 1: there is no such setting" in kernel.refused(
        set_sysctl(name, "1")
    )
    assert not kernel.path(SYSCTLS).exists()


def test_a_module_is_loaded_with_its_options_now_and_at_the_next_boot(ground: Ground) -> None:
    ground.done(load("br_netfilter"), load("kvm-intel", "nested=1 ept=0"))
    assert ground.programs.calls == [
        "modprobe -- br_netfilter",
        "modprobe -- kvm-intel nested=1 ept=0",
    ]
    assert lines(ground, MODULES) == ["br_netfilter", "kvm-intel"]
    assert lines(ground, OPTIONS) == ["options kvm-intel nested=1 ept=0"]


def test_a_look_sees_a_module_by_either_name(ground: Ground) -> None:
    ground.done(load("kvm-intel", "nested=1"))
    known = Remembered([], root=str(ground.root))
    fact = {"is_loaded": False, "is_persisted": True, "options": "nested=1"}
    assert list(modules([question("module", "kvm_intel")], known)) == [fact]


def test_a_module_has_one_line_whichever_way_it_is_written(ground: Ground) -> None:
    ground.done(load("kvm-intel", "nested=1"), load("kvm_intel"))
    assert lines(ground, MODULES) == ["kvm_intel"]
    assert not ground.path(OPTIONS).exists()


def test_a_module_that_cannot_be_loaded_is_not_written_down(ground: Ground) -> None:
    ground.programs.answers["modprobe"] = Ran(1, "", "modprobe: FATAL: Module no not found")
    assert (
        ground.refused(load("no")) == "cannot load module no: modprobe: FATAL: Module no not found"
    )
    assert not ground.path(MODULES).exists()


def test_a_module_that_is_forgotten_stays_until_the_next_boot(ground: Ground) -> None:
    ground.done(load("a", "x=1"), load("b"), {"act": "forget_module", "name": "a"})
    assert lines(ground, MODULES) == ["b"]
    assert not ground.path(OPTIONS).exists()
    assert not ground.programs.called("rmmod")
