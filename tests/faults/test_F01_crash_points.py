"""F01: a process that dies at any call of a port leaves nothing that the next cannot finish."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore
from reconciler.drivers.simulated.state import FarmState
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import farm_state
from tests.farms.sync import (
    HOSTS,
    begin,
    converged,
    end_of,
    is_seen_as_wanted,
    run_until,
    settle,
)
from tests.farms.virthost import part, service, text


@cache
def start() -> tuple[FarmState, Environment]:
    return converged()


@cache
def uninterrupted() -> tuple[dict[Any, Any], int]:
    """How the sync ends when nothing goes wrong, and how many calls its first turn makes."""
    environment = begin(*start())
    environment.turn()
    calls = environment.farm.calls
    settle(environment)
    return end_of(environment.farm.state), calls


def test_the_sync_does_something_of_everything() -> None:
    environment = begin(*start())
    environment.turn()
    operations = {call.operation for call in environment.farm.log}
    assert operations >= {
        *("define_domain", "undefine_domain", "migrate_domain", "mark_domain", "adjust_guest"),
        *("start_domain", "stop_domain", "set_autostart", "snapshot_domain"),
        *("create_volume", "grow_volume", "trash_volume", "mark_volume", "update_zone"),
        *("write_seed",),
        *("install_package", "remove_package", "hold_package", "put_setting", "put_group"),
        *("put_user", "lock_user", "set_sysctl", "put_file", "put_directory", "put_link"),
        *("remove_path", "mount", "make_volume_group", "restart_service", "run_command"),
        *("put_mark", "forget"),
    }


@pytest.mark.parametrize("when", [CrashBefore, CrashAfter])
def test_whoever_comes_after_a_crash_finishes_its_work(
    when: type[CrashBefore | CrashAfter],
) -> None:
    expected, calls = uninterrupted()
    state, before = start()
    others = truth.not_of("production", state)
    crashes = 0
    for number in range(1, calls + 1):
        died = begin(state, before)
        crashes += run_until(died, when(number))
        successor = begin(died.farm.state, before)
        settle(successor)
        assert end_of(successor.farm.state) == expected, number
        assert is_seen_as_wanted(successor), number
        assert truth.not_of("production", successor.farm.state) == others, number
    assert crashes == calls > 40


def test_a_successor_that_dies_too_is_no_worse() -> None:
    expected, calls = uninterrupted()
    state, before = start()
    for first in range(3, calls, 17):
        for second in range(5, calls, 31):
            environment = begin(state, before)
            run_until(environment, CrashAfter(first))
            environment = begin(environment.farm.state, before)
            run_until(environment, CrashBefore(second))
            environment = begin(environment.farm.state, before)
            settle(environment)
            assert end_of(environment.farm.state) == expected, (first, second)


def test_a_first_sync_that_dies_leaves_nothing_twice() -> None:
    """From an empty farm, without any memory."""
    empty = farm_state(HOSTS)
    blank = Environment(SimulatedFarm(empty), ())
    whole = begin(empty, blank)
    whole.turn()
    calls = whole.farm.calls
    settle(whole)
    for number in range(1, calls + 1):
        died = begin(empty, blank)
        run_until(died, CrashAfter(number))
        successor = begin(died.farm.state, blank)
        settle(successor)
        assert end_of(successor.farm.state) == end_of(whole.farm.state), number


RULES = part(text("/etc/nftables.conf", "policy drop; tcp dport 22 accept\n"))
GUARDED = (RULES, part(service("nftables", RULES), RULES))


@pytest.mark.parametrize("when", [CrashBefore, CrashAfter])
def test_a_change_of_the_way_in_survives_any_crash(
    when: type[CrashBefore | CrashAfter],
) -> None:
    """Where the dead man's switch was armed the host takes back what was not confirmed."""
    empty = farm_state(HOSTS)
    whole = Environment(SimulatedFarm(empty), GUARDED)
    whole.turn()
    calls = whole.farm.calls
    assert {"arm", "disarm"} <= {call.operation for call in whole.farm.log}
    for number in range(1, calls + 1):
        died = Environment(SimulatedFarm(empty), GUARDED)
        assert run_until(died, when(number)), number
        successor = Environment(SimulatedFarm(died.farm.state), GUARDED)
        settle(successor)
        assert end_of(successor.farm.state) == end_of(whole.farm.state), number
        assert successor.look().world.undone == {}, number
