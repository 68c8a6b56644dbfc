"""The types of the fields of a host's base: closed forms that no file of the host can misread.

What is written ends in /etc/fstab, sysctl.d, modprobe.d, deb822 and in lists of arguments, so that
no value may hold what ends a word, a line or a paragraph there.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from reconciler.config.fields import (
    FILE_CONTENT,
    MOST_TEXT,
    PRINTABLE,
    Interval,
    no_secret,
    text_field,
)
from reconciler.model.quantity import format_duration

_NAME = r"[A-Za-z0-9_.@+~:%=,-]{1,100}"
_VALUE = r"[A-Za-z0-9_.,:+/@=-]"
_HOST_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST_NAME = rf"^{_HOST_LABEL}(?:\.{_HOST_LABEL}){{0,8}}$"
DEBIAN_PACKAGE = r"^[a-z0-9][a-z0-9+.-]{1,99}$"
DEBIAN_VERSION = r"^[0-9][A-Za-z0-9.+:~-]{0,99}$"
SOURCE_URL = r"^https?://[A-Za-z0-9.-]{1,200}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~+-]{1,100}){0,10}/?$"
SUITE = r"^(?:\./|[A-Za-z0-9][A-Za-z0-9._~+-]{0,60}(?:/[A-Za-z0-9][A-Za-z0-9._~+-]{0,60}){0,4}/?)$"
COMPONENT = r"^[a-z0-9][a-z0-9.-]{0,40}(?:/[a-z0-9][a-z0-9.-]{0,40}){0,2}$"
ARCHITECTURE = r"^[a-z0-9][a-z0-9-]{1,20}$"
ARMOR = (
    r"^-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[A-Z][A-Za-z]{1,20}: [ -~]{0,100}\n){0,5}\n"
    r"(?:[A-Za-z0-9+/]{1,76}={0,2}\n){1,1000}(?:=[A-Za-z0-9+/]{4}\n)?"
    r"-----END PGP PUBLIC KEY BLOCK-----\n?$"
)
PERMISSIONS = r"^[0-3][0-7]{3}$"
OWNER_AND_GROUP = r"^[a-z_][a-z0-9_-]{0,31}:[a-z_][a-z0-9_-]{0,31}$"
UNIT = r"^[A-Za-z0-9][A-Za-z0-9:_.-]{0,80}(?:@[A-Za-z0-9:_.-]{1,80})?$"
SYSCTL = r"^[a-z][a-z0-9_]{0,40}(?:\.[A-Za-z0-9_-]{1,60}){1,8}$"
_SYSCTL_WORD = r"-?[A-Za-z0-9/|%](?:[A-Za-z0-9/|_,:%@+-]|\.(?!\.)){0,199}"
SYSCTL_VALUE = rf"^{_SYSCTL_WORD}(?: {_SYSCTL_WORD}){{0,20}}$"
MODULE = r"^[A-Za-z0-9][A-Za-z0-9_]{0,54}$"
_OPTION = rf"[A-Za-z0-9_]{{1,60}}(?:={_VALUE}{{0,100}})?"
MODULE_OPTIONS = rf"^{_OPTION}(?: {_OPTION}){{0,20}}$"
MOUNT_SOURCE = r"^[A-Za-z0-9/\[][A-Za-z0-9_.:/@=+,\[\]-]{0,200}$"
MOUNT_TYPE = r"^[a-z][a-z0-9_.-]{0,31}$"
_MOUNT_OPTION = r"[A-Za-z0-9_][A-Za-z0-9_.=:/+@%-]{0,100}"
MOUNT_OPTIONS = rf"^{_MOUNT_OPTION}(?:,{_MOUNT_OPTION}){{0,30}}$"
_PROGRAM = re.compile(rf"\A(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{{0,99}}|(?:/{_NAME}){{1,20}})\Z")
ARGUMENT = rf"^{PRINTABLE}{{1,1000}}$"
GECOS = rf"^(?:(?!:){PRINTABLE}){{0,200}}$"
DEVICE = r"^/dev(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.:+=@-]{1,100}){1,5}$"
VOLUME_GROUP = r"^[A-Za-z0-9_+][A-Za-z0-9_.+-]{0,99}$"
ZPOOL = r"^[A-Za-z][A-Za-z0-9_.-]{0,62}$"
ZPOOL_WORDS = "mirror|raidz|raidz1|raidz2|raidz3|log|cache|spare|special|dedup"
ZPOOL_ITEM = rf"^(?:{ZPOOL_WORDS}|{DEVICE.removeprefix('^').removesuffix('$')})$"
PROPERTY = r"^[a-z][a-z0-9_@:.-]{0,60}$"
PROPERTY_VALUE = r"^[A-Za-z0-9/](?:[A-Za-z0-9_,:+/@=-]|\.(?!\.)){0,99}$"
LONGEST_COMMAND = timedelta(hours=2)
_PUBLIC_KEY = 6  # the packet that an OpenPGP public key begins with (RFC 9580 §5)
_OLD_FORM, _NEW_FORM = 0x80, 0xC0


def _armored_key(armor: str) -> str:
    """The key without what surrounds it; what is armored must be a public key, and nothing else."""
    armor = armor.removesuffix("\n")
    lines = armor.partition("\n\n")[2].splitlines()[:-1]
    encoded = "".join(line for line in lines if not line.startswith("="))
    try:
        first = base64.b64decode(encoded, validate=True)[0]
    except (binascii.Error, IndexError):
        first = 0
    packet = first & 0x3F if first & _NEW_FORM == _NEW_FORM else (first & 0x3C) >> 2
    if not first & _OLD_FORM or packet != _PUBLIC_KEY:
        message = "must be an armored public key; this one is cut off, mixed up or of another sort"
        raise ValueError(message)
    return armor


def _few_bytes(content: str) -> str:
    """A file that is larger than a look brings back could not be shown as it is."""
    if len(content.encode()) > MOST_TEXT:
        message = f"must have at most {MOST_TEXT} bytes; put it into a package"
        raise ValueError(message)
    return no_secret(content)


def _own_unit(unit: str) -> str:
    """`chrony` and `chrony.service` are one unit, and so have one name here."""
    if unit.endswith(".service"):
        message = f"must be {unit.removesuffix('.service')}, without .service"
        raise ValueError(message)
    return unit


def _zpool(name: str) -> str:
    if re.match(rf"(?:{ZPOOL_WORDS})", name):
        message = "must not begin with a word that says how devices are put together"
        raise ValueError(message)
    return name


def program_first(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments, of which the first is no option and no way round the search path.

    Raises:
        ValueError: it is.
    """
    if arguments and _PROGRAM.match(arguments[0]) is None:
        message = "must begin with a program: its name, or its absolute path"
        raise ValueError(message)
    return arguments


