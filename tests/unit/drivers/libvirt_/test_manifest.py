"""The list of whose the volumes of a host are."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from reconciler.drivers.libvirt_.manifest import FileManifest, Manifest, MemoryManifest
from reconciler.drivers.refusal import Refused
from reconciler.drivers.sharedfile import locked
from reconciler.model.resource import Owner

ONE = Owner("production", "web-1-root", "0123456789abcdef")
TWO = Owner("staging", "web-1-root", "fedcba9876543210")


@pytest.fixture(params=["memory", "file"])
def manifest(request: pytest.FixtureRequest, tmp_path: Path) -> Manifest:
    if request.param == "memory":
        return MemoryManifest()
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


def test_what_was_read_does_not_change_later(manifest: Manifest) -> None:
    manifest.write("default/a", ONE)
    before = manifest.read()
    manifest.write("default/b", TWO)
    assert before == {"default/a": ONE}


def test_marks_last(tmp_path: Path) -> None:
    path = tmp_path / "marks.json"
    FileManifest(path, lambda _seconds: None).write("default/a", ONE)
    assert FileManifest(path, lambda _seconds: None).read() == {"default/a": ONE}
    assert json.loads(path.read_text())["default/a"]["environment"] == "production"
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
