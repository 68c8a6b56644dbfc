"""F39: a rename keeps machine and volumes; without a word about it, it is for the guards to see."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.model.resource import Desired
from reconciler.plan.guards import check
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import machine, simulated_farm
from tests.farms.sync import settle
from tests.farms.town import ANYTHING_GOES

DISKS = ("root", "data")
OLD = machine("old", disks=DISKS)
NEW = machine("new", disks=DISKS, formerly="old")


def converged(desired: tuple[Desired[Any], ...] = OLD) -> tuple[SimulatedFarm, Environment]:
    farm = simulated_farm()
    environment = Environment(farm, desired, policy=ANYTHING_GOES)
    settle(environment)
    return farm, environment


def marks(farm: SimulatedFarm) -> set[str]:
    owners = [each.owner for each in truth.domains(farm.state).values()]
    owners += [each.owner for each in truth.volumes(farm.state).values()]
    return {owner.name for owner in owners if owner}


def untouched(farm: SimulatedFarm) -> dict[object, object]:
    """Machines and volumes but for their marks."""
    domains = truth.domains(farm.state).items()
    volumes = truth.volumes(farm.state).items()
    return {
        **{place: (each.definition, each.running, each.runs_on) for place, each in domains},
        **{place: (each.capacity_bytes, each.image) for place, each in volumes},
    }


def test_a_rename_changes_marks_and_nothing_else() -> None:
    farm, environment = converged()
    before = untouched(farm)
    environment.desired = NEW
    settle(environment)
    assert untouched(farm) == before
    assert marks(farm) == {"new", "new-root", "new-data"}


def test_a_rename_that_is_taken_back_changes_marks_and_nothing_else() -> None:
    """A rollback brings the old documents back, which know nothing of the new name."""
    farm, environment = converged()
    environment.desired = NEW
    settle(environment)
    before = untouched(farm)
    environment.desired = OLD
    settle(environment)
    assert untouched(farm) == before
    assert marks(farm) == {"old", "old-root", "old-data"}


def test_a_rename_that_is_half_done_is_finished() -> None:
    """Some marks have the old name and some the new one."""
    farm, environment = converged()
    environment.desired = NEW
    look = environment.look()
    for remark in look.plan.remarks[:2]:
        for operation in remark.operations:
            operation.run(farm)
    before = untouched(farm)
    settle(environment)
    assert untouched(farm) == before
    assert marks(farm) == {"new", "new-root", "new-data"}


def test_a_rename_and_a_change_at_once_keep_the_volumes() -> None:
    farm, environment = converged()
    before = truth.volumes(farm.state).keys()
    environment.desired = machine("new", disks=DISKS, formerly="old", vcpus=4, host="virt2")
    settle(environment)
    assert {name for _, _, name in truth.volumes(farm.state)} == {name for _, _, name in before}
    (domain,) = truth.domains(farm.state).values()
    assert domain.definition.vcpus == 4


def test_without_a_word_about_it_a_rename_is_a_deletion_and_a_creation() -> None:
    _, environment = converged()
    environment.desired = machine("new", disks=DISKS)
    actions = {str(change) for change in environment.look().plan.changes}
    assert actions >= {"delete domain/old", "create domain/new", "delete volume/old-data"}


def test_what_a_silent_rename_deletes_is_in_the_trash() -> None:
    farm, environment = converged()
    environment.desired = machine("new", disks=DISKS)
    settle(environment)
    trash = farm.state.hosts["virt1"].pools["default"].trash.values()
    assert {each.name for each in trash} == {"production-old-root", "production-old-data"}


@pytest.mark.parametrize("count", [2, 5])
def test_a_silent_rename_of_many_is_refused(count: int) -> None:
    farm = simulated_farm()
    names = [f"m{number}" for number in range(count)]
    environment = Environment(farm, [each for name in names for each in machine(name)])
    settle(environment)
    before = farm.state
    environment.desired = [each for name in names for each in machine(f"new-{name}")]
    (violation,) = check(environment.look().plan, environment.policy)
    assert violation.name == "mass-deletion"
    environment.turn()
    assert farm.state == before
