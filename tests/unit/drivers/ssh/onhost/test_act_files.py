"""Files, directories and links: put in place, left alone, refused, taken away."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground, put_file, remove

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
DIRECTORY = {
    "act": "put_directory",
    "path": "/srv/d",
    "mode": "0750",
    "owner": "root",
    "group": "root",
}
LINK = {"act": "put_link", "path": "/etc/a.conf", "target": "b.conf"}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_with_its_permissions(ground: Ground) -> None:
    ground.done(put_file(mode="0600"))
    path = ground.path("/etc/a.conf")
    assert (path.read_text(), mode_of(path)) == ("new\n", 0o600)


def test_a_file_that_is_right_is_not_touched(ground: Ground) -> None:
    ground.done(put_file())
    before = ground.path("/etc/a.conf").stat()
    ground.done(put_file())
    after = ground.path("/etc/a.conf").stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


def test_permissions_alone_are_set_without_a_new_content(ground: Ground) -> None:
    ground.done(put_file())
    before = ground.path("/etc/a.conf").stat()
    ground.done(put_file(mode="0600"))
    after = ground.path("/etc/a.conf").stat()
    assert (after.st_ino, stat.S_IMODE(after.st_mode)) == (before.st_ino, 0o600)


def test_a_file_of_one_length_and_another_content_is_written(ground: Ground) -> None:
    ground.path("/etc/a.conf").write_text("old\n")
    ground.done(put_file())
    assert ground.path("/etc/a.conf").read_text() == "new\n"


def test_a_content_is_checked_before_it_is_put_in_place(ground: Ground) -> None:
    seen: list[str] = []

    def check(argv: object) -> Ran:
        assert isinstance(argv, list)
        seen.append(Path(argv[2]).read_text())
        return Ran(1, "", f"{argv[2]}:1: no such word")

    ground.path("/etc/a.conf").write_text("old\n")
    ground.programs.answers["checker"] = check
    error = ground.refused(put_file(check=["checker", "-f", "{}"]))
    assert seen == ["new\n"]
    assert error == (
        "checker refuses the new content of /etc/a.conf, which stays as it is: "
        f"{ground.path('/etc/a.conf')}:1: no such word"
    ).replace(str(ground.root), "")
    assert ground.path("/etc/a.conf").read_text() == "old\n"


def test_what_a_checker_says_of_a_secret_is_not_told(ground: Ground) -> None:
    ground.programs.answers["checker"] = Ran(1, "", "near 'hunter2'")
    error = ground.refused(put_file(check=["checker", "{}"], is_secret=True))
    assert "hunter2" not in error
    assert "refuses" in error


def test_nothing_is_left_of_a_content_that_was_refused(ground: Ground) -> None:
    before = sorted(ground.path("/etc").iterdir())
    ground.programs.answers["checker"] = Ran(1)
    ground.refused(put_file(check=["checker", "{}"]))
    assert sorted(ground.path("/etc").iterdir()) == before


def test_the_name_that_a_checker_sees_ends_as_the_file_does(ground: Ground) -> None:
    ground.done(put_file("/etc/my.service", check=["verify", "{}"]))
    assert ground.programs.calls[0].endswith("-my.service")


@pytest.mark.parametrize("act", [put_file("/srv/d"), {**LINK, "path": "/srv/d"}])
def test_a_directory_in_the_way_is_refused(ground: Ground, act: dict[str, object]) -> None:
    ground.path("/srv/d").mkdir()
    assert "a directory is in the way at /srv/d" in ground.refused(act)


@pytest.mark.parametrize("act", [put_file("/srv/pipe"), remove("/srv/pipe")])
def test_a_special_file_in_the_way_is_refused(ground: Ground, act: dict[str, object]) -> None:
    os.mkfifo(ground.path("/srv/pipe"))
    assert "a special file is in the way" in ground.refused(act)


def test_a_file_in_the_way_of_a_directory_is_refused(ground: Ground) -> None:
    ground.path("/srv/d").write_text("")
    assert "a file is in the way at /srv/d" in ground.refused(DIRECTORY)


def test_a_link_is_replaced_and_never_written_through(ground: Ground) -> None:
    ground.path("/etc/other").write_text("other\n")
    ground.path("/etc/a.conf").symlink_to("other")
    ground.done(put_file())
    assert ground.path("/etc/other").read_text() == "other\n"
    assert not ground.path("/etc/a.conf").is_symlink()


def test_a_link_of_roots_on_the_way_is_followed(ground: Ground) -> None:
    ground.path("/run").mkdir()
    ground.path("/var/run").symlink_to("/run")
    ground.done(put_file("/var/run/a"))
    assert ground.path("/run/a").exists()


@AS_ROOT
def test_S30_a_link_on_the_way_that_another_account_made_is_refused(ground: Ground) -> None:
    link = ground.path("/home/alice/conf")
    link.symlink_to("/etc")
    os.lchown(link, 12345, 12345)
    error = ground.refused(put_file("/home/alice/conf/passwd"))
    assert "link" in error
    assert "root" in ground.path("/etc/passwd").read_text()


def test_a_missing_directory_is_named(ground: Ground) -> None:
    assert "the directory /etc/no of /etc/no/a is not there" in ground.refused(
        put_file("/etc/no/a")
    )


def test_an_unknown_account_is_named(ground: Ground) -> None:
    assert "no account bob" in ground.refused(put_file(owner="bob"))
    assert "no group staff" in ground.refused(put_file(group="staff"))


def test_what_a_killed_writer_left_is_swept(ground: Ground) -> None:
    left = ground.path("/etc/.reconciler-new-0badcafe-a.conf")
    left.write_text("half")
    ground.done(put_file())
    assert not left.exists()


def test_a_name_of_the_greatest_length_can_be_written(ground: Ground) -> None:
    ground.done(put_file("/etc/" + "x" * 255))


def test_a_directory_is_made_and_set_right(ground: Ground) -> None:
    ground.done(DIRECTORY)
    assert mode_of(ground.path("/srv/d")) == 0o750
    ground.done({**DIRECTORY, "mode": "0700"})
    assert mode_of(ground.path("/srv/d")) == 0o700


def test_a_link_takes_the_place_of_a_file(ground: Ground) -> None:
    ground.path("/etc/a.conf").write_text("old\n")
    ground.done(LINK, LINK)
    assert ground.path("/etc/a.conf").readlink() == Path("b.conf")


def test_what_is_removed_is_gone_and_may_be_gone_already(ground: Ground) -> None:
    ground.done(put_file(), DIRECTORY, remove(), remove(), remove("/srv/d"), remove("/no/such"))
    assert not ground.path("/etc/a.conf").exists()
    assert not ground.path("/srv/d").exists()


def test_a_directory_with_something_in_it_is_not_removed(ground: Ground) -> None:
    ground.done(DIRECTORY, put_file("/srv/d/data"))
    assert "not empty" in ground.refused(remove("/srv/d"))


@AS_ROOT
def test_a_file_is_given_to_its_owner(ground: Ground) -> None:
    ground.done(put_file(owner="1234", group="1235"))
    seen = ground.path("/etc/a.conf").stat()
    assert (seen.st_uid, seen.st_gid) == (1234, 1235)


@AS_ROOT
def test_a_file_that_runs_as_its_owner_does_so_for_a_new_owner_too(ground: Ground) -> None:
    ground.done(put_file(owner="1234", mode="4755"))
    assert mode_of(ground.path("/etc/a.conf")) == 0o4755
    ground.done(put_file(owner="1235", mode="4755"))
    assert mode_of(ground.path("/etc/a.conf")) == 0o4755


def test_F16_a_content_is_on_the_disk_before_it_has_the_name(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, rename = os.fsync, os.rename

    def remember_fsync(fd: int) -> None:
        seen.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        fsync(fd)

    def remember_rename(old: str, new: str, **where: int) -> None:
        seen.append(new)
        rename(old, new, **where)

    ground.done(put_file(content="old\n"))
    monkeypatch.setattr(os, "fsync", remember_fsync)
    monkeypatch.setattr(os, "rename", remember_rename)
    ground.done(put_file())
    assert seen == ["file", "a.conf", "directory"]
