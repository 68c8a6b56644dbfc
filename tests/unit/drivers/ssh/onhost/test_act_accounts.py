"""Accounts and groups: what is asked of the tools, and what is written by ourselves."""

from __future__ import annotations

import os
import stat
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from reconciler.drivers.ssh.onhost.look_accounts import keys_of
from tests.unit.drivers.ssh.onhost.ground import Ground

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
KEYS = "/home/alice/.ssh/authorized_keys"
SUDO = "/etc/sudoers.d/reconciler-alice"
SH, BASH = {"shell": "/bin/sh"}, {"shell": "/bin/bash"}
KEY, OTHER = "ssh-ed25519 AAAA alice@desk", "ssh-ed25519 BBBB alice@road"


def put_group(name: str, gid: int | None = None) -> dict[str, Any]:
    return {"act": "put_group", "name": name, "gid": gid}


def remove_group(name: str, *, if_unused: bool = False) -> dict[str, Any]:
    return {"act": "remove_group", "name": name, "if_unused": if_unused}


def put_user(name: str = "alice", **wish: Any) -> dict[str, Any]:
    return {"act": "put_user", "name": name, **wish}


LOCK = {"act": "lock_user", "name": "alice"}


@pytest.mark.parametrize(
    ("act", "calls"),
    [
        (put_group("new"), ["groupadd -- new"]),
        (put_group("new", 1600), ["groupadd --gid 1600 -- new"]),
        (put_group("ops"), []),
        (put_group("ops", 1500), []),
        (put_group("ops", 1600), ["groupmod --gid 1600 -- ops"]),
        (remove_group("none"), []),
        (remove_group("ops"), ["groupdel -- ops"]),
        (remove_group("ops", if_unused=True), []),
        (remove_group("empty", if_unused=True), ["groupdel -- empty"]),
        (remove_group("root", if_unused=True), []),
    ],
)
def test_groups(ground: Ground, act: dict[str, Any], calls: list[str]) -> None:
    ground.done(act)
    assert ground.programs.calls == calls


def test_a_new_account_has_a_home_and_no_password(ground: Ground) -> None:
    ground.done(put_user("bob", uid=1600, description="Bob", groups=["ops", "empty"], **SH))
    called = (
        "useradd --create-home --password * --user-group --uid 1600 --comment Bob "
        "--shell /bin/sh --groups ops,empty -- bob"
    )
    assert ground.programs.calls == [called]


def test_a_new_account_is_in_the_group_of_its_name_that_is_there(ground: Ground) -> None:
    ground.done(put_user("ops"))
    assert ground.programs.calls == ["useradd --create-home --password * --gid ops -- ops"]


def test_of_an_account_that_is_there_only_what_differs_is_set(ground: Ground) -> None:
    ground.done(put_user(description="Alice", home="/srv/alice", **BASH))
    assert ground.programs.calls == [
        "usermod --expiredate  --shell /bin/bash --home /srv/alice -- alice"
    ]


def test_an_account_can_be_in_no_other_group(ground: Ground) -> None:
    ground.done(put_user(groups=[]))
    assert ground.programs.calls == ["usermod --expiredate  --groups  -- alice"]


def test_keys_are_all_that_lets_in(ground: Ground) -> None:
    ground.done(put_user(keys=[KEY]))
    ground.path(KEYS).write_text("by hand\n")
    ground.done(put_user(keys=[KEY, OTHER]))
    assert keys_of("/home/alice", str(ground.root)) == [KEY, OTHER]
    assert stat.S_IMODE(ground.path(KEYS).stat().st_mode) == 0o600
    assert stat.S_IMODE(ground.path(KEYS).parent.stat().st_mode) == 0o700


def test_keys_that_nobody_manages_stay(ground: Ground) -> None:
    ground.done(put_user(keys=[KEY]), put_user(description="Alice B."))
    assert ground.path(KEYS).exists()


def test_no_keys_where_none_were_make_nothing(ground: Ground) -> None:
    ground.done(put_user(keys=[]))
    assert not ground.path("/home/alice/.ssh").exists()


