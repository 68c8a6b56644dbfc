"""The host name, the time zone and the locale of a host."""

from __future__ import annotations

import os

from reconciler.drivers.ssh.onhost.directory import Access, directory_of, owned_by_us
from reconciler.drivers.ssh.onhost.host import Batch, Refused

_ZONES = "/usr/share/zoneinfo"
_GENERATED = "/etc/locale.gen"
_LOCALE = "/etc/default/locale"
_GENERATE_SECONDS = 60.0


def put_setting(batch: Batch, name: str, value: str) -> None:
    """Set the host name, the time zone or the locale, now and for the next boot.

    Raises:
        Refused: the host does not know the zone or the locale.
    """
    {"hostname": _name, "timezone": _set_zone, "locale": _set_locale}[name](batch, value)


def _name(batch: Batch, value: str) -> None:
    _write(batch, "/etc/hostname", f"{value}\n")
    if os.uname().nodename != value:
        batch.must("hostname", value, what=f"set the hostname to {value}")


def _set_zone(batch: Batch, value: str) -> None:
    zone = f"{_ZONES}/{value}"
    if ".." in value.split("/") or not os.path.isfile(batch.path(zone)):  # noqa: PTH113
        raise Refused(f"there is no time zone {value} here: write it right, or install tzdata")
    directory, name = directory_of(batch, "/etc/localtime")
    with directory:
        directory.put_link(name, zone)
    _write(batch, "/etc/timezone", f"{value}\n")


def _set_locale(batch: Batch, value: str) -> None:
    if not _knows(batch, value):
        _generate(batch, value)
    if not _knows(batch, value):
        raise Refused(f"there is no locale {value} here: write it right, or install locales")
    kept = [line for line in _lines(batch, _LOCALE) if not line.startswith("LANG=")]
    _write(batch, _LOCALE, "".join(f"{line}\n" for line in [f"LANG={value}", *kept]))


def _knows(batch: Batch, value: str) -> bool:
    said = batch.must("locale", "-a", what="list the locales", seconds=30).stdout.split()
    return _plain(value) in {_plain(each) for each in said}


def _generate(batch: Batch, value: str) -> None:
    if not batch.has("locale-gen"):
        return
    charset = value.partition(".")[2].partition("@")[0] or "UTF-8"
    line = f"{value} {charset}"
    kept = _lines(batch, _GENERATED)
    if line not in kept:
        _write(batch, _GENERATED, "".join(f"{each}\n" for each in [*kept, line]))
    batch.must("locale-gen", what=f"make the locale {value}", seconds=_GENERATE_SECONDS)


def _plain(locale: str) -> str:
    name, dot, charset = locale.partition(".")
    return name + dot + charset.lower().replace("-", "")


def _lines(batch: Batch, path: str) -> list[str]:
    directory, name = directory_of(batch, path)
    with directory:
        text = b"" if directory.stat(name) is None else directory.read(name)
    return text.decode(errors="surrogateescape").splitlines()


def _write(batch: Batch, path: str, text: str) -> None:
    directory, name = directory_of(batch, path)
    content = text.encode(errors="surrogateescape")
    with directory:
        seen = directory.stat(name)
        if seen is None or directory.read(name) != content:
            access = owned_by_us(0o644) if seen is None else Access.of(seen)
            directory.put(name, content, access)
