"""F02: killed at any file operation of a record. What was acknowledged is there, nothing is twice.

Git is killed by strace at its n-th file operation, once alone and once together with our process,
for each n and each git command of a record that is kept and pushed.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of

OPERATIONS = "/^(rename|link|unlink|rmdir|mkdir|fsync|fdatasync)"
STRACE = shutil.which("strace")
GIT = shutil.which("git")
WRITING = {"fast-import", "update-ref", "push", "fetch"}
KILLED = "+++ killed by SIGKILL +++"
WRAPPER = """#!/bin/sh
count=$(($(cat {here}/count) + 1))
echo $count > {here}/count
echo "$2" >> {here}/words
[ $count -eq {command} ] || exec {git} "$@"
{strace} -f -qq -o {here}/log -e 'trace={operations}' \
    -e 'inject={operations}:signal=KILL:when={operation}' {git} "$@"
status=$?
if grep -q 'killed by SIGKILL' {here}/log && [ {both} -eq 1 ]; then kill -KILL $PPID; fi
exit $status
"""


@dataclass(frozen=True)
class Point:
    """Where it is killed: at which operation of which git command."""

    here: Path
    command: int
    operation: int
    both: bool

    def prepare(self) -> None:
        self.here.mkdir()
        (self.here / "count").write_text("0", "utf-8")
        (self.here / "log").write_text("", "utf-8")
        values = {
            "here": self.here,
            "command": self.command,
            "operation": self.operation,
            "operations": OPERATIONS,
            "both": int(self.both),
            "git": GIT,
            "strace": STRACE,
        }
        (self.here / "git").write_text(WRAPPER.format_map(values), "utf-8")
        (self.here / "git").chmod(0o755)

    @property
    def hit(self) -> bool:
        return KILLED in (self.here / "log").read_text("utf-8")

    @property
    def words(self) -> list[str]:
        """Which git commands were called."""
        return (self.here / "words").read_text("utf-8").split()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A remote and a mirror that does not know yet that another reconciler wrote a record."""
    origin = Origin(tmp_path / "base" / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    with mirror_of(origin, tmp_path / "base" / "state") as mirror:
        journal = journal_of(mirror)
        journal.append(event("first", status_json=b"1"))
        journal.flush()
    with mirror_of(origin, tmp_path / "elsewhere") as rival:
        journal = journal_of(rival)
        journal.append(event("rival", status_json=b"2"))
        journal.flush()
    return tmp_path / "base"


def record(place: Path) -> None:
    """Keep a record and push it; acknowledge what is kept."""
    with mirror_of(str(place / "origin.git"), place / "state", fetched=False) as mirror:
        journal = journal_of(mirror)
        try:
            sha = journal.append(event("killed", status_json=b"3"))
        except SourceError:
            return
        (place / "acknowledged").write_text(sha, "utf-8")
        journal.flush()


def killed(base: Path, point: Point) -> Path:
    """A copy of the base in which a record was killed at a point."""
    place = point.here.with_suffix(".place")
    shutil.copytree(base, place, symlinks=True)
    point.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(point.here), prepend=":")
        process = multiprocessing.get_context("fork").Process(target=record, args=(place,))
        process.start()
        process.join(60)
    wait_for_orphans(place)
    return place


def wait_for_orphans(place: Path) -> None:
    """Until no child of what was killed is left: each holds the lock."""
    with (place / "state/lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def points(tmp_path: Path, base: Path, *, both: bool) -> Iterator[tuple[Point, Path]]:
    """Every point there is, with what was left there."""
    untouched = Point(tmp_path / "untouched", 0, 0, both)
    killed(base, untouched)
    for command, word in enumerate(untouched.words, 1):
        for operation in range(1, 200) if word in WRITING else ():
            point = Point(tmp_path / f"p{command}-{operation}", command, operation, both)
            place = killed(base, point)
            if not point.hit:
                break
            yield point, place


def outcome(place: Path) -> list[str]:
    """The journal at the remote after the next start wrote one more record."""
    with mirror_of(str(place / "origin.git"), place / "state") as mirror:
        journal = journal_of(mirror)
        assert (journal.read() or {})["status.json"] in {b"1", b"2", b"3"}
        journal.append(event("after", status_json=b"4"))
        assert journal.flush().ok
        assert journal.read() == {"status.json": b"4"}
        assert mirror.git().is_sound()
        assert not list(mirror.git().directory.rglob("*.lock"))
    origin = Origin.__new__(Origin)
    origin.path = place / "origin.git"
    return [line.rpartition(" ")[2] for line in origin.messages("reconciler/production")]


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize("both", [False, True], ids=["git", "git and we"])
def test_it_goes_on_as_if_nothing_had_been(tmp_path: Path, base: Path, both: bool) -> None:
    tried = 0
    for point, place in points(tmp_path, base, both=both):
        tried += 1
        written = outcome(place)
        assert written.count("killed") <= 1, point
        if (place / "acknowledged").exists():
            assert "killed" in written, point
        assert [each for each in written if each != "killed"] == ["first", "rival", "after"], point
    assert tried > 10
