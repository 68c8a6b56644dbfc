"""What a machine can be asked to do: frozen data, each shown by `str` as people say it.

Each act leaves things as they should be whatever they were, so that doing it twice does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.model.secret import SealedSecret
from reconciler.ports.facts import Mark, Question
from reconciler.ports.network_acts import NetworkAct


@dataclass(frozen=True, slots=True)
class PutFile:
    """Make this the content of a file, wholly or not at all.

    The references to `secrets` in the content are replaced by what they stand for. `check` is
    a command that is asked first; `{}` in it is the path of the new content. What was there before
    anything of ours was is kept on the machine.
    """

    path: str
    content: str
    mode: str
    owner: str
    group: str
    secrets: tuple[SealedSecret, ...] = ()
    check: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"write {self.path}"


@dataclass(frozen=True, slots=True)
class PutDirectory:
    """Make a directory, or set its permissions right."""

    path: str
    mode: str
    owner: str
    group: str

    def __str__(self) -> str:
        """In words."""
        return f"make directory {self.path}"


@dataclass(frozen=True, slots=True)
class PutLink:
    """Make a symbolic link."""

    path: str
    target: str

    def __str__(self) -> str:
        """In words."""
        return f"link {self.path} to {self.target}"


@dataclass(frozen=True, slots=True)
class RemovePath:
    """Take a file, a link or an empty directory away.

    `restores`: put back what was there before anything of ours was; a directory that is not empty
    stays.
    """

    path: str
    restores: bool = False

    def __str__(self) -> str:
        """In words."""
        back = ", or put back what was there before us" if self.restores else ""
        return f"remove {self.path}{back}"


@dataclass(frozen=True, slots=True)
class InstallPackage:
    """Install a package, or bring it to a version. Lists that are old are fetched first."""

    name: str
    version: str | None = None

    def __str__(self) -> str:
        """In words."""
        return f"install {self.name}" + (f" {self.version}" if self.version else "")


@dataclass(frozen=True, slots=True)
class RemovePackage:
    """Take a package away; its configuration stays."""

    name: str

    def __str__(self) -> str:
        """In words."""
        return f"remove package {self.name}"


@dataclass(frozen=True, slots=True)
class HoldPackage:
    """Keep a package at its version, or let it go on."""

    name: str
    held: bool

    def __str__(self) -> str:
        """In words."""
        return f"hold package {self.name}" if self.held else f"release package {self.name}"


@dataclass(frozen=True, slots=True)
class SetService:
    """Enable, start, mask, or the contrary; what is None is left as it is."""

    unit: str
    enabled: bool | None = None
    running: bool | None = None
    masked: bool | None = None

    def __str__(self) -> str:
        """In words."""
        pairs = (("mask", "unmask", self.masked), ("enable", "disable", self.enabled))
        words = [(yes if wish else no) for yes, no, wish in pairs if wish is not None]
        if self.running is not None:
            words.append("start" if self.running else "stop")
        return f"{', '.join(words)} {self.unit}"


@dataclass(frozen=True, slots=True)
class RestartService:
    """Let a service read its files again. One that does not run will read them when it starts."""

    unit: str
    how: Literal["restart", "reload"] = "restart"

    def __str__(self) -> str:
        """In words."""
        return f"{self.how} {self.unit}"


@dataclass(frozen=True, slots=True)
class PutGroup:
    """Make a group."""

    name: str
    gid: int | None = None

    def __str__(self) -> str:
        """In words."""
        return f"make group {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveGroup:
    """Take a group away. `if_unused`: leave it if somebody is in it."""

    name: str
    if_unused: bool = False

    def __str__(self) -> str:
        """In words."""
        return f"remove group {self.name}" + (" if nobody is in it" if self.if_unused else "")


@dataclass(frozen=True, slots=True)
class PutUser:
    """Make an account, or set it right; what is None is left as it is."""

    name: str
    uid: int | None = None
    description: str | None = None
    groups: tuple[str, ...] | None = None
    shell: str | None = None
    home: str | None = None
    keys: tuple[str, ...] | None = None
    may_sudo: bool | None = None

    def __str__(self) -> str:
        """In words."""
        return f"set up account {self.name}"


@dataclass(frozen=True, slots=True)
class LockUser:
    """Let nobody in by this account any more; its files stay."""

    name: str

    def __str__(self) -> str:
        """In words."""
        return f"lock account {self.name}"


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """Set a kernel setting, now and for the next boot."""

    name: str
    value: str

    def __str__(self) -> str:
        """In words."""
        return f"set {self.name} = {self.value}"


@dataclass(frozen=True, slots=True)
class ForgetSysctl:
    """Leave a kernel setting to the machine from the next boot on."""

    name: str

    def __str__(self) -> str:
        """In words."""
        return f"leave {self.name} to the next boot"


@dataclass(frozen=True, slots=True)
class LoadModule:
    """Load a kernel module, now and at the next boot."""

    name: str
    options: str = ""

    def __str__(self) -> str:
        """In words."""
        return f"load module {self.name}"


@dataclass(frozen=True, slots=True)
class ForgetModule:
    """Do not load a kernel module at the next boot any more."""

    name: str

    def __str__(self) -> str:
        """In words."""
        return f"leave module {self.name} to the next boot"


@dataclass(frozen=True, slots=True)
class Mount:
    """Mount something, now and at the next boot; what else is mounted there is unmounted."""

    path: str
    source: str
    type: str
    options: str

    def __str__(self) -> str:
        """In words."""
        return f"mount {self.source} at {self.path}"


@dataclass(frozen=True, slots=True)
class Unmount:
    """Unmount what we mounted, and do not mount it at the next boot."""

    path: str

    def __str__(self) -> str:
        """In words."""
        return f"unmount {self.path}"


@dataclass(frozen=True, slots=True)
class PutSetting:
    """Set the host name, the time zone or the locale."""

    name: Literal["hostname", "timezone", "locale"]
    value: str

    def __str__(self) -> str:
        """In words."""
        return f"set the {self.name} to {self.value}"


@dataclass(frozen=True, slots=True)
class RunCommand:
    """Run a command; it must succeed."""

    name: str
    argv: tuple[str, ...]
    seconds: int

    def __str__(self) -> str:
        """In words."""
        return f"run {self.name}"


@dataclass(frozen=True, slots=True)
class MakeVolumeGroup:
    """Make an LVM volume group of empty devices, or add devices to it."""

    name: str
    devices: tuple[str, ...]

    def __str__(self) -> str:
        """In words."""
        return f"make volume group {self.name} of {', '.join(self.devices)}"


@dataclass(frozen=True, slots=True)
class MakeZpool:
    """Make a ZFS pool of empty devices; `layout` is in the order of `zpool create`."""

    name: str
    layout: tuple[str, ...]
    properties: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"make zpool {self.name} of {' '.join(self.layout)}"


@dataclass(frozen=True, slots=True)
class PutMark:
    """Remember on the machine whose a thing is. The mark of a file seals its content."""

    mark: Mark

    def __str__(self) -> str:
        """In words."""
        return f"mark {self.mark.kind} {self.mark.question.name}"


@dataclass(frozen=True, slots=True)
class Forget:
    """Take the mark of a thing away. The thing stays as it is."""

    kind: str
    question: Question

    def __str__(self) -> str:
        """In words."""
        return f"leave {self.kind} {self.question.name} to itself"


Act = (
    PutFile
    | PutDirectory
    | PutLink
    | RemovePath
    | InstallPackage
    | RemovePackage
    | HoldPackage
    | SetService
    | RestartService
    | PutGroup
    | RemoveGroup
    | PutUser
    | LockUser
    | SetSysctl
    | ForgetSysctl
    | LoadModule
    | ForgetModule
    | Mount
    | Unmount
    | PutSetting
    | RunCommand
    | MakeVolumeGroup
    | MakeZpool
    | PutMark
    | Forget
    | NetworkAct
)
