"""What reverse proxies must not say: one name that leads to two places, upstreams nobody knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from reconciler.config.check_firewalls import has_address, served_hosts
from reconciler.config.names import Names
from reconciler.config.proxy import Proxy, SiteField
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

At = Callable[..., Position]


def proxy_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the proxies."""
    for proxy in documents.proxies.values():
        at = partial(documents.position, "Proxy", proxy.name)
        yield from served_hosts(documents, "Proxy", proxy.name, proxy.hosts, names)
        sites = Counter(str(site.name) for site in proxy.sites)
        for name in (name for name, count in sites.items() if count > 1):
            what = f"proxy {proxy.name} has {name} twice among its sites"
            yield Problem(at("sites", name), what, "rename one of them")
        for site in proxy.sites:
            yield from _upstream_problems(documents, site, at, names)
    yield from _same_names(documents)


def _upstream_problems(
    documents: Documents, site: SiteField, at: At, names: Names
) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for upstream in site.upstreams:
        position = at("sites", site.name, "upstreams", upstream.name)
        if (upstream.name, upstream.port) in seen:
            what = f"site {site.name} has {upstream.name} port {upstream.port} twice"
            yield Problem(position, what, "remove one of them")
        seen.add((upstream.name, upstream.port))
        if upstream.address is None:
            yield from has_address(documents, upstream.name, position, names)


def _same_names(documents: Documents) -> Iterator[Problem]:
    """On one host, a server name and path lead to one site, and a name has one certificate.

    Of a path, what is below it is meant, too: `/a` and `/a/` are one.
    """
    paths: dict[tuple[str, str, str], tuple[SiteField, Position]] = {}
    certificates: dict[tuple[str, str], tuple[SiteField, Position]] = {}
    for proxy, site, name, host in _served(documents):
        position = documents.position("Proxy", proxy.name, "sites", site.name)
        mine = (site, position)
        other, where = paths.setdefault((host, name, site.path.rstrip("/")), mine)
        if where != position or other is not site:
            what = f"sites {other.name} and {site.name} are both {name}{site.path} on host {host}"
            yield Problem(position, what, f"change a name or path; the other is at {where}")
            continue
        other, where = certificates.setdefault((host, name), mine)
        if other.tls != site.tls:
            what = f"sites {other.name} and {site.name} are both {name} and differ in `tls:`"
            yield Problem(position, what, f"give both the same; the other is at {where}")


def _served(documents: Documents) -> Iterator[tuple[Proxy, SiteField, str, str]]:
    """Every site by each of its names on each of its hosts."""
    for proxy in documents.proxies.values():
        for site in proxy.sites:
            for name in sorted(set(site.server_names)):
                for host in sorted(set(proxy.hosts)):
                    yield proxy, site, name, host
