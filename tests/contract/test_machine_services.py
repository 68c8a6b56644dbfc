"""What every machine promises about packages and services."""

from __future__ import annotations

import pytest

from reconciler.errors import Conflict
from reconciler.ports.acts import (
    Act,
    HoldPackage,
    InstallPackage,
    PutMark,
    RemovePackage,
    RestartService,
    SetService,
)
from reconciler.ports.facts import Mark, PackageFact, Question
from tests.contract.machine_bench import (
    FILE,
    OWNER,
    PACKAGE,
    PACKAGED_UNIT_PATH,
    ROOM,
    RUNNING,
    UNIT,
    UNIT_FILE,
    UNIT_TEXT,
    MachineBench,
    file,
    mark,
)


def test_a_package_comes_and_goes(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("package", PACKAGE) is None
    machine_bench.do(InstallPackage(PACKAGE))
    seen = machine_bench.ask("package", PACKAGE)
    assert isinstance(seen, PackageFact)
    assert seen.version
    assert not seen.is_held
    machine_bench.do(InstallPackage(PACKAGE), InstallPackage(PACKAGE, seen.version))
    assert machine_bench.ask("package", PACKAGE) == seen
    machine_bench.do(RemovePackage(PACKAGE), RemovePackage(PACKAGE))
    assert machine_bench.ask("package", PACKAGE, "absent") is None


def test_a_package_is_held_and_let_go(machine_bench: MachineBench) -> None:
    machine_bench.do(InstallPackage(PACKAGE), HoldPackage(PACKAGE, held=True))
    assert machine_bench.ask("package", PACKAGE).is_held
    with pytest.raises(Conflict):
        machine_bench.do(RemovePackage(PACKAGE))
    machine_bench.do(HoldPackage(PACKAGE, held=False))
    assert not machine_bench.ask("package", PACKAGE).is_held


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (InstallPackage("no-such-package"), "no-such-package"),
        (InstallPackage(PACKAGE, "0.0.1-no-such"), "0.0.1-no-such"),
        (HoldPackage("no-such-package", held=True), "no-such-package"),
    ],
    ids=str,
)
def test_what_is_not_to_be_had_is_refused(
    machine_bench: MachineBench, wrong: Act, reason: str
) -> None:
    with pytest.raises(Conflict, match=reason):
        machine_bench.do(wrong)
    assert machine_bench.ask("package", PACKAGE) is None


def test_a_unit_that_nobody_knows_is_not_there(machine_bench: MachineBench) -> None:
    assert machine_bench.ask("service", "no-such-unit") is None
    machine_bench.do(SetService("no-such-unit", enabled=False, running=False, masked=False))
    assert machine_bench.ask("service", "no-such-unit") is None


@pytest.mark.parametrize(
    "act",
    [
        SetService("no-such-unit", running=True),
        SetService("no-such-unit", enabled=True),
        RestartService("no-such-unit"),
    ],
    ids=str,
)
def test_a_unit_that_nobody_knows_cannot_be_begun(machine_bench: MachineBench, act: Act) -> None:
    with pytest.raises(Conflict, match="no-such-unit"):
        machine_bench.do(act)


def test_a_unit_is_there_with_its_file(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE)
    seen = machine_bench.service()
    assert (seen.is_enabled, seen.is_running, seen.is_masked) == (False, False, False)


@pytest.mark.parametrize("enabled", [None, True, False])
@pytest.mark.parametrize("running", [None, True, False])
def test_a_service_is_as_it_was_set(
    machine_bench: MachineBench,
    enabled: bool | None,
    running: bool | None,
) -> None:
    act = SetService(UNIT, enabled=enabled, running=running)
    machine_bench.do(UNIT_FILE, act, act)
    seen = machine_bench.service()
    assert (seen.is_enabled, seen.is_running) == (bool(enabled), bool(running))


