"""One zone, several environments: who makes it, and which names in it are whose.

The environment that the document names makes the zone and all that is not a name of the farm. Each
other one writes its own names, within what the document shares with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from reconciler.config.nameserver import Nameserver
from reconciler.config.repository import Documents
from reconciler.config.zones import ShareNamesField, Zone
from reconciler.kinds.zone_registry import registry_grant
from reconciler.model.position import Problem
from reconciler.ports.nameserver import Grant, Rules
from reconciler.render.names.ground import APEX, Ground, Plot
from reconciler.render.names.named import Entry
from reconciler.render.names.reverse import (
    IPV4,
    LAST_OCTET,
    Ip,
    IpNetwork,
    covers_of_prefix,
    pointer,
)

DHCP = "dhcp"
FORWARD_TYPES = ("A", "AAAA", "CNAME", "SRV")
REVERSE_TYPES = ("PTR",)
DHCP_TYPES = ("A", "AAAA", "DHCID", "PTR")
_NOTHING = ShareNamesField()


def maker(documents: Documents, zone: Zone) -> str:
    """The environment that makes a zone."""
    return zone.environment or documents.environment


def is_maker(documents: Documents, zone: Zone) -> bool:
    """Whether this environment makes it."""
    return maker(documents, zone) == documents.environment


def inside(name: str, zone_name: str) -> str:
    """The complete name: what does not end with the zone's own name is inside the zone."""
    if name == APEX:
        return zone_name
    complete = name == zone_name or name.endswith(f".{zone_name}")
    return name if complete else f"{name}.{zone_name}"


def may_have(zone: Zone, environment: str, fqdn: str) -> bool:
    """Whether a name of the zone is shared with an environment."""
    share = zone.share.get(environment, _NOTHING)
    tops = (inside(name, zone.zone_name) for name in share.below)
    return any(fqdn == top or fqdn.endswith(f".{top}") for top in tops)


def may_point(documents: Documents, zone: Zone, environment: str, address: Ip) -> bool:
    """Whether the name of an address in the reverse zones is shared with an environment."""
    share = zone.share.get(environment, _NOTHING)
    subnets = (
        documents.networks[name].subnet for name in share.networks if name in documents.networks
    )
    return any(address.version == subnet.version and address in subnet for subnet in subnets)


def not_shared(documents: Documents, plot: Plot, entry: Entry) -> Problem:
    """A name that the environment has no share in."""
    zone, here = plot.zone, documents.environment
    owner = maker(documents, zone)
    there = documents.position("Zone", zone.name, "share", here)
    name = entry.fqdn
    what = (
        f"{entry.what} is called {name}, which is in zone {zone.name} of {owner}, and not in "
        f"what that shares with {here} ({there})"
    )
    rest = name.partition(".")[2]
    top = plot.relative(rest) if plot.holds(rest) else APEX
    wanted = f"below: [{plot.relative(name) if top == APEX else top}]"
    remedy = (
        f"write `share: {{{here}: {{{wanted}}}}}` into zone {zone.name} on the branch of {owner}"
    )
    return Problem(documents.position(*entry.where), what, remedy)


def not_pointed(documents: Documents, plot: Plot, entry: Entry) -> Problem:
    """An address whose PTR the environment has no share in."""
    zone, here = plot.zone, documents.environment
    owner = maker(documents, zone)
    there = documents.position("Zone", zone.name, "share", here)
    what = (
        f"{entry.what} has {entry.address}, whose name is in zone {plot.origin} of {owner}, and "
        f"not in what zone {zone.name} shares with {here} ({there})"
    )
    network = _network_of(documents, entry.address)
    wanted = f"networks: [{network}]"
    remedy = (
        f"write `share: {{{here}: {{{wanted}}}}}` into zone {zone.name} on the branch of {owner}"
    )
    return Problem(documents.position(*entry.where), what, remedy)


def _network_of(documents: Documents, address: Ip | None) -> str:
    fitting = [
        (-network.subnet.prefixlen, network.name)
        for network in documents.networks.values()
        if address is not None and address.version == IPV4 and address in network.subnet
    ]
    return min(fitting)[1] if fitting else "its network"


def rules_of(documents: Documents, ground: Ground, plot: Plot) -> Rules | None:
    """How the server is to treat a zone of ours; None where it is not told by us."""
    zone, server = plot.zone, documents.nameservers.get(plot.zone.server)
    if server is None or not server.hosts:
        return None
    return Rules(
        (
            Grant(maker(documents, zone)),
            *chain.from_iterable(
                _with_registry(environment, _grants(documents, ground, plot, environment))
                for environment in sorted(zone.share.keys() - {maker(documents, zone)})
            ),
            *([Grant(DHCP, APEX, below=True, types=DHCP_TYPES)] if plot.is_dynamic else ()),
        ),
        zone.serials,
    )


def takes_updates(server: Nameserver) -> bool:
    """Whether a server takes dynamic updates by rules of ours: BIND that we set up."""
    return server.software == "bind" and bool(server.hosts)


def _with_registry(environment: str, grants: Iterator[Grant]) -> tuple[Grant, ...]:
    found = tuple(sorted(set(grants)))
    return (*found, registry_grant(environment)) if found else ()


def _grants(documents: Documents, ground: Ground, plot: Plot, environment: str) -> Iterator[Grant]:
    """What an environment may write into one zone."""
    share = plot.zone.share[environment]
    if plot.is_forward:
        for name in share.below:
            full = inside(name, plot.origin)
            if ground.holder(plot.view, full) is plot:
                yield Grant(environment, plot.relative(full), below=True, types=FORWARD_TYPES)
    if plot.cover is not None:
        for network in share.networks:
            if network in documents.networks:
                yield from _pointers(ground, plot, environment, documents.networks[network].subnet)


def _pointers(ground: Ground, plot: Plot, environment: str, subnet: IpNetwork) -> Iterator[Grant]:
    """The names of a network's addresses in a reverse zone, as few as cover it."""
    cover = plot.cover
    if cover is None or not cover.prefix.overlaps(subnet):
        return
    if cover.prefix.subnet_of(subnet):  # type: ignore[arg-type]  # both are of one version
        yield Grant(environment, APEX, below=True, types=REVERSE_TYPES)
    elif cover.is_classless or subnet.prefixlen > LAST_OCTET:
        for address in subnet:
            if ground.naming(address, plot.view) is plot:
                name = plot.relative(pointer(address, cover))
                yield Grant(environment, name, below=False, types=REVERSE_TYPES)
    else:
        for part in covers_of_prefix(subnet):
            if ground.holder(plot.view, part.origin) is plot:
                name = plot.relative(part.origin)
                yield Grant(environment, name, below=True, types=REVERSE_TYPES)
