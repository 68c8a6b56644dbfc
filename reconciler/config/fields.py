"""The types of document fields: closed forms with a message for people behind each."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
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
SHA512 = r"^[0-9a-f]{128}$"
CRON = r"^[0-9A-Za-z*/,#?-]{1,40}(?: [0-9A-Za-z*/,#?-]{1,40}){4}$"
TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+-]{0,20}(?:/[A-Za-z0-9_+-]{1,20}){0,2}$"
UUID = r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
CPU_MODEL = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
MAIL = rf"^[A-Za-z0-9][A-Za-z0-9._+-]{{0,63}}@{_LABEL}(?:\.{_LABEL})*$"
IMAGE_URL = (
    r"^(?:https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+-]*"
    r"|(?:file://)?/(?:[A-Za-z0-9_~+-]|\.(?!\.)|/(?!/)){1,400})$"
)
HOST_PATTERN = rf"^(?:\*\.)?{_LABEL}(?:\.{_LABEL})*$"
DIRECTORY = r"^/(?!/)(?:[A-Za-z0-9_~+-]|\.(?!\.)|/(?!/)){1,200}$"
LIBVIRT_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$"
# Neither control characters nor what hides text or turns its direction.
_HIDDEN = r"\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
PRINTABLE = rf"[^\x00-\x1f{_HIDDEN}]"
ONE_LINE = rf"^{PRINTABLE}{{0,200}}$"
PATH = r"^/?[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)|/(?!/)){0,199}$"
RECORD_VALUE = r"^[ -~]{1,2000}$"
ACCOUNT = r"^[a-z_][a-z0-9_-]{0,31}$"
FILE_OWNER = r"^[a-z_][a-z0-9_-]{0,31}(?::[a-z_][a-z0-9_-]{0,31})?$"
FILE_PATH = r"^(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.@+~:%=,-]{1,100}){1,20}$"
SHELL = r"^(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.+-]{1,60}){1,8}$"
FILE_MODE = r"^0[0-7]{3}$"
FILE_CONTENT = rf"^[^\x00-\x08\x0b-\x1f{_HIDDEN}]*$"
_VERSION = r"(?:=[A-Za-z0-9][A-Za-z0-9.+:~_-]{0,99})?"
PACKAGE = rf"^[A-Za-z0-9][A-Za-z0-9.+_-]{{0,99}}(?::[a-z0-9]{{1,20}})?{_VERSION}$"
LOCALE = r"^[A-Za-z]{1,3}(?:_[A-Z]{2})?(?:\.[A-Za-z0-9-]{1,20})?(?:@[a-z]{1,20})?$"
KEY_PARTS = {  # of how many parts the keys are that we take
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
_KEY_TYPE = f"(?:{'|'.join(kind.replace('.', chr(92) + '.') for kind in KEY_PARTS)})"
SSH_KEY = rf"^{_KEY_TYPE} [A-Za-z0-9+/]{{50,4000}}={{0,2}}(?: {PRINTABLE}{{1,200}})?$"
MOST_BYTES = 2**60
REFERENCE = "secret://"
WHERE_SECRETS_STAND = (
    "secrets are filled into the `content` of a host's `files` and the `keys` of a Nameserver, and "
    "nowhere else"
)
MOST_TEXT = 64 * 1024
_KEY_MEANING = "a public ssh key: its type, its base64 part and perhaps a comment"
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?-----|AGE-SECRET-KEY-1"
    r"|\$(?:1|2[abxy]|5|6|7|y|gy)\$[A-Za-z0-9./=,$]{20}"
)


_LOOPBACK = IPv4Network("127.0.0.0/8")
_NOBODYS = IPv4Network("224.0.0.0/3")  # of groups, and for nobody


def text_field(
    pattern: str,
    meaning: str,
    limit: int = 253,
    also: Callable[[str], str] | None = None,
    *,
    may_refer: bool = False,
) -> Any:
    """A string of this form, to its very end: `$` alone would let a final newline pass.

    `also` is asked what no pattern can tell. `may_refer`: it may hold references to secrets.
    """
    compiled = re.compile(rf"\A{pattern.removeprefix('^').removesuffix('$')}\Z")

    def check(value: str) -> str:
        if not may_refer and REFERENCE in value:
            message = f"must hold no {REFERENCE}: {WHERE_SECRETS_STAND}"
            raise ValueError(message)
        if len(value) > limit or compiled.match(value) is None:
            message = f"must be {meaning}"
            raise ValueError(message)
        return also(value) if also else value

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


def _no_root(name: str) -> str:
    """Root's keys and password are not what a document is about."""
    if name == "root":
        message = "must not be root; give another account `sudo: true`"
        raise ValueError(message)
    return name


def _ssh_key(key: str) -> str:
    """The base64 part says once more what sort of key it is, and has as many parts as that has."""
    kind, encoded = key.split(" ")[:2]
    parts = _key_parts(encoded)
    if len(parts) != KEY_PARTS[kind] or parts[0] != kind.encode():
        message = f"must be {_KEY_MEANING}; this one is cut off or mixed up"
        raise ValueError(message)
    return key


