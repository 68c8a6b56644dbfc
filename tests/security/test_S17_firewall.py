"""S17: what a Firewall document says cannot end a word, a line or a block of a ruleset.

What is written is taken apart as `nft` does it, and must hold nothing that the document does not
say; a lab host's own `nft` reads the same back in `tests/system/networks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings

from reconciler.config.firewall import Firewall
from reconciler.drivers.ssh.onhost.rulesets import is_only_of
from reconciler.render.network.firewall import firewall_table
from reconciler.render.network.nftables import (
    AddressSet,
    Chain,
    Interfaces,
    Listed,
    Phrase,
    Rule,
    Table,
    Verdict,
    ruleset_text,
)
from tests.documents.corpus import problems_of
from tests.documents.specimens import PLACES, SPECIMENS, Path, as_yaml, at, changed, texts
from tests.farms.repository import documents
from tests.rulesets.sampling import FIREWALLS

ENDINGS: Mapping[str, str] = {
    "a line": "\n\t\taccept",
    "a command": "; flush ruleset",
    "a block": "} } table ip x {",
    "a string": '" accept comment "',
    "a remark": " # x",
    "a set": ", 0.0.0.0/0",
    "an escape": "\\",
    "a variable": "$x",
    "all interfaces": "*",
    "a NUL": "\x00",
}
FIREWALL = SPECIMENS["Firewall"]
TOKEN = re.compile(r'\s+|#[^\n]*\n|"([^"\n]*)"|([{}])|([^\s{}",;]+)|[,;]')
DOCUMENTS = documents()
# All words that stand in a ruleset whatever a document says.
FIXED = frozenset(
    word
    for text in (
        *(phrase.value for phrase in Phrase),
        *(verdict.value for verdict in Verdict),
        "table inet reconciler delete set chain type hook priority policy accept drop filter nat",
        "input forward output prerouting postrouting dstnat srcnat flags interval elements =",
        "ipv4_addr ipv6_addr ip ip6 saddr daddr iifname oifname meta l4proto tcp udp th dport",
        "ct original proto-dst dnat to comment 22 67 49152-49215 1 6 17 47 50 58",
    )
    for word in re.findall(r'[^\s{}",;]+', text)
)
COMMENTS = re.compile(r"\A(?:implied: |rule |masquerade |forward |what no rule allows\Z)")


@pytest.mark.parametrize("path", [path for path in texts(FIREWALL) if len(path) > 1], ids=str)
def test_no_value_ends_what_it_stands_in(path: Path) -> None:
    for ending in ENDINGS.values():
        document = as_yaml(changed("Firewall", path, at(FIREWALL, path) + ending))
        assert problems_of(PLACES["Firewall"], document), (path, ending)


@settings(max_examples=200)
@given(FIREWALLS)
def test_every_word_is_ours_or_a_value_of_the_document(document: dict[str, Any]) -> None:
    firewall = Firewall.model_validate(document)
    text = ruleset_text(firewall_table(DOCUMENTS, firewall, DOCUMENTS.hosts["virt1"]))
    assert is_only_of(text, "reconciler")
    names = {link for zone in firewall.zones for link in zone.interfaces} | {"br-lan", "lo"}
    said = values_of(firewall)
    for quoted, word in words(text):
        if quoted:
            assert quoted in names or COMMENTS.match(quoted), quoted
        else:
            assert word in FIXED or word in said or is_within(word, firewall), word


def words(text: str) -> Iterator[tuple[str, str]]:
    """The quoted and the plain words; fails the test at what is no word."""
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        assert found, text[place : place + 40]
        place = found.end()
        if found[1] is not None or found[3] is not None:
            yield found[1] or "", found[3] or ""


def values_of(firewall: Firewall) -> set[str]:
    """The words that the values of a document become, but addresses and ports of rules."""
    sets = [*(f"zone_{zone.name}" for zone in firewall.zones), "management"]
    named = {f"{at}{name}_ipv{family}" for name in sets for family in (4, 6) for at in ("", "@")}
    for each in firewall.forwards:
        shown = f"[{each.address}]" if ":" in str(each.address) else str(each.address)
        port = each.to_port or each.port
        named |= {f"{shown}:{port}", str(each.address), str(port), str(each.port)}
    return named | {"192.168.1.0/24"}


def is_within(word: str, firewall: Firewall) -> bool:
    """Whether a word is of the ports of a rule, or of the addresses of the document."""
    if re.fullmatch(r"[0-9]+(?:-[0-9]+)?", word):
        first, dash, last = word.partition("-")
        ports = {each for rule in firewall.rules for text in rule.ports for each in ends(text)}
        return {int(first), int(last if dash else first)} <= ports
    prefix = ip_network(word)
    lists = [firewall.management, *(zone.sources for zone in firewall.zones)]
    lists += [rule.destinations for rule in firewall.rules]
    given_there = [each for some in lists for each in some if each.version == prefix.version]
    return any(each.overlaps(prefix) for each in given_there)


def ends(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    return int(first), int(last if dash else first)


@pytest.mark.parametrize(
    "part",
    [
        Rule((Interfaces("in", ('x" accept',)),), Verdict.ACCEPT, "x"),
        Rule((Interfaces("in", ("eth*",)),), Verdict.ACCEPT, "x"),
        Rule((Listed("source", 4, "x accept"),), Verdict.ACCEPT, "x"),
        Rule((), Verdict.ACCEPT, 'x" accept'),
        Rule((), Verdict.ACCEPT, "x\n\t\taccept"),
    ],
)
def test_a_value_that_got_past_the_document_is_not_written(part: Rule) -> None:
    with pytest.raises(ValueError, match="is no word of a ruleset"):
        ruleset_text(Table("reconciler", "x", (), (Chain("input", "input", (part,)),)))


def test_a_name_that_got_past_the_document_is_not_written() -> None:
    prefix = ip_network("10.0.0.0/8")
    for table in (
        Table("x {}", "x", (), ()),
        Table("x", "x\n", (), ()),
        Table("x", "x", (AddressSet("x;", (prefix,)),), ()),
        Table("x", "x", (), (Chain("x}", "input", ()),)),
    ):
        with pytest.raises(ValueError, match="is no word of a ruleset"):
            ruleset_text(table)
