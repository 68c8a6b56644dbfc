"""Packages: what apt-get is asked, and what is made of what it says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground

DAY = 24 * 3600
QUERY = "dpkg-query"
APT = (
    "apt-get --yes --quiet --option=DPkg::Lock::Timeout=120 "
    "--option=Dpkg::Options::=--force-confold --option=Dpkg::Use-Pty=0"
)
HOLD = {"act": "hold_package", "name": "ntp", "held": True}


def install(name: str = "ntp", version: str | None = None) -> dict[str, Any]:
    return {"act": "install_package", "name": name, "version": version}


def removal(name: str = "ntp") -> dict[str, Any]:
    return {"act": "remove_package", "name": name}


@pytest.fixture
def debian(ground: Ground) -> Ground:
    """A Debian whose lists were fetched long ago."""
    for name in ("etc/apt/sources.list.d", "var/lib/apt/lists"):
        ground.path(name).mkdir(parents=True)
    ground.path("/etc/apt/sources.list").write_text("deb http://mirror.example bookworm main\n")
    ground.path("/var/lib/apt/lists/mirror.example_main_Packages").write_text("")
    ground.programs.answers[QUERY] = Ran(1, "", "no packages found matching ntp")
    return ground


def fetched(ground: Ground, at: float | None = None) -> None:
    """Let the lists be of now."""
    ground.done(install())
    now = ground.now if at is None else at
    os.utime(ground.directory / "lists.json", (now, now))
    ground.programs.calls.clear()


def installed(ground: Ground, version: str, want: str = "install") -> None:
    ground.programs.answers[QUERY] = Ran(0, f"{want} installed {version}\n")


def test_a_package_is_installed_after_the_lists_were_fetched(debian: Ground) -> None:
    debian.done(install())
    assert debian.programs.called("apt-get") == [
        f"{APT} update",
        f"{APT} --no-remove install -- ntp",
    ]


def test_one_that_is_installed_is_left_as_it_is(debian: Ground) -> None:
    installed(debian, "1.0-1")
    debian.done(install(), install(version="1.0-1"))
    assert not debian.programs.called("apt-get")


def test_one_that_is_half_installed_is_installed(debian: Ground) -> None:
    debian.programs.answers[QUERY] = Ran(0, "install half-configured 1.0-1\n")
    debian.done(install())
    assert debian.programs.called(f"{APT} --no-remove install")


def test_a_version_may_be_an_older_one(debian: Ground) -> None:
    installed(debian, "2.0-1")
    debian.done(install(version="1.0-1"))
    assert debian.programs.calls[-1] == (
        f"{APT} --no-remove --allow-downgrades --allow-change-held-packages install -- ntp=1.0-1"
    )


def test_one_that_was_held_is_held_at_its_new_version_too(debian: Ground) -> None:
    installed(debian, "2.0-1", want="hold")
    debian.done(install(version="1.0-1"))
    assert debian.programs.calls[-1] == "apt-mark hold -- ntp"


@pytest.mark.parametrize(
    ("age", "is_fetched"), [(0, False), (DAY - 60, False), (DAY + 60, True), (-60, True)]
)
def test_lists_are_fetched_once_a_day(debian: Ground, age: float, is_fetched: bool) -> None:
    fetched(debian, at=debian.now - age)
    debian.done(install())
    assert bool(debian.programs.called(f"{APT} update")) == is_fetched


def test_lists_are_fetched_when_there_is_another_source(debian: Ground) -> None:
    fetched(debian)
    debian.path("/etc/apt/sources.list.d/backports.sources").write_text("Types: deb\n")
    debian.done(install())
    assert debian.programs.called(f"{APT} update")


def test_lists_are_fetched_where_there_are_none(debian: Ground) -> None:
    fetched(debian)
    debian.path("/var/lib/apt/lists/mirror.example_main_Packages").unlink()
    debian.done(install())
    assert debian.programs.called(f"{APT} update")


@pytest.mark.parametrize(("age", "times"), [(30, 1), (90, 2)])
def test_lists_that_could_not_all_be_fetched_are_tried_again_in_a_minute(
    debian: Ground, age: float, times: int
) -> None:
    missing = Ran(0, "", "W: Failed to fetch http://mirror.example")
    debian.programs.answers[f"{APT} update"] = missing
    debian.done(install())
    then = debian.now - age
    os.utime(debian.directory / "lists.json", (then, then))
    debian.done(install())
    assert len(debian.programs.called(f"{APT} update")) == times


@pytest.mark.parametrize(
    "complaint",
    [
        "E: Unable to locate package ntp",
        "E: Version '9' for 'ntp' was not found",
        "E: Failed to fetch x",
    ],
)
def test_what_the_lists_do_not_know_is_asked_for_once_more(debian: Ground, complaint: str) -> None:
    fetched(debian)
    answers = iter([Ran(100, "", complaint), Ran(0)])
    debian.programs.answers[f"{APT} --no-remove"] = lambda _: next(answers)
    debian.done(install())
    assert debian.programs.called(f"{APT} update")


def test_what_cannot_be_had_is_named_with_the_errors_alone(debian: Ground) -> None:
    said = Ran(100, "Reading package lists...\n", "W: old\nE: Unable to locate package ntp\n")
    debian.programs.answers[f"{APT} --no-remove"] = said
    assert debian.refused(install()) == "cannot install ntp: Unable to locate package ntp"


def test_where_not_all_lists_were_fetched_that_is_told_with_what_was_not_found(
    debian: Ground,
) -> None:
    why = "Failed to fetch http://mirror.example/InRelease  Temporary failure resolving it"
    debian.programs.answers |= {
        f"{APT} update": Ran(0, "", f"W: {why}\nW: Some index files failed to download.\n"),
        f"{APT} --no-remove": Ran(100, "", "E: Unable to locate package ntp\n"),
    }
    assert debian.refused(install()) == (
        "cannot install ntp: Unable to locate package ntp (the lists of packages could not be "
        "fetched: Failed to fetch http://mirror.example/InRelease Temporary failure resolving it)"
    )


def test_lists_that_cannot_be_fetched_are_said_to_be_so(debian: Ground) -> None:
    debian.programs.answers[f"{APT} update"] = Ran(100, "", "E: no Release file")
    assert debian.refused(install()) == "cannot fetch the lists of packages: no Release file"


@pytest.mark.parametrize("act", [install(), removal()])
def test_dpkg_ends_what_it_was_interrupted_in_and_apt_is_asked_again(
    debian: Ground, act: dict[str, Any]
) -> None:
    if act == removal():
        installed(debian, "1.0-1")
    said = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"
    answers = {
        f"{APT} {words}": iter([Ran(100, "", said), Ran(0)]) for words in ("--no-remove", "remove")
    }
    for words, answer in answers.items():
        debian.programs.answers[words] = partial(_next, answer)
    debian.done(act)
    tail = [call.removeprefix(APT).split()[0] for call in debian.programs.calls[-3:]]
    assert tail in (["--no-remove", "dpkg", "--no-remove"], ["remove", "dpkg", "remove"])
    assert "dpkg --force-confold --configure -a" in debian.programs.calls


def _next(answers: Iterator[Ran], argv: Sequence[str]) -> Ran:
    del argv
    return next(answers)


def test_what_dpkg_cannot_end_is_told(debian: Ground) -> None:
    debian.programs.answers |= {
        f"{APT} --no-remove": Ran(100, "", "E: dpkg was interrupted, you must manually run it"),
        "dpkg --force-confold": Ran(1, "", "dpkg: error processing package slow (--configure):"),
    }
    assert debian.refused(install()) == (
        "cannot finish what dpkg was interrupted in: "
        "dpkg: error processing package slow (--configure):"
    )


def test_a_package_is_removed_and_its_configuration_stays(debian: Ground) -> None:
    installed(debian, "1.0-1")
    debian.programs.answers[f"{APT} --simulate"] = Ran(0, "Remv ntp [1.0-1]\n")
    debian.done(removal())
    assert debian.programs.calls[-1] == f"{APT} remove -- ntp"


def test_one_that_is_not_installed_is_not_removed(debian: Ground) -> None:
    debian.done(removal())
    assert not debian.programs.called("apt-get")


def test_others_are_not_removed_with_it(debian: Ground) -> None:
    installed(debian, "1.0-1")
    said = "Remv monitoring [3] [ntp:amd64 ]\nRemv ntp [1.0-1]\nPurg ntp-data:all [1]\n"
    debian.programs.answers[f"{APT} --simulate"] = Ran(0, said)
    assert debian.refused(removal()) == (
        "ntp cannot go alone, monitoring, ntp-data would go too: declare them absent first"
    )
    assert not debian.programs.called(f"{APT} remove")


def test_a_package_is_held_and_released(debian: Ground) -> None:
    debian.done(HOLD, {**HOLD, "held": False})
    assert debian.programs.calls == ["apt-mark hold -- ntp", "apt-mark unhold -- ntp"]


def test_no_program_is_run_by_a_shell_or_asks_anything(debian: Ground) -> None:
    seen: list[Sequence[str]] = []

    def remember(argv: Sequence[str]) -> Ran:
        seen.append(argv)
        return Ran(0)

    debian.programs.answers["apt-get"] = remember
    debian.done(install("ntp; reboot"))
    assert seen[-1][-1] == "ntp; reboot"