def _key_parts(encoded: str) -> list[bytes]:
    """The parts of a public key, each after its length (RFC 4253 §6.6); none if they do not fit."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError:
        return []
    parts: list[bytes] = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        part, blob = blob[4 : 4 + length], blob[4 + length :]
        if not length or len(part) != length:
            return []
        parts.append(part)
    return parts


def no_secret(content: str) -> str:
    """Whoever can read the host's pools can read a seed."""
    if _SECRET.search(content):
        message = "must hold no secret: this looks like a private key or the hash of a password"
        raise ValueError(message)
    return content


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
    if network.overlaps(_LOOPBACK) or network.overlaps(_NOBODYS):
        message = "must be a network whose addresses machines can have"
        raise ValueError(message)
    return network


def _cron(value: str) -> str:
    message = "must be five fields as in a crontab, such as `0 2 * * sat`"
    if re.match(CRON.replace("$", r"\Z"), value) is None:
        raise ValueError(message)
    try:
        CronSim(value, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError:
        raise ValueError(message) from None
    return value


def _time_zone(value: str) -> str:
    message = "must be the name of a time zone, such as Europe/Berlin"
    if re.match(TIME_ZONE.replace("$", r"\Z"), value) is None:
        raise ValueError(message)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(message) from None
    return value


Label = text_field(LABEL, "one DNS label: a-z, 0-9 and -, at most 63 letters", 63)
Domain = text_field(DOMAIN, "a domain name without the final dot, such as farm.internal")
RecordName = text_field(RECORD_NAME, "a name inside the zone, @ for the zone itself, or *")
Target = text_field(TARGET, "a host name; with a final dot it is absolute")
Naming = text_field(NAMING, "a name pattern with {name} in it, such as {name}.host")
BridgeName = text_field(INTERFACE, "the name of a bridge, at most 15 letters", 15)
Mac = text_field(MAC, "the hardware address of one machine in lower case: 52:54:00:12:34:56", 17)
Sha256 = text_field(SHA256, "a sha256 checksum: 64 hexadecimal digits in lower case", 64)
Uuid = text_field(UUID, "a UUID in lower case", 36)
CpuModel = text_field(CPU_MODEL, "host-passthrough, host-model or the name of a processor", 63)
Sha512 = text_field(SHA512, "a sha512 checksum: 128 hexadecimal digits in lower case", 128)
Mail = text_field(MAIL, "a mail address")
ImageUrl = text_field(IMAGE_URL, "an https:// address or the path of a file", 500)
HostPattern = text_field(HOST_PATTERN, "the name of a host, or *. and a domain")
Directory = text_field(DIRECTORY, "the absolute path of a directory", 201)
LibvirtName = text_field(LIBVIRT_NAME, "a name that libvirt takes", 100)
OneLine = text_field(ONE_LINE, "one line of text, at most 200 letters", 200)
PoolTarget = text_field(PATH, "a path, or the name of a volume group or dataset", 200)
GroupName = text_field(ACCOUNT, "the name of a group: a-z, 0-9, _ and -, at most 32 letters", 32)
_ACCOUNT_MEANING = "the name of an account: a-z, 0-9, _ and -, at most 32 letters"
AccountName = text_field(ACCOUNT, _ACCOUNT_MEANING, 32, _no_root)
SshKey = text_field(SSH_KEY, _KEY_MEANING, 5000, _ssh_key)
PackageName = text_field(PACKAGE, "the name of a package, or name=version", 230)
FilePath = text_field(FILE_PATH, "an absolute path without . and .. in it", 400)
Shell = text_field(SHELL, "the absolute path of a shell", 100)
FileMode = text_field(FILE_MODE, "four octal digits in quotes that begin with 0, such as '0644'", 4)
FileOwner = text_field(FILE_OWNER, "an account, or account:group", 65)
_CONTENT_MEANING = f"plain text of at most {MOST_TEXT} letters"
FileContent = text_field(FILE_CONTENT, _CONTENT_MEANING, MOST_TEXT, no_secret)
Locale = text_field(LOCALE, "a locale, such as C.UTF-8 or de_DE.UTF-8", 60)
RecordValue = text_field(RECORD_VALUE, "one line of plain ASCII text", 2000)
PersonName = text_field(
    r"^[A-Za-z0-9][A-Za-z0-9._@+:/-]{0,199}$",
    "the name of an account at the forge, the principal of a key, or its fingerprint",
    200,
)
CommitId = text_field(r"^[0-9a-f]{40}$", "the whole id of a commit: 40 hexadecimal digits", 40)
PartitionRange = text_field(
    r"^[0-9./-]{7,40}$", "a network or first-last, such as 192.168.1.128/25", 40
)

Cron = Annotated[
    str, AfterValidator(_cron), WithJsonSchema({"type": "string", "pattern": CRON, "maxLength": 99})
]
TimeZone = Annotated[
    str, AfterValidator(_time_zone), WithJsonSchema({"type": "string", "pattern": TIME_ZONE})
]
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
Vlan = Annotated[int, Field(ge=1, le=4094)]
Percent = Annotated[int, Field(ge=0, le=100)]
