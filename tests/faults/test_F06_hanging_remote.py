"""F06: the remote takes the connection and says nothing. The deadline holds, nobody else waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of

DEADLINE = timedelta(seconds=0.7)


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """A server whose connections are taken by the kernel and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def hanging(silence: socket.socket, tmp_path: Path) -> Iterator[Mirror]:
    """A mirror that was filled once and whose remote hangs now."""
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    mirror_of(origin, tmp_path / "state").close()
    with Mirror(address(silence), tmp_path / "state", deadline=DEADLINE) as mirror:
        yield mirror


def address(server: socket.socket) -> str:
    return f"https://127.0.0.1:{server.getsockname()[1]}/farm.git"


def processes_that_name(text: str) -> list[str]:
    """The command lines of living processes that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if text in command:
            found.append(command)
    return found


def test_each_question_ends_at_its_deadline(hanging: Mirror, silence: socket.socket) -> None:
    for ask in (hanging.poll, hanging.fetch):
        begun = time.monotonic()
        with pytest.raises(SourceUnavailable, match="no answer within the deadline"):
            ask()
        assert time.monotonic() - begun < DEADLINE.total_seconds() + 4


def test_git_and_its_helpers_are_gone(hanging: Mirror, silence: socket.socket) -> None:
    with pytest.raises(SourceUnavailable):
        hanging.poll()
    assert processes_that_name(address(silence)) == []


def test_a_push_ends_at_its_deadline_and_the_record_waits(hanging: Mirror) -> None:
    journal = journal_of(hanging)
    journal.append(event("one"))
    outcome = journal.flush()
    assert (outcome.state, outcome.waiting) == (Push.SPOOLED, 1)
    assert "no answer within the deadline" in outcome.reason


def test_others_read_and_write_meanwhile(silence: socket.socket, tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    head = origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    mirror_of(origin, tmp_path / "state").close()
    silence.settimeout(20)
    long = timedelta(seconds=30)
    with Mirror(address(silence), tmp_path / "state", deadline=long) as mirror:
        failures: list[Exception] = []
        thread = threading.Thread(target=lambda: failures.append(failure_of_a_fetch(mirror)))
        thread.start()
        connection, _ = silence.accept()  # now the fetch hangs
        journal = journal_of(mirror)
        journal.append(event("one", status_json=b"1"))
        assert journal.read() == {"status.json": b"1"}
        assert mirror.tree(mirror.heads()["production"]).commit == head
        assert thread.is_alive()
        connection.close()  # and now it need not hang any longer
        thread.join(20)
        assert isinstance(failures[0], SourceUnavailable)


def failure_of_a_fetch(mirror: Mirror) -> Exception:
    try:
        mirror.fetch()
    except SourceUnavailable as error:
        return error
    return AssertionError("the fetch did not fail")