@pytest.mark.parametrize("place", ["/home/alice/.ssh", "/home/alice"])
def test_S30_keys_are_not_written_through_a_link(ground: Ground, place: str) -> None:
    ground.path("/srv/elsewhere/.ssh").mkdir(parents=True)
    if place == "/home/alice":
        ground.path(place).rmdir()
    ground.path(place).symlink_to(ground.path("/srv/elsewhere"))
    assert "is not a directory" in ground.refused(put_user(keys=[KEY]))
    assert not list(ground.path("/srv/elsewhere/.ssh").iterdir())


def test_S30_a_link_in_place_of_the_keys_is_replaced(ground: Ground) -> None:
    ground.path("/home/alice/.ssh").mkdir()
    ground.path(KEYS).symlink_to(ground.path("/etc/passwd"))
    ground.done(put_user(keys=[KEY]))
    assert "root" in ground.path("/etc/passwd").read_text()
    assert keys_of("/home/alice", str(ground.root)) == [KEY]


@AS_ROOT
def test_S30_a_folder_of_another_account_gets_no_keys(ground: Ground) -> None:
    ground.path("/home/alice/.ssh").mkdir()
    os.chown(ground.path("/home/alice/.ssh"), 12345, 12345)
    assert "belongs to somebody else" in ground.refused(put_user(keys=[KEY]))


@AS_ROOT
def test_keys_belong_to_the_account(ground: Ground) -> None:
    passwd = ground.path("/etc/passwd")
    passwd.write_text(passwd.read_text().replace("alice:x:0:0:", "alice:x:1234:1235:"))
    os.chown(ground.path("/home/alice"), 1234, 1235)
    ground.done(put_user(keys=[KEY]))
    for path in (ground.path(KEYS), ground.path(KEYS).parent):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def test_who_may_sudo_has_a_file_that_was_checked(ground: Ground) -> None:
    visudo = ground.path("/usr/sbin/visudo")
    visudo.parent.mkdir(parents=True)
    visudo.touch(mode=0o755)
    ground.done(put_user(may_sudo=True))
    assert ground.path(SUDO).read_text() == "alice ALL=(ALL:ALL) NOPASSWD: ALL\n"
    assert stat.S_IMODE(ground.path(SUDO).stat().st_mode) == 0o440
    check = ground.programs.called("visudo -c")
    assert len(check) == 1
    assert "/etc/sudoers.d/.reconciler-new-" in check[0]


def test_what_visudo_refuses_is_not_put_in_place(ground: Ground) -> None:
    visudo = ground.path("/usr/sbin/visudo")
    visudo.parent.mkdir(parents=True)
    visudo.touch(mode=0o755)
    ground.programs.answers["visudo"] = Ran(1, "", "syntax error")
    assert "cannot let alice sudo: syntax error" in ground.refused(put_user(may_sudo=True))
    assert not list(ground.path("/etc/sudoers.d").iterdir())


def test_who_may_sudo_no_more_has_no_file(ground: Ground) -> None:
    ground.done(put_user(may_sudo=False), put_user(may_sudo=True), put_user(may_sudo=False))
    assert not ground.path(SUDO).exists()


def test_a_name_that_sudo_would_not_read_is_refused(ground: Ground) -> None:
    assert "an account that may sudo has no dot in its name" in ground.refused(
        put_user("al.ice", may_sudo=True)
    )


def test_a_locked_account_has_expired_and_no_keys_and_no_sudo(ground: Ground) -> None:
    ground.done(put_user(keys=[KEY], may_sudo=True))
    (ground.path("/home/alice") / "work").write_text("")
    ground.programs.calls.clear()
    ground.done(LOCK)
    assert ground.programs.calls == ["usermod --expiredate 1 -- alice"]
    assert ground.path(KEYS).read_text() == ""
    assert not ground.path(SUDO).exists()
    assert (ground.path("/home/alice") / "work").exists()


def test_an_account_that_is_not_there_is_locked(ground: Ground) -> None:
    ground.done({**LOCK, "name": "nobody-here"})
    assert ground.programs.calls == []


def test_an_account_without_a_home_can_be_locked(ground: Ground) -> None:
    ground.path("/home/alice").rmdir()
    ground.done(LOCK)
    assert ground.programs.calls == ["usermod --expiredate 1 -- alice"]
