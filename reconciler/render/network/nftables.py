"""Rules of the packet filter as data, and their text for `nft`: closed forms, and nothing pasted.

The same rules always give the same text. Nothing counts, so that nothing changes by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import singledispatch
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

Prefix = IPv4Network | IPv6Network
Family = Literal[4, 6]
Way = Literal["source", "destination"]
PortRange = tuple[int, int]
HIGHEST_PORT = 65535
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z")
_INTERFACE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,14}\Z")
_COMMENT = re.compile(r"[A-Za-z0-9 :,._/-]{1,120}\Z")
_IP: Mapping[Family, str] = {4: "ip", 6: "ip6"}
_END: Mapping[Way, str] = {"source": "saddr", "destination": "daddr"}


class Phrase(Enum):
    """A match that has no parts."""

    LOOPBACK = 'iifname "lo"'
    TO_THE_HOST = "fib daddr type local"
    FORWARDED = "ct status dnat"
    ERRORS = "icmp type { destination-unreachable, time-exceeded, parameter-problem }"
    ERRORS_6 = (
        "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }"
    )
    ECHO = "icmp type echo-request limit rate 50/second burst 100 packets"
    ECHO_6 = "icmpv6 type echo-request limit rate 50/second burst 100 packets"
    NEIGHBOURS = (
        "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, "
        "nd-neighbor-advert } ip6 hoplimit 255"
    )
    LISTENERS = (
        "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, "
        "mld2-listener-report } ip6 saddr fe80::/10"
    )
    OWN_LEASE_6 = "ip6 saddr fe80::/10 udp sport 547 udp dport 546"


class Verdict(Enum):
    """What is done with a packet."""

    ACCEPT = "accept"
    DROP = "drop"
    RESET = "reject with tcp reset"
    REJECT = "reject with icmpx type admin-prohibited"
    MASQUERADE = "masquerade"
    BY_STATE = "ct state vmap { established : accept, related : accept, invalid : drop }"


@dataclass(frozen=True, slots=True)
class ToMachine:
    """It goes on to a machine."""

    address: IPv4Address | IPv6Address
    port: int


@dataclass(frozen=True, slots=True)
class Interfaces:
    """It comes in, or goes out, by one of these."""

    way: Literal["in", "out"]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addresses:
    """One of its addresses is in one of these, which are of one family."""

    way: Way
    prefixes: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One of its addresses is in a set of the table."""

    way: Way
    family: Family
    name: str


