"""Kind `libvirt_reservations`: what one environment reserves in a network of libvirt's own.

So environments share a network that one of them makes, and a new machine changes nothing but this.
Each host of the network has all of them, wherever the machines are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.behind_libvirt import LibvirtKind
from reconciler.kinds.network.libvirt_network import networks_of
from reconciler.kinds.protocol import OnHost, Operation
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.libvirt_networks import NetworkState, reserved_by
from reconciler.ports.network_facts import Reservation
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class LibvirtReservationsSpec:
    """The reservations of an environment, sorted. `is_served`: what runs has just these too."""

    host: str
    network: str
    environment: str
    entries: tuple[Reservation, ...] = ()
    is_served: bool = True
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ReserveAddresses(OnHost):
    """Make these the reservations of an environment in a network."""

    network: str
    environment: str
    entries: tuple[Reservation, ...]
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).reserve(self.network, self.environment, self.entries)

    def __str__(self) -> str:
        """In words."""
        return f"reserve {len(self.entries)} addresses in network {self.network} on {self.host}"


def reservations_name(network: str, environment: str) -> str:
    """The name of an environment's reservations in a network. An environment has no dots."""
    return f"{network}.{environment}"


def _question(spec: LibvirtReservationsSpec) -> Question:
    return Question("libvirt_reservations", reservations_name(spec.network, spec.environment))


def _network_of(question: Question) -> str:
    return question.name.rpartition(".")[0]


def _read(
    host: str, question: Question, facts: Facts, state: NetworkState | None, mark: Mark | None
) -> LibvirtReservationsSpec | None:
    del facts
    network, _, environment = question.name.rpartition(".")
    stored = reserved_by(environment, state.reservations if state else ())
    if not stored and mark is None:
        return None
    live = state.live_reservations if state else None
    is_served = live is None or reserved_by(environment, live) == stored
    after = (_network(host, network),)
    return LibvirtReservationsSpec(host, network, environment, stored, is_served, after)


def _network(host: str, network: str) -> Address:
    return Address("libvirt_network", network, host)


def _make(
    wanted: LibvirtReservationsSpec,
    seen: LibvirtReservationsSpec | None,
    changed: frozenset[str],
) -> tuple[Operation, ...]:
    """Reserve them; what is there already stays."""
    del seen, changed
    return (ReserveAddresses(wanted.host, wanted.network, wanted.environment, wanted.entries),)


def _drop(seen: LibvirtReservationsSpec) -> tuple[Operation, ...]:
    """Reserve nothing any more."""
    free = ReserveAddresses(seen.host, seen.network, seen.environment, ())
    return (free,) if seen.entries else ()


LIBVIRT_RESERVATIONS = LibvirtKind(
    "libvirt_reservations",
    LibvirtReservationsSpec,
    _question,
    networks_of,
    _read,
    _make,
    _drop,
    within=_network_of,
)
