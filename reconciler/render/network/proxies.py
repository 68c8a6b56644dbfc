"""Proxy documents become the configuration of nginx on their hosts, and the service that reads it.

All proxies of a host are one file, which is tested with all else that nginx reads before it is put
in place. What Debian answers to unknown names with is taken away, and comes back when the last
proxy has gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from reconciler.config.documents import Host
from reconciler.config.proxy import Proxy, SiteField, UpstreamField
from reconciler.config.repository import Documents
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.render.network.made import declared
from reconciler.render.network.nginx import Site, configuration

NGINX = "nginx"
PACKAGES = ("nginx", "nginx-light", "nginx-core", "nginx-full", "nginx-extras")
DIRECTORY, FILE_NAME = "/etc/nginx/conf.d", "reconciler.conf"
SITES = f"{DIRECTORY}/{FILE_NAME}"
USUAL_SITE = "/etc/nginx/sites-enabled/default"
# A copy of the directory with the new file in it is laid over it, for this one process.
TRIAL = (
    'command -v nginx >/dev/null || { echo "nginx is not there: declare its package"; exit 1; }; '
    'mount -t tmpfs none /mnt && cp -a "$1/." /mnt/ && cp "$3" "/mnt/$2" '
    '&& mount --bind /mnt "$1" && exec nginx -q -t'
)
CHECK = ("unshare", "--mount", "sh", "-c", TRIAL, NGINX, DIRECTORY, FILE_NAME, "{}")


def proxy_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """What the proxies of the environment make of its hosts."""
    for host in documents.hosts.values():
        proxies = proxies_of(documents, host)
        if proxies:
            yield from _resources(documents, host, proxies)


def proxies_of(documents: Documents, host: Host) -> tuple[Proxy, ...]:
    """The proxies that run on a host; none on another environment's."""
    if host.environment != documents.environment:
        return ()
    return tuple(proxy for proxy in documents.proxies.values() if host.name in proxy.hosts)


def sites_file(documents: Documents, host: Host) -> FileSpec | None:
    """The file with the sites of a host, if it has any: the service nginx reads it."""
    sites = [
        Site(proxy.name, site, _addresses(documents, site))
        for proxy in proxies_of(documents, host)
        for site in proxy.sites
    ]
    if not sites:
        return None
    content, packages = configuration(sites), declared(host, packages=PACKAGES)
    spec = FileSpec(host.name, SITES, "file", "0644", "root", "root", content, check=CHECK)
    return replace(spec, reloads=NGINX, after=packages)


def reading_sites(documents: Documents, host: Host, spec: ServiceSpec) -> ServiceSpec:
    """A service that the host's document describes: nginx reads the sites, too."""
    sites = sites_file(documents, host) if spec.unit == NGINX else None
    if sites is None or SITES in {read.path for read in spec.reads}:
        return spec
    reads = (*spec.reads, read_of(SITES, sites))
    return replace(spec, reads=reads, after=(*spec.after, _address(sites)))


def _addresses(documents: Documents, site: SiteField) -> tuple[str, ...]:
    """The address of each server of a site, of a machine the first that it has."""
    return tuple(_address_of(documents, server) for server in site.upstreams)


def _address_of(documents: Documents, server: UpstreamField) -> str:
    machine = documents.machines.get(server.name)
    given = (each.address for each in machine.networks) if machine else ()
    return str(server.address or next(filter(None, given), ""))


def _resources(
    documents: Documents, host: Host, proxies: tuple[Proxy, ...]
) -> Iterator[Desired[Any]]:
    sites = sites_file(documents, host)
    if sites is None:
        return
    desired = partial(_desired, documents, proxies[0])
    if USUAL_SITE not in {file.path for file in host.files}:
        usual = FileSpec(host.name, USUAL_SITE, "absent", reloads=NGINX, after=sites.after)
        yield desired(usual)
        sites = replace(sites, after=(*sites.after, _address(usual)))
    yield desired(sites)
    if NGINX not in {service.name for service in host.services}:
        after = (*sites.after, _address(sites))
        reads = (read_of(SITES, sites),)
        yield desired(
            ServiceSpec(
                host.name,
                NGINX,
                enabled=True,
                running=True,
                reads=reads,
                on_change="reload",
                after=after,
            )
        )


def _desired(documents: Documents, proxy: Proxy, spec: FileSpec | ServiceSpec) -> Desired[Any]:
    position = documents.position("Proxy", proxy.name)
    return Desired(_address(spec), spec, position, adopts=True)


def _address(spec: FileSpec | ServiceSpec) -> Address:
    if isinstance(spec, ServiceSpec):
        return Address("service", name_of(spec.unit), spec.host)
    return Address("file", name_of(spec.path), spec.host)
