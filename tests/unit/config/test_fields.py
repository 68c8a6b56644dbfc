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
BAD: list[tuple[str, Any]] = [
    *(("Size", odd) for odd in (5, 1.5, True, None, [], "5", "5 gb", "5 GiBs", "-1 GiB", "1e3 B")),
    *(("Size", odd) for odd in ("1.5 B", "1025 PiB", "999999999999999 PiB", "1 GiB\n", "٣ GiB")),
    *(("WholeSize", odd) for odd in ("0 B", "1 KiB", "1 GB", "1.5 KiB")),
    *(("Duration", odd) for odd in (5, True, None, "5", "5 minutes", "1.5h", "-1h", "1h\n")),
    *(("Duration", odd) for odd in ("3551w", "999999999w", "1m" * 6)),
    ("Interval", "0s"),
    *(("IpAddress", odd) for odd in (5, None, "", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4/8")),
    *(("IpAddress", odd) for odd in ("fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1")),  # noqa: S104 (refused)
    *(("Subnet", odd) for odd in (5, "10.0.0.0", "10.0.0.1/24", "10.0.0.0/7", "10.0.0.0/31")),
    *(("Subnet", odd) for odd in ("10.0.0.0/255.0.0.0", "2001:db8::/64", "10.0.0.0/24\n")),
    *(("Label", odd) for odd in ("", "-a", "a-", "A", "a.b", "a_b", "ä", "a b", "x" * 64, "..")),
    *(
        ("Domain", odd)
        for odd in ("", "a.", ".a", "a..b", "A.b", "a_b.c", "*.a", ("a." * 127) + "b")
    ),
    *(("RecordName", odd) for odd in ("", "a.", "*a", "a.*", "@.a", "a b", "$ORIGIN", "x" * 64)),
    *(("Target", odd) for odd in ("", ".", "a..", "-a", "a b", "*", "a;b")),
    *(
        ("Naming", odd)
        for odd in ("", "vm", "{name", "{name}{name}", "{Name}", "{name!r}", "-{name}")
    ),
    *(("Naming", odd) for odd in ("{name}-", "{name}.", "{name.x}", "{{name}}", "{name}.{name}")),
    *(("BridgeName", odd) for odd in ("", "0br", "br/0", "b" * 16, "br 0", "Br0")),
    *(("Mac", odd) for odd in ("52:54:00:12:34", "52-54-00-12-34-56", "53:54:00:12:34:56")),
    *(("Mac", odd) for odd in ("52:54:00:AA:34:56", "52:54:00:12:34:56\n")),
    *(("Sha256", odd) for odd in ("a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n")),
    *(("Mail", odd) for odd in ("a", "@b", "a@", "a b@c", "a@b\n", "a@-b", "a@b_c")),
    *(("ImageUrl", odd) for odd in ("http://a/b", "https://a", "a.img", "ftp://a/b", "file://a/b")),
    *(
        ("ImageUrl", odd)
        for odd in ("/a/../b", "/a//b", "https://u:p@a/b", "https://a/b?c", "/a\n")
    ),
    *(("LibvirtName", odd) for odd in ("", ".a", "-a", "a/b", "a b", "x" * 101, "a\n")),
    *(("OneLine", odd) for odd in ("a\n", "a\tb", "\x1b[0m", "a\u202eb", "a\u200bb", "x" * 201)),
    *(
        ("PoolTarget", odd)
        for odd in ("", "/", "..", "/..", "/a/../b", "a//b", "-a", "/a b", "/a\n")
    ),
    *(("RecordValue", odd) for odd in ("", "a\nb", "ä", "a\x00", "x" * 2001)),
    *(("Cpus", odd) for odd in (0, 1025, -1, 1.0, "1", True, None)),
    *(("Percent", odd) for odd in (-1, 101, 1.5, "5", True)),
]


def judge(field: str, value: Any) -> Any:
    return TypeAdapter(getattr(fields, field)).validate_python(value, strict=True)


@pytest.mark.parametrize(("field", "text", "value"), GOOD)
def test_what_is_meant_is_taken(field: str, text: str, value: Any) -> None:
    assert judge(field, text) == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_only_looks_like_it_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        judge(field, value)
