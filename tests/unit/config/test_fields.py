"""Fields take what is meant and refuse what only looks like it."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from reconciler.config import fields

GOOD: list[tuple[str, str, Any]] = [
    ("Size", "4 GiB", 4 * 2**30),
    ("Size", "1.5KiB", 1536),
    ("Size", "442 GB", 442 * 10**9),
    ("Size", "0 B", 0),
    ("WholeSize", "512 MiB", 512 * 2**20),
    ("WholeSize", "1024 KiB", 2**20),
    ("Duration", "1h 30m", timedelta(minutes=90)),
    ("Duration", "2w", timedelta(weeks=2)),
    ("Duration", "0s", timedelta(0)),
    ("Duration", "3550w", timedelta(weeks=3550)),
    ("Interval", "1s", timedelta(seconds=1)),
    ("IpAddress", "192.168.1.1", IPv4Address("192.168.1.1")),
    ("IpAddress", "2001:db8::1", IPv6Address("2001:db8::1")),
    ("Subnet", "192.168.1.0/24", IPv4Network("192.168.1.0/24")),
    ("Subnet", "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
    *(("Label", text, text) for text in ("a", "1", "web-1", "a--b", "x" * 63)),
    *(("Domain", text, text) for text in ("farm", "a.b.c", "10.10.in-addr.arpa")),
    *(("RecordName", text, text) for text in ("@", "*", "*.vm", "a.b", "_https._tcp")),
    *(("Target", text, text) for text in ("@", "ns", "ns.farm.internal.", "_x.y")),
    *(("Naming", text, text) for text in ("{name}", "vm-{name}", "{name}.host", "a.{name}-x.b")),
    *(("BridgeName", text, text) for text in ("br0", "br-lan", "br0.60", "vmbr_1")),
    ("Mac", "52:54:00:12:34:56", "52:54:00:12:34:56"),
    ("Mail", "host.master+dns@farm.internal", "host.master+dns@farm.internal"),
    *(("ImageUrl", url, url) for url in ("https://a.b/c.img", "/srv/a.img", "file:///srv/a.img")),
    *(("LibvirtName", text, text) for text in ("old_web.0+1", "Web")),
    *(("OneLine", text, text) for text in ("", "Größe – 日本語 🙂", "{{7*7}}")),
    *(("PoolTarget", text, text) for text in ("/srv/images", "all", "z0/vms", "/a.b/c-d_e")),
]
REFUSED: dict[str, tuple[Any, ...]] = {
    "Size": (
        *(5, 1.5, True, None, [], "5", "5 gb", "5 GiBs", "-1 GiB", "1e3 B", "1 GiB\n", "٣ GiB"),
        *("1.5 B", "1025 PiB", "999999999999999 PiB"),
    ),
    "WholeSize": ("0 B", "1 KiB", "1 GB", "1.5 KiB"),
    "Duration": (
        *(5, True, None, "5", "5 minutes", "1.5h", "-1h", "1h\n", "٣h"),
        *("3551w", "999999999w", "1m" * 6),
    ),
    "Interval": ("0s",),
    "IpAddress": (
        *(5, None, "", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4/8", "fe80::1%eth0"),
        *("0.0.0.0", "::", "224.0.0.1", "ff02::1"),  # noqa: S104 (refused)
    ),
    "Subnet": (
        *(5, "10.0.0.0", "10.0.0.1/24", "10.0.0.0/7", "10.0.0.0/31", "10.0.0.0/24\n"),
        *("10.0.0.0/255.0.0.0", "2001:db8::/64", "10.0.0.256/24", "010.0.0.0/24"),
    ),
    "Label": ("", "-a", "a-", "A", "a.b", "a_b", "ä", "a b", "x" * 64, "..", "a\n"),
    "Domain": ("", "a.", ".a", "a..b", "A.b", "a_b.c", "*.a", "a." * 127 + "b"),
    "RecordName": ("", "a.", "*a", "a.*", "@.a", "a b", "$ORIGIN", "x" * 64),
    "Target": ("", ".", "a..", "-a", "a b", "*", "a;b"),
    "Naming": (
        *("", "vm", "{name", "{name}{name}", "{Name}", "{name!r}", "-{name}", "{name}-"),
        *("{name}.", "{name.x}", "{{name}}", "{name}.{name}"),
    ),
    "BridgeName": ("", "0br", "br/0", "b" * 16, "br 0", "Br0"),
    "Mac": (
        *("52:54:00:12:34", "52-54-00-12-34-56", "53:54:00:12:34:56"),
        *("52:54:00:AA:34:56", "52:54:00:12:34:56\n"),
    ),
    "Sha256": ("a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"),
    "Sha512": ("a" * 64, "a" * 127, "A" * 128, "a" * 128 + "\n"),
    "HostPattern": ("", "*", "a*", "*.*.a", "*a.b", "-a", "a b", "a\n"),
    "Directory": ("", "/", "a", "/..", "/a/../b", "//a", "/a\n"),
    "Mail": ("a", "@b", "a@", "a b@c", "a@b\n", "a@-b", "a@b_c"),
    "ImageUrl": (
        *("http://a/b", "https://a", "a.img", "ftp://a/b", "file://a/b", "/a/../b", "/a//b"),
        *("https://u:p@a/b", "https://a/b?c", "/a\n"),
    ),
    "LibvirtName": ("", ".a", "-a", "a/b", "a b", "x" * 101, "a\n"),
    "OneLine": ("a\n", "a\tb", "\x1b[0m", "a\u202eb", "a\u200bb", "x" * 201),
    "PoolTarget": ("", "/", "..", "/..", "/a/../b", "a//b", "-a", "/a b", "/a\n"),
    "RecordValue": ("", "a\nb", "ä", "a\x00", "x" * 2001),
    "Cpus": (0, 1025, -1, 1.0, "1", True, None),
    "Percent": (-1, 101, 1.5, "5", True),
}
BAD = [(field, odd) for field, values in REFUSED.items() for odd in values]


def judge(field: str, value: Any) -> Any:
    return TypeAdapter(getattr(fields, field)).validate_python(value, strict=True)


@pytest.mark.parametrize(("field", "text", "value"), GOOD)
def test_what_is_meant_is_taken(field: str, text: str, value: Any) -> None:
    assert judge(field, text) == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_only_looks_like_it_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        judge(field, value)
