"""`trash` at the command line, and how the loop empties it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from reconciler.cli.command import Given
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, pause, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.clock import SystemClock
from reconciler.daemon.slots import Reason
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume
from tests.story.desk import Desk

GIB = 1 << 30
DATA = "production-old-data"
POLICY = "environments/production/environment.yaml"


def throw_away(
    desk: Desk, name: str = DATA, environment: str = "production", *, days: float = 1
) -> None:
    """A volume of the environment's machine `old`, put in the trash of virt1 some days ago."""
    since = SystemClock().now() - timedelta(days=days)
    farm = SimulatedFarm.open(desk.world, sleep=pause, now=lambda: since)
    port = farm.hypervisor("virt1")
    owner = Owner(environment, "old-data", "0123456789abcdef")
    port.create_volume(NewVolume("default", name, "qcow2", GIB), owner)
    port.trash_volume("default", name)


def in_trash(desk: Desk) -> list[str]:
    return [each.name for each in desk.farm.hypervisor("virt1").trash()]


def is_in_use(desk: Desk, name: str = DATA) -> bool:
    return name in {each.name for each in desk.farm.hypervisor("virt1").volumes()}


def tidy_up(desk: Desk) -> None:
    """One turn of the loop."""
    settings = settings_of(Given(config=desk.settings))
    with open_repository(settings) as repository:
        repository.fetch()
        keeper = Keeper(repository, surroundings(repository, "production"), settings)
        keeper.look("production", frozenset({Reason.PUSH}), threading.Event())


def test_what_is_in_the_trash_is_told_with_the_time_it_has_left(desk: Desk) -> None:
    throw_away(desk, days=2)
    done = desk.run("trash", "list")
    assert done.exit_code == 0
    for text in (DATA, "old-data of production", "pool default of virt1", "deleted in 4d"):
        assert text in done.stdout
    (listed,) = desk.json("trash", "list")["trash"]
    assert (listed["name"], listed["environment"], listed["resource"], listed["host"]) == (
        DATA,
        "production",
        "old-data",
        "virt1",
    )
    left = datetime.fromisoformat(listed["until"]) - datetime.fromisoformat(listed["since"])
    assert left == timedelta(days=7)


def test_an_empty_trash_is_no_error(desk: Desk) -> None:
    done = desk.run("trash", "list", "-e", "production")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "the trash is empty" in done.stderr


def test_only_what_belongs_to_the_environment_is_shown(desk: Desk) -> None:
    throw_away(desk, "staging-old-data", "staging")
    assert desk.json("trash", "list", "-e", "production")["trash"] == []
    assert len(desk.json("trash", "list", "-e", "staging")["trash"]) == 1


@pytest.mark.parametrize("name", ["old-data", DATA])
def test_a_volume_comes_back_by_either_of_its_names(desk: Desk, name: str) -> None:
    throw_away(desk)
    done = desk.run("trash", "restore", name)
    assert done.exit_code == 0, done.output
    assert f"{DATA} is back in pool default of virt1" in done.stdout
    assert "the next sync moves it to the trash again" in done.stderr
    assert is_in_use(desk)
    assert in_trash(desk) == []


def test_and_goes_again_unless_a_document_names_it(desk: Desk) -> None:
    throw_away(desk)
    desk.run("trash", "restore", "old-data")
    desk.run("sync", "-e", "production")
    assert not is_in_use(desk)
    assert in_trash(desk) == [DATA]


def test_which_of_several_is_asked(desk: Desk) -> None:
    for days in (1, 2):
        throw_away(desk, days=days)
    done = desk.run("trash", "restore", "old-data")
    assert done.exit_code == 1
    assert "in the trash 2 times" in done.stderr
    full = desk.json("trash", "list")["trash"][0]["trashName"]
    assert full in done.stderr
    assert desk.run("trash", "restore", full).exit_code == 0


def test_what_is_not_there_is_told_with_what_is(desk: Desk) -> None:
    throw_away(desk)
    done = desk.run("trash", "restore", "other")
    assert done.exit_code == 1
    assert f"there is no other in the trash; there is: {DATA}" in done.stderr


def test_a_name_taken_meanwhile_is_an_error(desk: Desk) -> None:
    throw_away(desk)
    new = NewVolume("default", DATA, "qcow2", GIB)
    desk.farm.hypervisor("virt1").create_volume(new, Owner("production", "x", "0"))
    done = desk.run("trash", "restore", "old-data")
    assert done.exit_code == 1
    assert "taken" in done.stderr
    assert in_trash(desk) == [DATA]


def test_nothing_is_deleted_without_a_yes(desk: Desk) -> None:
    throw_away(desk)
    done = desk.run("trash", "purge", "old-data")
    assert done.exit_code == 130
    assert in_trash(desk) == [DATA]
    done = desk.run("trash", "purge", "old-data", "--yes")
    assert (done.exit_code, in_trash(desk)) == (0, [])
    assert "1 volume deleted" in done.stdout


def test_everything_of_one_environment_can_be_deleted(desk: Desk) -> None:
    throw_away(desk)
    throw_away(desk, "staging-old-data", "staging")
    assert desk.run("trash", "purge", "--yes").exit_code == 1
    assert desk.run("trash", "purge", "--all", "-e", "production", "--yes").exit_code == 0
    assert in_trash(desk) == ["staging-old-data"]


def test_a_host_that_does_not_answer_is_named_and_the_others_are_shown(desk: Desk) -> None:
    throw_away(desk)
    desk.farm.add_fault(Fault(where="virt2"))
    done = desk.run("trash", "list")
    assert done.exit_code == 1
    assert DATA in done.stdout
    assert "virt2 cannot be looked at" in done.stderr
    assert desk.run("trash", "list", "--host", "virt1").exit_code == 0


def test_a_host_that_nobody_describes_is_an_error(desk: Desk) -> None:
    done = desk.run("trash", "list", "--host", "virt9")
    assert done.exit_code == 1
    assert "no host with guests is called virt9; there are: virt1, virt2, virt3" in done.stderr


@pytest.mark.parametrize(("days", "is_left"), [(8, False), (6, True)])
def test_the_loop_empties_the_trash_after_a_week(desk: Desk, days: int, is_left: bool) -> None:
    throw_away(desk, days=days)
    tidy_up(desk)
    assert (DATA in in_trash(desk)) is is_left


def test_the_operator_says_how_long_it_is_kept(desk: Desk) -> None:
    throw_away(desk, days=8)
    text = desk.settings.read_text(encoding="utf-8")
    desk.settings.write_text(f"{text}trash_kept: 30d\n", encoding="utf-8")
    tidy_up(desk)
    assert in_trash(desk) == [DATA]


def test_neither_a_plan_nor_a_sync_empties_the_trash(desk: Desk) -> None:
    throw_away(desk, days=8)
    desk.run("plan", "-e", "production")
    desk.run("sync", "-e", "production")
    assert in_trash(desk) == [DATA]


def test_the_trash_of_a_suspended_environment_is_left_alone(desk: Desk) -> None:
    throw_away(desk, days=8)
    text = desk.settings.read_text(encoding="utf-8")
    suspended = f"{text}policy: {{production: {{suspend: true}}}}\n"
    desk.settings.write_text(suspended, encoding="utf-8")
    tidy_up(desk)
    assert in_trash(desk) == [DATA]


def test_a_host_that_cannot_be_tidied_up_is_only_reported(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    throw_away(desk, days=8)
    desk.farm.add_fault(Fault(where="virt1", operation="tidy"))
    tidy_up(desk)
    assert "production: virt1: tidy" in caplog.text
