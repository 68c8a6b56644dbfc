"""Firewall documents of all sorts, for properties: right ones, with everything in them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

LABELS = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?\Z").filter(
    lambda label: label not in {"host", "any"}
)
LINKS = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_.-]{0,14}\Z").filter(
    lambda name: name not in {"lo", "all", "default", "gre0", "gretap0", "erspan0"}
)
PREFIXES = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
).map(lambda pair: _network(*pair))
PORTS = st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(
    lambda pair: f"{min(pair)}-{max(pair)}" if pair[0] % 2 else str(pair[0])
)


def _network(address: Any, length: int) -> str:
    from ipaddress import ip_network

    return str(ip_network(f"{address}/{length}", strict=False))


def _zone(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "interfaces": st.lists(LINKS, max_size=3, unique=True),
            "networks": st.sampled_from([[], ["lan"]]),
            "sources": st.lists(PREFIXES, max_size=4),
        }
    ).filter(lambda zone: any(zone[key] for key in ("interfaces", "networks", "sources")))


def _rule(name: str, ends: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "from": st.sampled_from([*ends, "any", "host"]),
            "to": st.sampled_from([*ends, "any", "host"]),
            "protocol": st.sampled_from([None, "tcp", "udp", "icmp", "gre", "esp"]),
            "ports": st.lists(PORTS, max_size=4),
            "destinations": st.lists(PREFIXES, max_size=2),
            "action": st.sampled_from(["accept", "drop", "reject"]),
        }
    ).map(lambda rule: rule if rule["protocol"] in {"tcp", "udp"} else {**rule, "ports": []})


def _forward(name: str, number: int, ends: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "protocol": st.sampled_from(["tcp", "udp"]),
            "port": st.just(2000 + number),
            "from": st.sampled_from([*ends, "any"]),
            "address": st.ip_addresses().map(str),
            "to_port": st.none() | st.integers(1, 65535),
        }
    )


@st.composite
def firewalls(draw: st.DrawFn) -> dict[str, Any]:
    """A document for host virt1."""
    ends = draw(st.lists(LABELS, min_size=1, max_size=3, unique=True))
    names = draw(st.lists(LABELS, max_size=5, unique=True))
    return {
        "kind": "Firewall",
        "name": draw(LABELS),
        "hosts": ["virt1"],
        "management": draw(st.lists(PREFIXES, max_size=4)),
        "zones": [draw(_zone(name)) for name in ends],
        "rules": [draw(_rule(name, ends)) for name in names],
        "masquerade": [
            {"name": name, "from": ends[0], "to": draw(st.sampled_from(ends))} for name in names[:1]
        ],
        "forwards": [draw(_forward(name, n, ends)) for n, name in enumerate(names[:3])],
    }
