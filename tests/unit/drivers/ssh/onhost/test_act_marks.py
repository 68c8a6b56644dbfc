"""What is remembered on a host of what is ours there."""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.act import perform
from reconciler.drivers.ssh.onhost.remembered import Remembered
from tests.unit.drivers.ssh.onhost.ground import Ground, forget, put_file, put_mark

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
PATH = "/etc/a.conf"


def marks(ground: Ground) -> list[dict[str, Any]]:
    return Remembered.of(str(ground.directory)).marks


def seal(ground: Ground) -> Any:
    return Remembered.of(str(ground.directory)).seal("file", PATH)


def sum_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_marks_are_there_once_each_and_sorted(ground: Ground) -> None:
    ground.done(put_mark("user", "b"), put_mark("group", "z"), put_mark("user", "a"))
    ground.done(put_mark("user", "b", note="made"))
    named = [(each["kind"], each["question"]["name"], each["note"]) for each in marks(ground)]
    assert named == [("group", "z", ""), ("user", "a", ""), ("user", "b", "made")]


def test_a_mark_that_is_taken_away_is_gone_and_may_be_gone_already(ground: Ground) -> None:
    ground.done(put_mark("user", "a"), put_mark("user", "b"))
    ground.done(forget("user", "a"), forget("user", "a"))
    assert [each["question"]["name"] for each in marks(ground)] == ["b"]


def test_a_mark_that_says_the_same_is_not_written_again(ground: Ground) -> None:
    ground.done(put_mark("user", "a"))
    before = (ground.directory / "base.json").stat().st_ino
    ground.done(put_mark("user", "a"))
    assert (ground.directory / "base.json").stat().st_ino == before


def test_the_mark_of_a_file_seals_its_content(ground: Ground) -> None:
    ground.done(put_file(), put_mark("file", PATH))
    assert seal(ground) == sum_of("new\n")


def test_a_file_that_was_there_is_sealed_as_it_is(ground: Ground) -> None:
    ground.path(PATH).write_text("theirs\n")
    ground.done(put_mark("file", PATH))
    assert seal(ground) == sum_of("theirs\n")


def test_what_is_sealed_is_what_was_written_and_not_what_came_after(ground: Ground) -> None:
    told = perform(ground.batch(), [put_file(), put_mark("file", PATH)])
    assert next(told) == {"act": 0}
    ground.path(PATH).write_text("by hand\n")
    assert next(told) == {"act": 1}
    assert seal(ground) == sum_of("new\n")


def test_a_secret_content_that_was_changed_by_hand_is_not_sealed_by_a_new_mark(
    ground: Ground,
) -> None:
    ground.done(put_file(), put_mark("file", PATH, "secret"))
    ground.path(PATH).write_text("by hand\n")
    ground.done(put_mark("file", PATH, "secret", note="later"))
    assert seal(ground) == sum_of("new\n")


@pytest.mark.parametrize("kind", ["directory", "link", "nothing"])
def test_what_has_no_content_has_no_seal(ground: Ground, kind: str) -> None:
    if kind == "directory":
        ground.path(PATH).mkdir()
    elif kind == "link":
        ground.path(PATH).symlink_to("passwd")
    ground.done(put_mark("file", PATH))
    assert seal(ground) is None


def test_S34_the_marks_are_for_root_alone(ground: Ground) -> None:
    ground.done(put_mark("user", "a"))
    assert stat.S_IMODE(ground.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((ground.directory / "base.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_S34_marks_that_others_can_reach_are_not_believed(ground: Ground, mode: int) -> None:
    ground.done(put_mark("user", "a"))
    (ground.directory / "base.json").chmod(mode)
    assert "open to other accounts" in ground.refused(put_mark("user", "b"))


@pytest.mark.parametrize("mode", [0o701, 0o770])
def test_S34_a_directory_that_others_can_enter_is_not_used(ground: Ground, mode: int) -> None:
    ground.done(put_mark("user", "a"))
    ground.directory.chmod(mode)
    assert "open to other accounts" in ground.refused(put_mark("user", "b"))


def test_S34_a_link_in_place_of_the_marks_is_not_followed(ground: Ground) -> None:
    ground.done(put_mark("user", "a"))
    (ground.directory / "base.json").rename(ground.path("/srv/base.json"))
    (ground.directory / "base.json").symlink_to(ground.path("/srv/base.json"))
    assert "base.json is not a regular file" in ground.refused(put_mark("user", "b"))


def test_S34_a_link_in_place_of_the_directory_is_not_followed(ground: Ground) -> None:
    ground.path("/srv/ours").mkdir(mode=0o700)
    ground.directory.symlink_to(ground.path("/srv/ours"))
    assert "not a directory of ours" in ground.refused(put_mark("user", "b"))
    assert not list(ground.path("/srv/ours").iterdir())


@AS_ROOT
@pytest.mark.parametrize("name", [".", "base.json"])
def test_S34_what_belongs_to_another_account_is_not_believed(ground: Ground, name: str) -> None:
    ground.done(put_mark("user", "a"))
    os.chown(ground.directory / name, 12345, 12345)
    assert "belongs to another account" in ground.refused(put_mark("user", "b"))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"marks": [{"kind": 1}]}', '{"marks": 7}'])
def test_marks_that_make_no_sense_are_not_overwritten(ground: Ground, text: str) -> None:
    ground.done(put_mark("user", "a"))
    (ground.directory / "base.json").write_text(text)
    assert "cannot be read" in ground.refused(put_mark("user", "b"))
    assert (ground.directory / "base.json").read_text() == text


def test_the_marks_are_as_a_look_reads_them(ground: Ground) -> None:
    ground.done(put_mark("command", "puppet", "test", "-e", "/x"))
    content = json.loads((ground.directory / "base.json").read_text())
    assert content["version"] == 1
    assert content["marks"][0]["question"] == {
        "about": "command",
        "name": "puppet",
        "details": ["test", "-e", "/x"],
    }
