"""The names of proxies' sites: each leads to the hosts that run the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from reconciler.config.documents import Host
from reconciler.config.nameserver import INSIDE, Nameserver, View
from reconciler.config.proxy import Proxy
from reconciler.config.repository import Documents
from reconciler.render.names.ground import APEX, VIEWS, Ground, Plot
from reconciler.render.names.named import Entry, Naming, type_of
from reconciler.render.names.reverse import Ip

WILDCARD = "*."


def site_entries(documents: Documents, ground: Ground) -> Iterator[Entry]:
    """An address of each host of a proxy, for each of its host names that a zone holds.

    A name that a hand-written record has is left to that, and a wildcard is for the certificate.
    """
    naming = Naming(documents)
    written = _written_names(ground) if documents.proxies else set()
    for proxy in documents.proxies.values():
        hosts = _hosts(documents, proxy)
        own = {called(host.name) for host in hosts for called in (naming.host, naming.machine)}
        for site in proxy.sites:
            where = ("Proxy", proxy.name, "sites", site.name, "server_names")
            for name in site.server_names:
                if name.startswith(WILDCARD) or name in own:
                    continue
                for view in VIEWS:
                    plot = ground.holder(view, name)
                    if plot is None or (view, name) in written:
                        continue
                    for host in hosts:
                        each = _answering(documents, host, plot)
                        what = "a proxy's site"
                        yield Entry(name, type_of(each), str(each), what, where, each, view=view)


def _hosts(documents: Documents, proxy: Proxy) -> list[Host]:
    """The hosts that run it, as far as they are the environment's."""
    hosts = (documents.hosts.get(name) for name in proxy.hosts)
    return [host for host in hosts if host and host.environment == documents.environment]


def _written_names(ground: Ground) -> set[tuple[View, str]]:
    return {
        (plot.view, plot.origin if record.name == APEX else f"{record.name}.{plot.origin}")
        for plot in ground.plots
        for record in plot.written
    }


def _answering(documents: Documents, host: Host, plot: Plot) -> Ip:
    """Where the host answers those who ask in this view: on a network of the inside, if it can."""
    server = documents.nameservers.get(plot.zone.server)
    if server is None or plot.view != INSIDE:
        return host.address
    for network in documents.networks.values():
        named = network.name in server.inside
        own = (place.address for place in network.hosts if place.name == host.name)
        for address in own:
            if address is not None and (named or is_inside(documents, server, address)):
                return address
    return host.address


def is_inside(documents: Documents, server: Nameserver, address: Ip) -> bool:
    """Whether an address is of the inside, as the server's document says."""
    for item in server.inside:
        prefix = ip_network(item) if "/" in item else documents.networks[item].subnet
        if address.version == prefix.version and address in prefix:
            return True
    return False
