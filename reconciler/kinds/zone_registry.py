"""Who owns which records of a zone, written into the zone itself.

Everything the registry writes is below the one name `_reconciler` in the zone. For each
environment `<environment>._reconciler` holds the digest of the applied spec, and
`<name>.<environment>._reconciler` the types of the record sets it owns at `<name>`. Record sets
that no mark names are foreign.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.ports.nameserver import RecordSet

REGISTRY = "_reconciler"
MARK_TTL_SECONDS = 300
APEX = "@"
_DIGEST = re.compile(r'\A"digest=(?P<digest>[0-9a-f]{0,64}) authority=(?P<authority>[01])"\Z')
_TYPES = re.compile(r'\A"types=(?P<types>[A-Z0-9,]{1,200})"\Z')


@dataclass(frozen=True, slots=True)
class Holding:
    """What one environment owns in a zone. `authority`: also its SOA timers."""

    environment: str
    digest: str
    authority: bool
    keys: frozenset[str]


def is_mark(record: RecordSet) -> bool:
    """Whether the registry wrote this record set."""
    return record.name == REGISTRY or record.name.endswith(f".{REGISTRY}")


def marks(holding: Holding) -> tuple[RecordSet, ...]:
    """The record sets that write a holding down, in order of name."""
    head = f"digest={holding.digest} authority={int(holding.authority)}"
    types: dict[str, set[str]] = defaultdict(set)
    for key in holding.keys:
        name, _, kind = key.rpartition("/")
        types[name].add(kind)
    owned = [
        _text(f"{name}.{holding.environment}.{REGISTRY}", "types=" + ",".join(sorted(kinds)))
        for name, kinds in sorted(types.items())
    ]
    return (_text(f"{holding.environment}.{REGISTRY}", head), *owned)


def mark_key(name: str, environment: str) -> str:
    """The key of the mark about the records that an environment owns at a name."""
    return f"{name}.{environment}.{REGISTRY}/TXT"


def read_marks(records: Iterable[RecordSet]) -> Mapping[str, Holding]:
    """The holdings by environment, from all record sets of a zone. What is no mark is skipped."""
    heads: dict[str, tuple[str, bool]] = {}
    keys: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if record.type == "TXT" and record.name.endswith(f".{REGISTRY}") and record.values:
            name, _, environment = record.name.removesuffix(f".{REGISTRY}").rpartition(".")
            if not name and (match := _DIGEST.match(record.values[0])):
                heads[environment] = (match["digest"], match["authority"] == "1")
            elif name and (match := _TYPES.match(record.values[0])):
                keys[environment].update(f"{name}/{kind}" for kind in match["types"].split(","))
    return {
        environment: Holding(environment, digest, authority, frozenset(keys[environment]))
        for environment, (digest, authority) in heads.items()
    }


def _text(name: str, value: str) -> RecordSet:
    return RecordSet(name, "TXT", MARK_TTL_SECONDS, (f'"{value}"',))
