"""Proxies become one file of nginx per host, the service that reads it, and what comes before."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.repository import Documents
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.render.hosts import host_resources
from reconciler.render.network.nginx import Site, configuration
from reconciler.render.network.proxies import SITES, USUAL_SITE, proxy_resources
from reconciler.render.render import render
from tests.farms.repository import documents
from tests.golden.proxies.proxies import proxied

SITE = "{name: s, server_names: [s.farm.internal], upstreams: [{name: x, address: 192.168.1.9}]}"
PROXY = f"kind: Proxy\nname: web\nhosts: [virt1]\nsites: [{SITE}]\n"
HOST = (
    "kind: Host\nname: virt1\nenvironment: production\naddress: 192.168.1.17\n"
    "memory: 32 GiB\nreserved_memory: 2 GiB\n"
    "pools:\n  - {name: default, size: 1 TiB, target: /pools/default}\n"
    "share:\n  staging: {memory: 8 GiB, cpus: 4}\n"
)
WRITTEN = Address("file", "etc-nginx-conf.d-reconciler.conf", "virt1")
USUAL = Address("file", "etc-nginx-sites--enabled-default", "virt1")
NGINX = Address("service", "nginx", "virt1")
PACKAGE = Address("package", "nginx-light", "virt1")


def farm(host: str = "", environment: str = "production") -> Documents:
    """The farm with a proxy on virt1, whose document says this besides."""
    place = "environments/production/proxy.yaml"
    return documents({"hosts.yaml": HOST + host, place: PROXY}, environment)


def wanted(host: str = "") -> dict[Address, Desired[Any]]:
    """All that is wanted there, by address."""
    return {each.address: each for each in render(farm(host))}


def test_a_proxy_is_a_file_and_the_service_that_reads_it() -> None:
    found = {each.address: each.spec for each in proxy_resources(farm())}
    assert set(found) == {USUAL, WRITTEN, NGINX}
    file, service = found[WRITTEN], found[NGINX]
    assert isinstance(file, FileSpec)
    assert (file.path, file.reloads) == (SITES, "nginx")
    assert isinstance(service, ServiceSpec)
    assert (service.enabled, service.running, service.on_change) == (True, True, "reload")
    assert service.reads == (read_of(SITES, file),)


def test_the_file_comes_after_the_package_and_before_the_service() -> None:
    found = wanted("packages: [{name: nginx-light}]\n")
    assert set(found[USUAL].spec.after) == {PACKAGE}
    assert set(found[WRITTEN].spec.after) == {PACKAGE, USUAL}
    assert WRITTEN in found[NGINX].spec.after


def test_a_service_that_the_host_declares_reads_the_sites_too() -> None:
    host = "services: [{name: nginx, running: true, reads: [/etc/nginx/nginx.conf]}]\n"
    found = wanted(host)
    service = found[NGINX].spec
    assert [read.path for read in service.reads] == ["/etc/nginx/nginx.conf", SITES]
    assert (service.enabled, service.on_change) == (None, "restart")
    assert WRITTEN in service.after
    assert [each.address for each in render(farm(host))].count(NGINX) == 1


def test_a_host_that_reads_the_sites_already_says_so_once() -> None:
    service = wanted(f"services: [{{name: nginx, reads: [{SITES}]}}]\n")[NGINX].spec
    assert [read.path for read in service.reads] == [SITES]


def test_another_service_reads_no_sites() -> None:
    found = wanted("services: [{name: cron, enabled: true}]\n")
    assert found[Address("service", "cron", "virt1")].spec.reads == ()


def test_the_usual_site_is_the_hosts_to_declare() -> None:
    tree = farm(f"files: [{{path: {USUAL_SITE}, content: x}}]\n")
    assert [each.address for each in proxy_resources(tree)] == [WRITTEN, NGINX]


def test_another_environment_makes_nothing_of_it() -> None:
    tree = farm(environment="staging")
    assert list(proxy_resources(tree)) == []
    assert list(host_resources(tree, tree.hosts["virt1"])) == []


def test_a_change_of_a_machines_address_is_a_change_of_the_file() -> None:
    before = next(each.spec for each in proxy_resources(proxied("plain")) if is_sites(each))
    assert "server 192.168.1.140:80 " in before.content
    moved = proxied("plain", changes=("192.168.1.140", "192.168.1.150"))
    after = next(each.spec for each in proxy_resources(moved) if is_sites(each))
    assert after.content == before.content.replace("192.168.1.140", "192.168.1.150")


def is_sites(each: Desired[Any]) -> bool:
    return each.address == WRITTEN


@pytest.mark.parametrize("payload", ["a;b", "a b", "a\nb", "a{", "a}", 'a"b', "a'b", "a#b", "a\\b"])
def test_what_is_no_word_is_not_written(payload: str) -> None:
    site = farm().proxies["web"].sites[0]
    broken = Site("web", site, (payload,))
    with pytest.raises(ValueError, match="is no word of nginx"):
        configuration([broken])
