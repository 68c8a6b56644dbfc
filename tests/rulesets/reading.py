"""What a table means: as the model of it has it, and as `nft -j list table` tells it.

Both are brought to one form, in which two tables are equal if they do the same with each packet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import collapse_addresses, ip_network
from typing import Any

from reconciler.render.network.nftables import (
    Addresses,
    Interfaces,
    Listed,
    Match,
    Phrase,
    Ports,
    Protocols,
    Rule,
    Table,
    ToMachine,
    Verdict,
    merged,
)

Fact = tuple[object, ...]
NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ipv6-icmp": 58}
FIXED: dict[Phrase, Fact] = {
    Phrase.LOOPBACK: ("iifname", frozenset({"lo"})),
    Phrase.TO_THE_HOST: ("fib", "local"),
    Phrase.FORWARDED: ("status", "dnat"),
}
VERDICTS = {
    Verdict.ACCEPT: ("accept",),
    Verdict.DROP: ("drop",),
    Verdict.RESET: ("reject", "tcp reset"),
    Verdict.REJECT: ("reject", "icmpx"),
    Verdict.MASQUERADE: ("masquerade",),
    Verdict.BY_STATE: ("vmap",),
}


@dataclass(frozen=True)
class Meaning:
    """Sets by name, and by chain its hook, its policy and its rules, in order.

    Of a rule the comment, what must hold, and what is done then; what is implied and always the
    same is there by its comment only.
    """

    sets: dict[str, frozenset[str]]
    chains: dict[str, tuple[str, str, list[Fact]]]


def meant(table: Table) -> Meaning:
    """What the model says."""
    sets = {each.name: _ranges(map(str, each.prefixes)) for each in table.sets}
    return Meaning(
        sets,
        {
            chain.name: (chain.hook, "accept", [_rule(rule) for rule in chain.rules])
            for chain in table.chains
        },
    )


def told(listing: str) -> Meaning:
    """What `nft` says of the table that it has taken."""
    items = [each for each in json.loads(listing)["nftables"] if "metainfo" not in each]
    sets = {e["set"]["name"]: _ranges(map(_prefix, e["set"]["elem"])) for e in items if "set" in e}
    chains: dict[str, tuple[str, str, list[Fact]]] = {}
    for item in items:
        if "chain" in item:
            chain = item["chain"]
            chains[chain["name"]] = (chain["hook"], chain["policy"], [])
        elif "rule" in item:
            chains[item["rule"]["chain"]][2].append(_told_rule(item["rule"]))
        else:
            assert {*item} <= {"set", "table"}, item
    return Meaning(sets, chains)


def _rule(rule: Rule) -> Fact:
    if any(isinstance(each, Phrase) and each not in FIXED for each in rule.matches):
        return (rule.comment,)
    done: Fact
    if isinstance(rule.verdict, ToMachine):
        done = ("dnat", str(rule.verdict.address), rule.verdict.port)
    else:
        done = VERDICTS[rule.verdict]
    return rule.comment, frozenset(map(_match, rule.matches)), done


def _match(match: Match) -> Fact:
    if isinstance(match, Phrase):
        return FIXED[match]
    if isinstance(match, Listed | Addresses):
        return _address(match)
    if isinstance(match, Interfaces):
        return "iifname" if match.way == "in" else "oifname", frozenset(match.names)
    if isinstance(match, Protocols):
        return "protocol", frozenset(match.numbers)
    if isinstance(match, Ports):
        return "dport", match.protocol, merged(match.ranges)
    return "original", match.port


def _address(match: Listed | Addresses) -> Fact:
    if isinstance(match, Listed):
        return f"{match.way[0]}addr", match.family, f"@{match.name}"
    family = match.prefixes[0].version
    return f"{match.way[0]}addr", family, _ranges(map(str, match.prefixes))


def _told_rule(rule: dict[str, Any]) -> Fact:
    if rule["comment"] == "implied: what IP needs":
        return (rule["comment"],)
    *matches, done = rule["expr"]
    return rule["comment"], frozenset(_told_match(each["match"]) for each in matches), _done(done)


def _told_match(match: dict[str, Any]) -> Fact:
    left, right = match["left"], match["right"]
    if "fib" in left:
        return "fib", right
    if "ct" in left:
        is_port = left["ct"]["key"] == "proto-dst"
        return ("original", right) if is_port else ("status", right)
    if "meta" in left:
        key, values = left["meta"]["key"], frozenset(_many(right))
        return ("protocol", frozenset(map(_number, values))) if key == "l4proto" else (key, values)
    protocol, field = left["payload"]["protocol"], left["payload"]["field"]
    if field == "dport":
        return "dport", protocol, merged(map(_range, _many(right)))
    family = {"ip": 4, "ip6": 6}[protocol]
    is_set = isinstance(right, str) and right.startswith("@")
    return field, family, right if is_set else _ranges(map(_prefix, _many(right)))


def _done(done: dict[str, Any]) -> Fact:
    ((what, how),) = done.items()
    if what == "dnat":
        return "dnat", how["addr"], how["port"]
    return (what, how["type"]) if what == "reject" else (what,)


def _many(value: Any) -> list[Any]:
    if isinstance(value, dict) and "set" in value:
        return list(value["set"])
    return [value]


def _number(value: Any) -> int:
    return value if isinstance(value, int) else NUMBERS[value]


def _range(value: Any) -> tuple[int, int]:
    if isinstance(value, dict):
        first, last = value["range"]
        return first, last
    return value, value


def _prefix(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    return str(value)


def _ranges(prefixes: Iterable[str]) -> frozenset[str]:
    """The same addresses, in one form."""
    some = [ip_network(each) for each in prefixes]
    return frozenset(map(str, collapse_addresses(some)))  # type: ignore[type-var]
