"""The Nameserver document: servers that answer for zones, and how they are told of changes."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from reconciler.config.document import Document, EnvironmentName
from reconciler.config.fields import Domain, IpAddress, Label
from reconciler.config.install_fields import SecretName
from reconciler.config.network_fields import Port
from reconciler.config.part import Many, Part
from reconciler.config.zone_fields import KeyAlgorithm, Reverse

INSIDE: Final = "inside"
OUTSIDE: Final = "outside"
View = Literal["inside", "outside"]


class NameserverHostField(Part):
    """A host that runs a name server."""

    name: Label = Field(description="The name of the host.")
    address: IpAddress | None = Field(
        None, description="Where it answers, else at the host's own address."
    )


class KeysField(Part):
    """The keys (TSIG) by which each environment, and DHCP, may change its part of the zones."""

    algorithm: KeyAlgorithm = Field("hmac-sha256", description="What they sign with.")
    development: SecretName | None = Field(None, description="The key of development.")
    staging: SecretName | None = Field(None, description="The key of staging.")
    production: SecretName | None = Field(None, description="The key of production.")
    dhcp: SecretName | None = Field(None, description="The key of DHCP servers.")

    def of(self, holder: str) -> str | None:
        """The reference to the key of an environment, or of `dhcp`."""
        keys = {
            "development": self.development,
            "staging": self.staging,
            "production": self.production,
            "dhcp": self.dhcp,
        }
        return keys.get(holder)


class Nameserver(Document):
    """Name servers with the same zones: a primary, and perhaps secondaries.

    With `hosts` their configuration is ours; with `address` only their zones are.
    """

    kind: Literal["Nameserver"]
    name: Domain = Field(description="The name.")
    environment: EnvironmentName | None = Field(
        None,
        description="The environment that makes it, if the document is shared; "
        "else each environment that has the document.",
    )
    software: Literal["bind", "nsd", "knot", "bind-files"] = Field(
        "bind",
        description="The program. `bind` is changed by dynamic updates, the others by zone files.",
    )
    hosts: Annotated[Many[NameserverHostField], Field(max_length=16)] = Field(
        (), description="The hosts that run it; the first is the primary."
    )
    address: IpAddress | None = Field(
        None, description="The address of a primary whose configuration is not ours."
    )
    port: Port = Field(53, description="The port it answers at.")
    keys: KeysField = Field(KeysField(), description="Who may change zones.")
    inside: Annotated[Many[Reverse], Field(max_length=64)] = Field(
        (),
        description="Networks, or prefixes, that are inside: only they are answered recursively.",
    )
    outside: bool = Field(
        default=False,
        description="Whether everybody else is answered, too: from zones with `view: outside`.",
    )
    recursion: bool = Field(default=True, description="Whether the inside may ask for any name.")
    forwarders: Annotated[Many[IpAddress], Field(max_length=8)] = Field(
        (), description="Who is asked for other names, else the root servers."
    )
    dnssec_validation: bool = Field(
        default=True,
        description="Whether answers from elsewhere are checked; not where forwarders leave out "
        "the signatures.",
    )

    def door(self, view: View) -> str:
        """The name by which the zones of a view are asked for: each view is a server of its own."""
        return self.name if view == INSIDE else f"{self.name}/{OUTSIDE}"

    def view(self, view: View) -> str | None:
        """What the view is called in the server's configuration; None if it has no views."""
        return view if self.outside else None


def key_name(holder: str, view: View = INSIDE) -> str:
    """The name of the key of an environment, or of `dhcp`. The server tells views by it."""
    return f"reconciler-{holder}" if view == INSIDE else f"reconciler-{holder}-{OUTSIDE}"


def catalog_name(server: str) -> str:
    """The zone that tells secondaries which zones there are (RFC 9432)."""
    return f"catalog.{server}.invalid"
