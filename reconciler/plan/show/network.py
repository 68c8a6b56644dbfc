"""Address plans for people and programs: who has what in each partition, and what is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Address

from typing_extensions import TypedDict  # as in reconciler.plan.show.json

from reconciler.config.address_plan import AddressPlan, Claimed, PartitionUse
from reconciler.plan.show.escape import shortened
from reconciler.plan.show.json import SourceDocument, source
from reconciler.plan.show.text import BLANK, Line, LineKind

DYNAMIC = "dynamic"
_PARTITIONS = ("PARTITION", "FOR", "RANGE", "USED", "FREE", "QUARANTINED", "NEXT FREE")
_OWNERS = ("ADDRESS", "WHO", "PARTITION", "ENVIRONMENT", "WRITTEN AT")


class OwnerDocument(TypedDict):
    """Who has an address, and where that is written."""

    address: str
    owner: str
    environments: list[str]
    source: SourceDocument | None


class QuarantinedDocument(TypedDict):
    """An address that was given up, and until when nobody gets it."""

    address: str
    until: str


class PartitionDocument(TypedDict):
    """A partition and what is free in it."""

    name: str
    purpose: str
    first: str
    last: str
    size: int
    free: int
    next_free: str | None
    owners: list[OwnerDocument]
    quarantined: list[QuarantinedDocument]
    kept: list[str]


class NetworkDocument(TypedDict):
    """A network, and who has an address in no partition of it."""

    network: str
    environments: list[str]
    subnet: str
    gateway: str | None
    partitions: list[PartitionDocument]
    elsewhere: list[OwnerDocument]


class NetworksDocument(TypedDict):
    """The address plan of the farm."""

    networks: list[NetworkDocument]


def network_lines(
    plans: Sequence[AddressPlan], quarantined: Mapping[IPv4Address, datetime]
) -> tuple[Line, ...]:
    """Each network with a table of its partitions and one of its addresses."""
    lines: list[Line] = []
    for plan in plans:
        lines += [BLANK] if lines else []
        lines.append(Line(LineKind.HEADING, shortened(title(plan))))
        if plan.partitions:
            parts = [_PARTITIONS, *(_partition(each) for each in plan.partitions)]
            lines += [BLANK, *_table(parts)]
        if rows := tuple(_owners(plan, quarantined)):
            lines += [BLANK, *_table([_OWNERS, *rows])]
    return tuple(lines) or (Line(LineKind.SUMMARY, "No networks"),)


def networks_json(
    plans: Sequence[AddressPlan], quarantined: Mapping[IPv4Address, datetime]
) -> NetworksDocument:
    """The same for programs."""
    return {
        "networks": [
            {
                "network": plan.network,
                "environments": list(plan.environments),
                "subnet": str(plan.subnet),
                "gateway": str(plan.gateway) if plan.gateway else None,
                "partitions": [_partition_json(each, quarantined) for each in plan.partitions],
                "elsewhere": [_owner_json(each) for each in plan.elsewhere],
            }
            for plan in plans
        ]
    }


def title(plan: AddressPlan) -> str:
    """What the network is, in a line."""
    gateway = f", gateway {plan.gateway}" if plan.gateway else ""
    return f"{plan.network} {plan.subnet}{gateway} ({', '.join(plan.environments)})"


def written(use: PartitionUse) -> str:
    """The range of a partition: as a network where it is one."""
    if use.all.size == 1:
        return str(use.all.first)
    networks = use.all.networks()
    return str(networks[0]) if len(networks) == 1 else f"{use.all.first}-{use.all.last}"


def _partition(use: PartitionUse) -> tuple[str, ...]:
    next_free = "by DHCP" if use.purpose == DYNAMIC else str(use.next_free or "none")
    counts = (len(use.claimed), use.free, len(use.quarantined))
    return (use.name, use.purpose, written(use), *map(str, counts), next_free)


def _owners(
    plan: AddressPlan, quarantined: Mapping[IPv4Address, datetime]
) -> Iterator[tuple[str, ...]]:
    """A row for each address of which something can be said, in their order."""
    rows: list[tuple[int, tuple[str, ...]]] = []
    rows += [(int(each.owner.address), _owner(each, "")) for each in plan.elsewhere]
    for use in plan.partitions:
        rows += [(int(each.owner.address), _owner(each, use.name)) for each in use.claimed]
        for address in use.quarantined:
            until = f"in quarantine until {quarantined[address]:%Y-%m-%d}"
            rows.append((int(address), (str(address), until, use.name, "", "")))
        rows += [(int(each), (str(each), "kept", use.name, "", "")) for each in use.kept]
    return (row for _, row in sorted(rows))


def _owner(claimed: Claimed, partition: str) -> tuple[str, ...]:
    owner, environments = claimed.owner, ", ".join(claimed.environments)
    return (str(owner.address), owner.called, partition, environments, str(owner.position))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[Line]:
    shown = [[shortened(cell, 80) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for index, row in enumerate(shown):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        kind = LineKind.GROUP if index == 0 else LineKind.FIELD
        yield Line(kind, "  ".join(cells).rstrip(), 1)


def _partition_json(
    use: PartitionUse, quarantined: Mapping[IPv4Address, datetime]
) -> PartitionDocument:
    return {
        "name": use.name,
        "purpose": use.purpose,
        "first": str(use.all.first),
        "last": str(use.all.last),
        "size": use.usable.size,
        "free": use.free,
        "next_free": str(use.next_free) if use.next_free and use.purpose != DYNAMIC else None,
        "owners": _owners_json(use.claimed),
        "quarantined": [
            {"address": str(each), "until": quarantined[each].isoformat()}
            for each in use.quarantined
        ],
        "kept": [str(each) for each in use.kept],
    }


def _owners_json(claimed: Iterable[Claimed]) -> list[OwnerDocument]:
    return [_owner_json(each) for each in claimed]


def _owner_json(claimed: Claimed) -> OwnerDocument:
    return {
        "address": str(claimed.owner.address),
        "owner": claimed.owner.called,
        "environments": list(claimed.environments),
        "source": source(claimed.owner.position),
    }