@dataclass(frozen=True, slots=True)
class Protocols:
    """It is of one of these protocols, by number."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ports:
    """It goes to one of these ports; `th` of any protocol that has some."""

    protocol: Literal["tcp", "udp", "th"]
    ranges: tuple[PortRange, ...]


@dataclass(frozen=True, slots=True)
class OriginalPort:
    """It went to this port of the host before it was sent on."""

    port: int


Match = Phrase | Interfaces | Addresses | Listed | Protocols | Ports | OriginalPort


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with a packet for which all of this holds."""

    matches: tuple[Match, ...]
    verdict: Verdict | ToMachine
    comment: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The rules of one hook, first come first served."""

    name: str
    hook: Literal["input", "forward", "output", "prerouting", "postrouting"]
    rules: tuple[Rule, ...]
    type: Literal["filter", "nat"] = "filter"


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses of one family under a name."""

    name: str
    prefixes: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is made anew."""

    name: str
    comment: str
    sets: tuple[AddressSet, ...]
    chains: tuple[Chain, ...]


def ruleset_text(table: Table) -> str:
    """The file of a table: in one transaction, whatever was in the table before.

    Raises:
        ValueError: a name is not of a form that `nft` reads as one word.
    """
    name = _checked(_NAME, table.name)
    lines = [
        f"# {_checked(_COMMENT, table.comment)}",
        f"table inet {name} {{}}",
        f"delete table inet {name}",
        f"table inet {name} {{",
    ]
    for part in (*map(_set_lines, table.sets), *map(_chain_lines, table.chains)):
        lines += [f"\t{line}" if line else "" for line in part]
        lines.append("")
    return "\n".join([*lines[:-1], "}", ""])


def merged(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    """The same ports, in order, and none twice."""
    kept: list[PortRange] = []
    for first, last in sorted(ranges):
        if kept and first <= kept[-1][1] + 1:
            kept[-1] = (kept[-1][0], max(last, kept[-1][1]))
        else:
            kept.append((first, last))
    return tuple(kept)


def _set_lines(wanted: AddressSet) -> Iterator[str]:
    yield f"set {_checked(_NAME, wanted.name)} {{"
    yield f"\ttype ipv{wanted.prefixes[0].version}_addr"
    yield "\tflags interval"
    yield "\telements = {"
    yield from (f"\t\t{_prefix(prefix)}," for prefix in wanted.prefixes)
    yield "\t}"
    yield "}"


def _chain_lines(chain: Chain) -> Iterator[str]:
    priority = {"prerouting": "dstnat", "postrouting": "srcnat"}.get(chain.hook, "filter")
    yield f"chain {_checked(_NAME, chain.name)} {{"
    yield f"\ttype {chain.type} hook {chain.hook} priority {priority}; policy accept;"
    yield from (f"\t{_rule_text(rule)}" for rule in chain.rules)
    yield "}"


def _rule_text(rule: Rule) -> str:
    words = [_match_text(match) for match in rule.matches]
    return " ".join([*words, _verdict(rule.verdict), f'comment "{_comment(rule.comment)}"'])


@singledispatch
def _match_text(match: Match) -> str:
    """A match as `nft` reads it."""
    raise TypeError(match)


@_match_text.register
def _(match: Phrase) -> str:
    return match.value


@_match_text.register
def _(match: Interfaces) -> str:
    names = [f'"{_checked(_INTERFACE, name)}"' for name in match.names]
    return f"{'iifname' if match.way == 'in' else 'oifname'} {_one_of(names)}"


@_match_text.register
def _(match: Addresses) -> str:
    family = match.prefixes[0].version
    return f"{_IP[family]} {_END[match.way]} {_one_of(map(_prefix, match.prefixes))}"


@_match_text.register
def _(match: Listed) -> str:
    return f"{_IP[match.family]} {_END[match.way]} @{_checked(_NAME, match.name)}"


@_match_text.register
def _(match: Protocols) -> str:
    return f"meta l4proto {_one_of(str(int(number)) for number in match.numbers)}"


@_match_text.register
def _(match: Ports) -> str:
    return f"{match.protocol} dport {_one_of(map(_range, match.ranges))}"


@_match_text.register
def _(match: OriginalPort) -> str:
    return f"ct original proto-dst {int(match.port)}"


def _verdict(verdict: Verdict | ToMachine) -> str:
    if isinstance(verdict, Verdict):
        return verdict.value
    is_old = verdict.address.version == 4  # noqa: PLR2004 (of the Internet Protocol)
    address = str(verdict.address) if is_old else f"[{verdict.address}]"
    return f"dnat {'ip' if is_old else 'ip6'} to {address}:{int(verdict.port)}"


def _prefix(prefix: Prefix) -> str:
    """An address without the length of its prefix, as `nft` tells it, too."""
    is_one = prefix.prefixlen == prefix.max_prefixlen
    return str(prefix.network_address) if is_one else str(prefix)


def _range(ports: PortRange) -> str:
    first, last = ports
    return str(int(first)) if first == last else f"{int(first)}-{int(last)}"


def _one_of(words: Iterable[str]) -> str:
    every = list(words)
    return every[0] if len(every) == 1 else f"{{ {', '.join(every)} }}"


def _comment(comment: str) -> str:
    return _checked(_COMMENT, comment)


def _checked(form: re.Pattern[str], word: str) -> str:
    if not form.match(word):
        message = f"{word!r} is no word of a ruleset"
        raise ValueError(message)
    return word
