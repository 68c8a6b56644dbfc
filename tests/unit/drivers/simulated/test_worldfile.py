"""A farm in a file: every change is in it at once, and other processes may change it too."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.drivers.sharedfile import locked
from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import CrashAfter, Fault, SimulatedCrash
from reconciler.drivers.simulated.state import FarmState
from reconciler.drivers.simulated.store import load
from reconciler.errors import Conflict, SettingsError, Unreachable
from tests.unit.drivers.simulated.samples import GIB, OWNER, WWW, new_volume


def never(_seconds: float) -> None:
    return None


@pytest.fixture
def path(tmp_path: Path, state: FarmState) -> Path:
    path = tmp_path / "world.yaml"
    SimulatedFarm.create(path, state, sleep=never)
    return path


@pytest.fixture
def farm(path: Path) -> SimulatedFarm:
    return SimulatedFarm.open(path, sleep=never)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1 KiB; Python ignores the signal and gives the error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_farm_is_as_its_file_says(farm: SimulatedFarm, state: FarmState) -> None:
    assert farm.state == state


def test_each_change_is_in_the_file_when_the_call_returns(farm: SimulatedFarm, path: Path) -> None:
    farm.hypervisor("virt2").create_volume(new_volume("spare"), OWNER)
    assert load(path.read_text()) == farm.state
    by_hand.stop_domain(farm, "virt1", "web")
    assert load(path.read_text()) == farm.state


def test_a_crash_after_a_change_leaves_it_in_the_file(farm: SimulatedFarm, path: Path) -> None:
    farm.revive(CrashAfter(1))
    with pytest.raises(SimulatedCrash):
        farm.hypervisor("virt1").stop_domain("web")
    assert not SimulatedFarm.open(path, sleep=never).state.hosts["virt1"].domains["web"].running


def test_what_another_process_changed_is_seen_at_the_next_look(
    farm: SimulatedFarm, path: Path
) -> None:
    other = SimulatedFarm.open(path, sleep=never)
    by_hand.set_memory(other, "virt1", "off", GIB)
    other.add_fault(Fault("virt2"))
    off = farm.hypervisor("virt1").domains()[1].definition
    assert (off.name, off.memory_bytes) == ("off", GIB)
    with pytest.raises(Unreachable):
        farm.hypervisor("virt2").domains()


def test_a_change_keeps_what_another_process_changed(farm: SimulatedFarm, path: Path) -> None:
    other = SimulatedFarm.open(path, sleep=never)
    by_hand.set_memory(other, "virt1", "off", GIB)
    farm.hypervisor("virt1").stop_domain("web")
    domains = load(path.read_text()).hosts["virt1"].domains
    assert domains["off"].definition.memory_bytes == GIB
    assert not domains["web"].running


def test_a_person_may_edit_the_file(farm: SimulatedFarm, path: Path) -> None:
    text = path.read_text()
    path.write_text(text.replace("192.168.1.129", "192.168.1.200"))
    assert farm.nameserver("ns1").zone("farm.internal").records[-1].values == ("192.168.1.200",)
    assert WWW.values != ("192.168.1.200",)


def test_a_file_that_makes_no_sense_is_a_farm_that_cannot_be_reached(
    farm: SimulatedFarm, path: Path
) -> None:
    text, host = path.read_text(), farm.hypervisor("virt1")
    path.write_text("hosts: [")
    with pytest.raises(Unreachable, match="no YAML"):
        host.domains()
    with pytest.raises(Unreachable, match="no YAML"):
        host.stop_domain("web")
    assert path.read_text() == "hosts: ["
    path.write_text(text)
    host.stop_domain("web")


def test_a_file_that_is_gone_is_a_farm_that_cannot_be_reached(
    farm: SimulatedFarm, path: Path
) -> None:
    host = farm.hypervisor("virt1")
    path.unlink()
    with pytest.raises(Unreachable, match="cannot be read"):
        host.domains()
    assert not path.exists()


def test_what_changes_nothing_does_not_touch_the_file(farm: SimulatedFarm, path: Path) -> None:
    before = path.stat()
    farm.hypervisor("virt1").start_domain("web")  # it runs
    with pytest.raises(Conflict):
        farm.hypervisor("virt1").undefine_domain("web")
    with pytest.raises(Conflict):
        by_hand.set_memory(farm, "virt1", "web", 4 * GIB)
    assert path.stat() == before


def test_times_of_a_fault_are_counted_in_the_file(farm: SimulatedFarm, path: Path) -> None:
    farm.remove_faults()
    farm.add_fault(Fault("virt1", times=2))
    with pytest.raises(Unreachable):
        farm.hypervisor("virt1").domains()
    assert [fault.times for fault in load(path.read_text()).faults] == [1]


def test_a_change_that_cannot_be_written_does_not_happen(
    farm: SimulatedFarm, path: Path, full_disk: None
) -> None:
    before, text = farm.state, path.read_text()
    with pytest.raises(Unreachable, match="cannot be written"):
        farm.hypervisor("virt1").stop_domain("web")
    assert farm.state == before
    assert path.read_text() == text
    assert {each.name for each in path.parent.iterdir()} == {"world.yaml", ".world.yaml.lock"}


def test_the_file_keeps_its_mode(farm: SimulatedFarm, path: Path) -> None:
    path.chmod(0o644)
    farm.hypervisor("virt1").stop_domain("web")
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, state: FarmState) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        SimulatedFarm.open(tmp_path / "world.yaml", sleep=never)
    with pytest.raises(SettingsError, match="cannot be locked"):
        SimulatedFarm.create(tmp_path / "nowhere" / "world.yaml", state, sleep=never)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        SimulatedFarm.open(path, sleep=never)


def test_a_lock_that_is_never_let_go_is_not_waited_for_for_ever(path: Path) -> None:
    waited: list[float] = []
    farm = SimulatedFarm.open(path, sleep=waited.append)
    with locked(path, never), pytest.raises(Unreachable, match="another process keeps"):
        farm.hypervisor("virt1").stop_domain("web")
    assert sum(waited) == pytest.approx(10)
    assert farm.state.hosts["virt1"].domains["web"].running


def test_processes_that_come_together_lose_no_change(path: Path) -> None:
    def work(number: int) -> None:
        farm = SimulatedFarm.open(path, sleep=time.sleep)  # noqa: TID251 - waits for the lock
        for each in range(5):
            name = f"new-{number}-{each}"
            farm.hypervisor("virt2").create_volume(new_volume(name, capacity_bytes=GIB), OWNER)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(load(path.read_text()).hosts["virt2"].pools["default"].volumes) == 20
