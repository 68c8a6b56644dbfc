"""The list of whose the volumes of a host are."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.drivers.libvirt_.manifest import (
    FileManifest,
    Manifest,
    MemoryManifest,
    RemoteManifest,
)
from reconciler.drivers.libvirt_.marks import Mark, decoded
from reconciler.drivers.refusal import Refused
from reconciler.drivers.sharedfile import locked
from reconciler.drivers.ssh.files import ABSENT, ANYTHING, sum_of
from reconciler.errors import Conflict, NotFound, Unreachable
from reconciler.model.resource import Owner

ONE = Mark(Owner("production", "web-1-root", "0123456789abcdef"))
TWO = Mark(
    Owner("staging", "web-1-root", "fedcba9876543210"),
    content="ab" * 32,
    format="iso",
    begun=datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
)


class Files:
    """The files of a host; `before_write` is what somebody else does in between."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.before_write: list[Callable[[], None]] = []
        self.writes = 0

    def read_file(self, path: str) -> bytes:
        try:
            return self._at(path).read_bytes()
        except FileNotFoundError:
            raise NotFound("virt1", f"read {path}", "there is no such file") from None

    def look_at_file(self, path: str) -> bytes:
        return self.read_file(path)

    def write_file(
        self, path: str, content: bytes, mode: int = 0o644, *, replaces: str = ANYTHING
    ) -> None:
        if self.before_write:
            self.before_write.pop(0)()
        file = self._at(path)
        present = sum_of(file.read_bytes()) if file.exists() else ABSENT
        if replaces not in (ANYTHING, present):
            raise Conflict("virt1", f"write {path}", "somebody else has changed it")
        file.write_bytes(content)
        file.chmod(mode)
        self.writes += 1

    def _at(self, path: str) -> Path:
        return self.directory / path.strip("/").replace("/", "_")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture(params=["memory", "file", "remote"])
def manifest(request: pytest.FixtureRequest, tmp_path: Path, files: Files) -> Manifest:
    if request.param == "memory":
        return MemoryManifest()
    if request.param == "remote":
        return RemoteManifest(files)
    return FileManifest(tmp_path / "marks.json", lambda _seconds: None)


def test_a_new_manifest_has_no_marks(manifest: Manifest) -> None:
    assert manifest.read() == {}


def test_marks_are_written_replaced_and_forgotten(manifest: Manifest) -> None:
    manifest.write("default/a", ONE)
    manifest.write("default/b", ONE)
    manifest.write("default/b", TWO)
    assert manifest.read() == {"default/a": ONE, "default/b": TWO}
    for _ in range(2):
        manifest.forget("default/a")
    assert manifest.read() == {"default/b": TWO}


def test_several_marks_change_at_once(manifest: Manifest) -> None:
    manifest.write("default/a", ONE)
    manifest.change({"default/trash.a": TWO, "default/a": None, "default/never": None})
    assert manifest.read() == {"default/trash.a": TWO}


def test_a_mark_without_an_owner_is_a_mark(manifest: Manifest) -> None:
    manifest.write("images/debian", Mark())
    assert manifest.read() == {"images/debian": Mark()}


def test_what_was_read_does_not_change_later(manifest: Manifest) -> None:
    manifest.write("default/a", ONE)
    before = manifest.read()
    manifest.write("default/b", TWO)
    assert before == {"default/a": ONE}


def test_marks_last(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    FileManifest(path, lambda _seconds: None).write("default/a", ONE)
    assert FileManifest(path, lambda _seconds: None).read() == {"default/a": ONE}
    assert json.loads(path.read_text())["default/a"]["owner"]["environment"] == "production"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", '{"a": 1}', '{"a": {"environment": "p"}}', '{"a": null}']
)
def test_a_broken_list_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "marks.json"
    path.write_text(text)
    manifest = FileManifest(path, lambda _seconds: None)
    with pytest.raises(Refused, match="restore the file"):
        manifest.read()
    with pytest.raises(Refused, match="restore the file"):
        manifest.write("default/a", ONE)
    assert path.read_text() == text


def test_a_list_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    manifest = FileManifest(tmp_path / "nowhere" / "marks.json", lambda _seconds: None)
    with pytest.raises(Refused, match="cannot be written"):
        manifest.write("default/a", ONE)


def test_a_list_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        FileManifest(tmp_path, lambda _seconds: None).read()


def test_writers_that_come_together_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        manifest = FileManifest(tmp_path / "marks.json", time.sleep)  # noqa: TID251 - for a lock
        for each in range(10):
            manifest.write(f"default/{number}-{each}", ONE)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(FileManifest(tmp_path / "marks.json", lambda _seconds: None).read()) == 40


def test_a_lock_that_is_never_let_go_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    waited: list[float] = []
    with locked(path, waited.append), pytest.raises(Refused, match="another process keeps"):
        FileManifest(path, waited.append).write("default/a", ONE)
    assert sum(waited) == pytest.approx(10)
    assert not path.exists()


def test_lists_of_the_first_version_are_read() -> None:
    text = b'{"default/a": {"environment": "production", "name": "a", "digest": "d"}}'
    assert decoded(text, "marks") == {"default/a": Mark(Owner("production", "a", "d"))}


def test_what_a_newer_version_wrote_is_refused_and_not_dropped() -> None:
    with pytest.raises(Refused, match=r"marks does not hold .*default/a.colour"):
        decoded(b'{"default/a": {"owner": null, "colour": "red"}}', "marks")


def test_what_somebody_else_wrote_in_between_is_kept(files: Files) -> None:
    manifest, other = RemoteManifest(files), RemoteManifest(files)
    files.before_write = [lambda: other.write("default/theirs", TWO)]
    manifest.write("default/ours", ONE)
    assert manifest.read() == {"default/ours": ONE, "default/theirs": TWO}


def test_a_host_that_is_never_quiet_is_a_conflict(files: Files) -> None:
    manifest, other = RemoteManifest(files), RemoteManifest(files)

    def meddle(number: int) -> Callable[[], None]:
        def write() -> None:
            rest, files.before_write = files.before_write, []
            other.write(f"default/{number}", TWO)
            files.before_write = rest

        return write

    files.before_write = [meddle(number) for number in range(20)]
    with pytest.raises(Conflict):
        manifest.write("default/ours", ONE)
    assert len(manifest.read()) < 20
    assert "default/ours" not in manifest.read()


def test_what_changes_nothing_is_not_written(files: Files) -> None:
    manifest = RemoteManifest(files)
    manifest.write("default/a", ONE)
    manifest.write("default/a", ONE)
    manifest.forget("default/b")
    assert files.writes == 1


def test_a_write_whose_outcome_is_unknown_is_not_repeated(files: Files) -> None:
    def vanish() -> None:
        raise Unreachable("virt1", "write", "no answer in time")

    files.before_write = [vanish]
    with pytest.raises(Unreachable):
        RemoteManifest(files).write("default/a", ONE)
    assert files.writes == 0


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}'])
def test_a_broken_list_on_a_host_is_refused_and_left_as_it_is(files: Files, text: str) -> None:
    files.write_file("/var/lib/reconciler/volumes.json", text.encode())
    manifest = RemoteManifest(files)
    with pytest.raises(Refused, match=r"/var/lib/reconciler/volumes\.json"):
        manifest.read()
    with pytest.raises(Refused):
        manifest.write("default/a", ONE)
    assert files.writes == 1
