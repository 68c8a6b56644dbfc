"""S19: an image's address cannot make the reconciler ask what only the reconciler reaches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.images.web import Web, resolve
from reconciler.errors import Denied, DriverError, Unreachable
from tests.images import web as answers
from tests.images.bench import RULES, files_in, spool_at, web_of
from tests.images.specimens import MIB, Qcow2, source_of
from tests.images.web import ELSEWHERE, HERE, NAMES, Site, client_tls, serving

CONTENT = Qcow2().whole()
NOWHERE = "0.0.0.0"  # noqa: S104 - refused
NEVER = (
    *(NOWHERE, "127.0.0.1", "127.8.8.8", "169.254.169.254", "224.0.0.1", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "ff02::1", "255.255.255.255"),
    *("::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
)
PRIVATE = (
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1"),
    *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
)
OF_THE_INTERNET = ("151.101.2.132", "2a04:4e42::644", "::ffff:151.101.2.132", "64:ff9b::9765:284")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def refusal(tmp_path: Path, url: str, kind: type[DriverError] = Denied, **rules: Any) -> str:
    """What fetching says; nothing may be left of it."""
    spool = spool_at(tmp_path, **rules)
    with pytest.raises(kind) as error:
        spool.fetch(source_of(CONTENT, url))
    assert files_in(spool) == []
    return str(error.value)


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
def test_only_the_internet_is_asked(address: str) -> None:
    assert not ImageRules().allows_address(ip_address(address))


@pytest.mark.parametrize("address", OF_THE_INTERNET)
def test_the_internet_is_asked(address: str) -> None:
    assert ImageRules().allows_address(ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_are_asked_when_the_operator_says_so(address: str) -> None:
    assert ImageRules(private_networks=True).allows_address(ip_address(address))


@pytest.mark.parametrize("address", NEVER)
def test_no_setting_lets_this_machine_or_its_links_be_asked(address: str) -> None:
    assert not ImageRules(private_networks=True).allows_address(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
def test_a_spelling_of_this_machine_is_refused_before_anything_is_sent(
    tmp_path: Path, site: Site, host: str
) -> None:
    web = Web(RULES, time.monotonic, tls=client_tls())  # as the product has it
    spool = spool_at(tmp_path, web=web)
    with pytest.raises(Denied, match="not in the internet"):
        spool.fetch(source_of(CONTENT, site.url(name=host)))
    assert site.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.2:{port}/i.qcow2",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]:{port}/i.qcow2",
        "http://images.example:{port}/i.qcow2",
        "https://user:word@images.example:{port}/i.qcow2",
        "file:///etc/shadow",
        "gopher://images.example/",
        "https://[",
    ],
)
def test_a_redirect_is_judged_like_the_address_itself(
    tmp_path: Path, site: Site, location: str
) -> None:
    def resolving(name: str, port: int) -> tuple[IPv4Address | IPv6Address, ...]:
        return (HERE,) if name in NAMES else resolve(name, port)

    site.says(answers.redirect(location.format(port=site.port)))
    spool = spool_at(tmp_path, web=web_of(resolve=resolving))
    with serving(ELSEWHERE, site.port) as inside:
        with pytest.raises((Denied, Unreachable)):
            spool.fetch(source_of(CONTENT, site.url()))
        assert inside.asked == []
    assert len(site.asked) == 1
    assert files_in(spool) == []


def test_a_redirect_to_a_host_that_is_not_named_is_refused(tmp_path: Path, site: Site) -> None:
    site.says(answers.redirect(site.url("/j.qcow2", NAMES[1])))
    site.says(answers.body(CONTENT), "/j.qcow2")
    assert "allowed_hosts" in refusal(tmp_path, site.url(), allowed_hosts=(NAMES[0],))
    spool = spool_at(tmp_path, allowed_hosts=("*.example",))
    assert spool.fetch(source_of(CONTENT, site.url())).path.read_bytes() == CONTENT


def test_redirects_come_to_an_end(tmp_path: Path, site: Site) -> None:
    site.says(answers.redirect("/i.qcow2"))
    assert "redirects" in refusal(tmp_path, site.url())
    assert len(site.asked) == 4


def test_a_host_that_is_not_named_is_not_asked(tmp_path: Path, site: Site) -> None:
    assert "allowed_hosts" in refusal(tmp_path, site.url(), allowed_hosts=("*.images.example",))
    assert site.asked == []


def test_a_name_is_resolved_once_and_its_judged_address_is_used(tmp_path: Path, site: Site) -> None:
    """A name server that first tells a harmless address, and then one inside (rebinding)."""
    told = iter([(HERE,), (ELSEWHERE,), (ELSEWHERE,)])
    site.says(answers.body(CONTENT))
    with serving(ELSEWHERE, site.port) as inside:
        inside.says(answers.body(CONTENT))
        spool = spool_at(tmp_path, web=web_of(resolve=lambda _name, _port: next(told)))
        spool.fetch(source_of(CONTENT, site.url()))
        assert inside.asked == []
    assert site.asked == [(f"{NAMES[0]}:{site.port}", "/i.qcow2")]
    assert len(list(told)) == 2


def test_a_name_with_one_address_inside_is_refused_as_a_whole(tmp_path: Path, site: Site) -> None:
    spool = spool_at(tmp_path, web=web_of(resolve=lambda _name, _port: (HERE, ELSEWHERE)))
    with pytest.raises(Denied, match=r"127\.0\.0\.2"):
        spool.fetch(source_of(CONTENT, site.url()))
    assert site.asked == []


def test_the_certificate_must_be_of_the_name_and_not_of_the_address(
    tmp_path: Path, site: Site
) -> None:
    site.says(answers.body(CONTENT))
    said = refusal(tmp_path, site.url(name="other.example"), Unreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in said


def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path, site: Site) -> None:
    site.says(answers.body(CONTENT))
    web = Web(RULES, time.monotonic, lambda _n, _p: [HERE], lambda _a: True)
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        spool_at(tmp_path, web=web).fetch(source_of(CONTENT, site.url()))


def test_a_proxy_of_the_environment_is_not_used(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.2:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.2:1")
    site.says(answers.body(CONTENT))
    assert spool_at(tmp_path).fetch(source_of(CONTENT, site.url())).disk_bytes == 8 * MIB


def test_an_endless_body_ends_at_the_limit(tmp_path: Path, site: Site) -> None:
    site.says(answers.endless)
    assert "larger than the 1 MiB" in refusal(tmp_path, site.url(), largest_bytes=MIB)


def test_a_body_that_says_it_is_too_large_is_not_begun(tmp_path: Path, site: Site) -> None:
    site.says(answers.body(b"", claimed_bytes=2**50))
    assert "larger" in refusal(tmp_path, site.url(), largest_bytes=MIB)


@pytest.mark.parametrize(
    "answer", [answers.dripping, answers.dripping_headers, answers.silent], ids=lambda a: a.__name__
)
def test_the_deadline_holds_however_slowly_bytes_come(
    tmp_path: Path, site: Site, answer: answers.Answer
) -> None:
    site.says(answer)
    begun = time.monotonic()
    said = refusal(tmp_path, site.url(), Unreachable, deadline=timedelta(seconds=1))
    assert "within 1s" in said
    assert time.monotonic() - begun < 3


def test_what_is_not_the_pinned_image_is_refused(tmp_path: Path, site: Site) -> None:
    site.says(answers.body(Qcow2(disk_bytes=MIB).whole()))
    said = refusal(tmp_path, site.url())
    assert source_of(CONTENT).checksum in said


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: int) -> None:
    assert "port" in refusal(tmp_path, f"https://images.example:{port}/i.qcow2")


def test_a_name_that_no_name_server_can_be_asked_is_no_crash(tmp_path: Path) -> None:
    web = Web(RULES, time.monotonic, tls=client_tls())
    with pytest.raises(Unreachable):
        spool_at(tmp_path, web=web).fetch(source_of(CONTENT, f"https://{'a' * 70}.invalid/i"))
