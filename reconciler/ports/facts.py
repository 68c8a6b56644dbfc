"""What a machine answers when it is looked at: one frozen fact for each kind of question.

A fact tells what is there, never what should be. Where nothing of the name is there, the answer is
None; a field that is None could not be told, or does not apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.network_facts import NetworkFact

About = Literal[
    "file",
    "package",
    "service",
    "user",
    "group",
    "sysctl",
    "module",
    "mount",
    "setting",
    "command",
    "volume_group",
    "zpool",
    "pool",
    "bridge",
    "vlan",
    "bond",
    "switch",
    "tunnel",
    "ruleset",
    "subnet",
    "reservations",
    "libvirt_network",
    "libvirt_reservations",
]


ABSENT = "absent"
SECRET = "secret"  # noqa: S105 (a word, not a secret)


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """One thing of a machine that somebody wants to know of: what it is about, and its name.

    `details` depend on what it is about. A file: `secret` if its content must not leave the
    machine. A service: the paths of the files that it reads. A command: the arguments of its check.
    A pool: what the thing behind it is about, and its name. A volume group or zpool: its devices as
    people name them, for the answer to name them so. A bridge, VLAN, bond or switch: the paths of
    the files that set it up, its ports, and where its routes lead. A subnet: that of the network,
    and the environment. Reservations: the network, its subnet and the environment. `absent` says
    that the thing is not to be there, and changes nothing in the answer.
    """

    about: About
    name: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFact:
    """A path. `mode` is in octal digits (`0644`); `target` is where a link points.

    `content` is the text of a file of at most 64 KiB, else None. `sum` is the sha256 of the
    content; of a file whose content is secret it is made with a key that never leaves the machine.
    `is_sealed` tells whether the content is what it was when the mark was written.
    """

    type: Literal["file", "directory", "link", "other"]
    mode: str
    owner: str
    group: str
    size_bytes: int
    content: str | None = None
    sum: str | None = None
    target: str | None = None
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class PackageFact:
    """An installed Debian package."""

    version: str
    is_held: bool


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A file that a service reads. `is_current`: it has not changed since the service read it.

    `sum` is None where there is no such file; `is_sealed` as of a file.
    """

    path: str
    sum: str | None
    is_current: bool
    is_sealed: bool = False


@dataclass(frozen=True, slots=True)
class ServiceFact:
    """A systemd unit that is known."""

    is_enabled: bool
    is_running: bool
    is_masked: bool
    reads: tuple[ReadFact, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupFact:
    """A group of the machine."""

    gid: int


@dataclass(frozen=True, slots=True)
class UserFact:
    """An account. `groups` are those besides its own, sorted; `keys` the lines that let people in.

    `is_locked`: nobody gets in, neither by key nor by password.
    """

    uid: int
    description: str
    groups: tuple[str, ...]
    shell: str
    home: str
    keys: tuple[str, ...]
    may_sudo: bool
    is_locked: bool


@dataclass(frozen=True, slots=True)
class SysctlFact:
    """A kernel setting: what it is now, and what it becomes at the next boot because of us."""

    value: str
    persisted: str | None


@dataclass(frozen=True, slots=True)
class ModuleFact:
    """A kernel module: whether it is there now, and what we wrote down for the next boot."""

    is_loaded: bool
    is_persisted: bool
    options: str | None = None


@dataclass(frozen=True, slots=True)
class MountFact:
    """A mount point: what is mounted there, and what /etc/fstab says."""

    is_mounted: bool
    source: str | None = None
    type: str | None = None
    options: str | None = None
    persisted: str | None = None


@dataclass(frozen=True, slots=True)
class SettingFact:
    """The host name, the time zone or the locale of a machine."""

    value: str


@dataclass(frozen=True, slots=True)
class CommandFact:
    """What the check of a command says. `is_done`: there is nothing for the command to do."""

    is_done: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class VolumeGroupFact:
    """An LVM volume group and the devices it is made of, sorted."""

    devices: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ZpoolFact:
    """A ZFS pool: its devices in the order of its groups (`mirror`, `/dev/sda`, `/dev/sdb`)."""

    layout: tuple[str, ...]
    health: str
    size_bytes: int


Fact = (
    FileFact
    | PackageFact
    | ServiceFact
    | GroupFact
    | UserFact
    | SysctlFact
    | ModuleFact
    | MountFact
    | SettingFact
    | CommandFact
    | VolumeGroupFact
    | ZpoolFact
    | NetworkFact
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is remembered on a machine of one thing that is ours there.

    `kind` and the name in `owner` are those of the resource's address. `question` is asked at each
    look, so that what nobody wants any more is still seen. `note` is the kind's own.
    """

    kind: str
    owner: Owner
    question: Question
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """What one look at a machine found.

    `answers` are for what was asked and for what the marks ask. `undone` are the resources whose
    last change cut the machine off and was taken back there, with the digest of the spec that is
    not to be tried again. `failed` are the questions that it could not answer, with the reason.
    """

    answers: Mapping[Question, Fact | None] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    undone: Mapping[Address, str] = field(default_factory=dict)
    failed: Mapping[Question, str] = field(default_factory=dict)
