"""The way in: what cuts a simulated host off, and how its dead man's switch gets it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.drivers.simulated import by_hand, by_hand_base
from reconciler.drivers.simulated.base.state import Base, File, Link
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashBefore, Fault, SimulatedCrash
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.errors import Conflict, Unreachable
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from reconciler.ports.acts import Act, PutFile, RestartService, SetService
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutInterface
from reconciler.ports.network_facts import TextFile

RULES, SSHD = "/etc/nftables.conf", "/etc/ssh/sshd_config"
GOOD = "policy drop; tcp dport 22 accept\n"
BAD = "policy drop; tcp dport 2222 accept\n"
SERVICE = Address("service", "nftables", "virt1")
FILE = Address("file", "etc-nftables.conf", "virt1")
OF_FILE = Safety((RULES,), ("nftables",), ((FILE, "d-file"),))
OF_SERVICE = Safety((RULES,), ("nftables",), ((SERVICE, "d-service"),))
RESTART = RestartService("nftables")


class Time:
    """A clock that goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def farm(time: Time) -> SimulatedFarm:
    base = Base(files={RULES: File(content=GOOD), SSHD: File(content="Port 22\n")})
    state = FarmState({"virt1": Host(2**30, base=base)})
    return SimulatedFarm(state, sleep=time.sleep, now=lambda: time.now)


def rules(content: str) -> PutFile:
    return PutFile(RULES, content, "0644", "root", "root")


def do(farm: SimulatedFarm, *acts: Act, safety: Safety | None = None) -> None:
    farm.machine("virt1").do(acts, safety=safety)


def base_of(farm: SimulatedFarm) -> Base:
    return farm.state.hosts["virt1"].base


def is_reachable(farm: SimulatedFarm) -> bool:
    try:
        farm.machine("virt1").look([])
        farm.hypervisor("virt1").domains()
    except Unreachable:
        return False
    return True


@pytest.mark.parametrize(
    "acts",
    [
        (rules(BAD), RESTART),
        (PutFile(SSHD, "Port 2222\n", "0644", "root", "root"), RestartService("ssh", "reload")),
        (SetService("ssh", running=False),),
    ],
    ids=["firewall", "another port", "no sshd"],
)
def test_without_a_switch_a_host_stays_cut_off(
    farm: SimulatedFarm, time: Time, acts: tuple[Act, ...]
) -> None:
    with pytest.raises(Unreachable, match="connection was lost"):
        do(farm, *acts)
    time.sleep(10_000)
    assert not is_reachable(farm)


def test_a_file_alone_cuts_nobody_off(farm: SimulatedFarm) -> None:
    do(farm, rules(BAD))
    assert is_reachable(farm)
    assert base_of(farm).services["nftables"].starts == 0


def test_a_person_at_the_console_gets_it_back(farm: SimulatedFarm) -> None:
    with pytest.raises(Unreachable):
        do(farm, rules(BAD), RESTART)
    by_hand_base.edit_file(farm, "virt1", RULES, GOOD)
    by_hand_base.restart_service(farm, "virt1", "nftables")
    assert is_reachable(farm)


def test_with_a_switch_the_host_takes_the_change_back(farm: SimulatedFarm, time: Time) -> None:
    began = time.now
    with pytest.raises(Unreachable, match="took the change back by itself"):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    assert time.now - began == OF_SERVICE.deadline
    assert base_of(farm).files[RULES].content == GOOD
    assert is_reachable(farm)
    assert farm.machine("virt1").look([]).undone == {SERVICE: "d-service"}


def test_the_service_gets_back_what_it_last_ran_well_with(farm: SimulatedFarm) -> None:
    """The file was changed before, under a switch of its own that was disarmed."""
    do(farm, rules(BAD), safety=OF_FILE)
    assert base_of(farm).files[RULES].content == BAD
    with pytest.raises(Unreachable):
        do(farm, RESTART, safety=OF_SERVICE)
    assert base_of(farm).files[RULES].content == GOOD
    assert is_reachable(farm)


def test_what_ran_well_is_what_comes_back_the_next_time(farm: SimulatedFarm) -> None:
    better = f"{GOOD}# and more\n"
    do(farm, rules(better), safety=OF_FILE)
    do(farm, RESTART, safety=OF_SERVICE)
    with pytest.raises(Unreachable):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    assert base_of(farm).files[RULES].content == better


def test_a_file_that_was_not_there_is_gone_again(farm: SimulatedFarm) -> None:
    by_hand_base.remove_file(farm, "virt1", RULES)
    with pytest.raises(Unreachable):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    assert RULES not in base_of(farm).files


def test_a_change_that_lets_us_in_stays(farm: SimulatedFarm, time: Time) -> None:
    do(farm, rules(f"{GOOD}#\n"), RESTART, safety=OF_SERVICE)
    time.sleep(10_000)
    assert is_reachable(farm)
    assert base_of(farm).files[RULES].content == f"{GOOD}#\n"
    assert farm.machine("virt1").look([]).undone == {}


def test_what_let_us_in_at_last_is_no_longer_told_as_undone(farm: SimulatedFarm) -> None:
    with pytest.raises(Unreachable):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    do(farm, rules(GOOD), RESTART, safety=OF_SERVICE)
    assert farm.machine("virt1").look([]).undone == {}


