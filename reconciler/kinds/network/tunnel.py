"""Kind `tunnel`: how a switch of one host is connected with those of all others of its network.

All ends on one switch are one resource, so that they change in one transaction: the mesh has no
loop at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutTunnels
from reconciler.ports.network_facts import TunnelFact, TunnelPort


@dataclass(frozen=True, slots=True)
class TunnelSpec:
    """The ends of tunnels on a switch, one for each other host, sorted.

    `ipsec`: the certificate, the private key, the authority and the packet mark, or nothing.
    """

    host: str
    switch: str
    ports: tuple[TunnelPort, ...] = ()
    ipsec: tuple[str, ...] = ()
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: TunnelSpec) -> Question:
    return Question("tunnel", spec.switch)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> TunnelSpec | None:
    del mark
    fact, after = facts.answers[question], (Address("switch", question.name, host),)
    if fact is None:
        return TunnelSpec(host, question.name, after=after)
    if not isinstance(fact, TunnelFact):
        return None
    return TunnelSpec(host, question.name, fact.ports, fact.ipsec, after)


def _make(wanted: TunnelSpec, seen: TunnelSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del seen, changed
    return (PutTunnels(wanted.switch, wanted.ports, wanted.ipsec),)


def _drop(seen: TunnelSpec) -> tuple[Act, ...]:
    return (PutTunnels(seen.switch, ()),) if seen.ports else ()


def _safety(spec: TunnelSpec, owner: Owner) -> Safety | None:
    return safety_of_network(Address("tunnel", owner.name, spec.host), owner.digest)


TUNNEL = BaseKind("tunnel", TunnelSpec, _question, _read, _make, _drop, safety=_safety)
