"""A name server as configuration of Knot, which answers from zone files and asks nobody. Pure.

Secondaries know the zones from the catalog.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from reconciler.config.nameserver import key_name
from reconciler.render.nameservers.places import places_of
from reconciler.render.nameservers.site import Site

HEAD = "# Written by reconciler: what is changed here is undone."
CHECK = CHECK_KEYS = 'knotc -c "$1" conf-check'
TEMPLATE = "reconciler"
STORAGE = "/var/lib/knot"
PRIMARY, SECONDARY = "reconciler-primary", "reconciler-secondary"
READERS = "reconciler-readers"
RESPONSES_PER_SECOND = 200  # to one network, alike
_WORD = re.compile(r"\A[A-Za-z0-9_.:/@-]{1,300}\Z")


def configuration(site: Site) -> str:
    """The whole configuration of the server.

    Raises:
        ValueError: a value would not be a word of it.
    """
    return "\n".join((HEAD, *_lines(site), ""))


def keys_file(site: Site) -> str:
    """Each key, with references for what is secret."""
    lines = [HEAD, "key:"] if any(site.holders()) else [HEAD]
    for holder, reference in site.holders():
        lines += (_item("id", key_name(holder)), _told("algorithm", site.algorithm))
        lines += (f'    secret: "{reference}"',)
    return "\n".join((*lines, ""))


def _lines(site: Site) -> Iterator[str]:
    port = site.server.port
    yield f'include: "{places_of(site.server).keys}"'
    yield from ("server:", _told("rundir", "/run/knot"), _told("user", "knot:knot"))
    yield from ('    identity: ""', '    version: ""')
    yield _list("listen", (f"{each}@{port}" for each in site.listening))
    yield from ("log:", _item("target", "syslog"), _told("any", "info"))
    yield from ("database:", _told("storage", STORAGE))
    yield from ("mod-rrl:", _item("id", "default"))
    yield _told("rate-limit", str(RESPONSES_PER_SECOND))
    if key := site.transfer_key():
        yield from _remotes(site, key)
    yield from ("acl:", *_rights(site)) if site.readers() else ()
    yield from ("template:", _item("id", "default"), _list("global-module", ("mod-rrl/default",)))
    yield from (_item("id", TEMPLATE), *_template(site))
    if _has_catalog(site):
        yield from ("zone:", _item("domain", site.catalog), *_catalog(site))
    if site.is_primary:
        yield f'include: "{places_of(site.server).included()}"'


def _has_catalog(site: Site) -> bool:
    return bool(site.secondaries and site.transfer_key())


def _catalog(site: Site) -> Iterator[str]:
    """The primary lists its own zones in it, and the secondaries have what is listed."""
    if not site.is_primary:
        yield _told("template", TEMPLATE)
        yield from (_told("catalog-role", "interpret"), _told("catalog-template", TEMPLATE))
        return
    yield from (_told("storage", STORAGE), _told("catalog-role", "generate"))
    yield from (_list("notify", _secondaries(site)), _list("acl", (READERS,)))


def _remotes(site: Site, key: str) -> Iterator[str]:
    port = site.server.port
    others = _secondaries(site) if site.is_primary else {PRIMARY: site.primary}
    if others:
        yield "remote:"
    for name, address in others.items():
        yield from (_item("id", name), _told("address", f"{address}@{port}"), _told("key", key))


def _secondaries(site: Site) -> dict[str, str]:
    return {f"{SECONDARY}-{place}": each for place, each in enumerate(site.secondaries, 1)}


def _rights(site: Site) -> Iterator[str]:
    yield from (_item("id", READERS), _list("key", site.readers()), _told("action", "transfer"))
    if (key := site.transfer_key()) and not site.is_primary:
        yield from (_item("id", PRIMARY), _told("key", key), _told("action", "notify"))


def _template(site: Site) -> Iterator[str]:
    rights = [READERS] if site.readers() else []
    if site.is_primary:
        # The files are ours: what Knot would keep besides them could only be older.
        yield from (_told("storage", STORAGE), _told("zonefile-sync", "-1"))
        yield from (_told("journal-content", "none"), _told("zonefile-load", "whole"))
        if _has_catalog(site):
            yield _list("notify", _secondaries(site))
            yield from (_told("catalog-role", "member"), _told("catalog-zone", site.catalog))
    else:
        yield _told("storage", STORAGE)
        if site.transfer_key():
            yield _told("master", PRIMARY)
            rights.append(PRIMARY)
    if rights:
        yield _list("acl", rights)


def _item(name: str, value: str) -> str:
    return f"  - {name}: {_word(value)}"


def _told(name: str, value: str) -> str:
    return f"    {name}: {_word(value)}"


def _list(name: str, values: Iterable[str]) -> str:
    return f"    {name}: [ {', '.join(map(_word, values))} ]"


def _word(text: str) -> str:
    if _WORD.match(text) is None:
        message = f"{text!r} is no word of Knot"
        raise ValueError(message)
    return f'"{text}"'
