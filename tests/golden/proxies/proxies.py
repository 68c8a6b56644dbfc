"""Proxies to write for nginx: each case shows what the ones before do not."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.config.repository import Documents
from tests.farms.repository import documents

MACHINES = "\n---\n".join(
    f"kind: VirtualMachine\nname: {name}\nmemory: 1 GiB\n"
    f"networks: [{{network: lan, address: {at}}}]"
    for name, at in (("shop-1", "192.168.1.140"), ("shop-2", "192.168.1.141"))
)
HEAD = "kind: Proxy\nname: {name}\nhosts: [virt1]\nsites:\n"
SHOP = "upstreams: [{name: shop-1}, {name: shop-2}]"
TLS = "tls: {certificate: /etc/ssl/shop.pem, key: /etc/ssl/private/shop.key"
PROXIES: Mapping[str, Mapping[str, str]] = {
    "plain": {"web": f"  - {{name: shop, server_names: [shop.farm.internal], {SHOP}}}\n"},
    "weights": {
        "web": "  - name: shop\n    server_names: [shop.farm.internal, '*.shop.farm.internal']\n"
        "    upstreams:\n      - {name: shop-1, port: 8080, weight: 3}\n"
        "      - {name: elsewhere, address: '2001:db8::7', port: 8443}\n"
        "      - {name: shop-2, backup: true}\n"
        "    health: {fails: 1, within: 1m}\n    largest_request: 2 GiB\n"
    },
    "secure": {
        "web": f"  - {{name: shop, server_names: [shop.farm.internal], {SHOP}, {TLS}}}}}\n"
        f"  - {{name: both, server_names: [both.farm.internal], {SHOP}, "
        f"{TLS}, redirect: false}}}}\n"
    },
    "sticky": {
        "web": f"  - {{name: shop, server_names: [shop.farm.internal], {SHOP}, sticky: {{}}}}\n"
        f"  - {{name: cart, server_names: [cart.farm.internal], {SHOP}, "
        "sticky: {by: cookie, cookie: Visitor}}\n"
    },
    "paths": {
        "web": f"  - {{name: shop, server_names: [a.farm.internal, b.farm.internal], {SHOP}}}\n"
        "  - {name: api, server_names: [b.farm.internal], path: /api, "
        "upstreams: [{name: shop-2, port: 3000}]}\n"
        "  - {name: files, server_names: [b.farm.internal], path: /files/, "
        "upstreams: [{name: shop-1}]}\n",
        "intranet": "  - {name: wiki, server_names: [wiki.farm.internal], "
        "upstreams: [{name: wiki, address: 192.168.1.20}]}\n",
    },
}


def proxied(name: str, changes: tuple[str, str] = ("", "")) -> Documents:
    """The farm with the proxies of a case; what machines say is changed from one to the other."""
    written = {
        f"environments/production/proxies/{proxy}.yaml": HEAD.format(name=proxy) + sites
        for proxy, sites in PROXIES[name].items()
    }
    machines = {"environments/production/shops.yaml": MACHINES.replace(*changes)}
    return documents({**machines, **written}, "production")
