"""The documents that people write. Every field has a description: it becomes the JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from reconciler.config.base import Base
from reconciler.config.base_fields import HostName
from reconciler.config.document import Document, EnvironmentName
from reconciler.config.fields import (
    CpuModel,
    Cpus,
    Domain,
    ImageUrl,
    Interval,
    IpAddress,
    Label,
    LibvirtName,
    Mac,
    Mail,
    Percent,
    Sha256,
    Sha512,
    Size,
    Uuid,
    Vlan,
    WholeSize,
)
from reconciler.config.firewall import Firewall
from reconciler.config.first_boot import FirstBoot
from reconciler.config.gates import GateFields, WindowField
from reconciler.config.ignore import Ignore
from reconciler.config.install import Install
from reconciler.config.nameserver import Nameserver
from reconciler.config.networks import Network
from reconciler.config.part import Many, Part
from reconciler.config.proxy import Proxy
from reconciler.config.zones import ServiceField, Zone
from reconciler.model.quantity import parse_duration

DisruptionName = Literal["live", "restart", "replace", "data-loss"]
MOST_PARTS = 64  # what a stack has, thousands of machines may inherit


class DiskField(Part):
    """A disk of a virtual machine."""

    name: Label = Field(description="The name of the disk; the first disk is the root disk.")
    size: WholeSize = Field(description="Its size. It grows later; a smaller one is a new disk.")
    pool: Label = Field("default", description="The storage pool on the host.")
    format: Literal["qcow2", "raw"] = Field("qcow2", description="How the volume is stored.")
    image: Literal["copy", "overlay"] = Field(
        "copy", description="Whether a root disk copies its image, or stores what differs from it."
    )
    volume: LibvirtName | None = Field(
        None, description="The name of its volume, else <environment>-<machine>-<disk>."
    )


class AttachmentField(Part):
    """A network that a virtual machine is plugged into."""

    network: Label = Field(description="The name of the network.")
    address: IpAddress | None = Field(None, description="The machine's address there.")
    partition: Label | None = Field(
        None,
        description="The partition its address is from; else the network's first for machines.",
    )
    mac: Mac | None = Field(None, description="A hardware address instead of the derived one.")
    vlan: Vlan | None = Field(None, description="The VLAN of this machine, else the network's.")
    link: Literal["up", "down"] = Field("up", description="Whether its cable is plugged in.")


Disks = Annotated[Many[DiskField], Field(max_length=MOST_PARTS)]
Attachments = Annotated[Many[AttachmentField], Field(max_length=MOST_PARTS)]


class MachineDefaults(Part):
    """The fields of a virtual machine that a farm or a stack may give in its stead."""

    image: Label | None = Field(None, description="The image the root disk is made from.")
    cpus: Cpus | None = Field(None, description="The number of virtual processors.")
    cpus_maximum: Cpus | None = Field(None, description="To how many it can grow live.")
    cpu_model: CpuModel | None = Field(None, description="The processor it sees.")
    memory: WholeSize | None = Field(None, description="The memory, such as 2 GiB.")
    memory_maximum: WholeSize | None = Field(None, description="To how much it can grow live.")
    firmware: Literal["bios", "uefi"] | None = Field(None, description="What it boots with.")
    tpm: bool | None = Field(None, description="Whether it has an emulated TPM 2.0.")
    disks: Disks | None = Field(None, description="The disks; the first is the root.")
    networks: Attachments | None = Field(None, description="The networks.")
    first_boot: FirstBoot | None = Field(None, description="What it makes of itself at first.")
    host: Label | None = Field(None, description="The host it must run on.")
    running: bool | None = Field(None, description="Whether it runs.")
    autostart: bool | None = Field(None, description="Whether it starts with its host.")
    restart: Literal["automatic", "manual"] | None = Field(
        None, description="Whether a change that needs a restart may restart it."
    )


class DeletionLimits(Part):
    """How much may be deleted by one commit."""

    machines_percent: Percent = Field(10, description="Part of the machines; one may always go.")
    records_percent: Percent = Field(30, description="Part of a zone's record sets.")


class Environment(Document):
    """The policy of one environment."""

    kind: Literal["Environment"]
    name: EnvironmentName = Field(description="Which environment.")
    domain: Domain = Field(description="The domain its machines are named under.")
    interval: Interval = Field(parse_duration("5m"), description="How often to look at all.")
    suspend: bool = Field(default=False, description="Plan and report, but change nothing.")
    prune: bool = Field(default=True, description="Delete what the branch no longer describes.")
    drift: Literal["heal", "report"] = Field("heal", description="What to do about drift.")
    max_disruption: DisruptionName = Field("restart", description="The most a change may cost.")
    max_deletions: DeletionLimits = Field(DeletionLimits(), description="How much may go at once.")
    restart_window: WindowField | None = Field(
        None, description="When a change may restart machines; else at once."
    )
    snapshot_before: Literal["never", "restart", "replace"] = Field(
        "never", description="From which cost on a machine is snapshotted before it is changed."
    )
    rollback: Literal["manual", "automatic"] = Field(
        "manual", description="Who takes back a commit that fails: people, or the loop."
    )
    rollback_after: Interval = Field(
        parse_duration("10m"), description="How long a new commit may fail before that."
    )
    gates: GateFields = Field(
        GateFields(), description="What a new commit must be before it is applied."
    )


class ShareField(Part):
    """What another environment may use of a host."""

    memory: WholeSize = Field(description="Memory for its machines.")
    cpus: Cpus = Field(description="Virtual processors for its machines.")


class HostDefaults(Base):
    """The fields of a host that a farm or a stack may give in its stead."""

    group: Label | None = Field(None, description="The group of like hosts it is one of.")
    failure_domain: Label | None = Field(None, description="What it fails together with.")
    reserved_memory: Size | None = Field(None, description="What it keeps for itself.")
    accelerator: Literal["kvm", "qemu"] | None = Field(None, description="How it runs guests.")


class Host(Base, Document):
    """A virtualization host. It belongs to one environment and may be shared with others."""

    kind: Literal["Host"]
    environment: EnvironmentName = Field(description="The environment it belongs to.")
    address: IpAddress = Field(description="Its address.")
    memory: WholeSize = Field(description="Its memory.")
    stack: Label | None = Field(None, description="The stack it is one of.")
    group: Label | None = Field(None, description="The group of like hosts it is one of.")
    failure_domain: Label | None = Field(
        None, description="What it fails together with, such as a rack or a room."
    )
    reserved_memory: Size = Field(0, description="What it keeps for itself.")
    accelerator: Literal["kvm", "qemu"] = Field("kvm", description="How it runs guests.")
    guests: bool = Field(
        default=True,
        description="Whether it runs virtual machines; if not, only its base is looked after.",
    )
    maintenance: bool = Field(
        default=False,
        description="It gets no new machines, and drift of its base is reported, not healed.",
    )
    share: dict[str, ShareField] = Field(
        {}, description="What the other environments may use of it."
    )
    hostname: HostName | None = Field(None, description="What it calls itself.")
    provides: Annotated[Many[ServiceField], Field(max_length=64)] = Field(
        (), description="Services that have names of their own."
    )
    install: Install | None = Field(
        None, description="What host bootstrap makes of it while it runs a rescue system."
    )


class Farm(Document):
    """The whole farm. There is exactly one."""

    kind: Literal["Farm"]
    domain: Domain = Field(description="The domain of the farm.")
    contact: Mail = Field(description="Who answers for it; becomes the contact of its zones.")
    defaults: MachineDefaults = Field(
        MachineDefaults(), description="What every virtual machine has unless it says otherwise."
    )
    host_defaults: HostDefaults = Field(
        HostDefaults(), description="What every host has unless it says otherwise."
    )
    cpu_models: dict[str, CpuModel] = Field(
        {},
        description="By group of hosts: the processor that all of them can give, so that guests "
        "can move between them while they run.",
    )


class Image(Document):
    """A base image, pinned by its checksum: sha256 or sha512."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["sha256"]}, {"required": ["sha512"]}]}
    )

    kind: Literal["Image"]
    url: ImageUrl = Field(description="Where it comes from: https:// or a file.")
    format: Literal["qcow2", "raw"] = Field("qcow2", description="What it is stored as there.")
    sha512: Sha512 | None = Field(None, description="Its sha512 checksum.")
    sha256: Sha256 | None = Field(
        None, validate_default=True, description="Its sha256 checksum, unless sha512 is given."
    )

    @field_validator("sha256")
    @classmethod
    def _is_pinned_once(cls, sha256: str | None, others: ValidationInfo) -> str | None:
        if sha256 and others.data.get("sha512"):
            message = "must not be there beside sha512; keep one of them"
            raise ValueError(message)
        if not sha256 and others.data.get("sha512", "is there, but wrong") is None:
            raise PydanticKnownError("missing")
        return sha256


