"""The documents that people write. Every field has a description: it becomes the JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

from reconciler.config.fields import (
    BridgeName,
    Cpus,
    Domain,
    Duration,
    ImageUrl,
    Interval,
    IpAddress,
    Label,
    LibvirtName,
    Mac,
    Mail,
    Naming,
    OneLine,
    PartitionRange,
    Percent,
    PoolTarget,
    RecordName,
    RecordValue,
    Sha256,
    Size,
    Subnet,
    Target,
    WholeSize,
)
from reconciler.model.quantity import parse_duration

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(strict=False)]
EnvironmentName = Literal["development", "staging", "production"]
DisruptionName = Literal["live", "restart", "replace", "data-loss"]


class Part(BaseModel):
    """A mapping inside a document: closed, strict and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Document(Part):
    """What all documents have."""

    name: Label = Field(description="The name, one DNS label.")
    description: OneLine = Field("", description="What it is for, in one line, for people.")


class DiskField(Part):
    """A disk of a virtual machine."""

    name: Label = Field(description="The name of the disk; the first disk is the root disk.")
    size: WholeSize = Field(description="Its size. It can grow later, and never shrinks.")
    pool: Label = Field("default", description="The storage pool on the host.")
    format: Literal["qcow2", "raw"] = Field("qcow2", description="How the volume is stored.")


class AttachmentField(Part):
    """A network that a virtual machine is plugged into."""

    network: Label = Field(description="The name of the network.")
    address: IpAddress | None = Field(None, description="The machine's address there.")
    mac: Mac | None = Field(None, description="A hardware address instead of the derived one.")


class MachineDefaults(Part):
    """The fields of a virtual machine that a farm or a stack may give in its stead."""

    image: Label | None = Field(None, description="The image the root disk is made from.")
    cpus: Cpus | None = Field(None, description="The number of virtual processors.")
    memory: WholeSize | None = Field(None, description="The memory, such as 2 GiB.")
    disks: Many[DiskField] | None = Field(None, description="The disks; the first is the root.")
    networks: Many[AttachmentField] | None = Field(None, description="The networks.")
    host: Label | None = Field(None, description="The host it must run on.")
    running: bool | None = Field(None, description="Whether it runs.")
    autostart: bool | None = Field(None, description="Whether it starts with its host.")
    restart: Literal["automatic", "manual"] | None = Field(
        None, description="Whether a change that needs a restart may restart it."
    )


