"""Who owns which records of a zone, written into the zone itself.

Everything the registry writes is below the one name `_reconciler` in the zone. For each
environment `<environment>._reconciler` holds the digest of the applied spec, and
`<two digits>.<environment>._reconciler` the names, with their types, of the record sets it owns
whose hash begins so: never more than 256 sets, however large the zone is. Record sets that no mark
names are foreign.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from zlib import crc32

from reconciler.ports.nameserver import Grant, RecordSet, Rules

REGISTRY = "_reconciler"
MARK_TTL_SECONDS = 300
APEX = "@"
_BELOW = f".{REGISTRY}"
_LONGEST_STRING = 255  # of a TXT record (RFC 1035 §3.3.14)
_HEAD = re.compile(
    r'\A"digest=(?P<digest>[0-9a-f]{0,64}) authority=(?P<authority>[01])(?P<open> open=1)?"\Z'
)
_OWNED = re.compile(r'\A"own (?P<names>[^\\]*)"\Z')
_SEAM = '" "'
_BUCKET = re.compile(r"\A[0-9a-f]{2}\Z")
_TYPES = re.compile(r"\A[A-Z0-9,]{1,200}\Z")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one environment owns in a zone. `authority`: also its SOA timers.

    `open`: everything below the apex is left to somebody else.
    """

    environment: str
    digest: str
    authority: bool
    keys: frozenset[str]
    open: bool = False


def registry_grant(environment: str) -> Grant:
    """What an environment must be allowed in a zone of another, so that it can mark its records."""
    return Grant(environment, f"{environment}{_BELOW}", below=True, types=("TXT",))


def is_mark(record: RecordSet) -> bool:
    """Whether the registry wrote this record set."""
    return record.name.endswith(_BELOW) or record.name == REGISTRY


def is_mark_key(key: str) -> bool:
    """Whether that is the key of a record set that the registry wrote."""
    name = key.rpartition("/")[0]
    return name.endswith(_BELOW) or name == REGISTRY


def environment_of(mark: RecordSet) -> str:
    """The environment that a mark speaks of."""
    return mark.name.removesuffix(_BELOW).rpartition(".")[2]


def marks(holding: Holding) -> tuple[RecordSet, ...]:
    """The record sets that write a holding down: in order of name, and the head at last."""
    types: dict[str, list[str]] = defaultdict(list)
    for key in holding.keys:
        name, _, kind = key.rpartition("/")
        types[name].append(kind)
    buckets: dict[int, list[str]] = defaultdict(list)
    for name, kinds in types.items():
        buckets[crc32(name.encode()) >> 24].append(f"{name}={','.join(sorted(kinds))}")
    below = f".{holding.environment}{_BELOW}"
    owned = (
        _text(f"{bucket:02x}{below}", "own " + " ".join(sorted(names)))
        for bucket, names in sorted(buckets.items())
    )
    head = f"digest={holding.digest} authority={int(holding.authority)}"
    return (*owned, _text(below[1:], head + (" open=1" if holding.open else "")))


def read_marks(records: Iterable[RecordSet]) -> Mapping[str, Holding]:
    """The holdings by environment, from all record sets of a zone. What is no mark is skipped."""
    heads: dict[str, re.Match[str]] = {}
    keys: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if not record.name.endswith(_BELOW) or record.type != "TXT" or not record.values:
            continue
        place, _, environment = record.name.removesuffix(_BELOW).rpartition(".")
        if not place and (head := _HEAD.match(record.values[0])):
            heads[environment] = head
        elif _BUCKET.match(place):
            keys[environment] |= _owned(record.values[0])
    return {
        environment: Holding(
            environment,
            head["digest"],
            head["authority"] == "1",
            frozenset(keys[environment]),
            head["open"] is not None,
        )
        for environment, head in heads.items()
    }


def rightful(holding: Holding, rules: Rules | None) -> Holding:
    """The holding without what the environment could not have written itself.

    Who may write marks of its own could name in them what belongs to others, or say that the zone
    is its own. Where the rules do not tell whose the zone is, all of it counts.
    """
    if rules is None or not any(each == Grant(each.holder) for each in rules.grants):
        return holding
    grants = rules.of(holding.environment)
    if Grant(holding.environment) in grants:
        return holding
    keys = frozenset(key for key in holding.keys if _covered(key, grants))
    return replace(
        holding, keys=keys, authority=holding.authority and _covered(f"{APEX}/SOA", grants)
    )


def may_mark(environment: str, rules: Rules | None) -> bool:
    """Whether an environment could write its marks now, or take them away.

    Marks of one with which the zone is not shared any more say nothing and can stay.
    """
    if rules is None or not any(each == Grant(each.holder) for each in rules.grants):
        return True
    return _covered(f"{environment}{_BELOW}/TXT", rules.of(environment))


def _covered(key: str, grants: Iterable[Grant]) -> bool:
    name, _, kind = key.rpartition("/")
    return any(grant.covers(name, kind) for grant in grants)


def _owned(value: str) -> set[str]:
    """The keys in a mark; a part of it that says nothing is skipped."""
    found = _OWNED.match(value.replace(_SEAM, ""))
    keys: set[str] = set()
    types: dict[str, tuple[str, ...]] = {"": ()}
    for entry in found["names"].split(" ") if found else ():
        name, _, kinds = entry.partition("=")
        if kinds not in types:
            types[kinds] = tuple(kinds.split(",")) if _TYPES.match(kinds) else ()
        for kind in types[kinds] if name else ():
            keys.add(f"{name}/{kind}")
    return keys


def _text(name: str, text: str) -> RecordSet:
    parts = (text[at : at + _LONGEST_STRING] for at in range(0, len(text), _LONGEST_STRING))
    return RecordSet(name, "TXT", MARK_TTL_SECONDS, (f'"{_SEAM.join(parts)}"',))