class Stack(MachineDefaults, HostDefaults, Document):
    """What machines or hosts of one sort have in common. Stacks inherit singly."""

    kind: Literal["Stack"]
    inherits: Label | None = Field(None, description="The stack it is built on.")


class VirtualMachine(Document):
    """A virtual machine, with all that its stack and the farm give it."""

    kind: Literal["VirtualMachine"]
    stack: Label | None = Field(None, description="The stack it is one of.")
    image: Label | None = Field(None, description="The image its root disk is made from.")
    cpus: Cpus = Field(1, description="The number of virtual processors.")
    cpus_maximum: Cpus | None = Field(
        None, description="To how many processors it can grow without a restart."
    )
    cpu_model: CpuModel | None = Field(
        None,
        description="The processor it sees: `host-passthrough`, `host-model` or a model's name; "
        "else that of its host's group.",
    )
    memory: WholeSize = Field(description="The memory, such as 2 GiB.")
    memory_maximum: WholeSize | None = Field(
        None, description="To how much memory it can grow without a restart."
    )
    firmware: Literal["bios", "uefi"] | None = Field(
        None, description="What it boots with; else as the hypervisor likes it."
    )
    tpm: bool | None = Field(None, description="Whether it has an emulated TPM 2.0.")
    starts_after: Many[Label] = Field(
        (),
        description="Machines that are started before it, if they are to run. Then its host never "
        "starts it by itself.",
    )
    disks: Disks = Field((), description="The disks; the first is the root disk.")
    networks: Attachments = Field((), description="The networks it is plugged into.")
    provides: Annotated[Many[ServiceField], Field(max_length=64)] = Field(
        (), description="Services that have names of their own."
    )
    first_boot: FirstBoot | None = Field(
        None, description="What it makes of itself when it first boots: accounts, packages, files."
    )
    host: Label | None = Field(None, description="The host it must run on; else one is chosen.")
    running: bool = Field(default=True, description="Whether it runs.")
    autostart: bool = Field(default=True, description="Whether it starts with its host.")
    restart: Literal["automatic", "manual"] = Field(
        "automatic", description="Whether a change that needs a restart may restart it."
    )
    renamed_from: Label | None = Field(None, description="Its name before; keeps its volumes.")
    libvirt_name: LibvirtName | None = Field(
        None, description="Its name on the host, else <environment>-<name>."
    )
    uuid: Uuid | None = Field(None, description="Its UUID, else one made from its name.")
    adopt: bool = Field(
        default=False,
        description="Take over the machine that runs on `host` with this UUID and these volumes, "
        "if it is nobody's yet.",
    )


DOCUMENTS: tuple[type[Document], ...] = (
    Farm,
    Environment,
    Host,
    Network,
    Firewall,
    Proxy,
    Nameserver,
    Zone,
    Image,
    Stack,
    VirtualMachine,
    Ignore,
)
