"""What no two environments may share: names, addresses, zones, and more of a host than was given.

Each environment is planned from its own branch, so the branches are held against each other here:
a clash is found in the plan of whoever comes second, before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.config.check_hosts import BASE_FIELDS
from reconciler.config.documents import Host
from reconciler.config.owners import HOST, MACHINE, ROUTER, owners
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base import BASE_KINDS
from reconciler.model.position import Position, Problem
from reconciler.model.quantity import format_size
from reconciler.render.names.neighbours import (
    cname_problems,
    hidden_problems,
    server_claims,
    share_problems,
    view_problems,
    world_problems,
)
from reconciler.render.network.foreign import foreign_problems
from reconciler.render.network.made import is_made_here
from reconciler.render.network.neighbours import neighbour_problems, taken_on_host
from reconciler.render.render import render

_OF_BASES = frozenset(kind.name for kind in BASE_KINDS)
_UPWARDS = "merge it to the owner's branch, and it is done from there"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a name or address, and where that is written."""

    environment: str
    what: str
    position: Position | None


Claims = Mapping[str, Holder]


def claims_of(documents: Documents) -> Claims:
    """Everything that an environment takes for itself, by what it takes.

    Raises:
        ConfigError: the documents contradict each other in what they generate, or take the same.
    """
    claims: dict[str, Holder] = {}
    problems: list[Problem] = []
    for want in render(documents):
        if want.address.kind in _OF_BASES:  # part of a host, which is claimed as a whole
            continue
        holder = Holder(documents.environment, str(want.address), want.position)
        named = KIND_BY_NAME[want.address.kind].claims(want.spec)
        for claim in sorted({*named, *taken_on_host(want.spec)}):
            other = claims.setdefault(claim, holder)
            if other is not holder:
                what = f"{holder.what} takes {claim}, which {other.what} has ({other.position})"
                position = holder.position or Position("farm.yaml")
                problems.append(Problem(position, what, "choose another for one of them"))
    if problems:
        raise ConfigError(problems)
    claims.update(_addresses(documents))
    for claim, position in server_claims(documents):
        claims[claim] = Holder(documents.environment, claim, position)
    return claims


def farm_problems(
    documents: Documents, others: Mapping[str, Documents], claims: Mapping[str, Claims]
) -> tuple[Problem, ...]:
    """What is wrong with one environment in the light of the others.

    `claims` are `claims_of` of every environment, this one's among them.
    """
    mine = claims[documents.environment]
    clashes = (
        problem for environment in sorted(others) for problem in _clashes(mine, claims[environment])
    )
    hosts = (
        problem
        for host in documents.hosts.values()
        for problem in _host_problems(documents, host, others)
    )
    networks = (*neighbour_problems(documents, others), *foreign_problems(documents, others))
    names = _name_problems(documents, others, claims)
    return (*clashes, *hosts, *networks, *names)


def _name_problems(
    documents: Documents, others: Mapping[str, Documents], claims: Mapping[str, Claims]
) -> Iterator[Problem]:
    """What is wrong with names, and the claims do not tell."""
    yield from share_problems(documents, others)
    yield from world_problems(documents, others)
    mine = _places(claims[documents.environment])
    for environment in sorted(others):
        theirs = _places(claims[environment])
        yield from hidden_problems(mine, theirs, environment)
        yield from view_problems(mine, theirs, environment)
        yield from cname_problems(mine, theirs, environment)


def _places(claims: Claims) -> Mapping[str, Position | None]:
    return {claim: holder.position for claim, holder in claims.items()}


def foreign_bases(documents: Documents, owners: Mapping[str, Host]) -> tuple[Problem, ...]:
    """Where the branch says another thing of a host's base than the branch of the host's owner.

    That is how a change comes up to the owner, and so no error; but until it is there it does
    nothing. `owners` are the hosts of other environments as their own branches describe them.
    """
    return tuple(
        Problem(documents.position("Host", host.name, keys[0]), _differing(host, keys), _UPWARDS)
        for host in documents.hosts.values()
        if host.environment != documents.environment and host.name in owners
        if (keys := _other_keys(host, owners[host.name]))
    )


