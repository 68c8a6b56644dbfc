"""What the look says of units, read from what systemctl 252 of Debian 12 really printed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.look_services import (
    _read,
    _states,
    reads_of,
    unit_name,
    units_of,
)
from reconciler.drivers.ssh.onhost.remembered import Remembered

SHOWN = """\
ExecMainStartTimestampMonotonic=25039274678
Id=ssh.service
Names=ssh.service sshd.service
LoadState=loaded
ActiveState=active
UnitFileState=enabled
StateChangeTimestampMonotonic=25039284419
InactiveExitTimestampMonotonic=25039265474
ActiveEnterTimestampMonotonic=25039284419
InvocationID=6a1ad9cc463f4e8aaa8cc0e331f02a31

ExecMainStartTimestampMonotonic=0
Id=nosuch.service
Names=nosuch.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
StateChangeTimestampMonotonic=0
InactiveExitTimestampMonotonic=0
ActiveEnterTimestampMonotonic=0
InvocationID=

ExecMainStartTimestampMonotonic=24986688274
Id=libvirtd.service
Names=libvirtd.service
LoadState=loaded
ActiveState=inactive
UnitFileState=enabled
StateChangeTimestampMonotonic=25106921377
InactiveExitTimestampMonotonic=24986688604
ActiveEnterTimestampMonotonic=24986730239
InvocationID=55005f6422004a7abaf304c7798ca586

Id=multi-user.target
Names=multi-user.target runlevel4.target runlevel3.target runlevel2.target
LoadState=loaded
ActiveState=active
UnitFileState=static
StateChangeTimestampMonotonic=23090466236
InactiveExitTimestampMonotonic=23090466236
ActiveEnterTimestampMonotonic=23090466236
InvocationID=73932f5dde354539ac08db722362c022
"""
STARTED = {
    "Id": "web.service",
    "ActiveState": "active",
    "InvocationID": "aa",
    "StateChangeTimestampMonotonic": "100",
    "ActiveEnterTimestampMonotonic": "100",
}


def test_a_unit_is_found_by_each_of_its_names() -> None:
    units = units_of(SHOWN)
    assert units["sshd.service"] is units["ssh.service"]
    assert units["runlevel3.target"]["Id"] == "multi-user.target"
    assert units["nosuch.service"]["LoadState"] == "not-found"


@pytest.mark.parametrize(
    ("unit", "is_enabled", "is_running"),
    [
        ("ssh.service", True, True),
        ("libvirtd.service", True, False),
        ("multi-user.target", True, True),  # static: nothing is to be done for it
    ],
)
def test_the_states_of_a_unit(unit: str, is_enabled: bool, is_running: bool) -> None:
    states = _states(units_of(SHOWN)[unit])
    assert states == {"is_enabled": is_enabled, "is_running": is_running, "is_masked": False}


def test_a_masked_unit_is_not_enabled() -> None:
    masked = {"LoadState": "masked", "UnitFileState": "masked", "ActiveState": "inactive"}
    assert _states(masked) == {"is_enabled": False, "is_running": False, "is_masked": True}


@pytest.mark.parametrize(
    ("name", "unit"),
    [("ssh", "ssh.service"), ("virtlogd.socket", "virtlogd.socket"), ("a.b", "a.b.service")],
)
def test_a_name_without_a_suffix_is_a_service_s(name: str, unit: str) -> None:
    assert unit_name(name) == unit


def block(*, began: float, reloaded: float | None = None, **changes: str) -> dict[str, str]:
    """A service that was started, and maybe reloaded, at those seconds since the boot."""
    active = f"{began * 1e6:.0f}"
    return {
        **STARTED,
        "ExecMainStartTimestampMonotonic": active,
        "InactiveExitTimestampMonotonic": active,
        "ActiveEnterTimestampMonotonic": active,
        "StateChangeTimestampMonotonic": active if reloaded is None else f"{reloaded * 1e6:.0f}",
        **changes,
    }


def read(root: Path, shown: dict[str, str], seal: dict[str, Any] | None = None) -> dict[str, Any]:
    known = Remembered([], str(root / "remembered"), str(root))
    known.consider([{"about": "file", "name": "/conf", "details": []}])
    return _read("/conf", shown, seal, known)


def sealed(shown: dict[str, str], content: bytes) -> dict[str, Any]:
    state = f"{shown['InvocationID']} {shown['StateChangeTimestampMonotonic']}"
    return {"state": state, "reads": {"/conf": hashlib.sha256(content).hexdigest()}}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "conf").write_bytes(b"new")
    return tmp_path


def test_a_file_that_changed_after_the_start_is_not_read(conf: Path) -> None:
    now = time.monotonic()
    assert not read(conf, block(began=now - 60))["is_current"]
    assert read(conf, block(began=now + 1))["is_current"]


def test_a_reload_reads_the_file_too(conf: Path) -> None:
    now = time.monotonic()
    assert read(conf, block(began=now - 60, reloaded=now + 1))["is_current"]


def test_a_service_that_does_not_run_will_read_what_is_there(conf: Path) -> None:
    shown = block(began=time.monotonic() - 60, ActiveState="inactive")
    assert read(conf, shown)["is_current"]


def test_what_the_service_was_started_with_is_read_whatever_the_clock_did(conf: Path) -> None:
    shown = block(began=time.monotonic() - 7200)  # as after the clock was put back by two hours
    assert read(conf, shown, sealed(shown, b"new"))["is_current"]
    assert not read(conf, shown, sealed(shown, b"old"))["is_current"]


def test_a_content_that_was_changed_back_is_the_one_that_was_read(conf: Path) -> None:
    shown = block(began=time.monotonic() - 60)
    seal = sealed(shown, b"new")
    (conf / "conf").write_bytes(b"by hand")
    assert not read(conf, shown, seal)["is_current"]
    (conf / "conf").write_bytes(b"new")
    assert read(conf, shown, seal)["is_current"]


def test_a_start_by_hand_makes_the_seal_void(conf: Path) -> None:
    shown = block(began=time.monotonic() - 60)
    seal = {**sealed(shown, b"new"), "state": "another start"}
    assert not read(conf, shown, seal)["is_current"]


def test_a_new_mark_of_a_service_keeps_what_it_has_read_of_files_that_changed_since() -> None:
    """A file is taken away and its service marked anew: it must be restarted all the same."""
    shown = block(began=time.monotonic() - 60)
    now = {"/conf": (None, 0.0), "/other": ("b" * 64, time.monotonic()), "/new": (None, 0.0)}
    state = f"{shown['InvocationID']} {shown['StateChangeTimestampMonotonic']}"
    reads = {"/conf": "a" * 64, "/other": "b" * 64}
    told = reads_of(shown, now, {"state": state, "reads": reads})
    assert told == {**reads, "/new": None}
    assert reads_of(shown, {"/other": ("c", time.monotonic())}, None) == {}


def test_a_file_that_is_gone_has_no_sum(tmp_path: Path) -> None:
    shown = block(began=time.monotonic())
    found = read(tmp_path, shown)
    assert (found["sum"], found["is_current"], found["is_sealed"]) == (None, True, False)


def test_a_file_of_which_nobody_says_that_it_is_no_secret_is_told_by_a_keyed_sum(
    conf: Path,
) -> None:
    known = Remembered([], str(conf / "remembered"), str(conf))
    found = _read("/conf", block(began=time.monotonic()), None, known)
    assert found["sum"] != hashlib.sha256(b"new").hexdigest()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "conf")
    assert read(tmp_path, block(began=time.monotonic()))["sum"] is None
