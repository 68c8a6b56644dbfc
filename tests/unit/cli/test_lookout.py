"""What moves on hosts between two looks wakes the environments that look at them."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.cli.lookout import Lookout
from reconciler.daemon.clock import ManualClock
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Backoff, Reason
from reconciler.daemon.workers import Turn
from reconciler.drivers.simulated.by_hand_base import set_sysctl
from reconciler.drivers.ssh.onhost.hear import NETWORK
from reconciler.engine.observe import observe, questions_of
from reconciler.engine.sightings import Detector
from reconciler.engine.verify import Look
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired
from reconciler.plan.plan import Plan
from reconciler.ports.facts import Question
from tests.farms.specs import simulated_farm

PATIENCE_SECONDS = 10.0
BASE, GUESTS = Scope("base", "virt1"), Scope("host", "virt1")
SYSCTL = Address("sysctl", "vm.swappiness", "virt1")
WISH = Desired(SYSCTL, SysctlSpec("virt1", "vm.swappiness", "10", "10"), adopts=True)


@dataclass
class Slots:
    """What the lookout did to the loop."""

    woken: queue.Queue[tuple[str, Reason]] = field(default_factory=queue.Queue)
    posted: dict[str, Turn] = field(default_factory=dict)

    def wake(self, environment: str, reason: Reason) -> bool:
        self.woken.put((environment, reason))
        return True

    def post(self, name: str, turn: Turn, interval: timedelta, backoff: Backoff) -> None:
        assert interval <= timedelta(seconds=10)
        assert backoff.limit >= interval
        self.posted[name] = turn

    def withdraw(self, name: str) -> None:
        del self.posted[name]


class Watch:
    """A lookout over a simulated farm, and what it heard of its hosts."""

    def __init__(self) -> None:
        self.farm = simulated_farm()
        self.clock = ManualClock()
        self.slots = Slots()
        self.said: queue.Queue[str | None] = queue.Queue()
        self.listening: queue.Queue[tuple[str, tuple[str, ...]]] = queue.Queue()
        timing = Timing(self.clock, NoAlarms(), lambda: 0.0)
        self.lookout = Lookout(self.slots, self.farm, self._events, timing)

    @contextmanager
    def _events(self, host: str, paths: tuple[str, ...]) -> Iterator[Iterator[str]]:
        self.listening.put((host, paths))
        yield iter(self.said.get, None)

    def station(self, environment: str = "production", *scopes: Scope) -> None:
        chosen = frozenset(scopes or (BASE, GUESTS))
        questions = questions_of([WISH])
        world = observe(chosen, self.farm, questions)
        self.lookout.station(environment, Look(chosen, world, Plan(environment, ""), questions))

    def sweep(self, name: str = "sweep of virt1 for production") -> None:
        self.slots.posted[name](frozenset({Reason.TIMER}))

    def next_wake(self) -> tuple[str, Reason]:
        return self.slots.woken.get(timeout=PATIENCE_SECONDS)


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch()
    yield made
    made.lookout.close()
    made.said.put(None)


def test_a_base_that_is_as_it_was_wakes_nobody(watch: Watch) -> None:
    watch.station("production", BASE)
    watch.next_wake()  # when it begins to listen
    watch.sweep()
    assert watch.slots.woken.empty()


def test_what_moved_silently_is_told_by_the_sweep(watch: Watch) -> None:
    watch.station("production", BASE)
    watch.next_wake()
    watch.clock.advance(timedelta(seconds=10))
    watch.sweep()
    set_sysctl(watch.farm, "virt1", "vm.swappiness", "99")
    watch.clock.advance(timedelta(seconds=10))
    watch.sweep()
    assert watch.next_wake() == ("production", Reason.SWEEP)
    noticed = watch.lookout.noticed("production")
    (sighting,) = noticed.sightings
    assert (sighting.detector, sighting.address) == (Detector.SWEEP, SYSCTL)
    assert sighting.since == 10.0  # when it was seen last as it should be
    assert watch.lookout.noticed("production").sightings == ()


def test_an_event_wakes_every_environment_that_looks_at_the_host(watch: Watch) -> None:
    watch.station("production", BASE, GUESTS)
    watch.next_wake()
    watch.station("staging", GUESTS)
    watch.said.put("/etc/hosts")
    assert {watch.next_wake()[0] for _ in range(2)} == {"production", "staging"}
    assert watch.lookout.noticed("staging").sightings[0].detector is Detector.INOTIFY


def test_our_own_temporary_files_wake_nobody(watch: Watch) -> None:
    watch.station("production", BASE)
    watch.next_wake()
    watch.said.put("/etc/.reconciler-Xa81bc")
    watch.said.put("/etc/motd")
    assert watch.next_wake() == ("production", Reason.EVENT)
    assert len(watch.lookout.noticed("production").sightings) == 1


def test_a_host_that_makes_events_without_end_wakes_nobody_in_the_end(watch: Watch) -> None:
    watch.station("production", BASE)
    watch.next_wake()
    for _ in range(1000):
        watch.said.put("/etc/log")
    watch.said.put("/etc/.reconciler-last")
    while not watch.said.empty():
        pass
    assert len(watch.lookout.noticed("production").sightings) == 200
    watch.clock.advance(timedelta(seconds=6))
    watch.said.put("/etc/motd")
    watch.said.put("/etc/.reconciler-last")
    while not watch.said.empty():
        pass
    assert len(watch.lookout.noticed("production").sightings) == 1


def test_a_base_that_is_looked_at_no_more_is_swept_no_more(watch: Watch) -> None:
    watch.station("production", BASE)
    assert list(watch.slots.posted) == ["sweep of virt1 for production"]
    watch.station("production", GUESTS)
    assert not watch.slots.posted


def test_it_listens_where_declared_files_are(watch: Watch) -> None:
    file: Any = replace(next(iter(questions_of([WISH])[BASE])), about="file", name="/srv/app/conf")
    asked = {BASE: frozenset({file})}
    look = Look(frozenset({BASE}), observe([BASE], watch.farm), Plan("production", ""), asked)
    watch.lookout.station("production", look)
    host, paths = watch.listening.get(timeout=PATIENCE_SECONDS)
    assert host == "virt1"
    assert {"/srv/app", "/etc/libvirt/qemu", "/var/lib/dpkg"} <= set(paths)


def test_what_the_kernel_tells_of_a_network_wakes_too(watch: Watch) -> None:
    watch.station("production", BASE)
    watch.next_wake()
    watch.said.put(f"{NETWORK}link br-lan")
    assert watch.next_wake() == ("production", Reason.EVENT)
    (sighting,) = watch.lookout.noticed("production").sightings
    assert (sighting.detector, sighting.host) == (Detector.NETLINK, "virt1")


@pytest.mark.parametrize("about", ["service", "bridge", "vlan", "bond", "switch"])
def test_it_listens_where_things_are_set_up_from(watch: Watch, about: Any) -> None:
    """Among the details of an interface are its ports and where its routes lead, too."""
    question = Question(about, "it", ("/srv/net/br0.netdev", "eth0", "10.0.0.0/8"))
    look = Look(
        frozenset({BASE}),
        observe([BASE], watch.farm),
        Plan("production", ""),
        {BASE: frozenset({question})},
    )
    watch.lookout.station("production", look)
    _, paths = watch.listening.get(timeout=PATIENCE_SECONDS)
    assert "/srv/net" in paths
    assert all(path.startswith("/") for path in paths)
    assert {"/etc/kea", "/etc/libvirt/qemu/networks", "/var/lib/openvswitch"} <= set(paths)
