"""Documents of kind Ignore: drift that may stay for a time, is shown, and is healed afterwards."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from reconciler.cli.command import Given
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.slots import Reason
from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.state import Domain
from tests.scenes.scene import GIB
from tests.story.desk import STACK, Desk

PRODUCTION = ("-e", "production")
FILE = "environments/production/ignores.yaml"
WEB_1, MAIL = "production-web-1", "production-mail"


def ignore(desk: Desk, resource: str, *lines: str, until: str = "2999-12-31") -> None:
    text = f"kind: Ignore\nname: trial\nresource: {resource}\nuntil: {until}\nreason: a load test\n"
    desk.put({FILE: text + "".join(f"{line}\n" for line in lines)})


def domain(desk: Desk, name: str) -> Domain:
    found: Domain = desk.farm.state.hosts[desk.host_of(name)].domains[name]
    return found


def shrink_web(desk: Desk) -> None:
    by_hand.set_memory(desk.farm, desk.host_of(WEB_1), WEB_1, GIB)


def sync(desk: Desk) -> tuple[int, str]:
    done = desk.run("sync", *PRODUCTION)
    return done.exit_code, done.output


def conditions(desk: Desk) -> dict[str, tuple[str, str]]:
    said = desk.json("status", *PRODUCTION)["environments"][0]
    return {each["type"]: (each["status"], each["reason"]) for each in said["conditions"]}


def test_ignored_drift_stays_is_told_and_leaves_the_environment_ready(desk: Desk) -> None:
    ignore(desk, "domain/web-1")
    shrink_web(desk)
    code, said = sync(desk)
    assert code == 2, said
    assert "ignored until 3000-01-01T00:00:00Z by Ignore trial: a load test" in said
    assert domain(desk, WEB_1).definition.memory_bytes == GIB
    known = conditions(desk)
    assert known["Ready"] == ("True", "ReconciliationSucceeded")
    assert known["Drifted"] == ("True", "Ignored")
    assert "Stalled" not in known
    page = desk.git("show", "reconciler/production:drift.md")
    assert "## `domain/web-1` differs" in page
    assert "| `memory_bytes` | `2 GiB` | `1 GiB` |" in page
    assert "- `ignored until 3000-01-01T00:00:00Z by Ignore trial: a load test`" in page
    assert "reconciler accept domain/web-1 -e production" in page


def test_only_the_fields_that_it_names_stay(desk: Desk) -> None:
    ignore(desk, "domain/web-1", "fields: [memory]")
    shrink_web(desk)
    by_hand.stop_domain(desk.farm, desk.host_of(WEB_1), WEB_1)
    code, said = sync(desk)
    assert code == 2, said
    assert domain(desk, WEB_1).running
    assert domain(desk, WEB_1).definition.memory_bytes == GIB
    assert conditions(desk)["Drifted"] == ("True", "Ignored")


def test_a_star_stands_for_anything_in_the_name(desk: Desk) -> None:
    ignore(desk, "domain/web-*")
    shrink_web(desk)
    by_hand.stop_domain(desk.farm, desk.host_of(MAIL), MAIL)
    code, said = sync(desk)
    assert code == 2, said
    assert domain(desk, WEB_1).definition.memory_bytes == GIB
    assert domain(desk, MAIL).running


def test_what_git_wants_is_done_all_the_same(desk: Desk) -> None:
    ignore(desk, "domain/web-1")
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")
    code, said = sync(desk)
    assert code == 0, said
    assert domain(desk, WEB_1).definition.memory_bytes == 3 * GIB


def test_when_its_time_is_over_it_is_healed_again_and_told(desk: Desk) -> None:
    ignore(desk, "domain/web-1", until="2026-01-01")
    shrink_web(desk)
    code, said = sync(desk)
    assert code == 0, said
    assert domain(desk, WEB_1).definition.memory_bytes == 2 * GIB
    plan = desk.run("plan", *PRODUCTION)
    assert (
        f"{FILE}:4:1: Ignore trial ended 2026-01-02T00:00:00Z: its drift is healed" in plan.output
    )
    checked = desk.run("validate", "--branch", "production")
    assert checked.exit_code == 0
    assert f"{FILE}:4:1: Ignore trial ended" in checked.stderr
    assert "remove it, or extend it" in checked.stderr


def test_the_loop_comes_when_its_time_is_over(desk: Desk) -> None:
    ignore(desk, "domain/web-1")
    settings = settings_of(Given(config=desk.settings))
    with open_repository(settings) as repository:
        repository.fetch()
        keeper = Keeper(repository, surroundings(repository, "production"), settings)
        stopping = threading.Event()
        delay = keeper.look("production", frozenset({Reason.POLL}), stopping).delay
    assert delay == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("resource", "lines", "said"),
    [
        ("domain/nobody", (), "is about domain/nobody, which nothing in git is"),
        ("domain/web-1", ("fields: [cpuz]",), "names the field cpuz, which domain/web-1 does not"),
    ],
)
def test_one_that_does_nothing_is_told_with_its_line(
    desk: Desk, resource: str, lines: tuple[str, ...], said: str
) -> None:
    ignore(desk, resource, *lines)
    checked = desk.run("validate", "--branch", "production")
    assert checked.exit_code == 0, checked.output
    assert said in checked.stderr
    assert f"{FILE}:" in checked.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("resource: web-1\nuntil: 2999-01-01\nreason: x", "must be the address of a resource"),
        ("resource: domain/web-1\nuntil: soon\nreason: x", "must be a date, such as"),
        ("resource: domain/web-1\nuntil: 2999-02-31\nreason: x", "must be a date, such as"),
        ("resource: domain/web-1\nuntil: 2999-01-01T00:00\nreason: x", "must be a date, such as"),
        ("resource: domain/web-1\nuntil: 2999-01-01\nreason: ''", "must be one line of text"),
        ("resource: domain/web-1\nreason: x", "until"),
        ("resource: domain/web-1\nuntil: 2999-01-01", "reason"),
    ],
)
def test_one_that_cannot_be_meant_is_refused(desk: Desk, line: str, said: str) -> None:
    desk.put({FILE: f"kind: Ignore\nname: trial\n{line}\n"})
    checked = desk.run("validate", "--branch", "production")
    assert checked.exit_code == 1
    assert said in checked.output


def test_the_drift_of_another_environment_is_not_ignored(desk: Desk) -> None:
    ignore(desk, "domain/*")
    name = "staging-web-1"
    by_hand.set_memory(desk.farm, desk.host_of(name), name, GIB)
    done = desk.run("sync", "-e", "staging")
    assert done.exit_code == 0, done.output
    assert domain(desk, name).definition.memory_bytes != GIB
