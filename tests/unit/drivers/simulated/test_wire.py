"""Every call crosses the wire once, and the wire goes wrong exactly as it was told."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import (
    LOG_LENGTH,
    CrashAfter,
    CrashBefore,
    Fault,
    Mode,
    SimulatedCrash,
)
from reconciler.drivers.simulated.state import FarmState
from reconciler.errors import Conflict, NotFound, Unreachable
from reconciler.ports.hypervisor import Hypervisor, Seed
from reconciler.ports.nameserver import Grant, Nameserver, NewZone, Rules, ZoneUpdate
from tests.unit.drivers.simulated.samples import (
    BASE,
    GIB,
    KEPT,
    NETWORK,
    OLD,
    OWNER,
    TIMERS,
    TRASHED,
    WWW,
    definition,
    new_volume,
)

Attempt = Callable[[SimulatedFarm], Any]

# One call of each operation of the ports, each of which would succeed.
HYPERVISOR_CALLS: dict[str, Attempt] = {
    "domains": lambda farm: farm.hypervisor("virt1").domains(),
    "define_domain": lambda farm: farm.hypervisor("virt1").define_domain(
        definition("off", disks=(), vcpus=1), OWNER
    ),
    "mark_domain": lambda farm: farm.hypervisor("virt1").mark_domain("off", OWNER),
    "undefine_domain": lambda farm: farm.hypervisor("virt1").undefine_domain("off"),
    "start_domain": lambda farm: farm.hypervisor("virt1").start_domain("off"),
    "stop_domain": lambda farm: farm.hypervisor("virt1").stop_domain("web"),
    "set_autostart": lambda farm: farm.hypervisor("virt1").set_autostart("off", autostart=True),
    "adjust_guest": lambda farm: farm.hypervisor("virt1").adjust_guest("web"),
    "snapshot_domain": lambda farm: farm.hypervisor("virt1").snapshot_domain("web", "new"),
    "revert_domain": lambda farm: farm.hypervisor("virt1").revert_domain("web", "before-0123"),
    "forget_snapshot": lambda farm: farm.hypervisor("virt1").forget_snapshot("web", "before-0123"),
    "migrate_domain": lambda farm: farm.hypervisor("virt1").migrate_domain("db", "virt2"),
    "volumes": lambda farm: farm.hypervisor("virt1").volumes(),
    "create_volume": lambda farm: farm.hypervisor("virt1").create_volume(new_volume("new"), OWNER),
    "mark_volume": lambda farm: farm.hypervisor("virt1").mark_volume("default", "db-root", OWNER),
    "grow_volume": lambda farm: farm.hypervisor("virt1").grow_volume("default", "db-root", 9 * GIB),
    "trash_volume": lambda farm: farm.hypervisor("virt2").trash_volume("default", "spare"),
    "write_seed": lambda farm: farm.hypervisor("virt1").write_seed(
        new_volume("web-seed", format="iso", seed=Seed("m", "u", "n")), OWNER
    ),
    "trash": lambda farm: farm.hypervisor("virt1").trash(),
    "restore_volume": lambda farm: farm.hypervisor("virt1").restore_volume("default", OLD),
    "purge_volume": lambda farm: farm.hypervisor("virt1").purge_volume("default", OLD),
    "tidy": lambda farm: farm.hypervisor("virt1").tidy(
        "production", TRASHED + timedelta(1), frozenset()
    ),
    "pools": lambda farm: farm.hypervisor("virt1").pools(),
    "networks": lambda farm: farm.hypervisor("virt1").networks(),
    "define_network": lambda farm: farm.hypervisor("virt1").define_network(NETWORK),
    "remove_network": lambda farm: farm.hypervisor("virt1").remove_network("nat9"),
    "reserve": lambda farm: farm.hypervisor("virt1").reserve("nat9", "production", KEPT),
    "define_pool": lambda farm: farm.hypervisor("virt1").define_pool("new", "dir", "/srv/new"),
    "remove_pool": lambda farm: farm.hypervisor("virt1").remove_pool("default"),
    "send_volume": lambda farm: farm.hypervisor("virt2").send_volume("default", "spare", "virt1"),
}
NAMESERVER_CALLS: dict[str, Attempt] = {
    "zones": lambda farm: farm.nameserver("ns1").zones(),
    "zone": lambda farm: farm.nameserver("ns1").zone("farm.internal"),
    "create_zone": lambda farm: farm.nameserver("ns1").create_zone(
        NewZone(
            "b.example", TIMERS, 1, (replace(BASE[0], values=("ns.farm.internal.",)),), "production"
        )
    ),
    "update_zone": lambda farm: farm.nameserver("ns1").update_zone(
        ZoneUpdate("farm.internal", 2011031200, "production", remove=(WWW.key,))
    ),
    "serials": lambda farm: farm.nameserver("ns1").serials(["farm.internal"]),
    "set_rules": lambda farm: farm.nameserver("ns1").set_rules(
        "farm.internal", Rules((Grant("production"),))
    ),
    "delete_zone": lambda farm: farm.nameserver("ns1").delete_zone("farm.internal"),
}
CALLS = {**HYPERVISOR_CALLS, **NAMESERVER_CALLS}
LOOKS = {"domains", "volumes", "trash", "pools", "networks", "zones", "zone", "serials"}


@pytest.fixture
def farm(state: FarmState) -> SimulatedFarm:
    farm = SimulatedFarm(state)
    farm.hypervisor("virt2").create_volume(new_volume("spare"), OWNER)
    farm.revive()
    return farm


def every(call: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(call, CALLS.values(), ids=CALLS)


def operations(port: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"}


def test_every_operation_of_the_ports_is_tried_here() -> None:
    assert operations(Hypervisor) == HYPERVISOR_CALLS.keys()
    assert operations(Nameserver) == NAMESERVER_CALLS.keys()


@pytest.mark.parametrize("operation", CALLS)
def test_every_call_crosses_the_wire_once(farm: SimulatedFarm, operation: str) -> None:
    before = farm.state
    CALLS[operation](farm)
    assert farm.calls == 1
    assert [call.operation for call in farm.log] == [operation]
    assert (farm.state == before) is (operation in LOOKS)


@every("attempt")
def test_an_unreachable_host_does_nothing(farm: SimulatedFarm, attempt: Attempt) -> None:
    farm.add_fault(Fault())
    before = farm.state
    with pytest.raises(Unreachable):
        attempt(farm)
    assert farm.state == before


@every("attempt")
def test_a_failure_before_does_nothing(farm: SimulatedFarm, attempt: Attempt) -> None:
    farm.add_fault(Fault(mode="fails-before"))
    before = farm.state
    with pytest.raises(Conflict):
        attempt(farm)
    assert farm.state == before


@pytest.mark.parametrize("operation", sorted(CALLS.keys() - LOOKS))
def test_a_failure_after_does_it_and_says_nothing(farm: SimulatedFarm, operation: str) -> None:
    twin = SimulatedFarm(farm.state)
    CALLS[operation](twin)
    farm.add_fault(Fault(mode="fails-after"))
    with pytest.raises(Unreachable):
        CALLS[operation](farm)
    assert farm.state.hosts == twin.state.hosts
    assert farm.state.nameservers == twin.state.nameservers


@pytest.mark.parametrize("operation", sorted(CALLS.keys() - LOOKS))
@pytest.mark.parametrize(("crash", "is_done"), [(CrashBefore(1), False), (CrashAfter(1), True)])
def test_a_crash_is_before_or_after_the_effect(
    farm: SimulatedFarm, operation: str, crash: CrashBefore | CrashAfter, is_done: bool
) -> None:
    twin = SimulatedFarm(farm.state)
    CALLS[operation](twin)
    expected = twin.state if is_done else farm.state
    farm.revive(crash)
    with pytest.raises(SimulatedCrash):
        CALLS[operation](farm)
    assert farm.state == expected


def test_a_slow_call_sleeps_and_then_does_it(state: FarmState) -> None:
    slept: list[float] = []
    farm = SimulatedFarm(state, sleep=slept.append)
    farm.add_fault(Fault("virt1", "stop_domain", "slow", seconds=5))
    farm.hypervisor("virt1").stop_domain("web")
    farm.hypervisor("virt2").domains()
    assert slept == [5]
    assert not farm.state.hosts["virt1"].domains["web"].running


def test_what_takes_longer_than_the_deadline_is_done_and_not_answered(state: FarmState) -> None:
    slept: list[float] = []
    farm = SimulatedFarm(state, sleep=slept.append)
    farm.add_fault(Fault("virt1", mode="slow", seconds=3600))
    with pytest.raises(Unreachable, match="deadline"):
        farm.hypervisor("virt1").stop_domain("web")
    assert slept == [60]
    assert not farm.state.hosts["virt1"].domains["web"].running


def test_a_slow_host_does_not_hold_up_the_others(state: FarmState) -> None:
    seen: list[int] = []

    def look_elsewhere(_seconds: float) -> None:
        look = threading.Thread(
            target=lambda: seen.append(len(slow_farm.hypervisor("virt2").volumes()))
        )
        look.start()
        look.join(10)

    slow_farm = SimulatedFarm(state, sleep=look_elsewhere)
    slow_farm.add_fault(Fault("virt1", mode="slow", seconds=1))
    slow_farm.hypervisor("virt1").stop_domain("web")
    assert seen == [0]


def test_a_fault_strikes_only_what_its_globs_match(farm: SimulatedFarm) -> None:
    farm.add_fault(Fault("virt[1-9]", "s*_domain"))
    farm.hypervisor("virt1").domains()
    farm.nameserver("ns1").zones()
    with pytest.raises(Unreachable):
        farm.hypervisor("virt1").start_domain("off")
    with pytest.raises(Unreachable):
        farm.hypervisor("virt1").stop_domain("web")


def test_a_fault_ends_after_its_times(farm: SimulatedFarm) -> None:
    farm.add_fault(Fault("virt1", times=2))
    for _ in range(2):
        with pytest.raises(Unreachable):
            farm.hypervisor("virt1").domains()
    farm.hypervisor("virt1").domains()
    assert [fault.where for fault in farm.state.faults] == ["virt9"]


def test_faults_are_removed(farm: SimulatedFarm) -> None:
    farm.add_fault(Fault("virt1"))
    farm.add_fault(Fault("virt2"))
    farm.remove_faults("virt1")
    assert [fault.where for fault in farm.state.faults] == ["virt9", "virt2"]
    farm.remove_faults()
    assert farm.state.faults == ()


@pytest.mark.parametrize("mode", ["unreachable", "fails-before", "fails-after"])
def test_a_fault_of_the_destination_strikes_a_move_and_is_named(
    farm: SimulatedFarm, mode: Mode
) -> None:
    farm.add_fault(Fault("virt2", mode=mode))
    with pytest.raises((Unreachable, Conflict)) as caught:
        farm.hypervisor("virt1").migrate_domain("db", "virt2")
    assert caught.value.where == "virt2"


def test_the_process_stays_dead_until_it_is_revived(farm: SimulatedFarm) -> None:
    farm.revive(CrashBefore(2))
    farm.hypervisor("virt1").domains()
    before = farm.state
    for _ in range(3):
        with pytest.raises(SimulatedCrash):
            farm.hypervisor("virt1").stop_domain("web")
    assert farm.state == before
    farm.revive()
    farm.hypervisor("virt1").stop_domain("web")
    assert farm.calls == 1


def test_no_handler_of_errors_stops_a_crash(farm: SimulatedFarm) -> None:
    farm.revive(CrashBefore(1))
    assert not issubclass(SimulatedCrash, Exception)
    with pytest.raises(SimulatedCrash):
        farm.hypervisor("virt1").domains()


def test_every_crash_point_of_a_task_can_be_tried(state: FarmState) -> None:
    def task(farm: SimulatedFarm) -> None:
        host = farm.hypervisor("virt2")
        if "new-root" not in {volume.name for volume in host.volumes()}:
            host.create_volume(new_volume("new-root"), OWNER)
        host.define_domain(definition("new"), OWNER)
        host.start_domain("new")

    whole = SimulatedFarm(state)
    task(whole)
    for number in range(1, whole.calls + 1):
        for crash in (CrashBefore(number), CrashAfter(number)):
            farm = SimulatedFarm(state)
            farm.revive(crash)
            with pytest.raises(SimulatedCrash):
                task(farm)
            farm.revive()
            task(farm)
            assert farm.state == whole.state


def test_the_log_tells_what_was_asked(farm: SimulatedFarm) -> None:
    farm.hypervisor("virt1").set_autostart("off", autostart=True)
    farm.hypervisor("virt1").migrate_domain("off", "virt2")
    assert [str(call) for call in farm.log] == [
        "virt1: set autostart off",
        "virt1: migrate domain off",
    ]
    assert farm.log[0].arguments == (True,)
    assert farm.log[1].machines == ("virt1", "virt2")


def test_the_log_does_not_grow_for_ever(farm: SimulatedFarm) -> None:
    host = farm.hypervisor("virt2")
    for _ in range(LOG_LENGTH + 5):
        host.domains()
    assert len(farm.log) == LOG_LENGTH
    assert farm.calls == LOG_LENGTH + 5


def test_what_is_not_configured_is_not_found(farm: SimulatedFarm) -> None:
    with pytest.raises(NotFound):
        farm.hypervisor("nowhere")
    with pytest.raises(NotFound):
        farm.nameserver("nowhere")


def test_a_host_that_is_taken_away_later_is_not_found(farm: SimulatedFarm) -> None:
    host, server = farm.hypervisor("virt1"), farm.nameserver("ns1")
    farm.change(lambda _state: FarmState())
    with pytest.raises(NotFound):
        host.domains()
    with pytest.raises(NotFound):
        server.zones()
