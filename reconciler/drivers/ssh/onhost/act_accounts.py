"""Accounts and groups: who may come in, by which keys, and who may do everything."""

from __future__ import annotations

import os
import stat

from reconciler.drivers.ssh.onhost.accounts_files import rows
from reconciler.drivers.ssh.onhost.directory import Access, Directory, directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_NEVER = "1"  # an account that expired on the second day of 1970
_NO_PASSWORD = "*"  # noqa: S105 (what stands where none fits; unlike `!` it does not keep keys out)
_SUDOERS = "/etc/sudoers.d"


def put_group(batch: Batch, name: str, gid: int | None = None) -> None:
    """Make a group, or give it its number.

    Raises:
        Refused: the number is another's.
    """
    there = _group(batch, name)
    number = [] if gid is None else ["--gid", str(gid)]
    if there is None:
        batch.must("groupadd", *number, "--", name, what=f"make group {name}")
    elif gid is not None and str(gid) != there[2]:
        batch.must("groupmod", *number, "--", name, what=f"number group {name}")


def remove_group(batch: Batch, name: str, *, if_unused: bool = False) -> None:
    """Take a group away; `if_unused`: not if somebody is in it.

    Raises:
        Refused: it is the own group of an account.
    """
    there = _group(batch, name)
    if there is None or (if_unused and (there[3] or _is_own(batch, there[2]))):
        return
    batch.must("groupdel", "--", name, what=f"remove group {name}")


def put_user(  # noqa: PLR0913 (the fields of the act)
    batch: Batch,
    *,
    name: str,
    uid: int | None = None,
    description: str | None = None,
    groups: Sequence[str] | None = None,
    shell: str | None = None,
    home: str | None = None,
    keys: Sequence[str] | None = None,
    may_sudo: bool | None = None,
) -> None:
    """Make an account, or set it right; what is None is left as it is.

    Raises:
        Refused: a group is missing, or what is wished is another's.
    """
    wishes = {"uid": uid, "comment": description, "shell": shell, "home": home}
    _make_account(batch, name, wishes, groups)
    if keys is not None:
        _put_keys(batch, name, keys)
    if may_sudo is not None:
        _let_sudo(batch, name, may_sudo=may_sudo)


def _make_account(
    batch: Batch, name: str, wishes: Mapping[str, Any], groups: Sequence[str] | None
) -> None:
    """Let there be an account, and only what differs be set."""
    there = _account(batch, name)
    now = there.fields if there else {}
    different = {key: wish for key, wish in wishes.items() if wish not in {None, now.get(key)}}
    if groups is not None:
        different["groups"] = ",".join(groups)
    words = [word for key, wish in different.items() for word in (f"--{key}", str(wish))]
    if there is None:
        words = ["--home-dir" if word == "--home" else word for word in words]
        own = ["--gid", name] if _group(batch, name) else ["--user-group"]
        make = ("useradd", "--create-home", "--password", _NO_PASSWORD, *own, *words, "--", name)
        batch.must(*make, what=f"make account {name}")
    else:
        # With no day of expiry: it may have been locked.
        change = ("usermod", "--expiredate", "", *words, "--", name)
        batch.must(*change, what=f"set up account {name}")


def lock_user(batch: Batch, name: str) -> None:
    """Let nobody in by an account any more; its files stay."""
    if _account(batch, name) is None:
        return
    # First of all, because nothing in his home can stand in the way of it. Not the password too:
    # who is let in again gets what he had.
    batch.must("usermod", "--expiredate", _NEVER, "--", name, what=f"lock account {name}")
    _let_sudo(batch, name, may_sudo=False)
    _put_keys(batch, name, ())


def _put_keys(batch: Batch, name: str, keys: Sequence[str]) -> None:
    """Make these all the keys. The owner of the home may have put anything in their place."""
    account = _account(batch, name)
    if account is None:
        raise Refused(f"{name} is no account of this host alone: its keys are not in its home")
    if not keys and not _has_home(batch, account.home):
        return
    above, home_name = directory_of(batch, account.home)
    with above, above.enter(home_name) as home:
        if home.stat(".ssh") is None:
            if not keys:
                return
            home.make(".ssh", Access(0o700, account.uid, account.gid))
        with home.enter(".ssh") as folder:
            _refuse_of_others(folder, account.uid)
            _put_lines(folder, keys, Access(0o600, account.uid, account.gid))


def _has_home(batch: Batch, home: str) -> bool:
    return os.path.isdir(batch.path(home))  # noqa: PTH112 (pathlib is slow to import)


def _put_lines(folder: Directory, keys: Sequence[str], access: Access) -> None:
    name = "authorized_keys"
    seen = folder.stat(name)
    if seen is None and not keys:
        return
    if seen is not None and stat.S_ISDIR(seen.st_mode):
        raise Refused(f"a directory is in the way at {folder.path}/{name}: move it away")
    folder.put(name, "".join(f"{key}\n" for key in keys).encode(), access)


def _refuse_of_others(folder: Directory, uid: int) -> None:
    if os.fstat(folder.fd).st_uid not in {uid, os.geteuid()}:
        raise Refused(f"{folder.path} belongs to somebody else: look into it")


def _let_sudo(batch: Batch, name: str, *, may_sudo: bool) -> None:
    path = f"{_SUDOERS}/reconciler-{name}"
    if not may_sudo:
        if os.path.isdir(batch.path(_SUDOERS)):  # noqa: PTH112 (pathlib is slow to import)
            directory, file = directory_of(batch, path)
            with directory:
                directory.remove(file)
        return
    if "." in name:
        raise Refused(
            f"sudo reads no file for {name}: an account that may sudo has no dot in its name"
        )
    os.makedirs(batch.path(_SUDOERS), mode=0o750, exist_ok=True)  # noqa: PTH103
    directory, file = directory_of(batch, path)
    line = f"{name} ALL=(ALL:ALL) NOPASSWD: ALL\n".encode()
    with directory, directory.begin(file, line, owned_by_us(0o440)) as begun:
        if batch.has("visudo"):
            new = batch.path(f"{_SUDOERS}/{begun.temporary}")
            batch.must("visudo", "-c", "-q", "-f", new, what=f"let {name} sudo", seconds=30)
        begun.finish()


class _Account:
    """A line of /etc/passwd."""

    __slots__ = ("fields", "gid", "home", "uid")

    def __init__(self, row: list[str]) -> None:
        self.uid, self.gid = int(row[2]), int(row[3])
        self.home = row[5]
        self.fields = {"uid": self.uid, "comment": row[4], "home": row[5], "shell": row[6]}


def _account(batch: Batch, name: str) -> _Account | None:
    found = [row for row in rows(batch.path("/etc/passwd"), 7) if row[0] == name]
    return _Account(found[0]) if found else None


def _group(batch: Batch, name: str) -> list[str] | None:
    """A line of /etc/group: name, password, number, members."""
    found = [row for row in rows(batch.path("/etc/group"), 4) if row[0] == name]
    return found[0] if found else None


def _is_own(batch: Batch, gid: str) -> bool:
    """Whether a group is the own group of somebody."""
    return any(row[3] == gid for row in rows(batch.path("/etc/passwd"), 7))
