"""Tables of the packet filter of a simulated host, as functions from base to base.

What a rule does to packets is not simulated: only whose table is loaded, and whether for good.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.base.state import Base, Ruleset
from reconciler.drivers.ssh.onhost.rulesets import is_only_of
from reconciler.ports.network_acts import PutRuleset, RemoveRuleset
from reconciler.ports.network_facts import RulesetFact

PROGRAM = "nftables"  # the package that brings `nft`


def ruleset_fact(base: Base, table: str) -> RulesetFact | None:
    """What is there of a table, or None."""
    known = base.rulesets.get(table)
    if known is None:
        return None
    is_loaded = known.loaded is not None and known.loaded == known.source
    return RulesetFact(known.source, is_loaded, known.persisted)


def put_ruleset(base: Base, act: PutRuleset) -> Base:
    """Load a table, now and at each boot.

    Raises:
        Refused: there is no `nft`, or the text is of another table.
    """
    if not is_only_of(act.source, act.table):
        message = f"the rules say something of another table than {act.table}"
        raise Refused(message)
    if PROGRAM not in base.packages:
        message = "there is no nft here: declare the package nftables"
        raise Refused(message)
    return with_ruleset(base, act.table, Ruleset(act.source, act.source))


def remove_ruleset(base: Base, act: RemoveRuleset) -> Base:
    """Take a table away."""
    return with_ruleset(base, act.table, None)


def with_ruleset(base: Base, table: str, after: Ruleset | None) -> Base:
    """The base with this table; the same one if that is no change."""
    if base.rulesets.get(table) == after:
        return base
    rest = {name: each for name, each in base.rulesets.items() if name != table}
    return replace(base, rulesets=rest if after is None else {**rest, table: after})


def as_written_down(base: Base) -> Base:
    """The tables after a boot."""
    known = {
        name: replace(each, loaded=each.source if each.persisted else None)
        for name, each in base.rulesets.items()
        if each.source is not None
    }
    return base if known == base.rulesets else replace(base, rulesets=known)
