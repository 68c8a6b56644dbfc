"""S17: what a Proxy document says cannot end a word, a line or a block of nginx's configuration.

What is written is read back by rules of nginx, and must be the document and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.proxy import SiteField
from reconciler.render.network.nginx import Site, configuration
from tests.documents.corpus import problems_of
from tests.documents.specimens import PLACES, SPECIMENS, Path, as_yaml, at, changed, texts

ENDINGS: Mapping[str, str] = {
    "a directive": "; return 200 x",
    "a word": " default_server",
    "a block": "} server { listen 81; }",
    "a line": "\ninclude /etc/shadow;",
    "a remark": " # x",
    "a quote": '" x',
    "another quote": "' x",
    "an escape": "\\x",
    "a variable": "$host",
    "a script": "{{x}}",
    "a NUL": "\x00x",
}
PROXY = SPECIMENS["Proxy"]
TOKEN = re.compile(r'\s+|#[^\n]*|([;{}])|"([^"\\$]*(?:\$[a-z_]+[^"\\$]*)*)"|([^\s;{}"\'\\]+)')
Directive = tuple[tuple[str, ...], tuple["Directive", ...]]

_label = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?\Z")
_name = st.from_regex(r"\A(?:\*\.)?[a-z0-9-]{0,8}[a-z0-9](?:\.[a-z][a-z0-9]{0,4}){1,2}\Z").filter(
    lambda name: not name.removeprefix("*.").startswith("-")
)
_address = st.one_of(
    st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="2001:db8::/32")
).map(str)
_file = st.from_regex(r"\A(?:/[A-Za-z0-9_@+~:%=,-]{1,10}){1,3}\Z")
_tls = st.fixed_dictionaries({"certificate": _file, "key": _file, "redirect": st.booleans()})
_upstream = st.fixed_dictionaries(
    {"name": _label, "address": _address, "port": st.integers(1, 65535), "weight": st.just(2)}
)
_sticky = st.one_of(
    st.none(),
    st.just({"by": "address"}),
    st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,39}\Z").map(lambda c: {"by": "cookie", "cookie": c}),
)
_site = st.fixed_dictionaries(
    {
        "name": _label,
        "server_names": st.lists(_name, min_size=1, max_size=3, unique=True),
        "path": st.from_regex(r"\A/[A-Za-z0-9._~/-]{0,12}\Z"),
        "upstreams": st.lists(_upstream, min_size=1, max_size=3),
        "tls": st.none() | _tls,
        "sticky": _sticky,
    }
)


def read(text: str) -> tuple[Directive, ...]:
    """The configuration as nginx takes it apart: directives, with those in their blocks."""
    directives, rest = _read(_tokens(text))
    assert rest is None
    return directives


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        assert found, text[place : place + 40]
        place = found.end()
        yield from (each for each in found.groups() if each is not None)


def _read(tokens: Iterator[str]) -> tuple[tuple[Directive, ...], str | None]:
    directives: list[Directive] = []
    words: list[str] = []
    for token in tokens:
        if token == "}":
            assert not words
            return tuple(directives), token
        if token == ";":
            directives.append((tuple(words), ()))
            words = []
        elif token == "{":
            inside, end = _read(tokens)
            assert end == "}"
            directives.append((tuple(words), inside))
            words = []
        else:
            words.append(token)
    assert not words
    return tuple(directives), None


def told(block: tuple[Directive, ...], name: str) -> list[tuple[str, ...]]:
    return [words[1:] for words, _ in block if words[0] == name]


@pytest.mark.parametrize("path", [path for path in texts(PROXY) if len(path) > 2], ids=str)
def test_no_value_ends_what_it_stands_in(path: Path) -> None:
    for ending in ENDINGS.values():
        document = as_yaml(changed("Proxy", path, at(PROXY, path) + ending))
        assert problems_of(PLACES["Proxy"], document), (path, ending)


@settings(max_examples=200)
@given(_site)
def test_what_is_written_is_what_the_document_says(value: dict[str, object]) -> None:
    site = SiteField.model_validate(value)
    addresses = tuple(str(each.address) for each in site.upstreams)
    found = read(configuration([Site("proxy", site, addresses)]))
    blocks = [(words, inside) for words, inside in found if words[0] in {"upstream", "server"}]
    (upstream,) = [inside for words, inside in blocks if words[0] == "upstream"]
    assert [words[0] for words in told(upstream, "server")] == [
        f"[{at}]:{each.port}" if ":" in at else f"{at}:{each.port}"
        for at, each in zip(addresses, site.upstreams, strict=True)
    ]
    named = [inside for _, inside in blocks if told(inside, "server_name")]
    assert len(named) == (2 if site.tls and site.tls.redirect else 1)
    for server in named:
        assert told(server, "server_name") == [tuple(sorted(site.server_names))]
    assert_serves(named[-1], site)


def assert_serves(server: tuple[Directive, ...], site: SiteField) -> None:
    """A server has the site's certificate, and its place and no other."""
    keys = [(site.tls.key,)] if site.tls else []
    assert told(server, "ssl_certificate_key") == keys
    places = {words[-1] for words, _ in server if words[0] == "location"}
    assert places == {site.path, site.path.rstrip("/") + "/"}
    inside = [inside for words, inside in server if words[0] == "location"]
    passed = {told(each, "proxy_pass")[0] for each in inside}
    assert passed == {(f"http://proxy_{site.name}",)}


def test_a_value_that_got_past_the_document_is_not_written() -> None:
    site = SiteField.model_validate(PROXY["sites"][0]).model_copy(update={"path": "/; return 200"})
    with pytest.raises(ValueError, match="is no word of nginx"):
        configuration([Site("proxy", site, ("192.168.1.1", "192.168.1.2"))])
