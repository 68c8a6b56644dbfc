"""The Zone document: a DNS zone with the farm's names in it, and records written by hand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reconciler.config.document import Document, EnvironmentName
from reconciler.config.fields import (
    Domain,
    Duration,
    Label,
    Mail,
    Naming,
    RecordName,
    RecordValue,
    Target,
)
from reconciler.config.network_fields import Port
from reconciler.config.part import Many, Part
from reconciler.config.zone_fields import NamePattern, Reverse, ServiceName
from reconciler.model.quantity import parse_duration

MOST_NAMES = 1000
RecordType = Literal[
    "A",
    "AAAA",
    "CAA",
    "CNAME",
    "HTTPS",
    "MX",
    "NAPTR",
    "NS",
    "PTR",
    "SRV",
    "SSHFP",
    "SVCB",
    "TLSA",
    "TXT",
]


class ServiceField(Part):
    """A service that a machine or host provides, under a name of its own."""

    name: ServiceName = Field(description="Its name below the domain of the environment.")
    port: Port | None = Field(None, description="Its port: then there is a SRV record, too.")
    protocol: Literal["tcp", "udp"] = Field("tcp", description="The protocol of that port.")


class RecordField(Part):
    """A record set written by hand."""

    name: RecordName = Field(description="Inside the zone; @ is the zone itself.")
    type: RecordType = Field(description="The type.")
    ttl: Duration | None = Field(None, description="Time to live, else the zone's.")
    values: Many[RecordValue] = Field(min_length=1, description="The values as in a zone file.")


class NamingField(Part):
    """How things are called under the domain of their environment."""

    machines: Naming = Field("{name}", description="Virtual machines.")
    hosts: Naming = Field("{name}.host", description="Hosts.")
    patterns: Annotated[Many[NamePattern], Field(max_length=64)] = Field(
        (),
        description="What names in a part of the zone must look like, such as "
        "`{first}-{last}[-{spec}].pc` for all names that end in `.pc`.",
    )


class ShareNamesField(Part):
    """What another environment may write into a zone."""

    below: Annotated[Many[Domain], Field(max_length=64)] = Field(
        (), description="Names inside the zone, with all below them; its own name is all of it."
    )
    networks: Annotated[Many[Label], Field(max_length=64)] = Field(
        (), description="Networks whose addresses it may name in the reverse zones."
    )


class DelegationField(Part):
    """A part of the zone, or of its reverse zones, that other servers answer for."""

    to: Reverse = Field(description="A name inside the zone, or a prefix such as 192.0.2.64/26.")
    nameservers: Annotated[Many[Target], Field(min_length=1, max_length=13)] = Field(
        description="The servers that answer for it."
    )


class Zone(Document):
    """A DNS zone with the farm's names in it."""

    kind: Literal["Zone"]
    name: Domain = Field(description="The name of the zone, without the final dot.")
    origin: Domain | None = Field(
        None, description="The zone's name in DNS, if another document has that name already."
    )
    environment: EnvironmentName | None = Field(
        None,
        description="The environment that makes the zone, if the document is shared; "
        "else each environment that has the document.",
    )
    share: dict[str, ShareNamesField] = Field(
        {}, description="What other environments may write into it."
    )
    server: Domain = Field(description="The name server, by the name of its document.")
    view: Literal["inside", "outside"] = Field(
        "inside", description="Who is answered from it: the inside, or everybody else."
    )
    updated_by: Literal["reconciler", "dhcp"] = Field(
        "reconciler", description="`dhcp`: its names come from the leases of DHCP servers."
    )
    primary: Target = Field(description="The primary server as the SOA record names it.")
    nameservers: Many[Target] = Field(min_length=1, description="The servers of the zone.")
    contact: Mail | None = Field(None, description="Who answers for it, else the farm's contact.")
    serial: Annotated[int, Field(ge=1, le=4294967295)] = Field(
        1, description="Where the serial of a new zone starts."
    )
    serials: Literal["increment", "date"] = Field(
        "increment", description="How the serial goes on: by one, or as a date and two digits."
    )
    ttl: Duration = Field(parse_duration("1h"), description="Time to live of its records.")
    ttls: dict[str, Duration] = Field({}, description="Time to live by type of record.")
    refresh: Duration = Field(parse_duration("3h"), description="When secondaries look again.")
    retry: Duration = Field(parse_duration("30m"), description="When they try again.")
    expire: Duration = Field(parse_duration("2w"), description="When they give up.")
    negative_ttl: Duration = Field(
        parse_duration("30m"), description="How long an absent name is remembered."
    )
    naming: NamingField = Field(NamingField(), description="How machines and hosts are called.")
    records: Many[RecordField] = Field((), description="Records written by hand.")
    reverse: Annotated[Many[Reverse], Field(max_length=MOST_NAMES)] = Field(
        (),
        description="What it makes reverse zones for: networks by name, or prefixes such as "
        "2001:db8::/64 or 192.0.2.64/26.",
    )
    delegations: Annotated[Many[DelegationField], Field(max_length=MOST_NAMES)] = Field(
        (), description="Parts that other servers answer for."
    )

    @property
    def zone_name(self) -> str:
        """The name of the zone in DNS."""
        name: str = self.origin or self.name
        return name
