"""From what a checkup saw to what it says: each thing that can be wrong, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.checkup.finding import Finding, Level, is_sound
from reconciler.plan.checkup.hosts import judge_host
from reconciler.plan.checkup.observation import (
    HostFacts,
    HostKey,
    HostObservation,
    Manifest,
    Place,
    Room,
    Trouble,
)

GIB = 2**30
FACTS = HostFacts(
    is_root=True,
    clock_ahead_seconds=0.1,
    system="debian 12",
    systemd="running",
    python=(3, 11, 2),
    libvirt="9.0.0",
    qemu="QEMU 7.2.22",
    has_kvm=True,
    directory=Place("directory", "700", "root"),
    manifests=(Manifest("/var/lib/reconciler/base.json", Place("file", "600", "root"), True),),
    rooms=(Room("/", 100 * GIB, 50 * GIB),),
)
KEY = HostKey("pinned", "ssh-ed25519 SHA256:x", "10.0.0.1 ssh-ed25519 AAAA", "/etc/known_hosts")
WELL = HostObservation("virt1", "10.0.0.1", "kvm", KEY, facts=FACTS)


def findings(seen: HostObservation) -> dict[str, Finding]:
    return {each.name: each for each in judge_host(seen)}


def of(name: str, **changes: Any) -> Finding:
    """The finding of that name for a host that is well but for this."""
    return findings(replace(WELL, facts=replace(FACTS, **changes)))[name]


def test_a_host_that_is_well_is_only_praised() -> None:
    found = list(judge_host(WELL))
    assert {each.level for each in found} == {Level.OK}
    assert is_sound(found)
    assert not any(each.remedy for each in found)


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0.0, Level.OK),
        (2.0, Level.OK),
        (-2.1, Level.WARN),
        (30.0, Level.WARN),
        (-30.1, Level.BAD),
        (1e9, Level.BAD),
        (None, Level.WARN),
    ],
)
def test_the_clock(seconds: float | None, level: Level) -> None:
    assert of("clock", clock_ahead_seconds=seconds).level is level


def test_what_may_be_the_time_of_the_answer_is_not_held_against_the_clock() -> None:
    changes = {"clock_ahead_seconds": 3.0, "clock_uncertain_seconds": 2.0}
    assert of("clock", **changes).level is Level.OK


@pytest.mark.parametrize(
    ("name", "changes", "level", "words"),
    [
        ("access", {"is_root": False}, Level.BAD, "not as root"),
        ("systemd", {"systemd": ""}, Level.BAD, "not there"),
        ("systemd", {"systemd": "offline"}, Level.BAD, "offline"),
        ("systemd", {"systemd": "degraded", "failed_units": ("a.service",)}, Level.WARN, "a.serv"),
        ("python", {"python": None}, Level.BAD, "no python3"),
        ("python", {"python": (3, 8, 9)}, Level.BAD, "at least 3.9"),
        ("libvirt", {"libvirt": "", "libvirt_complaint": "no socket"}, Level.BAD, "no socket"),
        ("qemu", {"qemu": ""}, Level.BAD, "no QEMU"),
        ("kvm", {"has_kvm": False, "kvm_reason": "no vmx"}, Level.BAD, "no vmx"),
        ("tools", {"missing_tools": ("inotifywait",)}, Level.WARN, "seen later"),
        ("tools", {"missing_tools": ("flock", "inotifywait")}, Level.BAD, "flock"),
        ("packages", {"apt_holder": "apt-get"}, Level.WARN, "apt-get is installing"),
        ("packages", {"is_dpkg_interrupted": True}, Level.WARN, "interrupted"),
        ("state", {"directory": Place("directory", "755", "root")}, Level.BAD, "mode 755"),
        ("state", {"directory": Place("symbolic link", "777", "bob")}, Level.BAD, "of bob"),
        ("state", {"directory": Place()}, Level.OK, "not there"),
        ("switch", {"is_switch_armed": True}, Level.WARN, "taken back"),
        ("fence", {"fence": "a1b2"}, Level.OK, "a1b2"),
        ("room /", {"rooms": (Room("/", 100 * GIB, 100),)}, Level.BAD, "100 B of 100.0 GiB"),
        ("room /", {"rooms": (Room("/", 100 * GIB, 4 * GIB),)}, Level.WARN, "4 %"),
        ("room x", {"rooms": (Room("x", None, None),)}, Level.WARN, "not there"),
    ],
)
def test_what_can_be_wrong(name: str, changes: dict[str, Any], level: Level, words: str) -> None:
    found = of(name, **changes)
    assert found.level is level
    assert words in found.text
    assert bool(found.remedy) == (level is not Level.OK)


@pytest.mark.parametrize(
    ("place", "readable", "words"),
    [
        (Place("file", "600", "root"), False, "cannot be read"),
        (Place("file", "644", "root"), True, "mode 644"),
        (Place("file", "600", "bob"), None, "of bob"),
    ],
)
def test_marks_that_others_may_have_written(
    place: Place, readable: bool | None, words: str
) -> None:
    found = of("marks", manifests=(Manifest("/var/lib/reconciler/base.json", place, readable),))
    assert found.level is Level.BAD
    assert words in found.text


def test_a_host_without_kvm_is_well_if_none_is_asked_for() -> None:
    seen = replace(WELL, accelerator="qemu", facts=replace(FACTS, has_kvm=False))
    assert findings(seen)["kvm"].level is Level.OK


def test_a_host_that_does_not_answer() -> None:
    seen = HostObservation("virt1", "10.0.0.1", "kvm", trouble=Trouble("look", "no route"))
    [found] = judge_host(seen)
    assert (found.name, found.level, found.text) == ("address", Level.BAD, "no route")


def test_a_host_with_an_unknown_key_is_told_with_the_line_to_add() -> None:
    seen = HostObservation("virt1", "10.0.0.1", "kvm", replace(KEY, verdict="unknown"))
    found = findings(seen)["host key"]
    assert found.level is Level.BAD
    assert KEY.line in found.remedy
    assert "console" in found.remedy


def test_a_host_with_another_key_than_the_pinned_one_is_told_with_both() -> None:
    other = replace(KEY, verdict="wrong", pinned=("ssh-ed25519 SHA256:y",))
    found = findings(HostObservation("virt1", "10.0.0.1", "kvm", other))["host key"]
    assert found.level is Level.BAD
    assert "SHA256:x" in found.text
    assert "SHA256:y" in found.text


def test_a_host_that_does_not_let_us_in() -> None:
    seen = HostObservation("virt1", "10.0.0.1", "kvm", KEY, Trouble("login", "not with this key"))
    found = findings(seen)
    assert (found["access"].level, found["address"].level) == (Level.BAD, Level.OK)
    assert "bootstrap virt1" in found["access"].remedy


def test_a_host_without_guests_needs_nothing_of_what_runs_them() -> None:
    bare = replace(FACTS, libvirt="", qemu="", has_kvm=False, missing_tools=("qemu-img",))
    seen = replace(WELL, accelerator="", facts=bare)
    assert is_sound(judge_host(seen))
    assert not {"libvirt", "qemu", "kvm"} & findings(seen).keys()
    lacking = replace(seen, facts=replace(bare, missing_tools=("flock", "qemu-img")))
    assert findings(lacking)["tools"].text == "flock missing"
