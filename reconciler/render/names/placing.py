"""Where each generated record stands: in the longest zone that holds its name, in each view.

The PTR of an address stands in the reverse zone of the longest prefix. From the outside only
addresses of the outside are seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from reconciler.config.nameserver import INSIDE, View
from reconciler.config.repository import Documents
from reconciler.model.position import Problem
from reconciler.render.names.delegations import Border, is_named_elsewhere
from reconciler.render.names.ground import VIEWS, Ground, Plot
from reconciler.render.names.named import Entry
from reconciler.render.names.reverse import Ip, pointer
from reconciler.render.names.shared import (
    is_maker,
    may_have,
    may_point,
    not_pointed,
    not_shared,
)
from reconciler.render.names.sites import is_inside

NOT_ROUTED = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
        "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
PROXY = "Proxy"


@dataclass(frozen=True, slots=True)
class Placed:
    """A generated record in its zone. `name` is relative."""

    name: str
    type: str
    value: str
    entry: Entry


Places = Mapping[Plot, Sequence[Placed]]


def placed(
    documents: Documents,
    ground: Ground,
    borders: Mapping[Plot, Border],
    entries: Iterable[Entry],
    problems: list[Problem],
) -> Places:
    """All generated records of the environment by zone. What may not stand there is a problem."""
    places: dict[Plot, list[Placed]] = {plot: [] for plot in ground.plots}
    everything = tuple(entries)
    for view in {plot.view for plot in ground.plots}:
        for entry in _seen(documents, ground, everything, view):
            for plot, each in _of(ground, borders, entry, view):
                reason = _refused(documents, plot, each)
                if reason is None:
                    places[plot].append(each)
                else:
                    problems += reason
    return places


def _of(
    ground: Ground, borders: Mapping[Plot, Border], entry: Entry, view: View
) -> Iterator[tuple[Plot, Placed]]:
    """The record itself, and the PTR that leads back."""
    if plot := ground.holder(view, entry.fqdn):
        yield plot, Placed(plot.relative(entry.fqdn), entry.type, entry.value, entry)
    if not entry.points_back or entry.address is None:
        return
    reverse = ground.naming(entry.address, view)
    if reverse is None or reverse.cover is None:
        return
    if not is_named_elsewhere(ground, borders, reverse, entry.address):
        name = reverse.relative(pointer(entry.address, reverse.cover))
        yield reverse, Placed(name, "PTR", f"{entry.fqdn}.", entry)


def _refused(documents: Documents, plot: Plot, each: Placed) -> list[Problem] | None:
    """Why a record may not stand in a zone, if it may not."""
    entry, environment = each.entry, documents.environment
    if plot.is_dynamic:
        what = f"{entry.what} would have {each.name} {each.type} in zone {plot.origin}, which DHCP"
        there = documents.position("Zone", plot.zone.name, "updated_by")
        remedy = "give it another name or address, or make the zone one of dynamic addresses only"
        position = documents.position(*entry.where)
        return [Problem(position, f"{what} servers update ({there})", remedy)]
    if is_maker(documents, plot.zone):
        return None
    if each.type == "PTR":
        address = entry.address
        if address is None or may_point(documents, plot.zone, environment, address):
            return None
        return [not_pointed(documents, plot, entry)]
    if may_have(plot.zone, environment, entry.fqdn):
        return None
    # A proxy may answer to names that are not for it to give.
    return [] if entry.where[0] == PROXY else [not_shared(documents, plot, entry)]


def _seen(
    documents: Documents, ground: Ground, entries: Sequence[Entry], view: View
) -> Iterator[Entry]:
    """What is seen in a view: all of it inside; outside only what is there, and leads there."""
    if view == INSIDE:
        yield from (entry for entry in entries if entry.view in {None, view})
        return
    outside = [
        entry
        for entry in entries
        if entry.address is not None
        and entry.view in {None, view}
        and _is_outside(documents, ground, entry, view)
    ]
    yield from outside
    names = {f"{entry.fqdn}." for entry in outside}
    for entry in entries:
        if entry.address is None and entry.value.split()[-1] in names:
            yield entry


def _is_outside(documents: Documents, ground: Ground, entry: Entry, view: View) -> bool:
    plot = ground.holder(view, entry.fqdn)
    if plot is None or entry.address is None:
        return False
    server = documents.nameservers.get(plot.zone.server)
    if server is not None and is_inside(documents, server, entry.address):
        return False
    return is_routed(entry.address)


def is_routed(address: Ip) -> bool:
    """Whether the world can reach an address at all."""
    return not any(
        address.version == network.version and address in network for network in NOT_ROUTED
    )


__all__ = ["VIEWS", "Placed", "Places", "is_routed", "placed"]
