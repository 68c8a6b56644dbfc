"""What is only of the simulated machine: single acts that fail, counts, and the farm as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.simulated import by_hand, by_hand_base
from reconciler.drivers.simulated.base.state import Base, File
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore, Fault, SimulatedCrash
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.drivers.simulated.store import dump, load
from reconciler.errors import Conflict, NotFound, Unreachable
from reconciler.model.resource import Owner
from reconciler.model.secret import SealedSecret, SecretReference
from reconciler.ports.acts import (
    InstallPackage,
    LoadModule,
    PutFile,
    PutMark,
    RestartService,
    SetService,
    SetSysctl,
)
from reconciler.ports.facts import Mark, Question
from tests.farms.sync import converged

ONE, TWO = (PutFile(f"/etc/{name}", name, "0644", "root", "root") for name in ("one", "two"))
OWNER = Owner("production", "etc-one", "0123456789abcdef")


@pytest.fixture
def farm() -> SimulatedFarm:
    return SimulatedFarm(FarmState({"virt1": Host(2**30)}))


def base_of(farm: SimulatedFarm) -> Base:
    return farm.state.hosts["virt1"].base


def test_there_is_no_machine_without_a_host(farm: SimulatedFarm) -> None:
    with pytest.raises(NotFound):
        farm.machine("virt9")


@pytest.mark.parametrize(
    ("fault", "error", "left"),
    [
        (Fault(operation="put_file", mode="fails-before"), Conflict, set()),
        (Fault(operation="put_file", mode="fails-after", times=1), Unreachable, {"/etc/one"}),
        (Fault(operation="put_file", mode="unreachable", times=1), Unreachable, set()),
        (Fault(operation="put_mark", mode="fails-before"), Conflict, {"/etc/one", "/etc/two"}),
    ],
    ids=["refused", "lost after the first", "lost before", "the mark is refused"],
)
def test_a_fault_strikes_single_acts(
    farm: SimulatedFarm, fault: Fault, error: type[Exception], left: set[str]
) -> None:
    farm.add_fault(fault)
    mark = PutMark(Mark("file", OWNER, Question("file", "/etc/one")))
    with pytest.raises(error):
        farm.machine("virt1").do([ONE, TWO, mark])
    assert set(base_of(farm).files) == left
    assert base_of(farm).marks == {}


@pytest.mark.parametrize(
    ("crash", "left"),
    [(CrashBefore(2), {"/etc/one"}), (CrashAfter(2), {"/etc/one", "/etc/two"})],
)
def test_a_process_may_die_between_two_acts(
    farm: SimulatedFarm, crash: CrashBefore | CrashAfter, left: set[str]
) -> None:
    farm.revive(crash)
    with pytest.raises(SimulatedCrash):
        farm.machine("virt1").do([ONE, TWO, RestartService("cron")])
    assert set(base_of(farm).files) == left
    assert base_of(farm).services["cron"].starts == 0


def test_the_log_tells_each_act(farm: SimulatedFarm) -> None:
    farm.machine("virt1").look([])
    farm.machine("virt1").do([ONE, RestartService("cron")])
    assert [str(call) for call in farm.log] == [
        "virt1: look at its base",
        "virt1: put file /etc/one",
        "virt1: restart service cron",
    ]


def test_starts_of_a_service_are_counted(farm: SimulatedFarm) -> None:
    machine = farm.machine("virt1")
    machine.do([SetService("cron", running=True, enabled=True)])
    assert base_of(farm).services["cron"].starts == 0
    machine.do([RestartService("cron"), RestartService("cron", "reload")])
    machine.do([SetService("cron", running=False), RestartService("cron")])
    assert base_of(farm).services["cron"].starts == 2


def test_a_package_is_to_be_had_in_the_versions_of_the_catalogue() -> None:
    base = Base(catalogue={"ntp": ("1.0", "1.1"), "gone": ()})
    farm = SimulatedFarm(FarmState({"virt1": Host(2**30, base=base)}))
    machine = farm.machine("virt1")
    machine.do([InstallPackage("ntp"), InstallPackage("other")])
    assert base_of(farm).packages["ntp"].version == "1.1"
    assert base_of(farm).services["ntp"].running
    machine.do([InstallPackage("ntp", "1.0")])
    assert base_of(farm).packages["ntp"].version == "1.0"
    with pytest.raises(Conflict, match="gone"):
        machine.do([InstallPackage("gone")])


def test_a_secret_never_gets_into_the_farm(farm: SimulatedFarm) -> None:
    """References stay as they are, and another version is another content."""
    template = "password secret://ntp/key\n"
    sums = []
    for version in ("ENC[a]", "ENC[b]"):
        sealed = SealedSecret(SecretReference("ntp", "key"), ("key",), version, ())
        farm.machine("virt1").do([PutFile("/etc/x", template, "0600", "root", "root", (sealed,))])
        question = Question("file", "/etc/x", ("secret",))
        fact = farm.machine("virt1").look([question]).answers[question]
        sums.append(fact.sum)  # type: ignore[union-attr]
    assert base_of(farm).files["/etc/x"].content == template
    assert sums[0] != sums[1]
    assert "ENC[" not in dump(farm.state)


def test_after_a_boot_there_is_what_was_written_down(farm: SimulatedFarm) -> None:
    machine = farm.machine("virt1")
    machine.do([SetSysctl("vm.swappiness", "10"), LoadModule("br_netfilter")])
    machine.do([SetService("cron", running=False), SetService("libvirtd", enabled=False)])
    by_hand_base.set_sysctl(farm, "virt1", "vm.swappiness", "99")
    by_hand_base.set_sysctl(farm, "virt1", "kernel.panic", "30")
    by_hand_base.unload_module(farm, "virt1", "br_netfilter")
    by_hand.reboot_host(farm, "virt1")
    base = base_of(farm)
    assert base.sysctls["vm.swappiness"].value == "10"
    assert "kernel.panic" not in base.sysctls
    assert base.modules["br_netfilter"].loaded
    assert (base.services["cron"].running, base.services["libvirtd"].running) == (True, False)


def test_two_processes_know_of_each_other_by_the_fence(farm: SimulatedFarm) -> None:
    other = farm.neighbour()
    farm.machine("virt1").look([])
    other.machine("virt1").look([])
    other.machine("virt1").do([ONE])
    with pytest.raises(Conflict, match="another reconciler"):
        farm.machine("virt1").do([TWO])
    farm.machine("virt1").look([])
    farm.machine("virt1").do([TWO])
    assert set(base_of(farm).files) == {"/etc/one", "/etc/two"}


# ---------------------------------------------------------------------------------- as text


def test_a_whole_base_is_read_back() -> None:
    state, _ = converged()
    farm = SimulatedFarm(state)
    by_hand_base.set_disk(farm, "virt1", "full")
    assert load(dump(farm.state)) == farm.state


def test_a_base_as_usual_is_not_written(farm: SimulatedFarm) -> None:
    assert "base" not in dump(farm.state)


def test_a_content_is_shown_as_it_is(farm: SimulatedFarm) -> None:
    by_hand_base.edit_file(farm, "virt1", "/etc/motd", "hello\nworld\n")
    assert "content: |\n            hello\n            world\n" in dump(farm.state)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=3))
def test_any_content_is_read_back(contents: dict[str, str]) -> None:
    files = {path: File(content=content) for path, content in contents.items()}
    state = FarmState({"virt1": Host(2**30, base=Base(files=files))})
    assert load(dump(state)) == state
