"""Kind `lease`: an address that a DHCP server gave to somebody whom no document knows.

It is told of with the subnet, belongs to nobody, and is reported; nothing is ever done about it.
What the client calls itself is not asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from reconciler.kinds.protocol import NO_FACTS, Operation
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.resource import Observed, Owner
from reconciler.ports.facts import Facts, Question
from reconciler.ports.network_facts import SubnetFact
from reconciler.ports.world import Ports

_NOTHING: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class LeaseSpec:
    """Who has which addresses from a server."""

    host: str
    mac: str
    addresses: tuple[str, ...]


class LeaseKind:
    """Answers for leases."""

    name = "lease"
    spec = LeaseSpec
    settle = timedelta(0)
    is_bound = True

    def identity(self, spec: LeaseSpec) -> str:
        """Who has it, and from whom."""
        return f"{spec.host} {spec.mac}"

    def needs(self, address: Address, spec: LeaseSpec) -> frozenset[Address]:
        """Nothing."""
        del address, spec
        return frozenset()

    def claims(self, spec: LeaseSpec) -> frozenset[str]:
        """Nothing: the server gives it to nobody else."""
        del spec
        return frozenset()

    def scopes(self, specs: Iterable[LeaseSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """The bases that it was told with."""
        del hosts
        return frozenset(Scope("base", spec.host) for spec in specs)

    def questions(self, spec: LeaseSpec) -> frozenset[Question]:
        """None of its own."""
        del spec
        return frozenset()

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterator[Observed[LeaseSpec]]:
        """What was told with the subnets, by client."""
        del ports
        if scope.kind != "base":
            return
        told: dict[str, set[str]] = defaultdict(set)
        for fact in facts.answers.values():
            for lease in fact.leases if isinstance(fact, SubnetFact) else ():
                told[lease.mac].add(lease.address)
        for mac, addresses in sorted(told.items()):
            spec = LeaseSpec(scope.name, mac, tuple(sorted(addresses)))
            yield Observed(Address("lease", mac, scope.name), spec, None)

    def diff(self, desired: LeaseSpec, observed: LeaseSpec) -> tuple[FieldChange, ...]:
        """Nothing: none is desired."""
        del desired, observed
        return ()

    def create(self, desired: LeaseSpec, owner: Owner) -> tuple[Operation, ...]:
        """Nothing: leases come from clients."""
        del desired, owner
        return _NOTHING

    def update(
        self,
        desired: LeaseSpec,
        observed: LeaseSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del desired, observed, changed, owner
        return _NOTHING

    def delete(self, observed: LeaseSpec, owner: Owner) -> tuple[Operation, ...]:
        """Nothing."""
        del observed, owner
        return _NOTHING

    def without(self, address: Address, observed: LeaseSpec, lost: frozenset[Address]) -> LeaseSpec:
        """The same."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: LeaseSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del address, observed, lost, owner
        return _NOTHING

    def mark(self, observed: LeaseSpec, owner: Owner) -> tuple[Operation, ...]:
        """Nothing."""
        del observed, owner
        return _NOTHING

    def is_untidy(self, observed: LeaseSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: LeaseSpec) -> str | None:
        """The server."""
        return spec.host


LEASE = LeaseKind()
