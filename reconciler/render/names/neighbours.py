"""What environments owe each other in DNS: nobody hides, doubles or takes a name of another.

What is taken twice is told by the claims alone. Here is what they do not tell: a share counts as
the branch of the zone's environment says, a zone hides what is behind it, a CNAME stands alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from reconciler.config.nameserver import INSIDE, OUTSIDE, View
from reconciler.config.records import RECORD_TYPES
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Position, Problem
from reconciler.render.names.reverse import prefix_of
from reconciler.render.names.server import makes
from reconciler.render.names.shared import inside, is_maker, may_have

ENVIRONMENTS = ("development", "staging", "production")  # the higher, the later
ZONE, RECORD = "zone ", "record "
CNAME = "CNAME"
Held = Mapping[str, Position | None]  # what is taken, and where that is written


def server_claims(documents: Documents) -> Iterator[tuple[str, Position]]:
    """The name servers that the environment makes."""
    for server in documents.nameservers.values():
        if makes(documents, server.environment):
            yield f"name server {server.name}", documents.position("Nameserver", server.name)


def share_problems(documents: Documents, others: Mapping[str, Documents]) -> Iterator[Problem]:
    """Shares in zones of others that are not so on the branch of whose zone it is."""
    environment = documents.environment
    for zone in documents.zones.values():
        if is_maker(documents, zone) or environment not in zone.share:
            continue
        branch = others.get(zone.environment or "")
        if branch is None:
            continue
        position = documents.position("Zone", zone.name, "share", environment)
        theirs = branch.zones.get(zone.name)
        remedy = f"merge the change to {branch.environment} first"
        if theirs is None or not is_maker(branch, theirs) or _place(theirs) != _place(zone):
            what = f"zone {zone.name} is not so on the branch of {branch.environment}"
            yield Problem(position, f"{what}, whose zone it is", remedy)
        elif more := sorted(_more(documents, zone, branch, theirs)):
            there = branch.position("Zone", zone.name, "share", environment)
            what = (
                f"zone {zone.name} would share more with {environment} than {branch.environment} "
                f"gives on its own branch ({there}): {', '.join(more)}"
            )
            yield Problem(position, what, remedy)


def _place(zone: Zone) -> tuple[str, str, str]:
    return zone.zone_name, zone.server, zone.view


def _more(documents: Documents, mine: Zone, branch: Documents, theirs: Zone) -> Iterator[str]:
    environment = documents.environment
    share = mine.share[environment]
    for name in share.below:
        if not may_have(theirs, environment, inside(name, theirs.zone_name)):
            yield name
    given = theirs.share[environment].networks if environment in theirs.share else ()
    for name in share.networks:
        network, other = documents.networks.get(name), branch.networks.get(name)
        if network is None:
            continue
        if other is None or name not in given or not network.subnet.subnet_of(other.subnet):
            yield f"network {name}"


def world_problems(documents: Documents, others: Mapping[str, Documents]) -> Iterator[Problem]:
    """Zones on the name server of a higher environment, of names that are none of the farm's.

    Whoever asks that server would be answered from them instead of from the world.
    """
    above = ENVIRONMENTS[ENVIRONMENTS.index(documents.environment) + 1 :]
    for zone in documents.zones.values():
        if not is_maker(documents, zone) or prefix_of(zone.zone_name) is not None:
            continue
        for branch in (others[each] for each in above if each in others):
            server = branch.nameservers.get(zone.server)
            if server is None or not makes(branch, server.environment):
                continue
            if not _is_known(branch, zone.zone_name, documents.environment):
                what = (
                    f"zone {zone.zone_name} would answer for names of the world at name server "
                    f"{server.name} of {branch.environment}: it is not below {branch.farm.domain}"
                )
                remedy = (
                    f"write it as a document with `environment: {documents.environment}` that is "
                    f"on the branch of {branch.environment}, too, and merge it there first"
                )
                yield Problem(documents.position("Zone", zone.name), what, remedy)


def _is_known(branch: Documents, name: str, environment: str) -> bool:
    """Whether a branch takes a zone for the farm's: below its domain or its zones, or told of."""
    known = {branch.farm.domain, branch.policy.domain}
    known |= {
        zone.zone_name
        for zone in branch.zones.values()
        if is_maker(branch, zone) or zone.environment == environment
    }
    return any(name == top or name.endswith(f".{top}") for top in known if top)


