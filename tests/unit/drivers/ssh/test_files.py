"""The commands that read and write files of a host, run here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.drivers.ssh.files import (
    ABSENT,
    ANYTHING,
    IS_CUT,
    IS_MISSING,
    IS_OTHER,
    reading,
    sum_of,
    writing,
)


def run(argv: list[str], stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=30)


def write(path: Path, content: bytes, replaces: str = ANYTHING, mode: int = 0o640) -> int:
    return run(writing(str(path), content, mode, replaces), content).returncode


def names(directory: Path) -> list[str]:
    return sorted(each.name for each in directory.iterdir())


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"\0\xff\n")
    assert run(reading(str(tmp_path / "a file"))).stdout == b"\0\xff\n"


def test_a_file_that_is_missing_is_told_from_one_that_is_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert run(reading(str(tmp_path / "empty"))).returncode == 0
    assert run(reading(str(tmp_path / "missing"))).returncode == IS_MISSING


def test_a_file_is_written_with_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new directory" / "file"
    assert write(path, b"\0 content \xff") == 0
    assert path.read_bytes() == b"\0 content \xff"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize("name", ["-n", "$(touch PWN)", "a;b", "new\nline", "'"])
def test_any_name_is_a_name(tmp_path: Path, name: str) -> None:
    assert write(tmp_path / name, b"x") == 0
    assert names(tmp_path) == [name]


def test_what_did_not_arrive_whole_is_not_put_in_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    argv = writing(str(path), b"new content", 0o644, ANYTHING)
    assert run(argv, b"new con").returncode == IS_CUT
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_only_what_was_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"somebody else's")
    assert write(path, b"new", sum_of(b"what we read")) == IS_OTHER
    assert write(path, b"new", ABSENT) == IS_OTHER
    assert path.read_bytes() == b"somebody else's"
    assert write(path, b"new", sum_of(b"somebody else's")) == 0
    assert path.read_bytes() == b"new"


def test_a_file_that_was_deleted_meanwhile_is_not_what_was_read(tmp_path: Path) -> None:
    assert write(tmp_path / "file", b"new", sum_of(b"what we read")) == IS_OTHER
    assert write(tmp_path / "file", b"new", ABSENT) == 0


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "link").symlink_to("target")
    assert write(tmp_path / "link", b"ours") == 0
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert not (tmp_path / "link").is_symlink()


def test_a_directory_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    done = run(writing(str(tmp_path / "file"), b"x", 0o644, ANYTHING), b"x")
    assert done.returncode not in (0, IS_CUT, IS_OTHER)
    assert done.stderr
    assert names(tmp_path) == ["file"]
