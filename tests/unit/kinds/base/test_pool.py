"""Storage pools: libvirt is asked, and the mark is with those of the base."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated.base.state import Base, Zpool
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import Pool
from reconciler.errors import Conflict
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import POOL, PoolSpec
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume
from tests.farms.bases import (
    GIB,
    HOST,
    base_farm,
    base_of,
    is_settled,
    only_change,
    plan_of,
    sync,
    wanted,
)

IMAGES = PoolSpec(HOST, "default", "directory", "/var/lib/libvirt/images")
WANT = wanted("pool", IMAGES)


def with_pool(**fields: Any) -> SimulatedFarm:
    """A farm whose host has the pool already, made by hand."""
    farm = base_farm()
    farm.hypervisor(HOST).define_pool("default", fields.get("type", "dir"), fields["target"])
    return farm


def test_a_pool_that_is_there_is_adopted() -> None:
    farm = with_pool(target=IMAGES.target)
    assert sync(farm, WANT).changes == ()
    assert [kept.question.name for kept in base_of(farm).marks.values()] == ["default"]
    assert is_settled(plan_of(farm, WANT))


def test_a_pool_that_is_another_is_told_and_left_alone() -> None:
    farm = with_pool(target="/srv")
    (change,) = plan_of(farm, WANT).changes
    assert [field.path for field in change.fields] == ["target"]
    with pytest.raises(Conflict, match="dir pool of /srv"):
        sync(farm, WANT)


def test_what_is_in_a_pool_that_nobody_wants_stays() -> None:
    farm = base_farm()
    sync(farm, WANT)
    hypervisor = farm.hypervisor(HOST)
    hypervisor.create_volume(NewVolume("default", "data", "raw", GIB), Owner("staging", "d", ""))
    sync(farm)
    assert hypervisor.pools() == ()
    sync(farm, WANT)
    assert [each.name for each in hypervisor.volumes()] == ["data"]


def test_a_pool_that_was_there_before_us_is_left_to_itself() -> None:
    farm = with_pool(target=WANT.spec.target)
    sync(farm, WANT)
    sync(farm)
    assert [each.name for each in farm.hypervisor(HOST).pools()] == ["default"]
    assert not base_of(farm).marks


def test_a_pool_that_somebody_removed_is_drift() -> None:
    farm = base_farm()
    sync(farm, WANT)
    farm.hypervisor(HOST).remove_pool("default")
    assert "running" in {field.path for field in only_change(sync(farm, WANT)).fields}
    assert is_settled(plan_of(farm, WANT))


@pytest.mark.parametrize(
    ("kind", "target", "base"),
    [
        ("lvm", "all", {"volume_groups": {"all": ("/dev/sda",)}}),
        ("zfs", "tank/vms", {"zpools": {"tank": Zpool(("/dev/sda",))}}),
    ],
)
def test_a_pool_with_nothing_behind_it_is_told(kind: str, target: str, base: Any) -> None:
    """Libvirt starts it all the same."""
    want = wanted("pool", PoolSpec(HOST, "fast", kind, target))
    farm = base_farm(**base)
    sync(farm, want)
    assert is_settled(plan_of(farm, want))
    host = replace(farm.state.hosts[HOST], base=replace(Base(), marks=base_of(farm).marks))
    hollow = SimulatedFarm(replace(farm.state, hosts={HOST: host}))
    (field,) = only_change(plan_of(hollow, want)).fields
    assert (field.path, field.before) == ("backed", False)
    with pytest.raises(Conflict, match="there is no"):
        sync(hollow, want)


def test_while_libvirt_does_not_answer_pools_are_unknown_and_the_rest_is_not() -> None:
    farm = base_farm()
    for operation in ("pools", "domains", "volumes", "trash"):
        farm.add_fault(Fault(operation=operation))
    plan = plan_of(farm, WANT, wanted("package", PackageSpec(HOST, "tree")))
    assert [str(each.address) for each in plan.unknown] == ["pool@virt1/default"]
    assert [str(change.address) for change in plan.changes] == ["package@virt1/tree"]


def test_libvirt_is_not_asked_where_nobody_wants_a_pool() -> None:
    farm = base_farm()
    farm.add_fault(Fault(operation="pools"))
    assert is_settled(plan_of(farm))


def test_a_pool_of_a_strange_type_is_seen_as_what_it_is() -> None:
    farm = with_pool(target=IMAGES.target)
    host = farm.state.hosts[HOST]
    strange = replace(host, pools={"default": Pool(GIB, "zfs", "tank")})
    other = SimulatedFarm(replace(farm.state, hosts={HOST: strange}))
    assert [each.before for each in only_change(plan_of(other, WANT)).fields] == ["zfs", "tank"]


def test_it_has_the_words_of_all_kinds() -> None:
    assert POOL.without(WANT.address, IMAGES, frozenset()) is IMAGES
    assert POOL.release(WANT.address, IMAGES, frozenset(), Owner("e", "n", "d")) == ()
    assert not POOL.is_untidy(IMAGES)
    assert POOL.claims(IMAGES) == {"pool default of host virt1"}
