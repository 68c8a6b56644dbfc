"""S27: a repository that is broken or emptied, in whatever way, deletes nothing."""

from __future__ import annotations

from functools import cache

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState
from reconciler.errors import ConfigError
from reconciler.plan.guards import check
from reconciler.render.render import render, rooms
from tests.farms import truth
from tests.farms.repository import FARM, documents
from tests.farms.rounds import Environment
from tests.farms.specs import farm_state
from tests.farms.sync import settle

WEB = FARM["vms/web-1.yaml"]
ZONE_FILE = "environments/production/zone.yaml"
ENVIRONMENT = "environments/production/environment.yaml"
COUNT = 12
MACHINES = {
    f"vms/web-{number}.yaml": WEB.replace("web-1", f"web-{number}").replace(
        "192.168.1.129", f"192.168.1.{128 + number}"
    )
    for number in range(1, COUNT + 1)
}
GONE = dict.fromkeys(MACHINES, "")
HALF = dict.fromkeys(list(MACHINES)[: COUNT // 2], "")
EMPTY = dict.fromkeys([*MACHINES, ZONE_FILE], "")


def moved(folder: str) -> dict[str, str]:
    """All machines in another folder, where nobody reads them."""
    return {**GONE, **{f"{folder}/{path}": text for path, text in MACHINES.items()}}


def with_each(change: tuple[str, str]) -> dict[str, str]:
    return {path: text.replace(*change) for path, text in MACHINES.items()}


CATASTROPHES: dict[str, dict[str, str]] = {
    "everything is gone": dict.fromkeys([*FARM, *MACHINES], ""),
    "all but the farm and the environment is gone": {
        **dict.fromkeys([*FARM, *MACHINES], ""),
        "farm.yaml": FARM["farm.yaml"],
        ENVIRONMENT: FARM[ENVIRONMENT],
    },
    "the environment's file is gone": {ENVIRONMENT: ""},
    "the farm's file is gone": {"farm.yaml": ""},
    "no machine and no zone is left": EMPTY,
    "no machine is left": GONE,
    "half of the machines are gone": HALF,
    "two machines are gone": dict.fromkeys(list(MACHINES)[:2], ""),
    "the machines went to the documentation": moved("docs"),
    "the machines went to a hidden folder": moved(".old"),
    "the machines went to another environment": moved("environments/staging"),
    "the machines are no YAML files any more": {
        **GONE,
        **{f"{path}.bak": text for path, text in MACHINES.items()},
    },
    "the zone is gone": {ZONE_FILE: ""},
    "the zone's reverse zones are gone": {
        ZONE_FILE: FARM[ZONE_FILE].replace("reverse: [lan]", "reverse: []")
    },
    "one file does not parse": {"vms/web-3.yaml": "kind: [\n"},
    "one file is cut off": {"vms/web-3.yaml": WEB[: len(WEB) // 2]},
    "one file is empty but for a comment": {**HALF, "vms/web-1.yaml": "# gone\n"},
    "a merge left its marks": {"vms/web-3.yaml": f"<<<<<<< HEAD\n{WEB}=======\n>>>>>>> x\n"},
    "all kinds are misspelt": with_each(("VirtualMachine", "VirtualMachin")),
    "all machines are renamed without a word": with_each(("name: web-", "name: srv-")),
    "all machines lost their disks": with_each(
        ("disks:\n  - {name: root, size: 16 GiB}\n  - {name: data, size: 8 GiB, format: raw}\n", "")
    ),
    "all disks have other names": with_each(("{name: root", "{name: system")),
    "all disks have another format": with_each(("format: raw", "format: qcow2")),
    "all disks are smaller": with_each(("size: 16 GiB", "size: 1 GiB")),
    "all machines are called otherwise on the host": {
        path: f"{text}libvirt_name: other-{number}\n"
        for number, (path, text) in enumerate(MACHINES.items())
    },
    "another naming pattern": {ZONE_FILE: FARM[ZONE_FILE] + "naming: {machines: 'x-{name}'}\n"},
    "the domain is another": {
        ENVIRONMENT: "{kind: Environment, name: production, domain: farm.example}"
    },
}


@cache
def start() -> tuple[FarmState, Environment]:
    """The farm as the whole repository wants it."""
    farm = SimulatedFarm(farm_state(("virt1",)))
    loaded = documents(MACHINES)
    environment = Environment(farm, render(loaded), rooms=rooms(loaded))
    settle(environment)
    return farm.state, environment


def machines_and_volumes(state: FarmState) -> set[truth.Place]:
    return {*truth.domains(state), *truth.volumes(state)}


def test_the_whole_repository_makes_a_whole_farm() -> None:
    state, _ = start()
    assert len(truth.domains(state)) == COUNT
    assert len(truth.volumes(state)) == 2 * COUNT


@pytest.mark.parametrize("name", CATASTROPHES)
def test_nothing_is_deleted(name: str) -> None:
    state, before = start()
    farm = SimulatedFarm(state)
    try:
        loaded = documents({**MACHINES, **CATASTROPHES[name]})
        desired = render(loaded)
    except ConfigError:
        return
    environment = Environment(
        farm, desired, rooms=rooms(loaded), memory=dict(before.memory), scopes=before.scopes
    )
    assert check(environment.look().plan, environment.policy)
    for _ in range(3):
        environment.turn()
    assert farm.state == state


def test_what_is_meant_is_done() -> None:
    """One machine of twelve, and after a word all of them."""
    state, before = start()
    farm = SimulatedFarm(state)
    for changes, allowed, left in [
        ({"vms/web-3.yaml": ""}, frozenset[str](), COUNT - 1),
        (GONE, frozenset({"mass-deletion", "mass-record-change"}), 0),
    ]:
        loaded = documents({**MACHINES, **changes})
        environment = Environment(
            farm,
            render(loaded),
            policy=type(before.policy)(allowed=allowed),
            rooms=rooms(loaded),
            memory=dict(before.memory),
            scopes=before.scopes,
        )
        settle(environment)
        assert len(truth.domains(farm.state)) == left


def test_what_was_deleted_is_in_the_trash() -> None:
    state, before = start()
    farm = SimulatedFarm(state)
    loaded = documents({**MACHINES, "vms/web-3.yaml": ""})
    settle(Environment(farm, render(loaded), rooms=rooms(loaded), memory=dict(before.memory)))
    (pool,) = (pool for pool in farm.state.hosts["virt1"].pools.values() if pool.trash)
    assert {each.name for each in pool.trash.values()} == {
        "production-web-3-root",
        "production-web-3-data",
    }
