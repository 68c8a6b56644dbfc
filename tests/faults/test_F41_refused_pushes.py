"""F41: the server refuses our records, or they come in a storm. They wait here; nothing stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

REFUSALS = {
    "pre-receive": "echo quota exceeded; exit 1",
    "update": "echo branch is protected; exit 1",
}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


@pytest.mark.parametrize("hook", REFUSALS)
def test_a_refusal_is_told_with_the_servers_words_and_not_raised(
    mirror: Mirror, origin: Origin, hook: str
) -> None:
    origin.hook(hook, REFUSALS[hook])
    journal, notes = journal_of(mirror), notes_of(mirror)
    journal.append(event("one"))
    notes.write(mirror.heads()["production"], "Ready")
    for outcome in (journal.flush(), notes.flush()):
        assert (outcome.state, outcome.waiting, outcome.ok) == (Push.REFUSED, 1, False)
        assert REFUSALS[hook].removeprefix("echo ").removesuffix("; exit 1") in outcome.reason
        assert "declined" in outcome.reason


def test_a_refusal_is_not_tried_again_and_again(mirror: Mirror, origin: Origin) -> None:
    origin.hook("pre-receive", "echo x >> tried; exit 1")
    journal = journal_of(mirror)
    journal.append(event("one"))
    journal.flush()
    assert (origin.path / "tried").read_text("utf-8") == "x\n"


def test_when_the_server_agrees_again_everything_goes_out(mirror: Mirror, origin: Origin) -> None:
    origin.hook("update", "exit 1")
    journal = journal_of(mirror)
    for number in range(3):
        journal.append(event(str(number)))
        assert journal.flush().waiting == number + 1
    (origin.path / "hooks/update").unlink()
    assert journal.flush().state is Push.PUSHED
    assert journal.flush().state is Push.NOTHING
    assert len(origin.messages("reconciler/production")) == 3


def test_one_refused_ref_does_not_keep_the_other_back(mirror: Mirror, origin: Origin) -> None:
    origin.hook("update", "case $1 in refs/notes/*) exit 1;; esac")
    journal, notes = journal_of(mirror), notes_of(mirror)
    sha = journal.append(event("one"))
    notes.write(mirror.heads()["production"], "Ready", sha)
    assert journal.flush().state is Push.PUSHED
    assert notes.flush().state is Push.REFUSED


def test_a_storm_of_records_goes_out_in_one_push(mirror: Mirror, origin: Origin) -> None:
    origin.hook("post-receive", "echo x >> pushes")
    journal = journal_of(mirror)
    for number in range(60):
        journal.append(event(str(number), status_json=b"%d" % number))
    assert journal.waiting() == 60
    assert journal.flush().state is Push.PUSHED
    assert (origin.path / "pushes").read_text("utf-8") == "x\n"
    assert journal.read() == {"status.json": b"59"}


def test_a_server_that_only_lets_us_read_costs_no_record(mirror: Mirror, origin: Origin) -> None:
    """Receiving is switched off at the server, as it is for a read-only key."""
    origin.git("config", "http.receivepack", "false")
    origin.hook("pre-receive", "exit 1")
    journal = journal_of(mirror)
    journal.append(event("one"))
    assert not journal.flush().ok
    assert [record.subject for record in journal.entries(9)] == ["drift(production): one"]
