"""Firewall documents of all sorts, for properties: right ones, with everything in them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from hypothesis import strategies as st

LABELS = st.text("az09-", min_size=1, max_size=6).filter(
    lambda label: not label.startswith("-") and not label.endswith("-")
)
LINKS = st.builds("{}{}".format, st.sampled_from("aZ"), st.text("bY0_.-", max_size=14))
PREFIXES = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
        lambda pair: str(IPv4Network(pair, strict=False))
    ),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
        lambda pair: str(IPv6Network(pair, strict=False))
    ),
)
ADDRESSES = st.one_of(
    st.integers(1, 2**24 - 2).map(lambda number: IPv4Address("10.0.0.0") + number),
    st.integers(1, 2**64).map(lambda number: IPv6Address("2001:db8::") + number),
)
PORTS = st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(
    lambda pair: f"{min(pair)}-{max(pair)}" if pair[0] % 2 else str(pair[0])
)


ENDS = st.integers(0, 9)  # which zone, or `any`, or `host`
# Made once: to make a strategy takes longer than to draw from it.
ZONE = st.fixed_dictionaries(
    {
        "interfaces": st.lists(LINKS, max_size=3, unique=True),
        "networks": st.sampled_from([[], ["lan"]]),
        "sources": st.lists(PREFIXES, max_size=4),
    }
).map(lambda zone: zone if any(zone.values()) else {**zone, "interfaces": ["eth0"]})
RULE = st.fixed_dictionaries(
    {
        "from": ENDS,
        "to": ENDS,
        "protocol": st.sampled_from([None, "tcp", "udp", "icmp", "gre", "esp"]),
        "ports": st.lists(PORTS, max_size=4),
        "destinations": st.lists(PREFIXES, max_size=2),
        "action": st.sampled_from(["accept", "drop", "reject"]),
    }
).map(lambda rule: rule if rule["protocol"] in {"tcp", "udp"} else {**rule, "ports": []})
FORWARD = st.fixed_dictionaries(
    {
        "protocol": st.sampled_from(["tcp", "udp"]),
        "from": ENDS,
        "address": ADDRESSES.map(str),
        "to_port": st.none() | st.integers(1, 65535),
    }
)
PARTS = st.fixed_dictionaries(
    {
        "name": LABELS,
        "management": st.lists(PREFIXES, max_size=4),
        "zones": st.dictionaries(LABELS, ZONE, min_size=1, max_size=3),
        "rules": st.dictionaries(LABELS, RULE, max_size=5),
        "masquerade": st.dictionaries(LABELS, st.tuples(ENDS, ENDS), max_size=1),
        "forwards": st.dictionaries(LABELS, FORWARD, max_size=3),
    }
)


def _firewall(parts: dict[str, Any]) -> dict[str, Any]:
    zones = list(parts["zones"])
    ends = [*zones, "any", "host"]

    def named(key: str, among: list[str]) -> list[dict[str, Any]]:
        found = [{"name": name, **each} for name, each in parts[key].items()]
        for each in found:
            each |= {end: among[each[end] % len(among)] for end in ("from", "to") if end in each}
        return found

    forwards = named("forwards", ends[:-1])
    return {
        "kind": "Firewall",
        "hosts": ["virt1"],
        "name": parts["name"],
        "management": parts["management"],
        "zones": [{"name": name, **each} for name, each in parts["zones"].items()],
        "rules": named("rules", ends),
        "masquerade": [
            {"name": name, "from": zones[one % len(zones)], "to": zones[two % len(zones)]}
            for name, (one, two) in parts["masquerade"].items()
        ],
        "forwards": [{**each, "port": 2000 + number} for number, each in enumerate(forwards)],
    }


FIREWALLS = PARTS.map(_firewall)  # documents for host virt1
