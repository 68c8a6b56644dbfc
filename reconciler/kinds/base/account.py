"""Kinds `group` and `user`: who may come in to a host.

An account that nobody wants any more is locked and never deleted: its files may be all that is left
of somebody's work. So an account that is locked and one that is not there are both `absent`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from reconciler.kinds.base.kind import MADE, BaseKind, is_missing, name_of
from reconciler.kinds.base.management import safety_of_user
from reconciler.model.address import Address
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act, LockUser, PutGroup, PutUser, RemoveGroup
from reconciler.ports.facts import ABSENT, Facts, GroupFact, Mark, Question, UserFact
from reconciler.ports.machine import Safety

State = Literal["present", "absent"]


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """A group. `is_made`: it was not there before us, as the mark remembers."""

    host: str
    name: str
    gid: int | None = None
    state: State = "present"
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class UserSpec:
    """An account. `groups` are those besides its own, `keys` all that let people in.

    `is_made`: it was not there before us, as the mark remembers.
    """

    host: str
    name: str
    uid: int | None = None
    description: str | None = None
    groups: tuple[str, ...] | None = None
    shell: str | None = None
    keys: tuple[str, ...] | None = None
    sudo: bool | None = None
    state: State = "present"
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question_of_group(spec: GroupSpec) -> Question:
    return Question("group", spec.name, (ABSENT,) if spec.state == "absent" else ())


def _read_group(host: str, question: Question, facts: Facts, mark: Mark | None) -> GroupSpec | None:
    fact, is_made = facts.answers[question], mark is not None and mark.note == MADE
    if isinstance(fact, GroupFact):
        return GroupSpec(host, question.name, fact.gid, is_made=is_made)
    return GroupSpec(host, question.name, state="absent", is_made=is_made) if fact is None else None


def _make_group(
    wanted: GroupSpec, seen: GroupSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    if wanted.state == "absent":
        return (RemoveGroup(wanted.name),)
    return (PutGroup(wanted.name, wanted.gid),)


def _drop_group(seen: GroupSpec) -> tuple[Act, ...]:
    is_ours = seen.is_made and seen.state == "present"
    return (RemoveGroup(seen.name, if_unused=True),) if is_ours else ()


def _question_of_user(spec: UserSpec) -> Question:
    return Question("user", spec.name, (ABSENT,) if spec.state == "absent" else ())


def _read_user(host: str, question: Question, facts: Facts, mark: Mark | None) -> UserSpec | None:
    fact, is_made = facts.answers[question], mark is not None and mark.note == MADE
    if fact is None:
        return UserSpec(host, question.name, state="absent", is_made=is_made)
    if not isinstance(fact, UserFact):
        return None
    return UserSpec(
        host,
        question.name,
        uid=fact.uid,
        description=fact.description,
        groups=_sorted(fact.groups),
        shell=fact.shell,
        keys=_sorted(fact.keys),
        sudo=fact.may_sudo,
        state="absent" if fact.is_locked else "present",
        is_made=is_made,
        after=tuple(Address("group", name_of(group), host) for group in fact.groups),
    )


def _sorted(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(set(names)))


def _user_differs(desired: UserSpec, observed: UserSpec) -> tuple[FieldChange, ...]:
    """As of any spec, in whatever order groups and keys stand; of one that is locked no more."""
    if desired.state == "absent" == observed.state:
        return ()
    ordered = replace(desired, groups=_sorted(desired.groups), keys=_sorted(desired.keys))
    return diff_fields(ordered, observed)


def _make_user(wanted: UserSpec, seen: UserSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del seen, changed
    if wanted.state == "absent":
        return (LockUser(wanted.name),)
    return (
        PutUser(
            wanted.name,
            wanted.uid,
            wanted.description,
            wanted.groups,
            wanted.shell,
            keys=wanted.keys,
            may_sudo=wanted.sudo,
        ),
    )


def _drop_user(seen: UserSpec) -> tuple[Act, ...]:
    return (LockUser(seen.name),) if seen.is_made and seen.state == "present" else ()


def _note(wanted: GroupSpec | UserSpec, seen: GroupSpec | UserSpec | None) -> str:
    """Whether it was we who made it: now, or at some time before."""
    del wanted
    return MADE if seen is None or seen.is_made else ""


def _user_safety(spec: UserSpec, owner: Owner) -> Safety | None:
    return safety_of_user(Address("user", owner.name, spec.host), spec.name, owner.digest)


GROUP = BaseKind(
    "group",
    GroupSpec,
    _question_of_group,
    _read_group,
    _make_group,
    _drop_group,
    note=_note,
    is_new=is_missing,
)
USER = BaseKind(
    "user",
    UserSpec,
    _question_of_user,
    _read_user,
    _make_user,
    _drop_user,
    note=_note,
    is_new=is_missing,
    safety=_user_safety,
    differs=_user_differs,
)
