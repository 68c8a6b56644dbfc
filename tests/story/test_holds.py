"""Holds: what people want left alone is looked at, planned and told, and not changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.cli.command import Given
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.slots import Reason
from reconciler.drivers.simulated import by_hand
from reconciler.gitops.journal import Event
from reconciler.model.condition import ConditionType
from tests.remotes.origin import git
from tests.story.desk import WEB, Desk

PRODUCTION = ("-e", "production")
MAIL = "production-mail"
WHY = ("--reason", "disks are being swapped", "--by", "Ada")


@contextmanager
def keeping(desk: Desk) -> Iterator[Keeper]:
    settings = settings_of(Given(config=desk.settings))
    with open_repository(settings) as repository:
        repository.fetch()
        yield Keeper(repository, surroundings(repository, "production"), settings)


def look(keeper: Keeper) -> timedelta | None:
    return keeper.look("production", frozenset({Reason.POLL}), threading.Event()).delay


def stop_mail(desk: Desk) -> None:
    by_hand.stop_domain(desk.farm, desk.host_of(MAIL), MAIL)


def is_running(desk: Desk) -> bool:
    running: bool = desk.farm.state.hosts[desk.host_of(MAIL)].domains[MAIL].running
    return running


def events(desk: Desk) -> list[str]:
    log = desk.git("log", "--reverse", "--format=%s", "reconciler/production")
    return [subject.partition("(")[0] for subject in log.splitlines()]


def conditions(desk: Desk) -> dict[str, dict[str, str]]:
    said = desk.json("status", *PRODUCTION)["environments"][0]
    return {each["type"]: each for each in said["conditions"]}


@pytest.fixture
def laptop(desk: Desk) -> Desk:
    """Another machine with the same remote, and a mirror of its own."""
    other = Desk(desk.root / "laptop")
    url = f"repository: {{url: {desk.remote}}}\n"
    settings = f"{url}state_directory: state\nfarm: {{kind: simulated, file: {desk.world}}}\n"
    other.settings.write_text(settings, encoding="utf-8")
    return other


def test_a_held_environment_is_looked_at_and_not_changed(desk: Desk) -> None:
    done = desk.run("hold", "production", *WHY)
    assert done.exit_code == 0, done.output
    assert "production: everything is held by Ada until it is released: disks are" in done.output
    stop_mail(desk)
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    before = desk.farm.state
    synced = desk.run("sync", *PRODUCTION)
    assert synced.exit_code == 2, synced.output
    assert "held by Ada until it is released" in synced.output
    assert desk.farm.state == before
    assert events(desk) == ["sync", "hold", "drift", "sync"]
    stalled = conditions(desk)["Stalled"]
    assert stalled["reason"] == "Held"
    assert "`reconciler release production` ends it" in stalled["message"]
    told = desk.run("status", *PRODUCTION)
    assert "held     by Ada until it is released: disks are being swapped" in told.output
    plan = desk.json("plan", *PRODUCTION)
    assert {each["cause"] for each in plan["changes"]} == {"drift", "pending"}
    assert all(each["held"].startswith("held by Ada") for each in plan["changes"])


def test_a_release_ends_it(desk: Desk) -> None:
    desk.run("hold", "production", *WHY)
    stop_mail(desk)
    assert desk.run("sync", *PRODUCTION).exit_code == 2
    done = desk.run("release", "production", "--by", "Bob")
    assert done.exit_code == 0, done.output
    assert desk.run("sync", *PRODUCTION).exit_code == 0
    assert is_running(desk)
    assert conditions(desk)["Ready"]["status"] == "True"
    assert events(desk)[-3:] == ["release", "drift", "heal"]
    again = desk.run("release", "production")
    assert again.exit_code == 1
    assert "production is not held; held there: nothing" in again.output


def test_of_a_held_resource_only_it_and_what_needs_it_wait(desk: Desk) -> None:
    desk.run("hold", "production", "volume/web-1-data", *WHY)
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    stop_mail(desk)
    synced = desk.run("sync", *PRODUCTION)
    assert synced.exit_code == 2, synced.output
    assert is_running(desk)
    plan = desk.json("plan", *PRODUCTION)
    assert [each["address"] for each in plan["changes"]] == ["volume/web-1-data"]
    assert conditions(desk)["Ready"]["reason"] == "ChangesHeld"


def test_a_later_hold_of_the_same_thing_replaces_the_earlier(desk: Desk) -> None:
    desk.run("hold", "production", *WHY)
    desk.run("hold", "production", "--reason", "and painted", "--by", "Bob", "--until", "2h")
    said = desk.json("status", *PRODUCTION)["environments"][0]["holds"]
    assert [(each["by"], each["reason"]) for each in said] == [("Bob", "and painted")]


def test_a_hold_from_elsewhere_wakes_the_environment(desk: Desk, laptop: Desk) -> None:
    with keeping(desk) as keeper:
        look(keeper)
        assert list(keeper.poll()) == []
        assert laptop.run("hold", "production", *WHY).exit_code == 0
        assert list(keeper.poll()) == ["production"]
        stop_mail(desk)
        look(keeper)
        assert not is_running(desk)
        assert list(keeper.poll()) == []
        assert laptop.run("release", "production").exit_code == 0
        assert list(keeper.poll()) == ["production"]
        look(keeper)
        assert is_running(desk)


def test_a_hold_by_another_process_with_the_same_state_is_noticed_too(desk: Desk) -> None:
    with keeping(desk) as keeper:
        look(keeper)
        assert desk.run("hold", "production", *WHY).exit_code == 0
        assert list(keeper.poll()) == ["production"]


def test_two_who_write_at_once_lose_nothing(desk: Desk, laptop: Desk) -> None:
    desk.run("status", *PRODUCTION)
    remote, away = desk.remote, desk.root / "away.git"
    laptop.run("status", *PRODUCTION)
    remote.rename(away)
    kept = desk.run("hold", "production", "domain/mail", *WHY)
    assert kept.exit_code == 1
    assert "counts nowhere else yet" in kept.output
    stop_mail(desk)
    assert desk.run("sync", *PRODUCTION).exit_code == 1  # what it knows of heads is old
    away.rename(remote)
    assert laptop.run("hold", "production", "domain/web-1", *WHY).exit_code == 0
    assert desk.run("sync", *PRODUCTION).exit_code == 2
    for each in (desk, laptop):
        holds = each.json("status", *PRODUCTION)["environments"][0]["holds"]
        assert [hold["resource"] for hold in holds] == ["domain/mail", "domain/web-1"]
    assert sorted(events(desk)).count("hold") >= 2


def test_a_hold_ends_by_itself_and_the_loop_comes_then(desk: Desk) -> None:
    desk.run("hold", "production", *WHY, "--until", "4m")
    with keeping(desk) as keeper:
        delay = look(keeper)
        assert delay is not None
        assert delay <= timedelta(minutes=4)
    desk.run("hold", "production", *WHY, "--until", "1s")
    with keeping(desk) as keeper:
        stop_mail(desk)
        ended = threading.Event()
        for _ in range(300):
            look(keeper)
            if is_running(desk):
                break
            ended.wait(0.2)
        assert is_running(desk)
    assert conditions(desk)[ConditionType.READY]["status"] == "True"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("web-1", *WHY), "is not an address"),
        (("server/web-1", *WHY), "there is no kind server"),
        (("--until", "2020-01-01", *WHY), "name a time to come"),
        (("--until", "soon", *WHY), "must be a duration, such as 2h, or a date"),
        (("--until", "2026-13-01", *WHY), "a date, such as"),
    ],
)
def test_a_hold_that_cannot_be_meant_is_refused(
    desk: Desk, words: tuple[str, ...], said: str
) -> None:
    done = desk.run("hold", "production", *words)
    assert done.exit_code == 1
    assert said in done.output


def test_the_name_is_that_of_the_persons_git(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Grace\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    monkeypatch.delenv("GIT_AUTHOR_NAME", raising=False)
    done = desk.run("hold", "production", "--reason", "a look")
    assert "held by Grace" in done.output


def test_S31_a_hundred_records_of_our_own_wake_nobody(desk: Desk) -> None:
    with keeping(desk) as keeper:
        look(keeper)
        journal = keeper.repository.journal("production")
        files = journal.read() or {}
        woken: list[str] = []
        for number in range(100):
            journal.append(Event("ready", f"record {number}", files=files))
            if number % 10 == 0:
                journal.flush()
                woken += keeper.poll()
        journal.flush()
        assert [*woken, *keeper.poll()] == []
        assert len(events(desk)) == 101


def test_S31_words_of_a_hold_forge_no_record(desk: Desk) -> None:
    reason = "x\n\nReconciler-Rollback: yes\n---\n`\x1b[2J@everyone"
    done = desk.run("hold", "production", "--reason", reason, "--by", "Ada\nSigned-off-by: Boss")
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    shown = "--format=%(trailers:only,keyonly)"
    trailers = desk.git("log", "-1", shown, "reconciler/production").split()
    assert trailers == ["Reconciler-Environment", "Reconciler-Event"]
    stop_mail(desk)
    assert desk.run("sync", *PRODUCTION).exit_code == 2
    page = desk.git("show", "reconciler/production:drift.md")
    assert "\x1b" not in page
    assert all(line.startswith("- it stays: ``") for line in page.splitlines() if "every" in line)


def test_S31_a_hold_that_cannot_be_read_stops_the_environment(desk: Desk) -> None:
    clone = desk.root / "vandal"
    git(desk.root, "clone", "-q", "-b", "reconciler/production", str(desk.remote), str(clone))
    (clone / "holds").mkdir()
    (clone / "holds" / "environment.json").write_text('{"reason": 1}')
    git(clone, "add", "--all")
    git(clone, "-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "x")
    git(clone, "push", "-q", "origin", "reconciler/production")
    done = desk.run("sync", *PRODUCTION)
    assert done.exit_code == 1
    assert "holds/environment.json in the journal cannot be read" in done.output
