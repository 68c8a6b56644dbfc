"""Tidying up: how often, for whom, and never because a clock was set."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.daemon.clock import ManualClock
from reconciler.engine.apply import MachineLocks
from reconciler.engine.housekeeping import INTERVAL, Housekeeping
from reconciler.errors import Unreachable

WEEK = timedelta(days=7)
NOTHING: frozenset[str] = frozenset()


@dataclass
class Hosts:
    """Hosts that note what they are asked to tidy up."""

    asked: list[tuple[str, str, datetime, frozenset[str] | None]] = field(default_factory=list)
    away: frozenset[str] = frozenset()

    def hypervisor(self, host: str) -> Any:
        return Host(self, host)

    def nameserver(self, server: str) -> Any:
        raise NotImplementedError(server)

    def machine(self, host: str) -> Any:
        raise NotImplementedError(host)


@dataclass
class Host:
    hosts: Hosts
    name: str

    def tidy(self, environment: str, before: datetime, images: frozenset[str] | None) -> None:
        if self.name in self.hosts.away:
            raise Unreachable(self.name, "tidy up", "no answer")
        self.hosts.asked.append((self.name, environment, before, images))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
def keeping(hosts: Hosts, clock: ManualClock) -> Housekeeping:
    return Housekeeping(hosts, MachineLocks(), clock.now, clock.monotonic)


def tidy(keeping: Housekeeping, *hosts: str, environment: str = "production") -> list[str]:
    return list(keeping.tidy(environment, hosts, WEEK, lambda: NOTHING))


def test_all_hosts_are_tidied_of_what_is_older_than_the_time_it_is_kept(
    keeping: Housekeeping, hosts: Hosts, clock: ManualClock
) -> None:
    tidy(keeping, "virt2", "virt1")
    before = clock.now() - WEEK
    assert hosts.asked == [
        ("virt1", "production", before, NOTHING),
        ("virt2", "production", before, NOTHING),
    ]


def test_a_host_is_tidied_once_an_hour_for_each_environment(
    keeping: Housekeeping, hosts: Hosts, clock: ManualClock
) -> None:
    for _ in range(3):
        tidy(keeping, "virt1")
    tidy(keeping, "virt1", environment="staging")
    assert [asked[1] for asked in hosts.asked] == ["production", "staging"]
    clock.advance(INTERVAL)
    tidy(keeping, "virt1")
    assert len(hosts.asked) == 3


def test_nobody_asks_for_the_images_when_nothing_is_due(keeping: Housekeeping) -> None:
    asked = []

    def images() -> None:
        asked.append(1)

    for _ in range(2):
        list(keeping.tidy("production", ["virt1"], WEEK, images))
    assert asked == [1]


def test_a_host_that_fails_is_told_and_does_not_stop_the_others(
    keeping: Housekeeping, hosts: Hosts
) -> None:
    hosts.away = frozenset({"virt1"})
    assert tidy(keeping, "virt1", "virt2") == ["virt1: tidy up: no answer"]
    assert [asked[0] for asked in hosts.asked] == ["virt2"]
    assert tidy(keeping, "virt1") == []  # not before the next hour


def test_a_clock_that_is_set_forward_empties_no_trash(
    keeping: Housekeeping, hosts: Hosts, clock: ManualClock
) -> None:
    true = clock.now()
    clock.set_wall(timedelta(days=30))
    tidy(keeping, "virt1")
    assert hosts.asked[0][2] == true - WEEK


def test_a_clock_that_is_set_back_only_keeps_things_longer(
    keeping: Housekeeping, hosts: Hosts, clock: ManualClock
) -> None:
    clock.set_wall(timedelta(days=-30))
    tidy(keeping, "virt1")
    assert hosts.asked[0][2] == clock.now() - WEEK
