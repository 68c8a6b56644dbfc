"""Where a zone ends: what others answer for must not be written in it, but for their addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from reconciler.config.check_records import APEX, Place, places
from reconciler.config.records import absolute
from reconciler.config.repository import Documents
from reconciler.config.zones import DelegationField, Zone
from reconciler.model.position import Position, Problem

_ADDRESSES = frozenset({"A", "AAAA"})


@dataclass(frozen=True, slots=True)
class Cut:
    """A name from which on others answer, and their servers by absolute names."""

    what: str
    servers: frozenset[str]
    position: Position
    record: Place | None = None


def delegation_problems(documents: Documents, zone: Zone) -> Iterator[Problem]:
    """Everything that is wrong with the delegations of a zone, and with records below them."""
    cuts: dict[str, Cut] = {}
    for index, said in enumerate(zone.delegations):
        position = documents.position("Zone", zone.name, "delegations", str(index))
        yield from _outside(documents, zone, said, position)
        name = relative(said.to, zone.zone_name)
        servers = frozenset(absolute(each, zone.zone_name) for each in said.nameservers)
        cut = Cut(f"the delegation of {said.to}", servers, position)
        first = cuts.setdefault(name, cut)
        if first is not cut:
            what = f"{said.to} is delegated twice"
            yield Problem(position, what, f"remove one of them; the other is at {first.position}")
    for name, cut in (*_by_hand(documents, zone), *_zones_inside(documents, zone)):
        first = cuts.setdefault(name, cut)
        if first is not cut:
            what = f"{name} is delegated already, by {first.what} ({first.position})"
            yield Problem(cut.position, what, "remove one of them")
    yield from _in_each_other(cuts)
    if cuts:
        yield from _below(documents, zone, cuts)


def relative(name: str, origin: str) -> str:
    """A name as it stands in its zone."""
    return APEX if name == origin else name.removesuffix(f".{origin}")


def cut_above(name: str, cuts: Mapping[str, Cut]) -> str | None:
    """The delegation at or above a name."""
    while name:
        if name in cuts:
            return name
        name = name.partition(".")[2]
    return None


def _by_hand(documents: Documents, zone: Zone) -> Iterator[tuple[str, Cut]]:
    told: set[str] = set()
    for place in places(zone):
        record = place.record
        if record.type == "NS" and record.name != APEX and record.name not in told:
            told.add(record.name)
            servers = frozenset(_targets(record.values, zone.zone_name))
            position = place.position(documents, zone)
            yield record.name, Cut(f"the NS of {record.name}", servers, position, place)


def _targets(values: tuple[str, ...], origin: str) -> Iterator[str]:
    for value in values:
        try:
            yield absolute(value, origin)
        except ValueError:
            continue  # told where values are judged


def _zones_inside(documents: Documents, zone: Zone) -> Iterator[tuple[str, Cut]]:
    """Other zones of ours below this one, in the same view of the same server."""
    for other in documents.zones.values():
        is_beside = (other.server, other.view) == (zone.server, zone.view)
        if is_beside and other.zone_name.endswith(f".{zone.zone_name}"):
            servers = frozenset(absolute(each, other.zone_name) for each in other.nameservers)
            position = documents.position("Zone", other.name)
            name = relative(other.zone_name, zone.zone_name)
            yield name, Cut(f"zone {other.name}", servers, position)


def _outside(
    documents: Documents, zone: Zone, said: DelegationField, position: Position
) -> Iterator[Problem]:
    if "/" not in said.to:
        if said.to == zone.zone_name:
            what = f"zone {zone.name} cannot be delegated from itself"
            yield Problem(position, what, "write `nameservers:`")
        return
    prefix = ip_network(said.to)
    if not any(_is_part(prefix, whole) for whole in reverse_of(documents, zone)):
        what = f"{said.to} is in none of the reverse zones that zone {zone.name} makes"
        where = documents.position("Zone", zone.name, "reverse")
        yield Problem(position, what, f"write a part of what is under `reverse` ({where})")


def reverse_of(documents: Documents, zone: Zone) -> Iterator[IPv4Network | IPv6Network]:
    """The prefixes that a zone makes reverse zones for, as far as they are known."""
    for item in zone.reverse:
        if "/" in item:
            yield ip_network(item)
        elif network := documents.networks.get(item):
            yield network.subnet


def _is_part(prefix: IPv4Network | IPv6Network, whole: IPv4Network | IPv6Network) -> bool:
    if isinstance(prefix, IPv4Network):
        part = isinstance(whole, IPv4Network) and prefix.subnet_of(whole)
    else:
        part = isinstance(whole, IPv6Network) and prefix.subnet_of(whole)
    return part and prefix != whole


def _in_each_other(cuts: Mapping[str, Cut]) -> Iterator[Problem]:
    for name, cut in cuts.items():
        outer = cut_above(name.partition(".")[2], cuts)
        if outer is not None and not cut.what.startswith("zone "):
            what = f"{name} is inside {outer}, which is delegated by {cuts[outer].what}"
            yield Problem(cut.position, what, f"remove one of them ({cuts[outer].position})")


def _below(documents: Documents, zone: Zone, cuts: Mapping[str, Cut]) -> Iterator[Problem]:
    """Records that nobody would be told of, since others are asked for them."""
    own = {absolute(name, zone.zone_name) for name in zone.nameservers}
    homes = own.union(*(cut.servers for cut in cuts.values()))
    for place in places(zone):
        record = place.record
        name = cut_above(record.name, cuts)
        if name is None or record.type == "NS":
            continue
        cut = cuts[name]
        is_glue = record.type in _ADDRESSES and absolute(record.name, zone.zone_name) in homes
        if not is_glue:
            what = f"{record.name} {record.type} is at or below {name}, which others answer for"
            remedy = f"only addresses of servers stand here; see {cut.what} ({cut.position})"
            yield Problem(place.position(documents, zone), what, remedy)