class Farm(Document):
    """The whole farm. There is exactly one."""

    kind: Literal["Farm"]
    domain: Domain = Field(description="The domain of the farm.")
    contact: Mail = Field(description="Who answers for it; becomes the contact of its zones.")
    defaults: MachineDefaults = Field(
        MachineDefaults(), description="What every virtual machine has unless it says otherwise."
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


class PoolField(Part):
    """A storage pool of a host."""

    name: Label = Field(description="The name of the pool.")
    size: Size = Field(description="How much it holds.")
    type: Literal["directory", "lvm", "zfs"] = Field("directory", description="What it is.")
    target: PoolTarget = Field(description="The path, volume group or dataset behind it.")


class ShareField(Part):
    """What another environment may use of a host."""

    memory: WholeSize = Field(description="Memory for its machines.")
    cpus: Cpus = Field(description="Virtual processors for its machines.")


class Host(Document):
    """A virtualization host. It belongs to one environment and may be shared with others."""

    kind: Literal["Host"]
    environment: EnvironmentName = Field(description="The environment it belongs to.")
    address: IpAddress = Field(description="Its address.")
    memory: WholeSize = Field(description="Its memory.")
    reserved_memory: Size = Field(0, description="What it keeps for itself.")
    accelerator: Literal["kvm", "qemu"] = Field("kvm", description="How it runs guests.")
    pools: Many[PoolField] = Field((), description="Its storage pools.")
    maintenance: bool = Field(default=False, description="It gets no new machines.")
    share: dict[str, ShareField] = Field(
        {}, description="What the other environments may use of it."
    )


class PartitionField(Part):
    """A part of a network's addresses with one purpose."""

    name: Label = Field(description="The name of the partition.")
    range: PartitionRange = Field(description="A network or first-last, inside the subnet.")
    purpose: Literal["hosts", "services", "machines", "dynamic"] = Field(
        description="Who gets addresses from it."
    )


class Network(Document):
    """A network that machines are plugged into."""

    kind: Literal["Network"]
    subnet: Subnet = Field(description="Its IPv4 network, such as 192.168.1.0/24.")
    bridge: BridgeName = Field(description="The bridge on the hosts.")
    gateway: IpAddress | None = Field(None, description="The router's address; nobody else's.")
    partitions: Many[PartitionField] = Field((), description="Who gets which addresses.")


class RecordField(Part):
    """A record set written by hand."""

    name: RecordName = Field(description="Inside the zone; @ is the zone itself.")
    type: Literal["A", "AAAA", "CNAME", "MX", "TXT", "SRV", "CAA", "NS", "PTR"] = Field(
        description="The type."
    )
    ttl: Duration | None = Field(None, description="Time to live, else the zone's.")
    values: Many[RecordValue] = Field(min_length=1, description="The values as in a zone file.")


class NamingField(Part):
    """How things are called under the domain of their environment."""

    machines: Naming = Field("{name}", description="Virtual machines.")
    hosts: Naming = Field("{name}.host", description="Hosts.")


class Zone(Document):
    """A DNS zone with the farm's names in it."""

    kind: Literal["Zone"]
    name: Domain = Field(description="The name of the zone, without the final dot.")
    server: Domain = Field(description="The primary name server, by its name.")
    primary: Target = Field(description="The primary server as the SOA record names it.")
    nameservers: Many[Target] = Field(min_length=1, description="The servers of the zone.")
    contact: Mail | None = Field(None, description="Who answers for it, else the farm's contact.")
    serial: Annotated[int, Field(ge=1, le=4294967295)] = Field(
        1, description="Where the serial of a new zone starts."
    )
    ttl: Duration = Field(parse_duration("1h"), description="Time to live of its records.")
    refresh: Duration = Field(parse_duration("3h"), description="When secondaries look again.")
    retry: Duration = Field(parse_duration("30m"), description="When they try again.")
    expire: Duration = Field(parse_duration("2w"), description="When they give up.")
    negative_ttl: Duration = Field(
        parse_duration("30m"), description="How long an absent name is remembered."
    )
    naming: NamingField = Field(NamingField(), description="How machines and hosts are called.")
    records: Many[RecordField] = Field((), description="Records written by hand.")
    reverse: Many[Label] = Field((), description="The networks it makes reverse zones for.")


class Image(Document):
    """A base image, pinned by its checksum."""

    kind: Literal["Image"]
    url: ImageUrl = Field(description="Where it comes from: https:// or a file.")
    sha256: Sha256 = Field(description="Its checksum.")


class Stack(MachineDefaults, Document):
    """What machines of one sort have in common. Stacks inherit singly."""

    kind: Literal["Stack"]
    inherits: Label | None = Field(None, description="The stack it is built on.")


class VirtualMachine(Document):
    """A virtual machine, with all that its stack and the farm give it."""

    kind: Literal["VirtualMachine"]
    stack: Label | None = Field(None, description="The stack it is one of.")
    image: Label | None = Field(None, description="The image its root disk is made from.")
    cpus: Cpus = Field(1, description="The number of virtual processors.")
    memory: WholeSize = Field(description="The memory, such as 2 GiB.")
    disks: Many[DiskField] = Field((), description="The disks; the first is the root disk.")
    networks: Many[AttachmentField] = Field((), description="The networks it is plugged into.")
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


DOCUMENTS: tuple[type[Document], ...] = (
    Farm,
    Environment,
    Host,
    Network,
    Zone,
    Image,
    Stack,
    VirtualMachine,
)
