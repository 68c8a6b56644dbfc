"""What was there before us comes back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.originals import LARGEST_BYTES
from tests.unit.drivers.ssh.onhost.ground import Ground, forget, put_file, put_mark, remove

PATH = "/etc/a.conf"
BACK = (remove(restores=True), forget("file", PATH))
MARK = put_mark("file", PATH)
DIRECTORY = {"act": "put_directory", "path": PATH, "mode": "0700", "owner": "root", "group": "root"}


def test_a_file_comes_back_with_its_permissions(ground: Ground) -> None:
    path = ground.path(PATH)
    path.write_bytes(b"old\xff\n")
    path.chmod(0o640)
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"old\xff\n", 0o640)


def test_a_link_comes_back(ground: Ground) -> None:
    ground.path(PATH).symlink_to("elsewhere")
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    assert ground.path(PATH).readlink() == Path("elsewhere")


def test_where_nothing_was_nothing_is_left(ground: Ground) -> None:
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    assert not ground.path(PATH).exists()


def test_what_was_removed_comes_back(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(remove(), MARK)
    assert not ground.path(PATH).exists()
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "old\n"


def test_it_is_what_was_there_before_the_first_of_many_changes(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    for content in ("one\n", "two\n", "three\n"):
        ground.done(put_file(content=content), MARK)
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "old\n"


def test_what_was_ours_without_a_change_is_kept_when_it_is_marked(ground: Ground) -> None:
    ground.path(PATH).write_text("same\n")
    ground.done(MARK)
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "same\n"


def test_a_writer_that_was_killed_before_the_mark_does_not_leave_ours_as_theirs(
    ground: Ground,
) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(put_file(content="one\n"))
    ground.done(put_file(content="two\n"), MARK)
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "old\n"


def test_what_is_ours_is_never_taken_for_theirs(ground: Ground) -> None:
    ground.done(put_file(content="one\n"), MARK)
    for record in (ground.directory / "originals").iterdir():
        record.unlink()
    ground.done(put_file(content="two\n"), MARK)
    ground.done(*BACK)
    assert not ground.path(PATH).exists()


def test_putting_back_twice_is_putting_back_once(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(put_file(), MARK)
    ground.done(remove(restores=True))
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "old\n"


def test_what_was_let_go_begins_anew(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    ground.path(PATH).write_text("by hand\n")
    ground.done(put_file(), MARK)
    ground.done(*BACK)
    assert ground.path(PATH).read_text() == "by hand\n"


def test_what_is_too_large_to_come_back_is_not_replaced(ground: Ground) -> None:
    ground.path(PATH).write_bytes(bytes(LARGEST_BYTES + 1))
    assert "larger than 4 MiB" in ground.refused(put_file())
    assert ground.path(PATH).stat().st_size == LARGEST_BYTES + 1


def test_a_directory_of_theirs_gets_its_permissions_back(ground: Ground) -> None:
    ground.path(PATH).mkdir(mode=0o755)
    ground.done(DIRECTORY, MARK)
    ground.done(*BACK)
    assert stat.S_IMODE(ground.path(PATH).stat().st_mode) == 0o755


@pytest.mark.parametrize("is_full", [True, False])
def test_a_directory_of_ours_goes_unless_something_is_in_it(ground: Ground, is_full: bool) -> None:
    ground.done(DIRECTORY, MARK)
    if is_full:
        (ground.path(PATH) / "data").write_text("")
    ground.done(*BACK)
    assert ground.path(PATH).exists() == is_full


def test_a_directory_that_somebody_made_in_its_place_is_not_lost(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(put_file(), MARK)
    ground.path(PATH).unlink()
    ground.path(PATH).mkdir()
    assert "a directory is in the way" in ground.refused(remove(restores=True))


def test_what_is_kept_is_for_root_alone(ground: Ground) -> None:
    ground.path(PATH).write_text("old\n")
    ground.done(put_file())
    folder = ground.directory / "originals"
    for path in (ground.directory, folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
