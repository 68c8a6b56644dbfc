"""The Firewall document: who may talk to whom through a host, and to the host itself.

What no rule allows is dropped. The way of the reconciler to the host is always open.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.config.document import Document
from reconciler.config.fields import IpAddress, Label
from reconciler.config.network_fields import LinkName, Port, PortRange, Prefix
from reconciler.config.part import Many, Part

Protocol = Literal["tcp", "udp", "icmp", "gre", "esp"]


class FirewallZoneField(Part):
    """Some of the world: what comes in by these interfaces, networks or addresses."""

    name: Label = Field(description="Its name in the rules; not `host`, `any`.")
    interfaces: Annotated[Many[LinkName], Field(max_length=64)] = Field(
        (), description="Interfaces of the host."
    )
    networks: Annotated[Many[Label], Field(max_length=64)] = Field(
        (), description="Networks, by their bridges."
    )
    sources: Annotated[Many[Prefix], Field(max_length=256)] = Field(
        (), description="Only these addresses."
    )


class FirewallRuleField(Part):
    """What may pass from one zone to another. `host` is the host itself, `any` all zones."""

    name: Label = Field(description="Its name.")
    from_zone: Label = Field(alias="from", description="Where it comes from.")
    to_zone: Label = Field(alias="to", description="Where it goes.")
    protocol: Protocol | None = Field(None, description="The protocol; else all.")
    ports: Annotated[Many[PortRange], Field(max_length=64)] = Field(
        (), description="The ports at the destination; else all."
    )
    destinations: Annotated[Many[Prefix], Field(max_length=64)] = Field(
        (), description="Only to these addresses."
    )
    action: Literal["accept", "drop", "reject"] = Field("accept", description="What is done.")


class ForwardField(Part):
    """A port of the host that leads to a machine."""

    name: Label = Field(description="Its name.")
    protocol: Literal["tcp", "udp"] = Field("tcp", description="The protocol.")
    port: Port = Field(description="The port of the host.")
    from_zone: Label = Field("any", alias="from", description="Who may use it.")
    machine: Label | None = Field(None, description="The machine that it leads to.")
    address: IpAddress | None = Field(None, description="Or the address.")
    to_port: Port | None = Field(None, description="The port there, else the same.")


class MasqueradeField(Part):
    """Who goes out under the host's own address."""

    name: Label = Field(description="Its name.")
    from_zone: Label = Field(alias="from", description="Where it comes from.")
    to_zone: Label = Field(alias="to", description="Where it goes.")


class Firewall(Document):
    """The packet filter of some hosts of the environment. A host has at most one."""

    kind: Literal["Firewall"]
    hosts: Annotated[Many[Label], Field(min_length=1, max_length=200)] = Field(
        description="The hosts."
    )
    management: Annotated[Many[Prefix], Field(max_length=64)] = Field(
        (), description="Where the reconciler and administrators come from; else from anywhere."
    )
    zones: Annotated[Many[FirewallZoneField], Field(min_length=1, max_length=32)] = Field(
        description="The zones."
    )
    rules: Annotated[Many[FirewallRuleField], Field(max_length=1000)] = Field(
        (), description="What may pass, first come first served."
    )
    masquerade: Annotated[Many[MasqueradeField], Field(max_length=32)] = Field(
        (), description="Who goes out under the host's address."
    )
    forwards: Annotated[Many[ForwardField], Field(max_length=1000)] = Field(
        (), description="Ports of the host that lead to machines."
    )
