"""F05: the remote is away. The last good commit stays in force, and records wait."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def goes(origin: Origin) -> Callable[[], object]:
    """Take the remote away; the result brings it back."""
    away = origin.path.with_name("away.git")
    origin.path.rename(away)
    return lambda: away.rename(origin.path)


def refused_address() -> str:
    """An address of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"https://127.0.0.1:{port}/farm.git"


def test_asking_fails_with_what_where_and_what_to_do(mirror: Mirror, origin: Origin) -> None:
    goes(origin)
    for ask in (mirror.poll, mirror.fetch):
        with pytest.raises(SourceUnavailable) as caught:
            ask()
        assert str(caught.value).startswith(f"{origin.path.as_uri()}: ")
        assert "check the address" in str(caught.value)


def test_a_connection_that_is_refused_is_told_of_at_once(tmp_path: Path) -> None:
    with (
        mirror_of(refused_address(), tmp_path / "state", fetched=False) as mirror,
        pytest.raises(SourceUnavailable, match="check the network"),
    ):
        mirror.poll()


def test_the_last_good_commit_can_still_be_read(mirror: Mirror, origin: Origin) -> None:
    good = mirror.heads()["production"]
    goes(origin)
    with pytest.raises(SourceUnavailable):
        mirror.fetch()
    tree = mirror.tree(mirror.heads()["production"])
    assert mirror.heads() == {"production": good}
    assert list(tree.read(tree.entries().values()).values()) == [b"kind: Farm\n"]
    assert mirror.commit_info(good).subject == "Change"


def test_records_wait_and_go_out_in_their_order(mirror: Mirror, origin: Origin) -> None:
    head = mirror.heads()["production"]
    journal, notes = journal_of(mirror), notes_of(mirror)
    returns = goes(origin)
    for number in range(3):
        journal.append(event(str(number)))
        notes.write(head, f"outcome {number}")
        outcome = journal.flush()
        assert (outcome.state, outcome.waiting) == (Push.SPOOLED, number + 1)
        assert "check the address" in outcome.reason
        assert notes.flush().state is Push.SPOOLED
    returns()
    assert journal.flush().state is Push.PUSHED
    assert notes.flush().state is Push.PUSHED
    assert origin.messages("reconciler/production") == [
        f"drift(production): {number}" for number in range(3)
    ]


def test_what_waits_outlives_the_process(mirror: Mirror, origin: Origin, tmp_path: Path) -> None:
    returns = goes(origin)
    journal_of(mirror).append(event("waiting", status_json=b"1"))
    mirror.close()
    with mirror_of(origin, tmp_path / "state", fetched=False) as again:
        journal = journal_of(again)
        assert journal.read() == {"status.json": b"1"}
        returns()
        assert journal.flush().state is Push.PUSHED


def test_the_first_start_without_a_remote_says_so(tmp_path: Path) -> None:
    mirror = Mirror(refused_address(), tmp_path / "state", deadline=timedelta(seconds=20))
    with mirror:
        for ask in (mirror.fetch, mirror.heads, lambda: journal_of(mirror).read()):
            with pytest.raises(SourceUnavailable):
                ask()