def test_a_masked_service_does_not_start(machine_bench: MachineBench) -> None:
    machine_bench.do(file(UNIT_TEXT, PACKAGED_UNIT_PATH), SetService(UNIT, masked=True))
    assert machine_bench.service().is_masked
    with pytest.raises(Conflict, match=UNIT):
        machine_bench.do(RUNNING)
    assert not machine_bench.service().is_running
    machine_bench.do(SetService(UNIT, running=True, masked=False))
    seen = machine_bench.service()
    assert (seen.is_running, seen.is_masked) == (True, False)


def test_a_unit_with_a_file_of_the_operators_cannot_be_masked(
    machine_bench: MachineBench,
) -> None:
    machine_bench.do(UNIT_FILE)
    with pytest.raises(Conflict, match="exists"):
        machine_bench.do(SetService(UNIT, masked=True))
    assert not machine_bench.service().is_masked


def test_a_unit_can_be_masked_before_it_comes(machine_bench: MachineBench) -> None:
    machine_bench.do(SetService(UNIT, masked=True))
    seen = machine_bench.service()
    assert (seen.is_enabled, seen.is_running, seen.is_masked) == (False, False, True)


def test_a_service_that_does_not_run_is_not_restarted(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE, RestartService(UNIT), RestartService(UNIT, "reload"))
    assert not machine_bench.service().is_running


@pytest.mark.parametrize("how", ["restart", "reload"])
def test_a_service_has_read_what_was_there_when_it_was_started(
    machine_bench: MachineBench, how: str
) -> None:
    sealed = PutMark(Mark("service", OWNER, Question("service", UNIT, (FILE,))))
    machine_bench.do(UNIT_FILE, file("a\n"), mark())
    machine_bench.do(RUNNING, sealed)
    (read,) = machine_bench.service(FILE).reads
    assert (read.path, read.is_current, read.is_sealed) == (FILE, True, True)
    machine_bench.do(file("b\n"), mark())
    (read,) = machine_bench.service(FILE).reads
    assert (read.is_current, read.is_sealed) == (False, True)
    machine_bench.do(RestartService(UNIT, how), sealed)  # type: ignore[arg-type]
    (read,) = machine_bench.service(FILE).reads
    assert read.is_current
    assert machine_bench.service(FILE).is_running


def test_a_file_that_is_written_as_it_is_need_not_be_read_again(
    machine_bench: MachineBench,
) -> None:
    machine_bench.do(UNIT_FILE, file("a\n"), RUNNING, file("a\n"))
    assert machine_bench.service(FILE).reads[0].is_current


def test_a_file_that_somebody_edits_is_to_be_read(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE, file("a\n"), mark(), RUNNING)
    machine_bench.write(FILE, "by hand\n")
    (read,) = machine_bench.service(FILE).reads
    assert (read.is_current, read.is_sealed) == (False, False)


def test_what_does_not_run_will_read_everything(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE, file("a\n"))
    (read,) = machine_bench.service(FILE).reads
    assert read.is_current


def test_a_file_that_is_not_there_has_no_sum(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE, RUNNING)
    (read,) = machine_bench.service(f"{ROOM}/nothing").reads
    assert (read.sum, read.is_sealed) == (None, False)


def test_reads_are_told_in_the_order_of_the_question(machine_bench: MachineBench) -> None:
    machine_bench.do(UNIT_FILE, file(), RUNNING)
    paths = (f"{ROOM}/z", FILE, f"{ROOM}/a")
    assert tuple(read.path for read in machine_bench.service(*paths).reads) == paths


def test_the_sum_of_what_a_service_reads_is_that_of_the_file_asked_for(
    machine_bench: MachineBench,
) -> None:
    machine_bench.do(UNIT_FILE, file("a\n"), RUNNING)
    of_file, of_service = Question("file", FILE), Question("service", UNIT, (FILE,))
    answers = machine_bench.machine.look([of_file, of_service]).answers
    assert answers[of_service].reads[0].sum == answers[of_file].sum  # type: ignore[union-attr]
