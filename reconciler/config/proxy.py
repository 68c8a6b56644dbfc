"""The Proxy document: which host name leads to which machines, by nginx on some hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.config.document import Document
from reconciler.config.fields import FilePath, HostPattern, Interval, IpAddress, Label, Size
from reconciler.config.network_fields import CookieName, Port, UrlPath
from reconciler.config.part import Many, Part
from reconciler.model.quantity import parse_duration, parse_size


class UpstreamField(Part):
    """A server behind a proxy: a machine of the farm, or an address."""

    name: Label = Field(description="The machine, or a name for the address.")
    address: IpAddress | None = Field(None, description="The address, if it is no machine.")
    port: Port = Field(80, description="The port there.")
    weight: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="Its part of the work.")
    backup: bool = Field(default=False, description="Whether it works only if others do not.")


class TlsField(Part):
    """The certificate of a site; the files must be on the host."""

    certificate: FilePath = Field(description="The certificate with its chain.")
    key: FilePath = Field(description="The private key.")
    redirect: bool = Field(default=True, description="Whether plain http is sent to https.")


class StickyField(Part):
    """What keeps a visitor with one server."""

    by: Literal["address", "cookie"] = Field("address", description="What tells visitors apart.")
    cookie: CookieName | None = Field(None, description="The name of the cookie.")


class HealthField(Part):
    """When a server is left out."""

    fails: Annotated[int, Field(ge=1, le=100)] = Field(3, description="After so many failures.")
    within: Interval = Field(parse_duration("10s"), description="In this time; and for so long.")


class SiteField(Part):
    """One site, by its host names."""

    name: Label = Field(description="Its name.")
    server_names: Annotated[Many[HostPattern], Field(min_length=1, max_length=64)] = Field(
        description="The host names it answers to."
    )
    path: UrlPath = Field("/", description="Only what is below this path.")
    upstreams: Annotated[Many[UpstreamField], Field(min_length=1, max_length=64)] = Field(
        description="Who does the work."
    )
    tls: TlsField | None = Field(None, description="Its certificate; else it has none.")
    sticky: StickyField | None = Field(None, description="Whether visitors stay with a server.")
    health: HealthField | None = Field(
        None, description="When a server is left out; else after 3 failures in 10 s."
    )
    largest_request: Size = Field(
        parse_size("64 MiB"), description="How much a visitor may send in one request."
    )

    @model_validator(mode="after")
    def _can_work(self) -> SiteField:
        if reasons := list(_problems(self)):
            raise ValueError("; ".join(reasons))
        return self


def _problems(site: SiteField) -> Iterator[str]:
    """What nginx would refuse, or could not do."""
    if all(server.backup for server in site.upstreams):
        yield "needs a server in upstreams that is no backup"
    if site.sticky is None:
        return
    if any(server.backup for server in site.upstreams):
        yield "cannot have both a backup and sticky visitors: leave one of them out"
    if (site.sticky.by == "cookie") != (site.sticky.cookie is not None):
        yield "sticky needs the name of a cookie with `by: cookie`, and only then"


class Proxy(Document):
    """The reverse proxy of some hosts of the environment."""

    kind: Literal["Proxy"]
    hosts: Annotated[Many[Label], Field(min_length=1, max_length=200)] = Field(
        description="The hosts that run nginx."
    )
    sites: Annotated[Many[SiteField], Field(min_length=1, max_length=200)] = Field(
        description="The sites."
    )
