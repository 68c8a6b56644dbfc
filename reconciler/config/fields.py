"""The types of document fields: closed forms with a message for people behind each."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from reconciler.model.quantity import format_size, parse_duration, parse_size

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LABEL = rf"^{_LABEL}$"
DOMAIN = rf"^{_LABEL}(?:\.{_LABEL})*$"
_OWNER = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
RECORD_NAME = rf"^(?:@|(?:\*|{_OWNER})(?:\.{_OWNER})*)$"
TARGET = rf"^(?:@|{_OWNER}(?:\.{_OWNER})*\.?)$"
_PREFIX, _SUFFIX = r"(?:[a-z0-9][a-z0-9-]{0,29})?", r"(?:[a-z0-9-]{0,29}[a-z0-9])?"
NAMING = rf"^(?:{_LABEL}\.)*{_PREFIX}\{{name\}}{_SUFFIX}(?:\.{_LABEL})*$"
INTERFACE = r"^[a-z][a-z0-9_.-]{0,14}$"
MAC = r"^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$"
SUBNET = r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}/(?:[89]|[12][0-9]|30)$"
SHA256 = r"^[0-9a-f]{64}$"
MAIL = rf"^[A-Za-z0-9][A-Za-z0-9._+-]{{0,63}}@{_LABEL}(?:\.{_LABEL})*$"
IMAGE_URL = (
    r"^(?:https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+-]*"
    r"|(?:file://)?/(?:[A-Za-z0-9_~+-]|\.(?!\.)|/(?!/)){1,400})$"
)
LIBVIRT_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$"
# Neither control characters nor what hides text or turns its direction.
_PRINTABLE = r"[^\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]"
ONE_LINE = rf"^{_PRINTABLE}{{0,200}}$"
PATH = r"^/?[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)|/(?!/)){0,199}$"
RECORD_VALUE = r"^[ -~]{1,2000}$"
MOST_BYTES = 2**60


def _text(pattern: str, meaning: str, limit: int = 253) -> Any:
    """A string of this form, to its very end: `$` alone would let a final newline pass."""
    compiled = re.compile(rf"\A{pattern.removeprefix('^').removesuffix('$')}\Z")

    def check(value: str) -> str:
        if len(value) > limit or compiled.match(value) is None:
            message = f"must be {meaning}"
            raise ValueError(message)
        return value

    schema = {"type": "string", "pattern": pattern, "maxLength": limit}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def _size(value: Any) -> int:
    if not isinstance(value, str):
        message = "must be a size with a unit, such as 4 GiB"
        raise ValueError(message)
    size = parse_size(value)
    if size > MOST_BYTES:
        message = f"must be at most {format_size(MOST_BYTES)}"
        raise ValueError(message)
    return size


def _whole_mebibytes(size: int) -> int:
    """Hypervisors round to mebibytes, and what they round would differ from what was written."""
    if size == 0 or size % 2**20:
        message = "must be a whole number of MiB, and not 0"
        raise ValueError(message)
    return size


def _duration(value: Any) -> timedelta:
    if not isinstance(value, str):
        message = "must be a duration with a unit, such as 30m"
        raise ValueError(message)
    return parse_duration(value)


def _not_zero(duration: timedelta) -> timedelta:
    if not duration:
        message = "must be at least 1s"
        raise ValueError(message)
    return duration


def _address(value: Any) -> IPv4Address | IPv6Address:
    message = "must be an IP address, such as 192.168.1.17"
    if not isinstance(value, str) or "%" in value:
        raise ValueError(message)
    try:
        address = ip_address(value)
    except ValueError:
        raise ValueError(message) from None
    if address.is_unspecified or address.is_multicast:
        message = "must be the address of one machine"
        raise ValueError(message)
    return address


def _subnet(value: Any) -> IPv4Network:
    message = "must be an IPv4 network from /8 to /30, such as 192.168.1.0/24"
    if not isinstance(value, str) or re.match(SUBNET, value) is None:
        raise ValueError(message)
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        raise ValueError(message) from None
    if str(network) != value:
        message = f"must be {network}, which is the network that this address is in"
        raise ValueError(message)
    return network


Label = _text(LABEL, "one DNS label: a-z, 0-9 and -, at most 63 letters", 63)
Domain = _text(DOMAIN, "a domain name without the final dot, such as farm.internal")
RecordName = _text(RECORD_NAME, "a name inside the zone, @ for the zone itself, or *")
Target = _text(TARGET, "a host name; with a final dot it is absolute")
Naming = _text(NAMING, "a name pattern with {name} in it, such as {name}.host")
BridgeName = _text(INTERFACE, "the name of a bridge, at most 15 letters", 15)
Mac = _text(MAC, "the hardware address of one machine in lower case: 52:54:00:12:34:56", 17)
Sha256 = _text(SHA256, "a sha256 checksum: 64 hexadecimal digits in lower case", 64)
Mail = _text(MAIL, "a mail address")
ImageUrl = _text(IMAGE_URL, "an https:// address or the path of a file", 500)
LibvirtName = _text(LIBVIRT_NAME, "a name that libvirt takes", 100)
OneLine = _text(ONE_LINE, "one line of text, at most 200 letters", 200)
PoolTarget = _text(PATH, "a path, or the name of a volume group or dataset", 200)
RecordValue = _text(RECORD_VALUE, "one line of plain ASCII text", 2000)
PartitionRange = _text(r"^[0-9./-]{7,40}$", "a network or first-last, such as 192.168.1.128/25", 40)

Size = Annotated[
    int,
    BeforeValidator(_size),
    Strict(strict=False),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,19}(\.[0-9]{1,6})? ?([KMGTP]i?B|B)$"}),
]
WholeSize = Annotated[Size, AfterValidator(_whole_mebibytes)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]{1,9}[smhdw] ?){1,5}$"}),
]
Interval = Annotated[Duration, AfterValidator(_not_zero)]
IpAddress = Annotated[
    IPv4Address | IPv6Address,
    BeforeValidator(_address),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9a-fA-F.:]{2,45}$"}),
]
Subnet = Annotated[
    IPv4Network,
    BeforeValidator(_subnet),
    WithJsonSchema({"type": "string", "pattern": SUBNET}),
]
Cpus = Annotated[int, Field(ge=1, le=1024)]
Percent = Annotated[int, Field(ge=0, le=100)]
