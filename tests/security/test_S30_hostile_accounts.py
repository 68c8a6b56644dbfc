"""S30: an account of a host, which is not root, gets in the way of nothing that concerns others."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.ssh.onhost.look_files import LARGEST_READ_BYTES, read_sum
from tests.unit.drivers.ssh.onhost.ground import Ground, ground_in, put_file

LOCK = {"act": "lock_user", "name": "alice"}
EXPIRED = "usermod --expiredate 1 -- alice"


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return ground_in(tmp_path)


@pytest.mark.parametrize("obstacle", ["link", "file", "home", "directory"])
def test_nobody_keeps_from_being_locked_by_what_lies_in_his_home(
    ground: Ground, obstacle: str
) -> None:
    home = ground.path("/home/alice")
    if obstacle == "link":
        (home / ".ssh").symlink_to(ground.path("/srv"))
    elif obstacle == "file":
        (home / ".ssh").write_text("")
    elif obstacle == "home":
        home.rmdir()
        home.symlink_to(ground.path("/srv"))
    else:
        (home / ".ssh/authorized_keys").mkdir(parents=True)
    ground.do(LOCK)
    assert EXPIRED in ground.programs.calls


def test_a_directory_of_the_name_of_our_temporary_files_is_in_nobodys_way(ground: Ground) -> None:
    ground.path("/srv/.reconciler-new-mine").mkdir()
    ground.done(put_file("/srv/a.conf"))
    assert ground.path("/srv/a.conf").read_text() == "new\n"


def test_a_file_of_any_size_does_not_take_the_time_of_the_look(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2**40)
    with path.open("rb") as file:
        told, text = read_sum(file.fileno())
        file.seek(0)
        again, _ = read_sum(file.fileno())
    assert text is None
    assert told == again, "nobody has written to it"
    assert path.stat().st_size > LARGEST_READ_BYTES


def test_a_file_with_a_second_name_is_not_given_away(ground: Ground) -> None:
    ground.path("/etc/secret").write_text("new\n")
    ground.path("/etc/secret").chmod(0o600)
    ground.path("/home/alice/a.conf").hardlink_to(ground.path("/etc/secret"))
    ground.done(put_file("/home/alice/a.conf", mode="0644"))
    assert ground.path("/etc/secret").stat().st_mode & 0o777 == 0o600
    assert ground.path("/home/alice/a.conf").stat().st_mode & 0o777 == 0o644
