"""The base of a host as people write it: packages, files, services, accounts, storage.

Lists merge by name, files and mounts by path. What is left out is left as it is on the host.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from reconciler.config.base_fields import (
    Architecture,
    Argument,
    ArmoredKey,
    CommandDeadline,
    Component,
    DebianPackage,
    DebianVersion,
    Device,
    Gecos,
    GroupId,
    HostContent,
    ModuleName,
    ModuleOptions,
    MountOptions,
    MountSource,
    MountType,
    OwnerAndGroup,
    Permissions,
    PropertyName,
    PropertyValue,
    SourceUrl,
    Suite,
    SysctlName,
    SysctlValue,
    UnitName,
    VolumeGroupName,
    ZpoolItem,
    ZpoolName,
    program_first,
)
from reconciler.config.fields import (
    AccountName,
    FilePath,
    GroupName,
    Label,
    Locale,
    PoolTarget,
    Shell,
    Size,
    SshKey,
    TimeZone,
    Vlan,
)
from reconciler.config.network_fields import LinkName, Mtu
from reconciler.config.part import Many, Part
from reconciler.model.quantity import parse_duration

MOST_THINGS = 1000  # of a kind on a host
Argv = Annotated[Many[Argument], Field(max_length=64), AfterValidator(program_first)]


class PackageField(Part):
    """A Debian package."""

    name: DebianPackage = Field(description="The name of the package.")
    state: Literal["present", "absent"] = Field("present", description="Whether it must be there.")
    version: DebianVersion | None = Field(
        None, description="The version it must have; else whichever it has."
    )
    held: bool | None = Field(None, description="Whether upgrades leave it at its version.")


class PackageSourceField(Part):
    """Where packages come from besides what the host knows already."""

    name: Label = Field(description="The name of its file in /etc/apt/sources.list.d.")
    url: SourceUrl = Field(description="Where the packages are.")
    suites: Annotated[Many[Suite], Field(min_length=1, max_length=20)] = Field(
        description="The suites, such as bookworm-backports."
    )
    components: Annotated[Many[Component], Field(max_length=20)] = Field(
        (), description="The components, such as main; none if the suite is a path."
    )
    types: Annotated[Many[Literal["deb", "deb-src"]], Field(min_length=1, max_length=2)] = Field(
        ("deb",), description="Packages, or their sources, or both."
    )
    architectures: Annotated[Many[Architecture], Field(max_length=20)] = Field(
        (), description="The architectures; else the host's."
    )
    key: ArmoredKey | None = Field(
        None, description="The armored public key that signs it; else one the host trusts already."
    )


class HostFileField(Part):
    """A file, directory or symbolic link of a host, or that there is none."""

    path: FilePath = Field(description="Where it stands.")
    type: Literal["file", "directory", "link", "absent"] = Field(
        "file", description="What it is; `absent` if nothing may be there."
    )
    content: HostContent | None = Field(
        None, description="What a file says. `secret://file/key` in it is filled in on the host."
    )
    mode: Permissions | None = Field(
        None,
        description="Its permissions, else '0644' for a file, '0600' for one with secrets, and "
        "'0755' for a directory.",
    )
    owner: OwnerAndGroup | None = Field(None, description="Whose it is, else root:root.")
    target: FilePath | None = Field(None, description="The absolute path that a link leads to.")
    check: Argv = Field(
        (), description="A command that must take new content first; {} is the file with it."
    )


class ServiceField(Part):
    """A unit of systemd."""

    name: UnitName = Field(description="The name of the unit, without .service.")
    enabled: bool | None = Field(None, description="Whether it starts at boot.")
    running: bool | None = Field(None, description="Whether it runs.")
    masked: bool | None = Field(None, description="Whether nothing may start it.")
    reads: Annotated[Many[FilePath], Field(max_length=100)] = Field(
        (), description="Files it reads: when one changes, it is told once."
    )
    on_change: Literal["restart", "reload"] = Field(
        "restart", description="How it is told that what it reads has changed."
    )
    needs: Annotated[Many[DebianPackage], Field(max_length=20)] = Field(
        (), description="Packages it comes from, besides the one of its name."
    )


class GroupField(Part):
    """A group of accounts."""

    name: GroupName = Field(description="The name of the group.")
    state: Literal["present", "absent"] = Field("present", description="Whether it must be there.")
    gid: GroupId | None = Field(None, description="Its number; else one that is free.")


class UserField(Part):
    """An account of a host that people or programs log in to, by key only."""

    name: AccountName = Field(description="The name of the account.")
    state: Literal["present", "absent"] = Field(
        "present", description="`absent`: nobody gets in by it; its files stay."
    )
    description: Gecos | None = Field(None, description="Whose it is, in one line, for people.")
    uid: GroupId | None = Field(None, description="Its number; else one that is free.")
    groups: Annotated[Many[GroupName], Field(max_length=50)] | None = Field(
        None, description="The groups it is in besides its own, and no others."
    )
    shell: Shell | None = Field(None, description="Its shell.")
    ssh_keys: Annotated[Many[SshKey], Field(max_length=50)] | None = Field(
        None, description="The public keys that open it, and no others."
    )
    sudo: bool | None = Field(None, description="Whether it may do everything, as root.")


class SysctlField(Part):
    """A setting of the kernel, now and at each boot."""

    name: SysctlName = Field(description="Its name with dots.")
    value: SysctlValue = Field(description="Its value, in quotes.")


class ModuleField(Part):
    """A kernel module that is loaded, now and at each boot."""

    name: ModuleName = Field(description="The name of the module.")
    options: ModuleOptions | None = Field(None, description="The options it is loaded with.")


class MountField(Part):
    """A file system that is mounted, now and at each boot."""

    path: FilePath = Field(description="Where it is mounted.")
    source: MountSource = Field(description="What is mounted: a device, nas:/export, tmpfs.")
    type: MountType = Field(description="The type of the file system.")
    options: MountOptions = Field("defaults", description="The options, with commas.")


class CommandField(Part):
    """A command that brings about what nothing else here can: a hand-over to an agent."""

    name: Label = Field(description="A name for it.")
    run: Annotated[Argv, Field(min_length=1)] = Field(
        description="The program and its arguments. No shell reads them."
    )
    check: Annotated[Argv, Field(min_length=1)] = Field(
        description="A command that succeeds when there is nothing to do; asked at each look."
    )
    deadline: CommandDeadline = Field(parse_duration("10m"), description="How long it may take.")


class VolumeGroupField(Part):
    """An LVM volume group. It is made of empty devices, and never destroyed."""

    name: VolumeGroupName = Field(description="The name of the volume group.")
    devices: Annotated[Many[Device], Field(min_length=1, max_length=100)] = Field(
        description="The devices it is made of."
    )


class ZpoolField(Part):
    """A ZFS pool. It is made of empty devices, and never destroyed."""

    name: ZpoolName = Field(description="The name of the ZFS pool.")
    layout: Annotated[Many[ZpoolItem], Field(min_length=1, max_length=200)] = Field(
        description="Its devices as `zpool create` takes them: [mirror, /dev/sda3, /dev/sdb3]."
    )
    properties: dict[PropertyName, PropertyValue] = Field(
        {}, description="Properties it is made with, such as ashift."
    )


NetworkTool = Literal["networkd", "netplan", "ifupdown2"]


class BondField(Part):
    """Some interfaces that work as one."""

    name: LinkName = Field(description="The name of the bond, such as bond0.")
    members: Annotated[Many[LinkName], Field(min_length=1, max_length=16)] = Field(
        description="The interfaces."
    )
    mode: Literal["active-backup", "802.3ad", "balance-rr", "balance-xor", "balance-alb"] = Field(
        "active-backup", description="How they share the work."
    )
    mtu: Mtu | None = Field(None, description="The size of its largest packets.")


class VlanField(Part):
    """A VLAN of an interface, as an interface."""

    name: LinkName = Field(description="The name, such as bond0.20.")
    link: LinkName = Field(description="The interface whose VLAN it is.")
    id: Vlan = Field(description="The number of the VLAN.")
    mtu: Mtu | None = Field(None, description="The size of its largest packets.")


class PoolField(Part):
    """A storage pool of a host. It is made if it is not there, and never emptied."""

    name: Label = Field(description="The name of the pool.")
    size: Size = Field(description="How much it holds.")
    type: Literal["directory", "lvm", "zfs"] = Field("directory", description="What it is.")
    target: PoolTarget = Field(description="The path, volume group or dataset behind it.")


class Base(Part):
    """What a host, a stack or the farm may say of the base of hosts."""

    timezone: TimeZone | None = Field(None, description="The time zone, such as Europe/Berlin.")
    locale: Locale | None = Field(None, description="The locale, such as C.UTF-8.")
    package_sources: Annotated[Many[PackageSourceField], Field(max_length=100)] = Field(
        (), description="Where packages come from."
    )
    packages: Annotated[Many[PackageField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its packages."
    )
    files: Annotated[Many[HostFileField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its files, directories and links."
    )
    services: Annotated[Many[ServiceField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its services."
    )
    groups: Annotated[Many[GroupField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its groups of accounts."
    )
    users: Annotated[Many[UserField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its accounts."
    )
    sysctls: Annotated[Many[SysctlField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its kernel settings."
    )
    modules: Annotated[Many[ModuleField], Field(max_length=MOST_THINGS)] = Field(
        (), description="Its kernel modules."
    )
    mounts: Annotated[Many[MountField], Field(max_length=100)] = Field(
        (), description="What is mounted."
    )
    commands: Annotated[Many[CommandField], Field(max_length=100)] = Field(
        (), description="Commands that are run where their check asks for it."
    )
    volume_groups: Annotated[Many[VolumeGroupField], Field(max_length=100)] = Field(
        (), description="Its LVM volume groups."
    )
    zpools: Annotated[Many[ZpoolField], Field(max_length=100)] = Field(
        (), description="Its ZFS pools."
    )
    pools: Annotated[Many[PoolField], Field(max_length=100)] = Field(
        (), description="Its storage pools."
    )
    network_tool: NetworkTool | None = Field(
        None, description="What sets up its interfaces at boot; else systemd-networkd."
    )
    switch_datapath: Literal["system", "netdev"] | None = Field(
        None, description="Whether Open vSwitch forwards in the kernel or, slower, by itself."
    )
    bonds: Annotated[Many[BondField], Field(max_length=32)] = Field(
        (), description="Interfaces that work as one."
    )
    vlans: Annotated[Many[VlanField], Field(max_length=256)] = Field(
        (), description="Interfaces that are a VLAN of another."
    )
