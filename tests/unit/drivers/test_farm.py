"""The doors to the real farm. Nothing here is connected to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.described import DescribedServer
from reconciler.config.documents import Host
from reconciler.config.nameserver import Nameserver
from reconciler.drivers.farm import Means, RealFarm
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.ssh.access import Access
from reconciler.errors import NotFound

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def host(name: str, **changes: Any) -> Host:
    standard = {
        "kind": "Host",
        "name": name,
        "environment": "production",
        "address": "192.0.2.1",
        "memory": "64 GiB",
    }
    return Host.model_validate({**standard, **changes})


@pytest.fixture
def hosts() -> dict[str, Host]:
    return {"virt1": host("virt1")}


@pytest.fixture
def farm(hosts: dict[str, Host], tmp_path: Path) -> Iterator[RealFarm]:
    access = Access(tmp_path / "key", tmp_path / "known_hosts")
    means = Means(
        access, ImageRules(), tmp_path / "state", lambda: NOON, lambda: 0.0, lambda _seconds: None
    )
    server = {"kind": "Nameserver", "name": "ns2", "hosts": [{"name": "virt9"}]}
    described = DescribedServer(Nameserver.model_validate(server), "production")
    farm = RealFarm(lambda: hosts, means, lambda: {"ns2": described})
    yield farm
    farm.close()


def test_a_host_that_no_branch_describes_is_not_found(farm: RealFarm) -> None:
    with pytest.raises(NotFound, match=r"virt9: .*no Host document"):
        farm.hypervisor("virt9")


def test_a_host_is_asked_by_one_door(farm: RealFarm) -> None:
    assert farm.hypervisor("virt1") is farm.hypervisor("virt1")
    assert farm.shell("virt1") is farm.shell("virt1")
    assert farm.shell("virt1").address == "192.0.2.1"


def test_a_host_may_come_while_the_program_runs(farm: RealFarm, hosts: dict[str, Host]) -> None:
    hosts["virt2"] = host("virt2", address="192.0.2.2")
    assert farm.shell("virt2").address == "192.0.2.2"


@pytest.mark.parametrize("change", [{"address": "192.0.2.9"}, {"accelerator": "qemu"}])
def test_a_host_that_changed_gets_a_new_door(
    farm: RealFarm, hosts: dict[str, Host], change: dict[str, str]
) -> None:
    before = farm.hypervisor("virt1")
    hosts["virt1"] = host("virt1", maintenance=True)
    assert farm.hypervisor("virt1") is before
    hosts["virt1"] = host("virt1", **change)
    assert farm.hypervisor("virt1") is not before
    assert farm.shell("virt1").address == str(hosts["virt1"].address)


def test_a_host_that_was_taken_out_is_not_found_any_more(
    farm: RealFarm, hosts: dict[str, Host]
) -> None:
    farm.hypervisor("virt1")
    del hosts["virt1"]
    with pytest.raises(NotFound):
        farm.hypervisor("virt1")


def test_a_name_server_that_no_branch_describes_is_not_found(farm: RealFarm) -> None:
    with pytest.raises(NotFound, match=r"ns1: .*no Nameserver document"):
        farm.nameserver("ns1")


def test_a_name_server_is_found_on_its_host(farm: RealFarm) -> None:
    with pytest.raises(NotFound, match=r"virt9: .*no Host document"):
        farm.nameserver("ns2")


def test_nothing_is_left_when_it_is_closed(farm: RealFarm, tmp_path: Path) -> None:
    farm.hypervisor("virt1")
    assert list((tmp_path / "state" / "ssh").iterdir())
    farm.close()
    assert not list((tmp_path / "state" / "ssh").iterdir())
