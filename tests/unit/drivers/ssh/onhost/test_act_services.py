"""Services: what systemctl is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.act import perform
from reconciler.drivers.ssh.onhost.act_services import restart_service
from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground, put_file

SHOW = "systemctl show"
DO = "systemctl --no-ask-password --quiet"


def set_service(**wish: bool) -> dict[str, Any]:
    return {"act": "set_service", "unit": "ntp", **wish}


def restart(how: str = "restart", unit: str = "ntp") -> dict[str, Any]:
    return {"act": "restart_service", "unit": unit, "how": how}


def told(
    load: str = "loaded", file: str = "enabled", active: str = "active", reload: str = "no"
) -> Ran:
    return Ran(
        0,
        f"LoadState={load}\nUnitFileState={file}\nActiveState={active}\nNeedDaemonReload={reload}\n",
    )


def done(ground: Ground) -> list[str]:
    """The words after systemctl that change something."""
    return [call.removeprefix(f"{DO} ") for call in ground.programs.called(DO)]


@pytest.fixture
def systemd(ground: Ground) -> Ground:
    ground.programs.answers[SHOW] = told()
    return ground


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"enabled": True}, ["enable -- ntp"]),
        ({"enabled": False}, ["disable -- ntp"]),
        ({"running": True}, ["start -- ntp"]),
        ({"running": False}, ["stop -- ntp"]),
        ({"masked": True}, ["mask -- ntp"]),
        ({"masked": False}, []),
        ({}, []),
        (
            {"enabled": False, "running": False, "masked": True},
            ["disable -- ntp", "stop -- ntp", "mask -- ntp"],
        ),
    ],
)
def test_only_what_is_wished_is_done(
    systemd: Ground, wish: dict[str, bool], words: list[str]
) -> None:
    systemd.done(set_service(**wish))
    assert done(systemd) == words


def test_what_was_masked_is_unmasked_before_it_is_started(systemd: Ground) -> None:
    answers = iter([told("masked"), *[told()] * 9])
    systemd.programs.answers[SHOW] = lambda _: next(answers)
    systemd.done(set_service(enabled=True, running=True, masked=False))
    assert done(systemd) == ["unmask -- ntp", "enable -- ntp", "start -- ntp"]


def test_a_unit_that_is_not_there_is_named(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told("not-found", "", "inactive")
    for act in (set_service(enabled=True), set_service(running=True), restart()):
        assert "there is no unit ntp here" in systemd.refused(act)


def test_a_unit_that_is_not_there_is_neither_enabled_nor_running(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told("not-found", "", "inactive")
    systemd.done(set_service(enabled=False, running=False))
    assert done(systemd) == []


def test_a_unit_that_is_not_there_can_be_masked(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told("not-found", "", "inactive")
    systemd.done(set_service(masked=True))
    assert done(systemd) == ["mask -- ntp"]


def test_a_unit_that_cannot_be_enabled_is_said_to_be_so(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told(file="")
    assert "ntp cannot be enabled" in systemd.refused(set_service(enabled=True))


def test_a_unit_that_others_start_cannot_be_disabled_and_can_be_masked(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told(file="static")
    assert "write `masked: true`" in systemd.refused(set_service(enabled=False))
    answers = iter([told(file="static"), *[told("masked", "masked")] * 9])
    systemd.programs.answers[SHOW] = lambda _: next(answers)
    systemd.done(set_service(enabled=False, masked=True))


@pytest.mark.parametrize("state", [told(reload="yes"), told("not-found")])
def test_units_that_were_changed_are_read_again_first(systemd: Ground, state: Ran) -> None:
    answers = iter([state, *[told()] * 9])
    systemd.programs.answers[SHOW] = lambda _: next(answers)
    systemd.done(restart())
    calls = [call for call in systemd.programs.calls if not call.startswith(SHOW)]
    assert calls == ["systemctl daemon-reload", f"{DO} try-restart -- ntp"]


@pytest.mark.parametrize(
    ("how", "verb"), [("restart", "try-restart"), ("reload", "try-reload-or-restart")]
)
def test_a_service_reads_its_files_again(systemd: Ground, how: str, verb: str) -> None:
    systemd.done(restart(how))
    assert done(systemd) == [f"{verb} -- ntp"]


def test_a_unit_that_does_not_stay_is_named(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told(active="inactive")
    assert "ntp was started and does not run" in systemd.refused(set_service(running=True))
    systemd.done(set_service(running=False))


def test_a_service_that_does_not_come_back_is_named(systemd: Ground) -> None:
    systemd.programs.answers[f"{DO} try-restart"] = Ran(1, "", "Job for ntp.service failed.")
    assert systemd.refused(restart()) == (
        "cannot try-restart ntp: Job for ntp.service failed. (journalctl --unit=ntp tells more)"
    )


def test_what_a_service_has_read_is_what_was_there_when_it_began(systemd: Ground) -> None:
    def restarted(argv: Sequence[str]) -> Ran:
        del argv
        systemd.path("/etc/a.conf").write_text("by hand, a moment later\n")
        return Ran(0)

    systemd.programs.answers[f"{DO} try-restart"] = restarted
    batch = systemd.batch()
    batch.reads = {"ntp": ["/etc/a.conf", "/etc/no.conf"]}
    list(perform_only(batch, put_file()))
    restart_service(batch, "ntp")
    assert batch.restarted["ntp"] == {
        "/etc/a.conf": batch.written["/etc/a.conf"],
        "/etc/no.conf": None,
    }


def test_what_does_not_run_has_read_nothing(systemd: Ground) -> None:
    systemd.programs.answers[SHOW] = told(active="inactive")
    batch = systemd.batch()
    restart_service(batch, "ntp")
    assert batch.restarted == {}


def perform_only(batch: Any, *acts: dict[str, Any]) -> Any:
    """Do acts in a batch that was prepared."""
    reads = batch.reads
    yield from perform(batch, acts)
    batch.reads = reads
