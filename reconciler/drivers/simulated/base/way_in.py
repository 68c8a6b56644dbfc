"""By which interface people come into a simulated host, and what of its network a switch keeps."""

from __future__ import annotations

from dataclasses import fields, replace

from reconciler.drivers.simulated.base.state import Base

NETWORK = "the network"
# What a change of the network can be of; which of it there is, the base says.
_KEPT = frozenset({"links", "blackholes", "switches", "tunnels", "rulesets"})


def judged(base: Base) -> Base:
    """The base with what its interfaces let through now."""
    others = tuple(each for each in base.cut if each != NETWORK)
    cut = (*others, NETWORK) if _is_lost(base) else others
    return base if cut == base.cut else replace(base, cut=cut)


def _is_lost(base: Base) -> bool:
    """Whether nothing that is up has the address that we come in by.

    What is plugged into something else answers to no address of its own any more.
    """
    links = base.links.values()
    ways = [link for link in links if link.is_up and link.master is None]
    mine = {address.partition("/")[0] for link in ways for address in link.addresses}
    return bool(base.management) and base.management not in mine


def restored(base: Base, before: Base) -> Base:
    """The base with the network of another."""
    kept = {each.name: getattr(before, each.name) for each in fields(Base) if each.name in _KEPT}
    if all(getattr(base, name) == value for name, value in kept.items()):
        return base
    return judged(replace(base, **kept))
