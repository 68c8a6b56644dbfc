"""What every hypervisor promises about going from one host to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import DomainState, Hypervisor
from tests.contract.bench import GIB, OWNER, POOL, Bench, definition, volume


@pytest.fixture
def bench(simulated_bench: Bench) -> Bench:
    """The one driver that moves things; `test_unsupported` tells when another has learnt it."""
    return simulated_bench


def domain(hypervisor: Hypervisor, name: str) -> DomainState:
    return next(each for each in hypervisor.domains() if each.definition.name == name)


@pytest.mark.parametrize("running", [False, True])
def test_a_domain_moves_with_all_it_has(bench: Bench, running: bool) -> None:
    bench.make("web", start=running)
    bench.hypervisor.set_autostart("web", autostart=True)
    before, volumes = bench.domain("web"), bench.hypervisor.volumes()
    bench.hypervisor.migrate_domain("web", "virt2")
    assert domain(bench.hosts["virt2"], "web") == before
    assert bench.hosts["virt2"].volumes() == volumes
    assert (bench.hypervisor.domains(), bench.hypervisor.volumes()) == ((), ())


def test_a_guest_moves_on_its_old_definition_and_still_waits_for_its_restart(bench: Bench) -> None:
    wanted = bench.make("web", start=True)
    changed = replace(wanted, vcpus=4, disks=wanted.disks[:1])
    bench.hypervisor.define_domain(changed, OWNER)
    before = bench.domain("web")
    bench.hypervisor.migrate_domain("web", "virt2")
    assert domain(bench.hosts["virt2"], "web") == before
    assert len(bench.hosts["virt2"].volumes()) == 2


def test_a_domain_does_not_move_to_a_host_without_its_pool(bench: Bench) -> None:
    bench.make("web")
    with pytest.raises(Conflict, match="pool default"):
        bench.hypervisor.migrate_domain("web", "bare")
    assert bench.names() == {"web"}
    assert bench.hosts["bare"].domains() == ()


def test_a_domain_does_not_move_where_its_name_is_taken(bench: Bench) -> None:
    bench.make("web")
    there = bench.hosts["virt2"]
    other = definition("web", disks=(), uuid="11111111-1111-4111-8111-111111111111")
    there.define_domain(other, OWNER)
    with pytest.raises(Conflict, match="already exists"):
        bench.hypervisor.migrate_domain("web", "virt2")
    assert there.volumes() == ()
    assert domain(there, "web").definition.uuid == other.uuid


def test_a_domain_does_not_move_where_a_volume_has_the_name_of_its_own(bench: Bench) -> None:
    bench.make("web")
    bench.hosts["virt2"].create_volume(volume("web-data"), OWNER)
    with pytest.raises(Conflict, match="taken"):
        bench.hypervisor.migrate_domain("web", "virt2")
    assert bench.volume_names() == {"web-root", "web-data"}


def test_a_domain_does_not_move_where_its_volumes_have_no_room(bench: Bench) -> None:
    bench.make("web")
    bench.hosts["virt2"].create_volume(volume("large", capacity_bytes=90 * GIB), OWNER)
    with pytest.raises(Conflict, match="left"):
        bench.hypervisor.migrate_domain("web", "virt2")
    assert bench.volume_names() == {"web-root", "web-data"}


def test_a_guest_does_not_move_where_its_memory_has_no_room(bench: Bench) -> None:
    bench.make("web", start=True)
    large = definition("large", memory_bytes=31 * GIB, disks=())
    bench.hosts["virt2"].define_domain(large, OWNER)
    bench.hosts["virt2"].start_domain("large")
    with pytest.raises(Conflict, match="memory"):
        bench.hypervisor.migrate_domain("web", "virt2")
    assert bench.domain("web").running
    bench.hypervisor.stop_domain("web")
    bench.hypervisor.migrate_domain("web", "virt2")
    assert not domain(bench.hosts["virt2"], "web").running


def test_a_domain_does_not_take_a_volume_along_that_another_uses(bench: Bench) -> None:
    disks = bench.make("web").disks
    bench.hypervisor.define_domain(definition("twin", disks=disks), OWNER)
    with pytest.raises(Conflict, match="twin"):
        bench.hypervisor.migrate_domain("web", "virt2")


def test_a_domain_does_not_move_to_where_it_is(bench: Bench) -> None:
    bench.make("web")
    with pytest.raises(Conflict, match="there already"):
        bench.hypervisor.migrate_domain("web", "virt1")
    assert bench.names() == {"web"}


def test_a_volume_is_sent_with_its_mark(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("spare"), OWNER)
    before = bench.volume("spare")
    bench.hypervisor.send_volume(POOL, "spare", "virt2")
    assert bench.hosts["virt2"].volumes() == (before,)
    assert bench.hypervisor.volumes() == ()


def test_a_volume_in_use_is_not_sent(bench: Bench) -> None:
    bench.make("web")
    with pytest.raises(Conflict, match="in use by web"):
        bench.hypervisor.send_volume(POOL, "web-root", "virt2")


def test_a_volume_is_not_sent_where_it_cannot_be(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("spare"), OWNER)
    with pytest.raises(Conflict, match="pool default"):
        bench.hypervisor.send_volume(POOL, "spare", "bare")
    bench.hosts["virt2"].create_volume(volume("spare"), OWNER)
    with pytest.raises(Conflict, match="taken"):
        bench.hypervisor.send_volume(POOL, "spare", "virt2")
    assert bench.volume_names() == {"spare"}


def test_what_is_nowhere_does_not_move(bench: Bench) -> None:
    bench.make("web")
    bench.hypervisor.create_volume(volume("spare"), OWNER)
    port = bench.hypervisor
    attempts: tuple[Callable[[], None], ...] = (
        lambda: port.migrate_domain("nobody", "virt2"),
        lambda: port.migrate_domain("web", "nowhere"),
        lambda: port.send_volume(POOL, "nothing", "virt2"),
        lambda: port.send_volume("nowhere", "nothing", "virt2"),
        lambda: port.send_volume(POOL, "spare", "nowhere"),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
