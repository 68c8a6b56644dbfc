"""Which detector is said to have found a drift, and after how long at most."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine.sightings import Detection, Detector, Noticed, Sighting, detections
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.plan.plan import Cause, Change
from tests.farms.specs import domain_spec

SYSCTL = Address("sysctl", "net.ipv4.ip_forward", "virt1")
WEB = Address("domain", "web")
DRIFT = Change(SYSCTL, Action.UPDATE, Cause.DRIFT, (), ())
SWEPT = Sighting(Detector.SWEEP, "virt1", since=90.0, address=SYSCTL)
HEARD = Sighting(Detector.INOTIFY, "virt1", since=99.6)


def found(*sightings: Sighting, change: Change = DRIFT, last_look: float | None = 40.0) -> str:
    (how,) = detections([change], Noticed(sightings, last_look), now=100.0).values()
    return str(how)


def test_what_nobody_saw_was_found_by_the_look_itself() -> None:
    assert found() == "audit within 60.0 s"
    assert found(last_look=None) == "audit"


def test_an_event_on_its_host_counts() -> None:
    assert found(HEARD) == "inotify within 0.4 s"
    assert found(replace(HEARD, host="virt2")) == "audit within 60.0 s"


def test_the_sighting_of_the_very_thing_counts_more_than_an_event_on_the_host() -> None:
    assert found(HEARD, SWEPT) == "sweep within 10.0 s"


def test_the_sighting_of_another_thing_does_not_count() -> None:
    other = replace(SWEPT, address=replace(SYSCTL, name="vm.swappiness"))
    assert found(other) == "audit within 60.0 s"


def test_a_machine_is_on_the_host_where_it_was_seen() -> None:
    change = replace(DRIFT, address=WEB, observed=domain_spec("web", host="virt1"))
    assert found(HEARD, change=change) == "inotify within 0.4 s"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0.1"), (10.0, "10.0"), (0.31, "0.4"), (2.0, "2.0")]
)
def test_time_is_rounded_up(seconds: float, said: str) -> None:
    assert str(Detection(Detector.SWEEP, seconds)) == f"sweep within {said} s"
