"""Kind `libvirt_reservations`: what one environment reserves in a network of libvirt's own.

So environments share a network that one of them makes, and a new machine changes nothing but this.
Each host of the network has all of them, wherever the machines are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.errors import DriverError
from reconciler.kinds.base.kind import ChangeBase, marks_of, questions_about, seen_as
from reconciler.kinds.protocol import NO_FACTS, OnHost, Operation
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.acts import Forget, PutMark
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.libvirt_networks import NetworkReservation, NetworkState, reserved_by
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class LibvirtReservationsSpec:
    """The reservations of an environment, sorted. `is_served`: what runs has just these too."""

    host: str
    network: str
    environment: str
    entries: tuple[NetworkReservation, ...] = ()
    is_served: bool = True
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ReserveAddresses(OnHost):
    """Make these the reservations of an environment in a network."""

    network: str
    environment: str
    entries: tuple[NetworkReservation, ...]
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).reserve(self.network, self.environment, self.entries)

    def __str__(self) -> str:
        """In words."""
        return f"reserve {len(self.entries)} addresses in network {self.network} on {self.host}"


class LibvirtReservationsKind:
    """The kind `libvirt_reservations`."""

    name = "libvirt_reservations"
    spec = LibvirtReservationsSpec
    settle = timedelta(seconds=5)
    is_bound = True

    def identity(self, spec: LibvirtReservationsSpec) -> str:
        """Whose they are, in which network of which host."""
        return f"{spec.host} {reservations_name(spec.network, spec.environment)}"

    def needs(self, address: Address, spec: LibvirtReservationsSpec) -> frozenset[Address]:
        """The network."""
        del address
        return frozenset({Address("libvirt_network", spec.network, spec.host), *spec.after})

    def claims(self, spec: LibvirtReservationsSpec) -> frozenset[str]:
        """Themselves: what is in them is claimed with the machines."""
        name = reservations_name(spec.network, spec.environment)
        return frozenset({f"libvirt_reservations {name} of host {spec.host}"})

    def scopes(
        self, specs: Iterable[LibvirtReservationsSpec], hosts: Iterable[str]
    ) -> frozenset[Scope]:
        """The base with the mark, and the host whose libvirt must answer."""
        del hosts
        places = {spec.host for spec in specs}
        return frozenset(Scope(kind, host) for host in places for kind in ("base", "host"))

    def questions(self, spec: LibvirtReservationsSpec) -> frozenset[Question]:
        """That they are asked for; the machine itself knows nothing of them."""
        return frozenset({_question(spec)})

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterator[Observed[LibvirtReservationsSpec]]:
        """What libvirt has of them; nothing while it says nothing."""
        asked = questions_about(self.name, facts) if scope.kind == "base" else []
        try:
            networks = ports.hypervisor(scope.name).networks() if asked else ()
        except DriverError:
            return
        there, marks = {each.name: each for each in networks}, marks_of(self.name, facts)
        for question in asked:
            network, _, environment = question.name.rpartition(".")
            spec = _read(scope.name, network, environment, there.get(network))
            mark = marks.get(question.name)
            if spec.entries or mark is not None:
                yield seen_as(self.name, scope.name, question, spec, mark)

    def diff(
        self, desired: LibvirtReservationsSpec, observed: LibvirtReservationsSpec
    ) -> tuple[FieldChange, ...]:
        """Machine by machine."""
        return diff_fields(desired, observed)

    def create(self, desired: LibvirtReservationsSpec, owner: Owner) -> tuple[Operation, ...]:
        """Reserve them, and mark that."""
        return (_reserve(desired, desired.entries), *self.mark(desired, owner))

    def update(
        self,
        desired: LibvirtReservationsSpec,
        observed: LibvirtReservationsSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """The same: what is there already stays."""
        del observed, changed
        return self.create(desired, owner)

    def delete(self, observed: LibvirtReservationsSpec, owner: Owner) -> tuple[Operation, ...]:
        """Reserve nothing any more."""
        del owner
        free = (_reserve(observed, ()),) if observed.entries else ()
        return (*free, ChangeBase(observed.host, (Forget(self.name, _question(observed)),)))

    def without(
        self, address: Address, observed: LibvirtReservationsSpec, lost: frozenset[Address]
    ) -> LibvirtReservationsSpec:
        """The same: nothing of them is part of another."""
        del address, lost
        return observed

    def release(
        self,
        address: Address,
        observed: LibvirtReservationsSpec,
        lost: frozenset[Address],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: LibvirtReservationsSpec, owner: Owner) -> tuple[Operation, ...]:
        """Write the mark anew."""
        mark = PutMark(Mark(self.name, owner, _question(observed)))
        return (ChangeBase(observed.host, (mark,)),)

    def is_untidy(self, observed: LibvirtReservationsSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: LibvirtReservationsSpec) -> str | None:
        """The host they are on."""
        return spec.host


def reservations_name(network: str, environment: str) -> str:
    """The name of an environment's reservations in a network. An environment has no dots."""
    return f"{network}.{environment}"


def _question(spec: LibvirtReservationsSpec) -> Question:
    return Question("libvirt_reservations", reservations_name(spec.network, spec.environment))


def _reserve(
    spec: LibvirtReservationsSpec, entries: tuple[NetworkReservation, ...]
) -> ReserveAddresses:
    return ReserveAddresses(spec.host, spec.network, spec.environment, entries)


def _read(
    host: str, network: str, environment: str, state: NetworkState | None
) -> LibvirtReservationsSpec:
    stored = reserved_by(environment, state.reservations if state else ())
    live = state.live_reservations if state else None
    is_served = live is None or reserved_by(environment, live) == stored
    return LibvirtReservationsSpec(host, network, environment, stored, is_served)


LIBVIRT_RESERVATIONS = LibvirtReservationsKind()
