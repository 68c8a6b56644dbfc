"""What a volume claims, and which operations make, change and remove it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import Volume
from reconciler.kinds.domain import DomainKind
from reconciler.kinds.protocol import Operation
from reconciler.kinds.volume import VolumeKind, VolumeSpec
from reconciler.kinds.volume_operations import FreeVolume, MarkVolume, SendVolume
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, Seed
from tests.farms.specs import GIB, IMAGE, domain_spec, simulated_farm, volume_spec

KIND = VolumeKind()
OWNER = Owner("production", "web-1-root", "d" * 16)
SEEN = volume_spec()
NAME = "production-web-1-root"
MIB = 1024**2


def in_words(operations: tuple[Operation, ...]) -> list[str]:
    return [str(operation) for operation in operations]


def update(desired: VolumeSpec, observed: VolumeSpec = SEEN) -> list[str]:
    return in_words(KIND.update(desired, observed, KIND.diff(desired, observed), OWNER))


def farm_with(*specs: VolumeSpec) -> SimulatedFarm:
    farm = simulated_farm()
    for spec in specs:
        run(farm, KIND.create(spec, OWNER))
    return farm


def run(farm: SimulatedFarm, operations: tuple[Operation, ...]) -> None:
    for operation in operations:
        operation.run(farm)


def test_a_volume_needs_its_pool_and_claims_its_name_in_it() -> None:
    address, pool = Address("volume", "web-1-root"), Address("pool", "fast-disks", "virt1")
    assert KIND.needs(address, replace(SEEN, pool="fast-disks")) == {pool}
    assert KIND.needs(address, replace(SEEN, host=None)) == frozenset(), "not placed yet"
    assert KIND.claims(SEEN) == {f"volume virt1/default/{NAME}"}


def test_a_volume_is_the_same_on_every_host() -> None:
    assert KIND.identity(replace(SEEN, host="virt2")) == KIND.identity(SEEN)
    assert KIND.identity(replace(SEEN, pool="fast")) != KIND.identity(SEEN)


def test_volumes_may_be_on_every_host() -> None:
    assert KIND.scopes([], ["virt1"]) == {Scope("host", "virt1")}


def test_a_zone_holds_no_volumes() -> None:
    assert not list(KIND.observe(Scope("zone", "farm", "ns1"), simulated_farm()))


def test_a_new_volume_is_made_from_its_image() -> None:
    assert in_words(KIND.create(replace(SEEN, image=IMAGE), OWNER)) == [
        f"create volume {NAME} (8 GiB from image debian-12) in default on virt1"
    ]


def test_a_volume_grows() -> None:
    farm = farm_with(SEEN)
    larger = replace(SEEN, capacity_bytes=9 * GIB)
    run(farm, KIND.update(larger, SEEN, KIND.diff(larger, SEEN), OWNER))
    (volume,) = farm.hypervisor("virt1").volumes()
    assert (volume.capacity_bytes, volume.owner) == (9 * GIB, OWNER)


def test_the_image_a_volume_came_from_is_no_difference() -> None:
    assert KIND.diff(replace(SEEN, image=IMAGE), SEEN) == ()


UPDATES: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "it grows",
        {"capacity_bytes": 9 * GIB},
        ["grow volume {} to 9 GiB on virt1", "mark volume {} on virt1"],
    ),
    (
        "it moves, and is marked as finished when it was seen to have arrived",
        {"host": "virt2"},
        ["mark volume {} on virt1", "move volume {} from virt1 to virt2"],
    ),
    (
        "it grows before it moves",
        {"host": "virt2", "capacity_bytes": 9 * GIB},
        [
            "grow volume {} to 9 GiB on virt1",
            "mark volume {} on virt1",
            "move volume {} from virt1 to virt2",
        ],
    ),
]
REPLACED: list[tuple[str, dict[str, Any], str]] = [
    ("it shrinks", {"capacity_bytes": 7 * GIB}, "(7 GiB) in default on virt1"),
    ("it has another format", {"format": "raw"}, "(8 GiB) in default on virt1"),
    ("it goes to another pool", {"pool": "fast"}, "(8 GiB) in fast on virt1"),
    ("it shrinks elsewhere", {"host": "virt2", "capacity_bytes": 7 * GIB},
     "(7 GiB) in default on virt2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "steps"), [each[1:] for each in UPDATES], ids=[each[0] for each in UPDATES]
)
def test_update_in_place(fields: dict[str, Any], steps: list[str]) -> None:
    assert update(replace(SEEN, **fields)) == [step.format(NAME) for step in steps]


@pytest.mark.parametrize(("host", "mark"), [("virt1", OWNER), ("virt2", OWNER.unfinished)])
def test_a_volume_that_is_on_its_way_is_marked_as_unfinished(host: str, mark: Owner) -> None:
    """It may be left to a migration that fails, and is no drift then."""
    desired = replace(SEEN, host=host, capacity_bytes=9 * GIB)
    steps = KIND.update(desired, SEEN, KIND.diff(desired, SEEN), OWNER)
    assert [step.owner for step in steps if isinstance(step, MarkVolume)] == [mark]


@pytest.mark.parametrize(
    ("fields", "made"), [each[1:] for each in REPLACED], ids=[each[0] for each in REPLACED]
)
def test_update_that_needs_a_new_volume(fields: dict[str, Any], made: str) -> None:
    assert update(replace(SEEN, **fields)) == [
        f"take volume {NAME} on virt1 from the domain that uses it",
        f"move volume {NAME} in default on virt1 to the trash",
        f"create volume {NAME} {made}",
    ]


def test_a_root_disk_is_made_anew_for_other_first_boot_data() -> None:
    made = replace(SEEN, content="a")
    assert update(replace(SEEN, content="b"), made)[1:] == [
        f"move volume {NAME} in default on virt1 to the trash",
        f"create volume {NAME} (8 GiB) in default on virt1",
    ]


@pytest.mark.parametrize(("wanted", "seen"), [("a", None), (None, "a"), (None, None)])
def test_a_disk_of_which_nobody_knows_or_asks_what_it_was_made_with_is_kept(
    wanted: str | None, seen: str | None
) -> None:
    assert KIND.diff(replace(SEEN, content=wanted), replace(SEEN, content=seen)) == ()


SEED = replace(SEEN, format="iso", capacity_bytes=MIB, content="a", seed=Seed("m", "u", "n"))
SEEN_SEED = replace(SEED, seed=None)


@pytest.mark.parametrize(
    "fields", [{"content": "b"}, {"capacity_bytes": 4 * MIB}, {"content": "b", "capacity_bytes": 1}]
)
def test_a_seed_is_written_in_place(fields: dict[str, Any]) -> None:
    assert update(replace(SEED, **fields), SEEN_SEED) == [
        f"write first boot data {NAME} in default on virt1",
        f"mark volume {NAME} on virt1",
    ]


def test_a_seed_is_written_before_it_moves() -> None:
    assert update(replace(SEED, content="b", host="virt2"), SEEN_SEED) == [
        f"write first boot data {NAME} in default on virt1",
        f"mark volume {NAME} on virt1",
        f"move volume {NAME} from virt1 to virt2",
    ]


def test_a_seed_whose_digest_is_lost_is_written() -> None:
    assert [each.path for each in KIND.diff(SEED, replace(SEEN_SEED, content=None))] == ["content"]


def test_a_seed_that_a_machine_keeps_is_left_alone() -> None:
    kept = replace(SEED, content=None, capacity_bytes=4 * MIB)
    assert KIND.diff(kept, SEEN_SEED) == ()
    assert update(replace(kept, host="virt2"), SEEN_SEED) == [
        f"mark volume {NAME} on virt1",
        f"move volume {NAME} from virt1 to virt2",
    ]


def test_a_seed_can_go_without_a_loss() -> None:
    (step,) = KIND.delete(SEEN_SEED, OWNER)
    assert step.disruption is Disruption.LIVE


def test_a_written_seed_is_seen_as_written_and_marked() -> None:
    farm = farm_with(SEED)
    newer = replace(SEED, content="b", capacity_bytes=4 * MIB)
    run(farm, KIND.update(newer, SEEN_SEED, KIND.diff(newer, SEEN_SEED), OWNER))
    (found,) = KIND.observe(Scope("host", "virt1"), farm)
    assert KIND.diff(newer, found.spec) == ()
    assert found.owner == OWNER


def test_what_is_wanted_back_comes_out_of_the_trash() -> None:
    farm = farm_with(replace(SEEN, content="a"))
    newer = replace(OWNER, digest="e" * 16)
    run(farm, KIND.delete(SEEN, OWNER))
    run(farm, KIND.create(replace(SEEN, content="b"), newer))
    run(farm, KIND.delete(SEEN, OWNER))
    back = KIND.create(replace(SEEN, content="a", is_back=True), OWNER)
    for _ in range(2):
        run(farm, back)
    (found,) = farm.hypervisor("virt1").volumes()
    assert (found.content, found.owner) == ("a", OWNER)
    assert in_words(back) == [f"restore volume {NAME} in default on virt1"]


def test_what_is_wanted_back_and_not_in_the_trash_is_made_anew() -> None:
    farm = farm_with()
    run(farm, KIND.create(replace(SEEN, is_back=True), OWNER))
    assert [each.name for each in farm.hypervisor("virt1").volumes()] == [NAME]


def test_a_deleted_volume_goes_to_the_trash() -> None:
    farm = farm_with(SEEN)
    run(farm, KIND.delete(SEEN, OWNER))
    pool = farm.state.hosts["virt1"].pools["default"]
    assert not pool.volumes
    assert [each.name for each in pool.trash.values()] == [NAME]


def test_losing_what_it_needs_changes_nothing_because_it_needs_nothing() -> None:
    address = Address("volume", "web-1-root")
    assert KIND.without(address, SEEN, frozenset()) is SEEN
    assert KIND.release(address, SEEN, frozenset(), OWNER) == ()


def test_a_volume_is_seen_as_it_was_made_and_marked() -> None:
    farm = farm_with(SEEN)
    newer = replace(OWNER, digest="e" * 16)
    run(farm, KIND.mark(SEEN, newer))
    (found,) = KIND.observe(Scope("host", "virt1"), farm)
    assert (found.address, found.spec, found.owner) == (
        Address("volume", "web-1-root"),
        SEEN,
        newer,
    )


def test_a_volume_of_nobody_is_addressed_by_where_it_is() -> None:
    farm = simulated_farm()
    by_hand.add_volume(farm, "virt1", "fast", "old", Volume("raw", GIB))
    (found,) = KIND.observe(Scope("host", "virt1"), farm)
    assert found.address == Address("volume", "fast/old", "virt1")
    assert found.owner is None


def test_a_volume_without_a_domain_is_sent() -> None:
    farm = farm_with(SEEN)
    SendVolume("virt1", "default", NAME, "virt2").run(farm)
    assert not farm.hypervisor("virt1").volumes()
    assert [each.name for each in farm.hypervisor("virt2").volumes()] == [NAME]


def test_a_volume_in_use_is_left_to_the_migration_of_its_domain() -> None:
    farm = farm_with(SEEN)
    run(farm, DomainKind().create(domain_spec(), OWNER))
    SendVolume("virt1", "default", NAME, "virt2").run(farm)
    assert [each.name for each in farm.hypervisor("virt1").volumes()] == [NAME]


def test_sending_changes_both_hosts() -> None:
    assert SendVolume("virt1", "default", NAME, "virt2").machines == {"virt1", "virt2"}


def test_freeing_a_volume_stops_the_guest_and_leaves_the_domain_unfinished() -> None:
    farm = farm_with(SEEN)
    run(farm, DomainKind().create(domain_spec(), OWNER))
    FreeVolume("virt1", "default", NAME, "production").run(farm)
    (domain,) = farm.hypervisor("virt1").domains()
    assert not domain.running
    assert domain.definition.disks == ()
    assert domain.owner == OWNER.unfinished


@pytest.mark.parametrize(("name", "environment"), [(NAME, "staging"), ("another", "production")])
def test_freeing_a_volume_leaves_other_domains_alone(name: str, environment: str) -> None:
    farm = farm_with(SEEN)
    run(farm, DomainKind().create(domain_spec(), OWNER))
    before = farm.state
    FreeVolume("virt1", "default", name, environment).run(farm)
    assert farm.state == before


def test_a_disk_that_is_gone_does_not_hold_up_the_freeing_of_another() -> None:
    data = volume_spec("web-1-data")
    farm = farm_with(SEEN, data)
    disks = (*domain_spec().disks, Disk("data", data.pool, data.name))
    run(farm, DomainKind().create(domain_spec(disks=disks), OWNER))
    by_hand.delete_volume(farm, "virt1", data.pool, data.name)
    FreeVolume("virt1", "default", NAME, "production").run(farm)
    (domain,) = farm.hypervisor("virt1").domains()
    assert domain.definition.disks == ()


def test_freeing_a_volume_leaves_the_domain_of_nobody_alone() -> None:
    farm = farm_with(SEEN)
    run(farm, DomainKind().create(domain_spec(), OWNER))
    by_hand.strip_mark(farm, "virt1", "production-web-1")
    before = farm.state
    FreeVolume("virt1", "default", NAME, "production").run(farm)
    assert farm.state == before


def test_what_was_never_placed_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=f"{NAME} was never placed on a host"):
        KIND.create(replace(SEEN, host=None), OWNER)
