"""The farm as text: what is written is read back, and what is wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import Domain, FarmState, Host, Pool, Volume
from reconciler.drivers.simulated.store import Writer, dump, load
from reconciler.errors import SettingsError
from tests.conftest import Golden
from tests.unit.drivers.simulated.samples import GIB, OWNER, definition, new_volume, small_state

GOLDEN = Path(__file__).parents[3] / "golden" / "world" / "small.yaml"

names = st.text(max_size=12) | st.sampled_from(
    ["name", "memory", "capacity", "memory_bytes", "null", "true", "012", "1e3", "~", "=", "<<"]
)


def test_the_text_is_as_agreed(state: FarmState, golden: Golden) -> None:
    golden(GOLDEN, dump(state))


def test_what_is_written_is_read_back(state: FarmState) -> None:
    assert load(dump(state)) == state


@given(host=names, pool=names, volume=names, domain=names, size=st.integers(1, 10**15 - 1))
def test_any_names_and_sizes_are_read_back(
    host: str, pool: str, volume: str, domain: str, size: int
) -> None:
    kept = Pool(size, volumes={volume: Volume("raw", size, owner=OWNER)})
    wanted = definition(domain, memory_bytes=size, memory_maximum_bytes=size)
    state = FarmState(
        hosts={
            host: Host(
                memory_bytes=size,
                pools={pool: kept},
                images={volume: pool},
                domains={domain: Domain(wanted, running=True)},
            )
        }
    )
    assert load(dump(state)) == state


def test_equal_farms_give_equal_text_whatever_came_first(state: FarmState) -> None:
    host = state.hosts["virt1"]
    turned = {"virt2": state.hosts["virt2"], "virt1": host}
    other = FarmState(turned, state.nameservers, state.missing_images, state.faults)
    assert dump(other) == dump(state)


def test_a_writer_writes_anew_what_changed(farm: SimulatedFarm) -> None:
    writer = Writer()
    writer.dump(farm.state)
    farm.hypervisor("virt2").create_volume(new_volume("spare"), OWNER)
    assert writer.dump(farm.state) == dump(farm.state)
    farm.change(lambda state: FarmState(hosts={"virt2": state.hosts["virt2"]}))
    assert writer.dump(farm.state) == dump(farm.state)


@pytest.mark.parametrize("text", ["", "{}", "# nothing yet\n"])
def test_an_empty_text_is_an_empty_farm(text: str) -> None:
    assert load(text) == FarmState()
    assert load(dump(FarmState())) == FarmState()


def test_a_person_may_leave_out_what_is_usual() -> None:
    state = load("hosts:\n  virt1: {memory: 64 GiB, pools: {default: {capacity: 1 TiB}}}\n")
    assert state.hosts["virt1"].memory_bytes == 64 * GIB
    assert state.hosts["virt1"].pools["default"].type == "dir"


WRONG = """\
hosts:
  virt1:
    memory: 64
    cpus: -1
    colour: green
    pools:
      default: {capacity: 1 TiB, type: tape}
    domains:
      web:
        definition: {name: web2, uuid: u, accelerator: kvm, vcpus: two, memory: 1 GiB}
        running: "yes"
nameservers:
  ns1:
    zones: []
faults:
  - {mode: sulks}
  - {times: 0}
"""


def test_all_that_is_wrong_is_told_at_once_with_its_line() -> None:
    with pytest.raises(SettingsError) as caught:
        load(WRONG, "farm/world.yaml")
    told = str(caught.value)
    for place in (
        "line 3: hosts.virt1.memory: '64' is not a size",
        "line 4: hosts.virt1.cpus: Input should be greater than 0",
        "line 5: hosts.virt1.colour: Unexpected",
        "line 7: hosts.virt1.pools.default.type: Input should be 'dir'",
        "line 10: hosts.virt1.domains.web.definition.name: the key says web",
        "line 10: hosts.virt1.domains.web.definition.vcpus: Input should be a valid integer",
        "line 11: hosts.virt1.domains.web.running: Input should be a valid boolean",
        "line 14: nameservers.ns1.zones: Input should be",
        "line 16: faults.0.mode: Input should be",
        "line 17: faults.1.times: Input should be greater",
    ):
        assert f"farm/world.yaml: {place}" in told
    assert len(caught.value.reasons) == 10


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "word",
        "12",
        "hosts: [",
        "hosts: {a: 1}",
        "hosts: {a: {memory: 1 GiB}, a: {memory: 1 GiB}}",
        "hosts: &a {b: *a}",
        "hosts: {1: {memory: 1 GiB}}",
        "hosts: !!python/object/apply:os.system [true]",
        "? [a]\n: b",
        "%YAML 1.3\n--- {}",
        "%YAML2",
        "!!int x",
        "!!int",
        "\x00",
        "a: b: c",
        "{" * 20_000,
        "hosts: {v: {memory: 1 GiB, pools: {p: {capacity: 1 GiB, trash: {a: {volume: 1}, b: 2}}}}}",
        "hosts: {v: {memory: 1 GiB, pools: {p: {capacity: 1 GiB, trash: 7}}}}",
        "hosts: {v: {memory: 2020-01-01}}",
        "hosts: {v: {memory: 1 GiB, cpus: 2020-01-01}}",
    ],
)
def test_what_is_no_farm_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        load(text)


def test_the_sample_has_a_bit_of_everything() -> None:
    """So that the golden file shows every field once."""
    host = small_state().hosts["virt1"]
    assert host.images
    assert host.pools["default"].trash
    assert host.domains["web"].runs_on
    assert host.domains["web"].snapshots
    assert host.domains["db"].definition.memory_maximum_bytes
