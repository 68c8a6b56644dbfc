"""A name server as configuration of BIND. Pure, and every word of it of a closed form.

Zones are not in it: those of `bind` are added while it runs, and its secondaries know them from the
catalog; those of `bind-files` are in a list that is written with them. Only the secondaries of that
are told of them here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.config.nameserver import INSIDE, OUTSIDE, View, key_name
from reconciler.render.nameservers.places import places_of
from reconciler.render.nameservers.site import LOOPBACK, Site, is_ipv6

HEAD = "// Written by reconciler: what is changed here is undone."
DIRECTORY = "/var/cache/bind"
USUAL_ZONES = "/etc/bind/named.conf.default-zones"  # localhost and the like
NETWORKS = "reconciler-inside"
PRIMARIES = "reconciler-primary"
RESPONSES_PER_SECOND = 20  # to one network of the outside, alike
_WORD = re.compile(r"\A(?:!?[A-Za-z0-9_.:-]{1,300}(?:/[0-9]{1,3})?|\"[A-Za-z0-9_./=-]{1,300}\")\Z")


def configuration(site: Site) -> str:
    """The whole configuration of the server.

    Raises:
        ValueError: a value would not be one word of it.
    """
    return "\n".join((HEAD, *_lines(site), ""))


def keys_file(site: Site) -> str:
    """Each key under its names, with references for what is secret."""
    lines = [HEAD]
    for holder, reference in site.holders():
        for view in site.views:
            secret = f'secret "{reference}";'
            lines += _block(("key", _quoted(key_name(holder, view))), _key(site, secret))
    return "\n".join((*lines, ""))


def _key(site: Site, secret: str) -> Iterator[str]:
    yield _told("algorithm", site.algorithm)
    yield secret


def _lines(site: Site) -> Iterator[str]:
    yield _told("include", _quoted(places_of(site.server).keys))
    yield from _block(("acl", _quoted(NETWORKS)), map(_told, (*LOOPBACK, *site.inside)))
    if not site.is_primary:
        for view in site.views:
            if key := site.transfer_key(view):
                here = _told(*" ".join(_server(site, site.primary, key)).split(" "))
                yield from _block(("primaries", _primaries(view)), (here,))
    yield from _block(("options",), _options(site))
    if site.server.outside:
        yield from _block(("view", _quoted(INSIDE)), _view_inside(site))
        yield from _block(("view", _quoted(OUTSIDE)), _view_outside(site))
    else:
        yield from _zones(site, INSIDE)


def _options(site: Site) -> Iterator[str]:
    server, port = site.server, str(site.server.port)
    yield _told("directory", _quoted(DIRECTORY))
    old = (each for each in site.listening if not is_ipv6(each))
    new = (each for each in site.listening if is_ipv6(each))
    yield _among(("listen-on", "port", port), old)
    yield _among(("listen-on-v6", "port", port), new)
    yield _told("version", "none")
    yield _told("minimal-responses", "yes")
    yield _told("notify", "explicit")
    yield _told("notify-delay", "1")
    if server.software == "bind" and site.is_primary:
        yield _told("allow-new-zones", "yes")
    if not server.outside:
        keys = map(_key_word, site.readers())
        yield _among(("allow-query",), (_quoted(NETWORKS), *keys))
        yield from _recursion(site)
        yield from _transfers(site, INSIDE)


def _recursion(site: Site) -> Iterator[str]:
    """Who is inside may ask for any name, nobody else."""
    server = site.server
    if not server.recursion:
        yield _told("recursion", "no")
        return
    yield _told("recursion", "yes")
    yield _among(("allow-recursion",), (_quoted(NETWORKS),))
    yield _told("dnssec-validation", "auto" if server.dnssec_validation else "no")
    if site.elsewhere and server.dnssec_validation:
        yield _among(("validate-except",), map(_quoted, site.elsewhere))
    if server.forwarders:
        yield _told("forward", "only")
        yield _among(("forwarders",), map(str, server.forwarders))


def _transfers(site: Site, view: View) -> Iterator[str]:
    keys = [_key_word(name) for name in site.readers(view)]
    yield _among(("allow-transfer",), keys or ("none",))
    own = site.transfer_key(view)
    if own is None:
        return
    if not site.is_primary:
        yield _among(("allow-notify",), (_key_word(own),))
        if site.server.software == "bind":
            yield from _catalog_look(site, view)
    elif site.secondaries:
        told = (" ".join(_server(site, each, own)) for each in site.secondaries)
        yield _among(("also-notify",), told)


def _catalog_look(site: Site, view: View) -> Iterator[str]:
    """Which zones there are, the primary tells in one of them."""
    zone = ("zone", _quoted(site.catalog), "default-primaries")
    where = ("zone-directory", _quoted(DIRECTORY), "min-update-interval", "1")
    yield f"catalog-zones {{ {_line(*zone)} {{ {_told(_primaries(view))} }} {_told(*where)} }};"


def _followed(site: Site, view: View) -> Iterator[str]:
    """The zones that a secondary has from the primary: the catalog brings all others with it."""
    if site.is_primary or site.transfer_key(view) is None:
        return
    for name in (site.catalog,) if site.server.software == "bind" else site.zones_of(view):
        yield from _block(("zone", _quoted(name)), _secondary(name, view))


def _secondary(name: str, view: View) -> Iterator[str]:
    yield _told("type", "secondary")
    yield _among(("primaries",), (_primaries(view),))
    yield _told("file", _quoted(f"reconciler-{view}-{name.replace('/', '=2F')}.db"))


def _zones(site: Site, view: View) -> Iterator[str]:
    """The zones that are not added while the server runs."""
    yield from _followed(site, view)
    if site.server.software == "bind-files" and site.is_primary:
        yield f'include "{places_of(site.server).included(view)}";'
    if view == INSIDE:
        yield _told("include", _quoted(USUAL_ZONES))
        yield from _elsewhere(site)


def _elsewhere(site: Site) -> Iterator[str]:
    """Who forwards all other names asks for these where the zone above them says."""
    for name in site.elsewhere if site.server.recursion and site.server.forwarders else ():
        lines = (_told("type", "forward"), "forwarders { };")
        yield from _block(("zone", _quoted(name)), lines)


def _view_inside(site: Site) -> Iterator[str]:
    """Who signs is told apart by the name of the key, everybody else by the address."""
    names = [(key_name(holder, OUTSIDE), key_name(holder)) for holder, _ in site.holders()]
    others = (f"!{_key_word(outside)}" for outside, _ in names)
    keys = (_key_word(inside) for _, inside in names)
    yield _among(("match-clients",), (*others, *keys, _quoted(NETWORKS)))
    yield from _recursion(site)
    yield from _transfers(site, INSIDE)
    yield from _zones(site, INSIDE)


def _view_outside(site: Site) -> Iterator[str]:
    yield _among(("match-clients",), ("any",))
    yield _told("recursion", "no")
    yield _told("dnssec-validation", "no")
    limits = ("responses-per-second", str(RESPONSES_PER_SECOND))
    yield from _block(("rate-limit",), (_told(*limits),))
    yield from _transfers(site, OUTSIDE)
    yield from _zones(site, OUTSIDE)


def _primaries(view: View) -> str:
    return _quoted(f"{PRIMARIES}-{view}")


def _server(site: Site, address: str, key: str) -> tuple[str, ...]:
    return (_word(address), "port", str(site.server.port), _key_word(key))


def _key_word(name: str) -> str:
    return f"key {_quoted(name)}"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _block(head: tuple[str, ...], lines: Iterable[str]) -> Iterator[str]:
    yield f"{_line(*head)} {{"
    for line in lines:
        yield f"    {line}"
    yield "};"


def _among(head: tuple[str, ...], items: Iterable[str]) -> str:
    """A list of items, of which each may be several words."""
    inside = " ".join(_told(*item.split(" ")) for item in items)
    return f"{_line(*head)} {{ {inside} }};"


def _told(*words: str) -> str:
    return f"{_line(*words)};"


def _line(*words: str) -> str:
    return " ".join(map(_word, words))


def _word(text: str) -> str:
    if _WORD.match(text) is None:
        message = f"{text!r} is no word of BIND"
        raise ValueError(message)
    return text
