"""What a driver must do with storage pools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.errors import Conflict
from reconciler.ports.hypervisor import PoolState
from tests.contract.bench import GIB, OWNER, POOL, Bench, volume

SPARE, PLACE = "spare", "/var/tmp/reconciler-spare"  # noqa: S108 (of the host under test)


@pytest.fixture
def spare(bench: Bench) -> Iterator[str]:
    bench.hypervisor.define_pool(SPARE, "dir", PLACE)
    yield SPARE
    bench.hypervisor.remove_pool(SPARE)


def pools(bench: Bench) -> dict[str, PoolState]:
    return {each.name: each for each in bench.hypervisor.pools()}


def test_pools_are_seen(bench: Bench) -> None:
    assert pools(bench)[POOL].type == "dir"
    assert pools(bench)[POOL].target.startswith("/")
    assert pools(bench)[POOL].capacity_bytes > GIB


def test_a_pool_that_is_made_runs_and_starts_with_the_host(bench: Bench, spare: str) -> None:
    made = pools(bench)[spare]
    assert (made.type, made.target, made.autostart) == ("dir", PLACE, True)


def test_a_pool_is_made_once(bench: Bench, spare: str) -> None:
    before = pools(bench)
    bench.hypervisor.define_pool(spare, "dir", PLACE)
    assert pools(bench) == before


def test_a_pool_is_not_made_another(bench: Bench, spare: str) -> None:
    with pytest.raises(Conflict, match="dir pool of"):
        bench.hypervisor.define_pool(spare, "dir", f"{PLACE}-too")
    assert pools(bench)[spare].target == PLACE


@pytest.mark.needs("storage")
def test_a_pool_of_nothing_is_refused(bench: Bench) -> None:
    try:
        with pytest.raises(Conflict):
            bench.hypervisor.define_pool("hollow", "logical", "no-such-group")
    finally:
        bench.hypervisor.remove_pool("hollow")


def test_a_pool_that_is_removed_is_gone_and_may_be_removed_again(bench: Bench, spare: str) -> None:
    bench.hypervisor.remove_pool(spare)
    bench.hypervisor.remove_pool(spare)
    assert spare not in pools(bench)


@pytest.mark.needs("storage")
def test_what_is_in_a_pool_outlives_it(bench: Bench, spare: str) -> None:
    bench.hypervisor.create_volume(volume("data", pool=spare), OWNER)
    bench.hypervisor.remove_pool(spare)
    assert bench.volume_names() == set()
    bench.hypervisor.define_pool(spare, "dir", PLACE)
    bench.hypervisor.grow_volume(spare, "data", 9 * GIB)
    assert bench.volume_names() == {"data"}
    bench.hypervisor.trash_volume(spare, "data")
    (trashed,) = bench.hypervisor.trash()
    bench.hypervisor.purge_volume(spare, trashed.trash_name)
