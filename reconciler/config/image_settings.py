"""The operator's settings for images: the repository names them, the operator limits them."""

from __future__ import annotations

from pydantic import Field

from reconciler.config.fields import Directory, HostPattern, Interval, Size
from reconciler.config.part import Many, Part
from reconciler.model.quantity import parse_duration, parse_size


class ImageSettings(Part):
    """From where base images may come, and how large they may be."""

    allowed_hosts: Many[HostPattern] = Field(
        (),
        description="The hosts that images may be fetched from and be redirected to; "
        "`*.example.org` means all below example.org. None named: every host of the internet.",
    )
    directories: Many[Directory] = Field(
        ("/srv/images",), description="Image files of this machine must be below one of these."
    )
    private_networks: bool = Field(
        default=False,
        description="Whether images may come from private addresses such as 192.168.1.7. "
        "Never from this machine's own or link-local ones.",
    )
    largest: Size = Field(parse_size("16 GiB"), description="The most that one may have to fetch.")
    largest_disk: Size = Field(
        parse_size("2 TiB"), description="The largest disk that an image may be of."
    )
    deadline: Interval = Field(
        parse_duration("30m"), description="How long fetching one may take in all."
    )
