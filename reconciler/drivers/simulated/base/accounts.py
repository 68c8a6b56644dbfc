"""Accounts and groups of a simulated host, as functions from base to base."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base.state import Base, User
from reconciler.ports.acts import LockUser, PutGroup, PutUser, RemoveGroup

FIRST_ID = 1000


def put_group(base: Base, act: PutGroup) -> Base:
    """Make a group, or give it its number.

    Raises:
        Refused: another group has the number.
    """
    known = base.groups.get(act.name)
    if known is not None and act.gid in {None, known}:
        return base
    gid = _free(base.groups.values()) if act.gid is None else act.gid
    if taken := [name for name, each in base.groups.items() if each == gid]:
        message = f"GID {gid} is that of group {taken[0]}"
        raise Refused(message)
    return replace(base, groups={**base.groups, act.name: gid})


def remove_group(base: Base, act: RemoveGroup) -> Base:
    """Take a group away.

    Raises:
        Refused: it is the own group of an account.
    """
    if act.name not in base.groups:
        return base
    if act.if_unused and (act.name in base.users or _members(base, act.name)):
        return base
    if act.name in base.users:
        message = f"cannot remove the primary group of user '{act.name}'"
        raise Refused(message)
    groups = {name: gid for name, gid in base.groups.items() if name != act.name}
    users = {
        name: replace(user, groups=tuple(each for each in user.groups if each != act.name))
        for name, user in base.users.items()
    }
    return replace(base, groups=groups, users=users)


def put_user(base: Base, act: PutUser) -> Base:
    """Make an account with a group of its name, or set it right; it is not locked any more.

    Raises:
        Refused: another account has the number, or there is no such group.
    """
    known = base.users.get(act.name)
    if missing := [each for each in act.groups or () if each not in base.groups]:
        message = f"group '{missing[0]}' does not exist"
        raise Refused(message)
    if known is None:
        known = _new(base, act)
    taken = [name for name, each in base.users.items() if each.uid == act.uid and name != act.name]
    if act.uid is not None and taken:
        message = f"UID {act.uid} is not unique: it is that of {taken[0]}"
        raise Refused(message)
    after = _after(known, act)
    if after == base.users.get(act.name):
        return base
    groups = {act.name: _own_group(base, after.uid)} | dict(base.groups)
    return replace(base, users={**base.users, act.name: after}, groups=groups)


def lock_user(base: Base, act: LockUser) -> Base:
    """Let nobody in by it any more."""
    known = base.users.get(act.name)
    if known is None:
        return base
    locked = replace(known, locked=True, keys=(), sudo=False)
    return base if locked == known else replace(base, users={**base.users, act.name: locked})


def _members(base: Base, group: str) -> list[str]:
    return [name for name, user in base.users.items() if group in user.groups]


def _new(base: Base, act: PutUser) -> User:
    uid = _free(each.uid for each in base.users.values()) if act.uid is None else act.uid
    return User(uid, home=f"/home/{act.name}")


def _after(known: User, act: PutUser) -> User:
    return User(
        known.uid if act.uid is None else act.uid,
        known.description if act.description is None else act.description,
        known.groups if act.groups is None else tuple(sorted(act.groups)),
        known.shell if act.shell is None else act.shell,
        known.home if act.home is None else act.home,
        known.keys if act.keys is None else act.keys,
        known.sudo if act.may_sudo is None else act.may_sudo,
    )


def _own_group(base: Base, uid: int) -> int:
    """The number of an account's own group: the account's, if it is free."""
    return uid if uid not in base.groups.values() else _free(base.groups.values())


def _free(taken: Iterable[int]) -> int:
    used = {each for each in taken if each < 60000}  # noqa: PLR2004 (above are the system's)
    return max(FIRST_ID, max(used) + 1 if used else 0)
