"""The contract of machines on a Debian over ssh, as far as a lab host is a machine of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.ports.machine import Machine
from tests.contract.machine_bench import NOT_IN_THE_LAB, ROOM_ITSELF, MachineBench
from tests.contract.test_machine_files import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_links import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_marks import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_rulesets import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_services import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_switches import *  # noqa: F403 - the tests of the contract
from tests.contract.test_machine_system import *  # noqa: F403 - the tests of the contract
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, taken

HOST = "virt3"
CLEANUP = Path(__file__).parents[1].joinpath("clean-base")
REPOSITORY = Path(__file__).parents[1].joinpath("debian-repository")
SOURCE, LISTED = (
    "/etc/apt/sources.list.d/acts.list",
    "deb [trusted=yes] file:/srv/acts/repository ./\n",
)
PATIENCE = timedelta(seconds=60)


@pytest.fixture(scope="module")
def farms(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RealFarm, ...]]:
    """Two reconcilers that know nothing of each other."""
    host = lab.hosts[HOST]
    with taken(lab.directory, HOST), ExitStack() as stack:
        host.run("bash", "-s", stdin=REPOSITORY.read_bytes(), within=PATIENCE)
        host.write_file(SOURCE, LISTED.encode())
        yield tuple(
            stack.enter_context(driven(lab, tmp_path_factory.mktemp(name)))
            for name in ("ours", "rival")
        )
        clean(host)
        host.run("rm", "-rf", SOURCE, "/srv/acts")


@pytest.fixture
def machine_bench(
    request: pytest.FixtureRequest, lab: Lab, farms: tuple[RealFarm, ...]
) -> MachineBench:
    for mark in request.node.iter_markers("needs"):
        if reason := NOT_IN_THE_LAB.get(mark.args[0]):
            pytest.skip(reason)
    host = lab.hosts[HOST]
    clean(host)
    ours, rival = (farm.machine(HOST) for farm in farms)
    for machine in (ours, rival):
        machine.look([])  # the fence went with the directory that was cleaned away
    ours.do([ROOM_ITSELF])
    return MachineBench(
        machine=ours,
        rival=lambda: after_a_look(rival),
        write=lambda path, content: host.write_file(path, content.encode()),
        remove=lambda path: remove(host, path),
        set_disk=lambda disk: pytest.fail(f"the disk of a lab host cannot be {disk}"),
        add_port=lambda name: add_port(host, name),
        load_rules=lambda _, text: load_rules(host, text),
    )


def load_rules(host: LabHost, text: str) -> None:
    host.run("nft", "-f", "/dev/stdin", stdin=text.encode())


def after_a_look(machine: Machine) -> Machine:
    machine.look([])
    return machine


def remove(host: LabHost, path: str) -> None:
    host.run("rm", "-rf", path)


def add_port(host: LabHost, name: str) -> None:
    host.run("ip", "link", "add", "name", name, "type", "ifb")


def clean(host: LabHost) -> None:
    host.run("bash", "-s", stdin=CLEANUP.read_bytes(), within=PATIENCE)