def _short(duration: timedelta) -> timedelta:
    """Nothing else is done on the host while a command runs."""
    if duration > LONGEST_COMMAND:
        message = f"must be at most {format_duration(LONGEST_COMMAND)}"
        raise ValueError(message)
    return duration


HostName = text_field(HOST_NAME, "a host name in lower case, with or without its domain", 64)
DebianPackage = text_field(DEBIAN_PACKAGE, "the name of a Debian package in lower case", 100)
DebianVersion = text_field(DEBIAN_VERSION, "the version of a Debian package, in quotes", 100)
SourceUrl = text_field(SOURCE_URL, "an http:// or https:// address without login and query", 500)
Suite = text_field(SUITE, "a suite such as bookworm-backports, or a path that ends with /", 250)
Component = text_field(COMPONENT, "a component such as main", 120)
Architecture = text_field(ARCHITECTURE, "an architecture such as amd64", 22)
ArmoredKey = text_field(
    ARMOR, "a PGP PUBLIC KEY BLOCK as gpg --armor writes it", 99_999, _armored_key
)
HostContent = text_field(
    FILE_CONTENT,
    f"plain text of at most {MOST_TEXT} bytes",
    MOST_TEXT,
    _few_bytes,
    may_refer=True,
)
Permissions = text_field(PERMISSIONS, "four octal digits in quotes, such as '0644' or '2775'", 4)
OwnerAndGroup = text_field(OWNER_AND_GROUP, "an account and a group, such as root:root", 65)
UnitName = text_field(UNIT, "the name of a unit, such as chrony or apt-daily.timer", 170, _own_unit)
SysctlName = text_field(SYSCTL, "a kernel setting with dots, such as net.ipv4.ip_forward", 200)
SysctlValue = text_field(SYSCTL_VALUE, "a value in quotes, words with single blanks", 400)
ModuleName = text_field(MODULE, "the name of a kernel module, with _ and without -", 55)
ModuleOptions = text_field(MODULE_OPTIONS, "options such as `nested=1 other=0`", 1000)
MountSource = text_field(MOUNT_SOURCE, "a source without blanks, such as nas:/export", 201)
MountType = text_field(MOUNT_TYPE, "a type of file system, such as nfs or ext4", 32)
MountOptions = text_field(MOUNT_OPTIONS, "options with commas and without blanks", 1000)
Argument = text_field(ARGUMENT, "one printable argument", 1000)
Gecos = text_field(GECOS, "one line of text without a colon, at most 200 letters", 200)
Device = text_field(DEVICE, "a device below /dev without . and .. in it", 400)
VolumeGroupName = text_field(VOLUME_GROUP, "the name of a volume group", 100)
ZpoolName = text_field(ZPOOL, "the name of a ZFS pool", 63, _zpool)
ZpoolItem = text_field(ZPOOL_ITEM, "a device, or a word such as mirror or raidz2", 400)
PropertyName = text_field(PROPERTY, "a property such as ashift", 61)
PropertyValue = text_field(PROPERTY_VALUE, "a value in quotes", 100)
GroupId = Annotated[int, Field(ge=1, le=65533)]
CommandDeadline = Annotated[Interval, AfterValidator(_short)]
