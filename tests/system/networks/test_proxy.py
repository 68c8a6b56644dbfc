"""The reverse proxy on a host of the lab: real nginx before two small web servers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.golden.proxies.proxies import PROXIES
from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.networks_farm import Document, NetworksFarm

HOST = "virt6"
PROXY = "environments/production/proxies/web.yaml"
SITES = "/etc/nginx/conf.d/reconciler.conf"
GOLDENS = Path(__file__).parents[2] / "golden/proxies"
SERVERS = {"one": "127.0.81.1", "two": "127.0.81.2"}
BEGIN = """\
mkdir -p /srv/proxied/{name}
echo {name} >/srv/proxied/{name}/index.html
systemd-run --quiet --collect --unit=proxied-{name} \
    python3 -m http.server --bind {address} --directory /srv/proxied/{name} 8000
"""
CLEAN = """\
systemctl stop proxied-one proxied-two
systemctl disable --quiet --now nginx
rm -rf /srv/proxied /etc/nginx/conf.d/*.conf /etc/ssl/proxied.* /var/lib/reconciler
ln -sfn /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default
systemctl reset-failed
true
"""
ASK = """\
import json, sys, urllib.error, urllib.request as r
class Stay(r.HTTPRedirectHandler):
    def redirect_request(self, *more): return None
def ask(url, name, cookie):
    headers = {"Host": name, **({"Cookie": cookie} if cookie else {})}
    try:
        answer = r.build_opener(Stay).open(r.Request(url, headers=headers), timeout=10)
        return (answer.headers["Set-Cookie"] or "") + " " + answer.read().decode()
    except urllib.error.HTTPError as refused:
        return f"{refused.code} {refused.headers['Location'] or ''}"
    except OSError:
        return "unreachable"
print(json.dumps([ask(*each) for each in json.loads(sys.argv[1])]))
"""
SHAKE = """\
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
plain = socket.create_connection(("127.0.0.1", 443), 10)
try:
    print(context.wrap_socket(plain, server_hostname=sys.argv[1]).version())
except ssl.SSLError:
    print("refused")
"""
NOBODY = ("",) * 8  # visitors without a cookie
CERTIFICATE = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
    *("-subj", "/CN=site.lab.internal", "-keyout", "/etc/ssl/proxied.key"),
    *("-out", "/etc/ssl/proxied.pem"),
)


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[LabHost]:
    """A host with two web servers that nobody but it reaches."""
    host = lab.hosts[HOST]
    with taken(lab.directory, HOST):
        host.run("sh", "-c", CLEAN)
        for name, address in SERVERS.items():
            begin(host, name, address)
        yield host
        host.run("sh", "-c", CLEAN)


def begin(host: LabHost, name: str, address: str) -> None:
    """A web server that says its name, and is there."""
    host.run("sh", "-c", BEGIN.format(name=name, address=address))
    eventually(lambda: reached(host, address, port=8000) == name or None)


@pytest.fixture(scope="module")
def farm(lab: Lab, host: LabHost, tmp_path_factory: pytest.TempPathFactory) -> NetworksFarm:
    farm = NetworksFarm(tmp_path_factory.mktemp("farm"), lab, [host])
    described = farm.host(HOST, packages=[{"name": "nginx-light"}])
    farm.declare({f"hosts/{HOST}.yaml": described})
    return farm


def proxy(**fields: Any) -> Document:
    """A proxy with one site, which has these fields besides."""
    servers = [{"name": name, "address": at, "port": 8000} for name, at in SERVERS.items()]
    site = {"name": "site", "server_names": ["site.lab.internal"], "upstreams": servers, **fields}
    return {"kind": "Proxy", "name": "web", "hosts": [HOST], "sites": [site]}


def answers(host: LabHost, *asked: Sequence[str]) -> list[str]:
    """What a server says to each request, of a URL, a host name and a cookie: all in one go."""
    said = host.run("python3", "-c", ASK, json.dumps(asked))
    return [str(each).strip() for each in json.loads(said)]


def reached(host: LabHost, address: str = "127.0.0.1", name: str = "-", port: int = 80) -> str:
    """What a server says to who asks for the host name, or the code of its refusal."""
    return answers(host, (f"http://{address}:{port}/", name, ""))[0]


def visits(host: LabHost, *cookies: str) -> list[str]:
    """What the site says to visitors who have these cookies."""
    return answers(host, *(("http://127.0.0.1/", "site.lab.internal", each) for each in cookies))


def shaken(host: LabHost, name: str) -> str:
    """How the server and who asks for the name agree to speak in secret."""
    return host.run("python3", "-c", SHAKE, name).strip()


def test_nginx_takes_all_that_is_written(host: LabHost) -> None:
    host.run("mkdir", "-p", "/run/proxied")
    host.run(*CERTIFICATE)
    for name in PROXIES:
        sites = (GOLDENS / f"{name}.conf").read_text().replace("/etc/ssl/shop", "/etc/ssl/proxied")
        sites = sites.replace("/etc/ssl/private/shop.key", "/etc/ssl/proxied.key")
        host.write_file("/run/proxied/sites", sites.encode())
        first = "events {} http { include /run/proxied/sites; }"
        host.write_file("/run/proxied/nginx.conf", first.encode())
        done = host.attempt("nginx", "-q", "-t", "-c", "/run/proxied/nginx.conf")
        assert (done.code, done.stderr) == (0, ""), name


def test_a_site_is_reached_by_its_name_and_no_other(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy()})
    farm.sync()
    assert Counter(visits(host, *NOBODY)) == {"one": 4, "two": 4}
    assert reached(host, name="other.lab.internal") == "404"
    assert farm.plan() == {}


def test_a_server_that_dies_is_left_out(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy()})
    farm.sync()
    host.run("systemctl", "stop", "proxied-one")
    try:
        assert set(visits(host, *NOBODY)) == {"two"}
    finally:
        begin(host, "one", SERVERS["one"])


def test_a_visitor_stays_with_a_server(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy(sticky={"by": "cookie", "cookie": "Seat"})})
    farm.sync()
    firsts = [each.rpartition(" ") for each in visits(host, *NOBODY, *NOBODY)]
    cookies = [cookie.partition(";")[0] for cookie, _, _ in firsts]
    assert all(cookie.startswith("Seat=") for cookie in cookies)
    servers = [server for _, _, server in firsts]
    assert set(servers) == {"one", "two"}
    assert visits(host, *cookies, *cookies) == [*servers, *servers]


def test_a_broken_site_is_refused_and_the_old_one_stays(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy()})
    farm.sync()
    before = host.run("cat", SITES)
    tls = {"certificate": "/etc/ssl/nowhere.pem", "key": "/etc/ssl/nowhere.key"}
    farm.declare({PROXY: proxy(tls=tls)})
    said = farm.sync(expects=1)
    assert "/etc/ssl/nowhere.pem" in said
    assert host.run("cat", SITES) == before
    assert reached(host, name="site.lab.internal") in SERVERS


def test_a_site_with_a_certificate_sends_visitors_to_it(host: LabHost, farm: NetworksFarm) -> None:
    host.run(*CERTIFICATE)
    tls = {"certificate": "/etc/ssl/proxied.pem", "key": "/etc/ssl/proxied.key"}
    farm.declare({PROXY: proxy(tls=tls)})
    farm.sync()
    assert reached(host, name="site.lab.internal") == "301 https://site.lab.internal/"
    assert shaken(host, "site.lab.internal") == "TLSv1.3"
    assert shaken(host, "other.lab.internal") == "refused"


def test_a_hand_that_changes_the_sites_is_undone(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy()})
    farm.sync()
    host.run("sh", "-c", f"sed -i 's/127.0.81.2/127.0.81.1/' {SITES}; systemctl reload nginx")
    farm.sync()
    assert set(visits(host, *NOBODY)) == {"one", "two"}


def test_a_proxy_that_goes_serves_nothing_more(host: LabHost, farm: NetworksFarm) -> None:
    farm.declare({PROXY: proxy()})
    farm.sync()
    farm.declare({PROXY: None})
    farm.sync()
    assert host.attempt("test", "-e", SITES).code == 1
    assert host.run("readlink", "/etc/nginx/sites-enabled/default").strip()
    eventually(lambda: "Welcome to nginx" in visits(host, "")[0] or None)
