"""What was done by hand in a zone, as changes of its document: the other way to end a drift."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.zones import Zone
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.resource import Observed
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.adoption import record_field, why_unsayable


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One record set as it is to be in the document; None: not any more. `is_new`: it was not."""

    key: str
    record: RecordSet | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be accepted, and what cannot, with the reason."""

    accepted: tuple[Acceptance, ...]
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Zoned:
    """A zone from all sides.

    `document` is the one to write into. `applied` are the record sets of the commit that was
    applied last, `seen` the parts of the zone, `sources` who gives a generated record set, and
    `desired` what the documents say now.
    """

    document: Zone
    environment: str
    applied: Collection[RecordSet]
    seen: tuple[Observed[ZoneSpec], ...]
    sources: Mapping[str, str]
    desired: Collection[RecordSet] = ()

    @property
    def by_hand(self) -> frozenset[str]:
        """The keys of the document's own records."""
        return frozenset(f"{each.name}/{each.type}" for each in self.document.records)


def judge(zone: Zoned, wanted: Iterable[str]) -> Judged:
    """What of the keys can be accepted; without any, what of all that was done by hand."""
    found = _by_hand(zone)
    accepted: list[Acceptance] = []
    refused: dict[str, str] = {}
    for key in sorted(set(wanted) or found):
        why = _why_not(zone, key, found)
        if why is None:
            accepted.append(Acceptance(key, found[key], key not in zone.by_hand))
        else:
            refused[key] = why
    return Judged(tuple(accepted), refused)


def field_of(zone: Zone, accepted: Acceptance) -> dict[str, Any] | None:
    """The item of the document; None if it is to go."""
    return None if accepted.record is None else record_field(zone, accepted.record)


def _by_hand(zone: Zoned) -> Mapping[str, RecordSet | None]:
    """By key, what is not as git said; None for what is gone."""
    wanted = {each.key: each for each in zone.applied}
    found = (each for part in zone.seen if not part.owner for each in part.spec.records)
    foreign = {each.key: each for each in found if each not in zone.desired}
    ours = {each.key: each for each in _held(zone)}
    gone = wanted.keys() - ours.keys() - foreign.keys()
    changed = {key: each for key, each in ours.items() if wanted.get(key) != each}
    return {**changed, **foreign, **dict.fromkeys(gone)}


def _held(zone: Zoned) -> Iterator[RecordSet]:
    for part in zone.seen:
        if part.owner is not None and part.owner.environment == zone.environment:
            yield from part.spec.records


def _why_not(zone: Zoned, key: str, found: Mapping[str, RecordSet | None]) -> str | None:
    if key not in found:
        return _why_unchanged(zone, key)
    if key in zone.by_hand:
        record = found[key]
        return why_unsayable(record) if record else None
    if key in zone.sources:
        return f"it comes from {zone.sources[key]}: change it there"
    if any(each.key == key for each in (*zone.applied, *zone.desired)):
        return f"it comes from the fields of Zone {zone.document.name}: change it there"
    record = found[key]
    return why_unsayable(record) if record else "it is gone, and no document says it"


def _why_unchanged(zone: Zoned, key: str) -> str:
    for part in zone.seen:
        if any(each.key == key for each in part.spec.records):
            if part.owner and part.owner.environment != zone.environment:
                return f"it belongs to environment {part.owner.environment}"
            return "it is as git says"
    return "there is no such record set in the zone"
