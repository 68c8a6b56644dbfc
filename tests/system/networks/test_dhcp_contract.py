"""The contract of machines about DHCP on a real Kea, and what it refuses (F19)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.errors import Conflict
from tests.contract.machine_bench import MachineBench
from tests.contract.test_machine_dhcp import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_dhcp import LINK, NET, NO_MORE, ONE, OTHER, PLAIN, SERVE, reserve
from tests.golden.dhcp.configurations import anywhere, configurations
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, taken
from tests.system.networks.kea_host import KEA, answers, ask_kea, begin, config, end

HOST = "virt5"
CONFIGURATIONS = configurations()


@pytest.fixture(scope="module")
def contract_farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    host = lab.hosts[HOST]
    with taken(lab.directory, HOST), driven(lab, tmp_path_factory.mktemp("dhcp")) as farm:
        yield farm
        end(host)


@pytest.fixture
def host(lab: Lab, contract_farm: RealFarm) -> LabHost:
    del contract_farm
    host = lab.hosts[HOST]
    host.attempt("ip", "link", "delete", LINK)
    begin(host)
    return host


@pytest.fixture
def machine_bench(host: LabHost, contract_farm: RealFarm) -> Iterator[MachineBench]:
    machine = contract_farm.machine(HOST)
    machine.look([])  # the fence went with the directory that was cleaned away
    yield MachineBench(
        machine=machine,
        rival=lambda: machine,
        write=lambda path, content: host.write_file(path, content.encode()),
        remove=lambda path: pytest.fail(f"nothing removes {path}"),
        set_disk=lambda disk: pytest.fail(f"the disk of a lab host cannot be {disk}"),
        add_port=lambda name: add_port(host, name),
        load_rules=lambda table, text: pytest.fail(f"nobody loads {text} into {table}"),
    )
    host.attempt("ip", "link", "delete", LINK)


def add_port(host: LabHost, name: str) -> None:
    host.run("ip", "link", "add", "name", name, "type", "bridge")


def state(host: LabHost) -> tuple[Any, str]:
    """All that the server does, and all that its file says."""
    return config(host), host.run("cat", KEA)


def test_F19_what_the_server_refuses_changes_nothing(served: MachineBench, host: LabHost) -> None:
    served.do(PLAIN, reserve(ONE))
    before = state(host)
    bad = (
        replace(SERVE, interface="nowhere"),
        replace(SERVE, pools=("10.9.9.1-10.9.9.2",)),
        replace(SERVE, subnet=OTHER, pools=("nonsense",)),
        reserve(replace(ONE, address="10.9.9.9")),
        reserve(replace(ONE, mac="not a MAC")),
    )
    for act in bad:
        with pytest.raises(Conflict):
            served.do(act)
        assert state(host) == before
    host.run(
        "sh", "-c", "systemctl reset-failed kea-dhcp4-server; systemctl restart kea-dhcp4-server"
    )


def test_F19_a_file_that_somebody_broke_is_not_written_over(
    served: MachineBench, host: LabHost
) -> None:
    served.do(PLAIN)
    before = config(host)
    broken = json.dumps({"Dhcp4": {**before, "by-hand": True, "subnet4": []}})
    host.write_file(KEA, broken.encode())
    with pytest.raises(Conflict, match="stays as it is"):
        served.do(SERVE)
    assert state(host) == (before, broken)


def test_all_that_others_have_is_as_it_was_when_ours_is_gone(
    served: MachineBench, host: LabHost
) -> None:
    before = config(host)
    served.do(SERVE, reserve(ONE), reserve(), NO_MORE)
    assert config(host) == before
    assert NET not in host.run("cat", KEA)


def test_the_server_is_there_after_each_of_these(host: LabHost) -> None:
    assert answers(host)
    assert ask_kea(host, "status-get")["result"] == 0


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_kea_takes_all_that_is_rendered_for_it(name: str, host: LabHost) -> None:
    path = "/etc/kea/kea-dhcp4.golden"
    host.write_file(path, anywhere(CONFIGURATIONS[name]).encode())
    checked = host.attempt("env", "KEA_LOCKFILE_DIR=none", "kea-dhcp4", "-t", path)
    host.run("rm", path)
    assert checked.code == 0, checked.stderr
