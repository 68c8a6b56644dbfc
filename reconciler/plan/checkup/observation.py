"""What a checkup saw, before anybody says whether that is good.

None always means that it could not be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["look", "key", "login", "ask"]


@dataclass(frozen=True, slots=True)
class HostKey:
    """The host key that a host shows. `pinned` are the fingerprints that `file` has for it."""

    verdict: Literal["pinned", "wrong", "unknown"]
    shown: str
    line: str
    file: str
    pinned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """How far we came with a host, and why no further."""

    stage: Stage
    cause: str


@dataclass(frozen=True, slots=True)
class Place:
    """The mode (octal digits), the owner and the sort of a path; all empty if it is not there."""

    kind: str = ""
    mode: str = ""
    owner: str = ""

    @property
    def is_there(self) -> bool:
        """Whether there is such a path."""
        return bool(self.kind)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file of the host in which we remember what is ours there."""

    path: str
    place: Place
    is_readable: bool | None


@dataclass(frozen=True, slots=True)
class Room:
    """How much room a file system or a pool has."""

    name: str
    size_bytes: int | None
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says of itself."""

    is_root: bool = False
    clock_ahead_seconds: float | None = None
    clock_uncertain_seconds: float = 0.0
    system: str = ""
    systemd: str = ""
    failed_units: tuple[str, ...] = ()
    python: tuple[int, ...] | None = None
    libvirt: str = ""
    libvirt_complaint: str = ""
    qemu: str = ""
    has_kvm: bool = False
    kvm_reason: str = ""
    missing_tools: tuple[str, ...] = ()
    apt_holder: str = ""
    is_dpkg_interrupted: bool = False
    directory: Place = Place()
    manifests: tuple[Manifest, ...] = ()
    fence: str = ""
    is_switch_armed: bool = False
    rooms: tuple[Room, ...] = ()


@dataclass(frozen=True, slots=True)
class HostObservation:
    """What was seen of one host. `accelerator` is how it runs guests, empty if it has none."""

    host: str
    address: str
    accelerator: str
    key: HostKey | None = None
    trouble: Trouble | None = None
    facts: HostFacts | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something worked; if not, why, and what to do.

    `is_minor`: a sync goes on without it.
    """

    name: str
    text: str
    problem: str = ""
    remedy: str = ""
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class OperatorObservation:
    """What was seen of the operator's own machine."""

    settings_file: str = ""
    settings_mode: int | None = None
    settings_problems: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = field(default_factory=tuple)