def test_a_connection_that_does_not_come_back_is_enough(farm: SimulatedFarm) -> None:
    farm.add_fault(Fault("virt1", "disarm", "unreachable", times=1))
    with pytest.raises(Unreachable, match="took the change back"):
        do(farm, rules(f"{GOOD}#\n"), RESTART, safety=OF_SERVICE)
    assert base_of(farm).files[RULES].content == GOOD


@pytest.mark.parametrize("number", range(1, 5))
def test_whoever_dies_in_the_middle_is_answered_for_by_the_host(
    farm: SimulatedFarm, time: Time, number: int
) -> None:
    """It dies when it is about to arm, to write, to restart or to disarm."""
    farm.revive(CrashBefore(number))
    with pytest.raises(SimulatedCrash):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    farm.revive()
    assert is_reachable(farm) == (number < 4)
    time.sleep(OF_SERVICE.deadline.total_seconds())
    assert is_reachable(farm)
    assert base_of(farm).files[RULES].content == GOOD
    assert farm.machine("virt1").look([]).undone == {}


def test_what_was_tried_twice_is_not_tried_again(farm: SimulatedFarm, time: Time) -> None:
    for _ in range(2):
        farm.revive(CrashBefore(4))
        with pytest.raises(SimulatedCrash):
            do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
        farm.revive()
        time.sleep(OF_SERVICE.deadline.total_seconds())
        assert is_reachable(farm)
    assert farm.machine("virt1").look([]).undone == {SERVICE: "d-service"}


def test_nobody_tries_something_else_meanwhile(farm: SimulatedFarm) -> None:
    farm.revive(CrashBefore(4))
    with pytest.raises(SimulatedCrash):
        do(farm, rules(f"{GOOD}#\n"), RESTART, safety=OF_SERVICE)
    farm.revive()
    with pytest.raises(Conflict, match="is being tried"):
        do(farm, rules(BAD), safety=OF_FILE)


def test_a_boot_while_it_is_armed_takes_the_change_back_at_once(farm: SimulatedFarm) -> None:
    farm.revive(CrashBefore(4))
    with pytest.raises(SimulatedCrash):
        do(farm, rules(BAD), RESTART, safety=OF_SERVICE)
    farm.revive()
    by_hand.reboot_host(farm, "virt1")
    assert is_reachable(farm)
    assert base_of(farm).files[RULES].content == GOOD


@pytest.mark.parametrize("disk", ["full", "read-only"])
def test_nothing_is_tried_without_a_way_back(farm: SimulatedFarm, disk: str) -> None:
    by_hand_base.set_disk(farm, "virt1", disk)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="way back"):
        do(farm, RESTART, safety=OF_SERVICE)
    assert base_of(farm).services["nftables"].starts == 0


def test_an_act_that_fails_leaves_nothing_armed(farm: SimulatedFarm, time: Time) -> None:
    with pytest.raises(Conflict, match="no-such"):
        do(farm, rules(f"{GOOD}#\n"), RestartService("no-such-unit"), safety=OF_SERVICE)
    assert base_of(farm).switch is None
    time.sleep(10_000)
    assert is_reachable(farm)


# --------------------------------------------------------------------------------- of the network

WAY_IN = "10.0.0.2"
BRIDGE = Address("bridge", "br0", "virt1")
OF_NETWORK = safety_of_network(BRIDGE, "d-bridge", ["/etc/systemd/network/br0.netdev"])
NETDEV = TextFile("/etc/systemd/network/br0.netdev", "[NetDev]\n")
SWALLOW = PutInterface("br0", "bridge", (NETDEV,), ports=("eth0",))
MOVE = PutInterface("br0", "bridge", (NETDEV,), ports=("eth0",), addresses=(f"{WAY_IN}/24",))


@pytest.fixture
def connected(time: Time) -> SimulatedFarm:
    """A host that people come to by the address of an interface."""
    links = {"eth0": Link(addresses=(f"{WAY_IN}/24",)), "eth1": Link()}
    state = FarmState({"virt1": Host(2**30, base=Base(links=links, management=WAY_IN))})
    return SimulatedFarm(state, sleep=time.sleep, now=lambda: time.now)


def test_a_bridge_that_swallows_the_way_in_cuts_off(connected: SimulatedFarm, time: Time) -> None:
    with pytest.raises(Unreachable, match="the network"):
        do(connected, SWALLOW)
    time.sleep(10_000)
    assert not is_reachable(connected)


def test_with_a_switch_the_network_comes_back(connected: SimulatedFarm) -> None:
    before = base_of(connected)
    with pytest.raises(Unreachable, match="took the change back by itself"):
        do(connected, SWALLOW, safety=OF_NETWORK)
    after = base_of(connected)
    assert after.links == before.links
    assert NETDEV.path not in after.files
    assert is_reachable(connected)
    assert connected.machine("virt1").look([]).undone == {BRIDGE: "d-bridge"}


def test_a_way_in_that_is_moved_stays(connected: SimulatedFarm, time: Time) -> None:
    do(connected, MOVE, safety=OF_NETWORK)
    time.sleep(10_000)
    assert is_reachable(connected)
    assert base_of(connected).links["eth0"].master == "br0"


def test_an_address_that_interfaces_do_not_matter_for_is_never_lost(farm: SimulatedFarm) -> None:
    do(farm, SWALLOW)
    assert is_reachable(farm)
