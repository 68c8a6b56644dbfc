"""Kind `ruleset`: our table of a host's packet filter, as its file and the kernel have it."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutRuleset, RemoveRuleset
from reconciler.ports.network_facts import RulesetFact

TABLE = "reconciler"
FILES = (  # as the host's program writes them: the rules, and what loads them at a boot
    f"/etc/nftables.d/{TABLE}.nft",
    f"/etc/systemd/system/{TABLE}-firewall.service",
    f"/etc/systemd/system/nftables.service.d/{TABLE}.conf",
)


@dataclass(frozen=True, slots=True)
class RulesetSpec:
    """The whole text of a table's file.

    `is_loaded`: the kernel has just that; `is_persisted`: a boot brings it back. `management` are
    the networks from which the text lets the reconciler in; none: all.
    """

    host: str
    table: str
    source: str
    is_loaded: bool = True
    is_persisted: bool = True
    management: tuple[str, ...] = field(default=(), compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: RulesetSpec) -> Question:
    return Question("ruleset", spec.table)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> RulesetSpec | None:
    del mark
    fact = facts.answers[question]
    if fact is None:
        return RulesetSpec(host, question.name, "", is_loaded=False, is_persisted=False)
    if not isinstance(fact, RulesetFact):
        return None
    return RulesetSpec(host, question.name, fact.source or "", fact.is_loaded, fact.is_persisted)


def _make(
    wanted: RulesetSpec, seen: RulesetSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    return (PutRuleset(wanted.table, wanted.source, wanted.management),)


def _drop(seen: RulesetSpec) -> tuple[Act, ...]:
    return (RemoveRuleset(seen.table),) if seen.source or seen.is_loaded else ()


def _safety(spec: RulesetSpec, owner: Owner) -> Safety:
    return safety_of_network(Address("ruleset", owner.name, spec.host), owner.digest, FILES)


RULESET = BaseKind("ruleset", RulesetSpec, _question, _read, _make, _drop, safety=_safety)
