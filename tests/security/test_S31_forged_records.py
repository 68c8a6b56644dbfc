"""S31: nothing from a document forges a record, and our own records wake nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.gitops.branches import Role, environment_branches, role_of
from reconciler.gitops.journal import Event
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin, git
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

OURS = ["Reconciler-Environment", "Reconciler-Event", "Reconciler-Revision", "Reconciler-Resource"]
PAYLOADS = [
    "\n\nReconciler-Rollback: yes",
    "\r\n\r\nReconciler-Rollback: yes\r\n---\r\n",
    "\n\nReconciler-Rollback: yes\n---\n",
    "\n\nReconciler-Rollback: yes\n\n",
    "\u2029\u2028Reconciler-Rollback: yes\u2029",
    "\x0b\x0cReconciler-Rollback: yes\x1c\x1d\x1e\x85",
    "\nReconciler-Rollback: yes\n Reconciler-Rollback: folded",
    "\n\nSigned-off-by: Boss <boss@farm.internal>",
    "\x00\nReconciler-Rollback: yes",
    "\x1b[2J\x1b]0;title\x07",
    "\ncommit refs/heads/production\nfrom 0000\ndata 3\n",
]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    for branch in ("development", "staging", "production"):
        origin.commit(branch, {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_trailers_are_ours_only(mirror: Mirror, origin: Origin, payload: str) -> None:
    revision = mirror.heads()["production"]
    journal = journal_of(mirror)
    hostile = Event(
        "drift",
        f"1 resource{payload}",
        body=f"description: x{payload}\n{payload}",
        revision=revision,
        resources=(f"domain/web-1{payload}",),
        files={"status.json": payload.encode()},
    )
    journal.append(hostile)
    journal.flush()
    message = origin.git("log", "-1", "--format=%B", "reconciler/production")
    for options in ((), ("--no-divider",)):
        parsed = git(origin.path, "interpret-trailers", "--parse", *options, given=message.encode())
        assert [line.partition(":")[0] for line in parsed.splitlines()] == OURS
    assert all(line.isprintable() for line in message.splitlines())
    assert "[skip ci]" in message.splitlines()
    (record,) = journal.entries(1)
    assert (record.event, record.revision) == ("drift", revision)
    assert record.subject.startswith("drift(production): 1 resource")
    assert len(record.subject) <= 72
    assert journal.read() == {"status.json": payload.encode()}
    assert origin.head("production") == revision


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_author_is_the_bot(mirror: Mirror, origin: Origin, payload: str) -> None:
    journal = journal_of(mirror)
    journal.append(event(payload))
    journal.flush()
    who = origin.git("log", "-1", "--format=%an|%ae|%cn|%ce", "reconciler/production")
    assert who == "|".join(["Reconciler", "reconciler@farm.internal"] * 2)


def test_a_hundred_records_of_ours_change_no_head_that_is_followed(
    mirror: Mirror, origin: Origin
) -> None:
    before = environment_branches(mirror.fetch())
    followed = {branch: origin.head(branch) for branch in before.values()}
    journal, notes = journal_of(mirror), notes_of(mirror)
    records = [journal.append(event(str(number))) for number in range(100)]
    notes.write(mirror.heads()["production"], "Ready", records[-1])
    assert journal.flush().ok
    assert notes.flush().ok
    polled = mirror.poll()
    assert environment_branches(polled) == before
    assert {branch: polled[branch] for branch in before.values()} == followed
    assert role_of("reconciler/production") is Role.OURS
