"""By which interface people come into a simulated host, and what of its network a switch keeps."""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.simulated.base.state import Base

NETWORK = "the network"


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
    back = replace(
        base,
        links=before.links,
        blackholes=before.blackholes,
        switches=before.switches,
        rulesets=before.rulesets,
    )
    return base if back == base else judged(back)
