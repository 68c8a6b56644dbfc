"""F03: no room under the mirror. The run is refused before it acts, nothing is lost."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of

NOISE = random.Random(3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, timeout=20)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, small_disk: Path) -> Iterator[Mirror]:
    with mirror_of(origin, small_disk / "state") as mirror:
        yield mirror


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    path = disk / "ballast"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def test_the_run_is_refused_before_it_acts(mirror: Mirror, small_disk: Path) -> None:
    journal = journal_of(mirror)
    journal.check_writable()
    fill(small_disk)
    with pytest.raises(SourceUnavailable, match=r"No space left.*give the state directory room"):
        journal.check_writable()


def test_a_record_that_does_not_fit_is_refused_and_the_old_ones_stay(
    mirror: Mirror, origin: Origin, small_disk: Path
) -> None:
    journal = journal_of(mirror)
    first = journal.append(event("one", status_json=b"1"))
    ballast = fill(small_disk)
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="make room"):
            journal.append(event("two", status_json=NOISE.randbytes(9_000)))
        assert journal.head() == first
        assert journal.read() == {"status.json": b"1"}
    ballast.unlink()
    journal.append(event("two", status_json=b"2"))
    assert journal.flush().state is Push.PUSHED
    assert origin.messages("reconciler/production") == [
        "drift(production): one",
        "drift(production): two",
    ]


def test_failed_attempts_leave_nothing_that_eats_the_disk(mirror: Mirror, small_disk: Path) -> None:
    journal = journal_of(mirror)
    journal.append(event("one"))
    ballast = fill(small_disk)
    for _ in range(5):
        with pytest.raises(SourceUnavailable):
            journal.append(event("two", status_json=NOISE.randbytes(9_000)))
    ballast.unlink()
    repository = mirror.git().directory
    left = [path for name in ("*crash*", "tmp_*") for path in repository.rglob(name)]
    assert left == []


def test_a_fetch_that_does_not_fit_leaves_the_last_good_commit(
    mirror: Mirror, origin: Origin
) -> None:
    good = mirror.heads()["production"]
    large = origin.commit("production", {"noise": NOISE.randbytes(6_000_000)})
    with pytest.raises(SourceUnavailable, match=r"No space left|make room"):
        mirror.fetch()
    assert mirror.heads() == {"production": good}
    assert mirror.tree(good).entries().keys() == {"farm.yaml"}
    origin.git("update-ref", "refs/heads/production", good)
    small = origin.commit("production", {"farm.yaml": b"small"})
    assert mirror.fetch() == {"production": small}
    assert not mirror.has_commit(large)


def test_the_mirror_begins_when_there_is_room(origin: Origin, small_disk: Path) -> None:
    ballast = fill(small_disk)
    with pytest.raises(SourceUnavailable):
        mirror_of(origin, small_disk / "state")
    ballast.unlink()
    with mirror_of(origin, small_disk / "state") as mirror:
        assert mirror.heads().keys() == {"production"}