def _other_keys(host: Host, theirs: Host) -> list[str]:
    return [key for key in BASE_FIELDS if getattr(host, key) != getattr(theirs, key)]


def _differing(host: Host, keys: list[str]) -> str:
    return (
        f"{', '.join(keys)} of host {host.name} are not as on the branch of {host.environment}, "
        "whose host it is, and which alone counts"
    )


def _addresses(documents: Documents) -> Iterator[tuple[str, Holder]]:
    """Hosts, and networks on them, are claimed by the environment that makes them."""
    environment = documents.environment
    for owner in owners(documents):
        network = documents.networks.get(owner.network)
        if owner.sort == HOST and network is None:
            if documents.hosts[owner.name].environment != environment:
                continue
        elif owner.sort != MACHINE and network and not is_made_here(documents, network):
            continue
        yield f"address {owner.address}", Holder(environment, owner.what, owner.position)
    for host in documents.hosts.values():
        if host.environment == environment:
            named = documents.position("Host", host.name)
            yield f"host {host.name}", Holder(environment, f"host {host.name}", named)


def _clashes(mine: Claims, theirs: Claims) -> Iterator[Problem]:
    for claim in sorted(mine.keys() & theirs.keys()):
        holder, other = mine[claim], theirs[claim]
        position = holder.position or Position("farm.yaml")
        if claim == holder.what == other.what and claim.startswith(f"{HOST} "):
            what, remedy = _changing_hands(holder, other)
        elif claim.startswith("address ") and _may_both_say(holder, other):
            continue
        else:
            what = (
                f"{holder.what} takes {claim}, which {other.what} of environment "
                f"{other.environment} has ({other.position})"
            )
            remedy = "choose another, or change the other branch first"
        yield Problem(position, what, remedy)


def _may_both_say(one: Holder, other: Holder) -> bool:
    """Of a host both know it; a router may be a host, and theirs as well as ours."""
    if one.what.startswith(ROUTER):
        return not other.what.startswith(f"{MACHINE} ")
    if other.what.startswith(ROUTER):
        return not one.what.startswith(f"{MACHINE} ")
    return one.what == other.what and one.what.startswith(f"{HOST} ")


def _changing_hands(holder: Holder, other: Holder) -> tuple[str, str]:
    """Nobody can tell from the documents alone which of the two had the host before."""
    old = other.environment
    remedy = (
        f"if it comes from {old}, merge the change to {old} first, and let it sync; "
        f"if it goes to {old}, merge the change here too"
    )
    return (
        f"{holder.what} is {holder.environment}'s here, and {old} has it ({other.position})",
        remedy,
    )


def _host_problems(
    documents: Documents, host: Host, others: Mapping[str, Documents]
) -> Iterator[Problem]:
    """A guest on a host believes the owner's branch about whose it is and how much it may take."""
    owner = others.get(host.environment)
    environment = documents.environment
    if owner is None or host.environment == environment:
        return
    position = documents.position("Host", host.name)
    theirs = owner.hosts.get(host.name)
    if theirs is None or theirs.environment != host.environment:
        what = f"host {host.name} is not {host.environment}'s on the branch of {host.environment}"
        yield Problem(position, what, f"merge the change to {host.environment} first")
        return
    asked, given = host.share.get(environment), theirs.share.get(environment)
    if asked and (given is None or asked.memory > given.memory or asked.cpus > given.cpus):
        granted = f"{format_size(given.memory)} and {given.cpus} cpus" if given else "nothing"
        yield Problem(
            documents.position("Host", host.name, "share", environment),
            f"host {host.name} would share more with {environment} than {host.environment} "
            f"gives on its own branch: {granted}",
            f"merge the larger share to {host.environment} first",
        )