def hidden_problems(mine: Held, theirs: Held, environment: str) -> Iterator[Problem]:
    """Zones of ours that would hide names in a zone of theirs, unless it is delegated."""
    inner = [
        (name, parent)
        for name in _named(mine, ZONE)
        for view in _hidden_in(name)
        if (parent := _zone_around(name, view, theirs)) is not None
    ]
    if not inner:
        return
    names = _names_by_zone(theirs)
    for name, parent in inner:
        top = _plain(name).removesuffix(f".{_plain(parent)}")
        behind = {
            key: there
            for key, there in names[parent].items()
            if key.rpartition("/")[0] == top or key.rpartition("/")[0].endswith(f".{top}")
        }
        if behind and f"{top}/NS" not in behind:
            key = min(behind)
            what = (
                f"zone {name} would hide {key.rpartition('/')[0]} in zone {parent} of "
                f"{environment} ({behind[key]})"
            )
            remedy = f"let {environment} delegate it, or choose another name"
            yield Problem(_at(mine[f"{ZONE}{name}"]), what, remedy)


def _hidden_in(name: str) -> tuple[View, ...]:
    """The views whose names a zone hides: the inside sees the outside's names, too."""
    return (INSIDE, OUTSIDE) if name == _plain(name) else (OUTSIDE,)


def view_problems(mine: Held, theirs: Held, environment: str) -> Iterator[Problem]:
    """Zones of ours that are theirs in the other view: one half of the world would get ours."""
    for name in _named(mine, ZONE):
        other = _plain(name) if name != _plain(name) else f"{name}/{OUTSIDE}"
        if f"{ZONE}{other}" in theirs and f"{ZONE}{name}" not in theirs:
            there = theirs[f"{ZONE}{other}"]
            what = f"zone {name} would answer for zone {other} of {environment} ({there})"
            remedy = f"let {environment} make it for both views, or choose another name"
            yield Problem(_at(mine[f"{ZONE}{name}"]), what, remedy)


def cname_problems(mine: Held, theirs: Held, environment: str) -> Iterator[Problem]:
    """Records at a name where the other has a CNAME, or the other way round (RFC 1034 §3.6.2)."""
    for claim in _named(mine, RECORD):
        head, _, kind = claim.rpartition("/")
        for other in RECORD_TYPES if kind == CNAME else (CNAME,):
            there = f"{RECORD}{head}/{other}"
            if other != kind and there in theirs:
                zone, _, name = head.partition(" ")
                what = (
                    f"{name} {kind} in zone {zone} cannot stand beside the {other} of "
                    f"{environment} ({theirs[there]})"
                )
                yield Problem(_at(mine[f"{RECORD}{claim}"]), what, "choose another name")


def _named(held: Held, head: str) -> Iterator[str]:
    return (claim.removeprefix(head) for claim in held if claim.startswith(head))


def _zone_around(name: str, view: View, theirs: Held) -> str | None:
    """The longest of their zones in a view that a zone is inside."""
    end = f"/{OUTSIDE}" if view == OUTSIDE else ""
    rest = _plain(name).partition(".")[2]
    while rest:
        if f"{ZONE}{rest}{end}" in theirs:
            return f"{rest}{end}"
        rest = rest.partition(".")[2]
    return None


def _plain(name: str) -> str:
    """The name of a zone without its view."""
    return name.removesuffix(f"/{OUTSIDE}")


def _names_by_zone(held: Held) -> Mapping[str, Mapping[str, Position | None]]:
    found: dict[str, dict[str, Position | None]] = defaultdict(dict)
    for claim in _named(held, RECORD):
        zone, _, key = claim.partition(" ")
        found[zone][key] = held[f"{RECORD}{claim}"]
    return found


def _at(position: Position | None) -> Position:
    return position or Position("farm.yaml")
