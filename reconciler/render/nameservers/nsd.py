"""A name server as configuration of NSD, which answers from zone files and asks nobody. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.config.nameserver import key_name
from reconciler.render.nameservers.places import places_of
from reconciler.render.nameservers.site import Site

HEAD = "# Written by reconciler: what is changed here is undone."
CHECK = CHECK_KEYS = 'nsd-checkconf "$1"'
PATTERN = "reconciler"
SWITCHED_ON = (
    "ip-freebind",  # an address may be there only after the server
    "hide-version",
    "hide-identity",
    "log-only-syslog",
    "minimal-responses",
)
CONTROL = "/run/nsd/nsd.ctl"
TRANSFERRED = "/var/lib/nsd/%s.zone"
RESPONSES_PER_SECOND = 200  # to one network, alike
_VALUE = re.compile(r"\A[A-Za-z0-9_.:/@% \"-]{1,600}\Z")


def configuration(site: Site) -> str:
    """The whole configuration of the server.

    Raises:
        ValueError: a value would not be one of it.
    """
    return "\n".join((HEAD, *_lines(site), ""))


def keys_file(site: Site) -> str:
    """Each key, with references for what is secret."""
    lines = [HEAD]
    for holder, reference in site.holders():
        lines += ("key:", _told("name", _quoted(key_name(holder))))
        lines += (_told("algorithm", site.algorithm), f'    secret: "{reference}"')
    return "\n".join((*lines, ""))


def _lines(site: Site) -> Iterator[str]:
    yield f'include: "{places_of(site.server).keys}"'
    yield "server:"
    for address in site.listening:
        yield _told("ip-address", address)
    yield _told("port", str(site.server.port))
    for name in SWITCHED_ON:
        yield _told(name, "yes")
    yield _told("rrl-ratelimit", str(RESPONSES_PER_SECOND))
    yield from ("remote-control:", _told("control-enable", "yes"))
    yield _told("control-interface", CONTROL)
    yield from ("pattern:", _told("name", _quoted(PATTERN)))
    yield from _pattern(site)
    if site.is_primary:
        yield f'include: "{places_of(site.server).included()}"'
        return
    for zone in site.zones_of():
        yield from ("zone:", _told("name", _quoted(zone)))
        yield _told("include-pattern", _quoted(PATTERN))


def _pattern(site: Site) -> Iterator[str]:
    for name in site.readers():
        yield from (_told("provide-xfr", f"{every} {name}") for every in ("0.0.0.0/0", "::0/0"))
    key = site.transfer_key()
    if key is None:
        return
    port = site.server.port
    if site.is_primary:
        yield from (_told("notify", f"{each}@{port} {key}") for each in site.secondaries)
    else:
        yield _told("zonefile", _quoted(TRANSFERRED))
        yield _told("request-xfr", f"AXFR {site.primary}@{port} {key}")
        yield _told("allow-notify", f"{site.primary} {key}")


def _told(name: str, value: str) -> str:
    if _VALUE.match(value) is None or value.strip('"').count('"'):
        message = f"{value!r} is no value of NSD"
        raise ValueError(message)
    return f"    {name}: {value}"


def _quoted(text: str) -> str:
    return f'"{text}"'
