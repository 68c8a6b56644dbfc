"""All that the base of a simulated host is, as frozen data, and what a fresh Debian has.

Time is counted in ticks: each change of a file and each start of a service has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import NonNegativeInt

from reconciler.model.resource import Owner
from reconciler.ports.facts import Question
from reconciler.ports.network_facts import DhcpOption, Route, TunnelPort

USUAL_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class File:
    """Something at a path. `content` is that of a file, `target` that of a link.

    References to secrets stay in the content as they are; `secrets` are the versions that they
    stand for.
    """

    type: Literal["file", "directory", "link", "other"] = "file"
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    content: str = ""
    target: str | None = None
    secrets: tuple[str, ...] = ()
    changed: NonNegativeInt = 0


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package."""

    version: str = USUAL_VERSION
    held: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """A unit. `read` is the tick at which it last read its files, `starts` how often it did."""

    enabled: bool = True
    running: bool = True
    masked: bool = False
    read: NonNegativeInt = 0
    starts: NonNegativeInt = 0


@dataclass(frozen=True, slots=True)
class User:
    """An account. Its own group has its name."""

    uid: NonNegativeInt
    description: str = ""
    groups: tuple[str, ...] = ()
    shell: str = "/bin/sh"
    home: str = ""
    keys: tuple[str, ...] = ()
    sudo: bool = False
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel setting that is not as usual, or not left to be."""

    value: str
    persisted: str | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """A kernel module that is loaded or written down."""

    loaded: bool = True
    persisted: bool = False
    options: str | None = None


@dataclass(frozen=True, slots=True)
class Mounted:
    """What is mounted at a path. `fstab`: source, type and options at the next boot."""

    source: str | None = None
    type: str | None = None
    options: str | None = None
    fstab: str | None = None


@dataclass(frozen=True, slots=True)
class Zpool:
    """A ZFS pool."""

    layout: tuple[str, ...]
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A table of the packet filter: what its file says, and from which text the kernel has it."""

    source: str | None = None
    loaded: str | None = None
    persisted: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `master` is what it is plugged into or a member of.

    `type` is as the kernel calls it: `bridge`, `vlan`, `bond`, `ether`, or `tun` for a guest's.
    """

    type: str = "ether"
    master: str | None = None
    parent: str | None = None
    vlan: int | None = None
    mode: str | None = None
    mtu: NonNegativeInt = 1500
    is_up: bool = True
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a DHCP server keeps for a hardware address. `environment` is empty for nobody's."""

    address: str = ""
    hostname: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of a DHCP server. `network` is empty for nobody's; `reservations` are by MAC."""

    interface: str = ""
    pools: tuple[str, ...] = ()
    options: tuple[DhcpOption, ...] = ()
    lease_seconds: NonNegativeInt = 3600
    next_server: str = ""
    boot_file: str = ""
    network: str = ""
    names: str = ""
    reservations: Mapping[str, Reserved] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenSwitch:
    """A bridge of Open vSwitch; its own interface and its ports are links.

    `ours` are the ports that we plugged in, `ends` those of our tunnels.
    """

    datapath: str = "system"
    ours: tuple[str, ...] = ()
    ends: tuple[TunnelPort, ...] = ()
    ipsec: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A mark as it is kept: `sum` is that of the content of a file when it was written."""

    owner: Owner
    question: Question
    note: str = ""
    sum: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A change that cut the host off or was never confirmed, and how often it was taken back."""

    digest: str
    times: NonNegativeInt = 1


@dataclass(frozen=True, slots=True)
class Switch:
    """An armed dead man's switch: when it fires, and what it brings back then.

    `services` are those that ran when it was armed; `before` is the base as it was then, if the
    change is one of its network.
    """

    fires: datetime
    files: tuple[str, ...]
    services: tuple[str, ...]
    concerns: Mapping[str, str]
    before: Base | None = None


def _usual_packages() -> dict[str, Package]:
    names = ("libvirt-daemon-system", "lvm2", "nfs-common", "nftables", "openssh-server", "sudo")
    return dict.fromkeys((*names, "zfsutils-linux"), Package())


def _usual_services() -> dict[str, Service]:
    names = ("cron", "libvirtd", "networking", "nftables", "ssh", "systemd-networkd")
    return dict.fromkeys(names, Service())


def _usual_users() -> dict[str, User]:
    return {
        "root": User(0, "root", (), "/bin/bash", "/root"),
        "nobody": User(65534, "nobody", home="/nonexistent"),
    }


def _usual_groups() -> dict[str, int]:
    return {"root": 0, "adm": 4, "sudo": 27, "users": 100, "kvm": 105, "libvirt": 106} | {
        "nogroup": 65534
    }


def _usual_links() -> dict[str, Link]:
    return {f"eth{number}": Link() for number in range(4)}


def _usual_settings() -> dict[str, str]:
    return {"hostname": "debian", "timezone": "Etc/UTC", "locale": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Base:
    """The base of one host. Where nothing is said it is as on a fresh Debian.

    `catalogue` are packages with the versions to be had, the newest last; of a package that is not
    in it there is version 1.0, and of one named `no-such-...` there is none. `marks` are by kind
    and name (`file /etc/motd`); `written` the sums of what we put into files with secrets;
    `originals` what was there before anything of ours; `confirmed` what files on the management
    path held when the services that read them last ran well; in both None is nothing. `subnets` are
    what the DHCP server does since the tick `subnets_changed`, `subnets_written` what it reads when
    it starts; `leases` are hardware address and subnet by address. `cut` are
    the services that let nobody in. `management` is the address by which people come in, if that
    depends on the interfaces. `fence` counts who changed the host.
    """

    files: Mapping[str, File] = field(default_factory=dict)
    packages: Mapping[str, Package] = field(default_factory=_usual_packages)
    catalogue: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=_usual_services)
    users: Mapping[str, User] = field(default_factory=_usual_users)
    groups: Mapping[str, NonNegativeInt] = field(default_factory=_usual_groups)
    sysctls: Mapping[str, Sysctl] = field(default_factory=dict)
    modules: Mapping[str, Module] = field(default_factory=dict)
    mounts: Mapping[str, Mounted] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=_usual_settings)
    commands: tuple[str, ...] = ()
    volume_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zpools: Mapping[str, Zpool] = field(default_factory=dict)
    rulesets: Mapping[str, Ruleset] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=_usual_links)
    blackholes: tuple[str, ...] = ()
    switches: Mapping[str, OpenSwitch] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    subnets_written: Mapping[str, Subnet] = field(default_factory=dict)
    subnets_changed: NonNegativeInt = 0
    leases: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    management: str = ""
    marks: Mapping[str, Kept] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    originals: Mapping[str, File | None] = field(default_factory=dict)
    confirmed: Mapping[str, File | None] = field(default_factory=dict)
    switch: Switch | None = None
    tried: Mapping[str, Tried] = field(default_factory=dict)
    cut: tuple[str, ...] = ()
    disk: Literal["well", "full", "read-only"] = "well"
    fence: NonNegativeInt = 0
    tick: NonNegativeInt = 0
