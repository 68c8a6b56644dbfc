"""The Network document: an address plan, and what hosts make so that machines have their network.

A network is made on the hosts that it names, by the environment that it is of. Without hosts its
bridge is taken to be there already.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from reconciler.config.document import Document, EnvironmentName
from reconciler.config.fields import (
    BridgeName,
    Domain,
    Duration,
    FilePath,
    Interval,
    IpAddress,
    Label,
    Mac,
    PartitionRange,
    Subnet,
    Vlan,
)
from reconciler.config.network_fields import BootFile, LinkName, Mtu, PacketMark, Prefix
from reconciler.config.part import Many, Part
from reconciler.model.quantity import parse_duration

MOST_HOSTS = 200
USUAL_MTU = 1500


class PartitionField(Part):
    """A part of a network's addresses with one purpose."""

    name: Label = Field(description="The name of the partition.")
    range: PartitionRange = Field(description="A network or first-last, inside the subnet.")
    purpose: Literal["hosts", "services", "machines", "dynamic"] = Field(
        description="Who gets addresses from it; `dynamic`: whoever asks by DHCP."
    )


class NetworkHostField(Part):
    """A host that has the network."""

    name: Label = Field(description="The name of the host.")
    address: IpAddress | None = Field(None, description="The host's own address there.")
    mac: Mac | None = Field(
        None,
        description="The hardware address by which it asks DHCP for that address.",
    )
    ports: Annotated[Many[LinkName], Field(max_length=32)] = Field(
        (), description="The interfaces of the host that are plugged into the bridge."
    )


class IpsecField(Part):
    """How tunnels are encrypted. The files must be on each host."""

    certificate: FilePath = Field(description="The host's certificate.")
    private_key: FilePath = Field(description="Its private key.")
    authority: FilePath = Field(description="The certificate of who signed them.")
    mark: PacketMark = Field("1/1", description="The mark of packets that must not go in clear.")


class TunnelField(Part):
    """The overlay: tunnels between all hosts of the network, each with each."""

    type: Literal["gre", "vxlan"] = Field("gre", description="What the tunnels are.")
    key: Annotated[int, Field(ge=1, le=16777215)] | None = Field(
        None, description="The key of a GRE tunnel or the network identifier of VXLAN."
    )
    underlay: Label | None = Field(
        None,
        description="The network between whose addresses of the hosts they run; else the hosts' "
        "own addresses. Who switches in user space needs one on another Open vSwitch.",
    )
    underlay_mtu: Mtu = Field(USUAL_MTU, description="The MTU between the hosts' own addresses.")
    ipsec: IpsecField | None = Field(None, description="Encrypt what goes through.")


class RouteField(Part):
    """A route that the hosts of the network have."""

    to: Prefix = Field(description="Where it leads, such as 10.10.60.0/24.")
    via: IpAddress | None = Field(None, description="The router; else it is on the network.")
    type: Literal["unicast", "blackhole"] = Field(
        "unicast", description="`blackhole`: what goes there is dropped."
    )


class StaticRouteField(Part):
    """A route that machines are told of."""

    to: Subnet = Field(description="Where it leads, such as 10.10.59.0/24.")
    via: IpAddress = Field(description="The router.")


class DhcpField(Part):
    """Who gives machines their addresses: Kea on these hosts, dnsmasq in a network of libvirt.

    Router, name servers, MTU and the pools of addresses follow from the network.
    """

    servers: Annotated[Many[Label], Field(max_length=8)] = Field(
        (), description="The hosts that run Kea; none for a network of libvirt."
    )
    lease: Interval = Field(parse_duration("1h"), description="How long a lease is good.")
    domain: Domain | None = Field(None, description="The domain of names, else the environment's.")
    routes: Annotated[Many[StaticRouteField], Field(max_length=32)] = Field(
        (), description="Static routes of the machines."
    )
    names: Domain | None = Field(
        None,
        description="The zone, with `updated_by: dhcp`, in which clients get the names they ask "
        "for; none elsewhere.",
    )
    boot_server: IpAddress | None = Field(None, description="Who has the boot file.")
    boot_file: BootFile | None = Field(None, description="What machines boot over the network.")


class Network(Document):
    """A network that machines are plugged into."""

    kind: Literal["Network"]
    environment: EnvironmentName | None = Field(
        None,
        description="The environment that makes it on its hosts, if the document is shared; "
        "else each environment that has the document.",
    )
    subnet: Subnet = Field(description="Its IPv4 network, such as 192.168.1.0/24.")
    bridge: BridgeName = Field(description="The bridge, or the libvirt network, on the hosts.")
    switch: Literal["linux", "openvswitch", "libvirt"] = Field(
        "linux", description="Whether that is a Linux or an Open vSwitch bridge, or of libvirt."
    )
    hosts: Annotated[Many[NetworkHostField], Field(max_length=MOST_HOSTS)] = Field(
        (), description="The hosts on which it is made; without any its bridge must be there."
    )
    vlan: Vlan | None = Field(None, description="The VLAN of its machines on an Open vSwitch.")
    portgroup: Label | None = Field(None, description="The port group of a libvirt network.")
    mtu: Mtu | None = Field(
        None, description="The size of its largest packets; else what fits through its tunnels."
    )
    tunnel: TunnelField | None = Field(
        None, description="How its hosts are connected, on an Open vSwitch."
    )
    routes: Annotated[Many[RouteField], Field(max_length=100)] = Field(
        (), description="Routes that its hosts have."
    )
    guard_addresses: bool = Field(
        default=False,
        description="Whether machines can send from no other address than their own; on a Linux "
        "bridge.",
    )
    dhcp: DhcpField | None = Field(None, description="Who gives machines their addresses.")
    gateway: IpAddress | None = Field(None, description="The router's address; nobody else's.")
    nameservers: Many[IpAddress] = Field(
        (), description="The servers that machines with an address of their own ask for names."
    )
    partitions: Many[PartitionField] = Field((), description="Who gets which addresses.")
    quarantine: Duration = Field(
        timedelta(days=30), description="How long an address that was given up is given to nobody."
    )
