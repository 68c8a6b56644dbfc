"""The sites of a host as configuration of nginx. Pure, and every word of it of a closed form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.config.proxy import HealthField, SiteField, TlsField, UpstreamField

HEAD = "# Written by reconciler: what is changed here is undone."
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
CONNECT_SECONDS = 5
LONGEST_NAME_BYTES = 512
_WORD = re.compile(r"\A[A-Za-z0-9_./:$*^~=@%+,\[\]-]{1,500}\Z")
_NOTHING = '""'
_HEADERS: tuple[tuple[str, str], ...] = (
    ("Host", "$host"),
    ("X-Real-IP", "$remote_addr"),
    ("X-Forwarded-For", "$remote_addr"),
    ("X-Forwarded-Host", "$host"),
    ("X-Forwarded-Proto", "$scheme"),
    ("Upgrade", "$http_upgrade"),
    ("Connection", "$reconciler_connection"),
    ("Proxy", _NOTHING),
)


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a proxy, and the addresses of its upstreams in their order; `""` is none."""

    proxy: str
    field: SiteField
    addresses: tuple[str, ...]

    @property
    def upstream(self) -> str:
        """What its servers are called together. Neither name has a `_` in it."""
        return f"{self.proxy}_{self.field.name}"

    @property
    def cookie(self) -> str | None:
        """The cookie that keeps a visitor with a server."""
        sticky = self.field.sticky
        return sticky.cookie if sticky and sticky.by == "cookie" else None


def configuration(sites: Iterable[Site]) -> str:
    """All sites of a host, and what answers to the names of none.

    Raises:
        ValueError: a value would not be one word of the configuration.
    """
    known = sorted(sites, key=lambda site: site.upstream)
    return "\n".join((HEAD, *_lines(known), ""))


def _lines(sites: list[Site]) -> Iterator[str]:
    yield _told("server_names_hash_bucket_size", str(LONGEST_NAME_BYTES))
    changes = (_told("default", "upgrade"), f"{_NOTHING} close;")
    yield from _block(("map", "$http_upgrade", "$reconciler_connection"), changes)
    for cookie in {site.cookie.lower(): site.cookie for site in sites if site.cookie}.values():
        yield from _visitors(cookie)
    for site in sites:
        yield from _block(("upstream", site.upstream), _servers(site))
    yield from _strangers(is_secure=any(site.field.tls for site in sites))
    for names, named in _by_name(sites):
        yield from _named(names, named)


def _visitors(cookie: str) -> Iterator[str]:
    """Who has no cookie yet gets one, and is already treated as who has it."""
    low = cookie.lower()  # as nginx looks for cookies, and names variables
    key, header = f"$reconciler_visitor_{low}", f"$reconciler_cookie_{low}"
    known = f"$cookie_{low}"
    yield from _block(("map", known, key), (_told("default", known), f"{_NOTHING} $request_id;"))
    value = f'{_NOTHING} "{cookie}=$request_id; Path=/; HttpOnly; SameSite=Lax";'
    yield from _block(("map", known, header), (f"default {_NOTHING};", value))


def _servers(site: Site) -> Iterator[str]:
    yield _told("zone", site.upstream, "128k")
    if site.cookie:
        yield _told("hash", f"$reconciler_visitor_{site.cookie.lower()}", "consistent")
    elif site.field.sticky:
        yield _told("hash", "$remote_addr", "consistent")
    for server, address in zip(site.field.upstreams, site.addresses, strict=True):
        if address:
            yield _told("server", *_server(site, server, address))


def _server(site: Site, server: UpstreamField, address: str) -> Iterator[str]:
    health = site.field.health or HealthField()
    yield f"[{address}]:{server.port}" if ":" in address else f"{address}:{server.port}"
    yield f"weight={server.weight}"
    yield f"max_fails={health.fails}"
    yield f"fail_timeout={max(1, round(health.within.total_seconds()))}s"
    if server.backup:
        yield "backup"


def _strangers(*, is_secure: bool) -> Iterator[str]:
    """The server of all names that are nobody's: it tells nothing, and has no certificate."""
    yield from _block(("server",), (*_listen("80", "default_server"), _told("return", "404")))
    if is_secure:
        refuse = _told("ssl_reject_handshake", "on")
        yield from _block(("server",), (*_listen("443", "ssl", "default_server"), refuse))


def _by_name(sites: list[Site]) -> list[tuple[list[str], tuple[Site, ...]]]:
    """The host names, those together that have the same sites."""
    named: dict[tuple[str, ...], list[str]] = {}
    for name in sorted({name for site in sites for name in site.field.server_names}):
        having = tuple(site.upstream for site in sites if name in site.field.server_names)
        named.setdefault(having, []).append(name)
    of = {site.upstream: site for site in sites}
    return [(names, tuple(of[each] for each in having)) for having, names in named.items()]


def _named(names: list[str], sites: tuple[Site, ...]) -> Iterator[str]:
    tls = next((site.field.tls for site in sites if site.field.tls), None)
    if tls and tls.redirect:
        sent = ("301", "https://$host$request_uri")
        lines = (*_listen("80"), _told("server_name", *names), _told("return", *sent))
        yield from _block(("server",), lines)
    yield from _block(("server",), _server_of(names, sites, tls))


def _server_of(names: list[str], sites: tuple[Site, ...], tls: TlsField | None) -> Iterator[str]:
    if not (tls and tls.redirect):
        yield from _listen("80")
    if tls:
        yield from _secured(tls)
    yield _told("server_name", *names)
    yield _told("proxy_http_version", "1.1")
    yield _told("proxy_connect_timeout", f"{CONNECT_SECONDS}s")
    for header, value in _HEADERS:
        yield f"proxy_set_header {header} {value};"
    for site in sites:
        yield from _places(site)


def _secured(tls: TlsField) -> Iterator[str]:
    yield from _listen("443", "ssl", "http2")
    yield _told("ssl_certificate", tls.certificate)
    yield _told("ssl_certificate_key", tls.key)
    yield _told("ssl_protocols", "TLSv1.2", "TLSv1.3")
    yield _told("ssl_ciphers", CIPHERS)
    yield _told("ssl_prefer_server_ciphers", "off")
    yield _told("ssl_session_cache", "shared:reconciler:10m")
    yield _told("ssl_session_tickets", "off")


def _places(site: Site) -> Iterator[str]:
    """What is at the path of the site or below: of `/api` not `/apiary`."""
    path = site.field.path
    if not path.endswith("/"):
        yield from _block(("location", "=", path), _work(site))
    yield from _block(("location", "^~", f"{path.rstrip('/')}/"), _work(site))


def _work(site: Site) -> Iterator[str]:
    yield _told("client_max_body_size", str(site.field.largest_request))
    if site.cookie:
        yield _told("add_header", "Set-Cookie", f"$reconciler_cookie_{site.cookie.lower()}")
    yield _told("proxy_pass", f"http://{site.upstream}")


def _listen(port: str, *how: str) -> tuple[str, str]:
    return _told("listen", port, *how), _told("listen", f"[::]:{port}", *how)


def _block(head: tuple[str, ...], lines: Iterable[str]) -> Iterator[str]:
    yield " ".join((*map(_word, head), "{"))
    for line in lines:
        yield f"    {line}"
    yield "}"


def _told(*words: str) -> str:
    return " ".join(map(_word, words)) + ";"


def _word(text: str) -> str:
    if _WORD.match(text) is None:
        message = f"{text!r} is no word of nginx"
        raise ValueError(message)
    return text
