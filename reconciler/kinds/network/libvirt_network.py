"""Kind `libvirt_network`: a network of libvirt's own, with dnsmasq for the machines plugged in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from reconciler.kinds.base.behind_libvirt import LibvirtKind
from reconciler.kinds.base.kind import MADE
from reconciler.kinds.protocol import OnHost, Operation
from reconciler.model.address import Address
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.libvirt_networks import NetworkDefinition, NetworkState
from reconciler.ports.network_facts import Route
from reconciler.ports.world import Ports

# What libvirt changes in a network that runs.
_AT_ONCE = frozenset({"ranges", "running", "autostart", "is_current"})


@dataclass(frozen=True, slots=True)
class LibvirtNetworkSpec:
    """A network of libvirt's own; the fields are those of its `NetworkDefinition`.

    `is_current`: what runs is what is stored, as far as it can be made so. While `users` are
    plugged in, only some of it can. `is_made`: it was not there before us, as the mark remembers.
    """

    host: str
    name: str
    forward: str = "nat"
    address: str = ""
    ranges: tuple[str, ...] = ()
    lease_seconds: int | None = None
    router: str = ""
    nameservers: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    domain: str | None = None
    mtu: int | None = None
    boot_file: str = ""
    boot_server: str = ""
    running: bool = True
    autostart: bool = True
    is_current: bool = True
    uuid: str = field(default="", compare=False)
    bridge: str = field(default="", compare=False)
    users: int = field(default=0, compare=False)
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


_DEFINED = tuple(each.name for each in fields(NetworkDefinition))


@dataclass(frozen=True, slots=True)
class DefineNetwork(OnHost):
    """Make a network, or make it another. `waits`: not all of it can be done at once."""

    definition: NetworkDefinition
    waits: bool = False
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).define_network(self.definition)

    def __str__(self) -> str:
        """In words."""
        later = ", in force when nobody is plugged in" if self.waits else ""
        return f"define network {self.definition.name} on {self.host}{later}"


@dataclass(frozen=True, slots=True)
class RemoveNetwork(OnHost):
    """Stop a network and forget it."""

    name: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).remove_network(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"remove network {self.name} on {self.host}"


def _question(spec: LibvirtNetworkSpec) -> Question:
    return Question("libvirt_network", spec.name)


def _definition(spec: LibvirtNetworkSpec) -> NetworkDefinition:
    return NetworkDefinition(**{name: getattr(spec, name) for name in _DEFINED})


def networks_of(hypervisor: Hypervisor) -> Mapping[str, NetworkState]:
    """The networks that libvirt has, by name."""
    return {network.name: network for network in hypervisor.networks()}


def _read(
    host: str, question: Question, facts: Facts, state: NetworkState | None, mark: Mark | None
) -> LibvirtNetworkSpec | None:
    """One that is gone, but for its mark, has no UUID."""
    del facts
    if state is None and mark is None:
        return None
    is_made = mark is not None and mark.note == MADE
    if state is None or state.definition is None:
        gone = LibvirtNetworkSpec(host, question.name, forward="", running=False, autostart=False)
        return replace(gone, is_made=is_made)
    return LibvirtNetworkSpec(
        host=host,
        running=state.running,
        autostart=state.autostart,
        is_current=_is_current(state.definition, state),
        users=state.users,
        is_made=is_made,
        **{each: getattr(state.definition, each) for each in _DEFINED},
    )


def _is_current(stored: NetworkDefinition, state: NetworkState) -> bool:
    """While somebody is plugged in, only the ranges can be brought along."""
    if state.live is None:
        return True
    return state.users > 0 and state.live.ranges == stored.ranges


def _takes(spec: LibvirtNetworkSpec) -> frozenset[str]:
    """Its bridge among the interfaces of the host."""
    return frozenset({f"interface {spec.bridge or spec.name} of host {spec.host}"})


def _note(wanted: LibvirtNetworkSpec, seen: LibvirtNetworkSpec | None) -> str:
    """Whether it was made by us: once, or now."""
    del wanted
    return MADE if seen is None or seen.is_made or not seen.uuid else ""


def _make(
    wanted: LibvirtNetworkSpec, seen: LibvirtNetworkSpec | None, changed: frozenset[str]
) -> tuple[Operation, ...]:
    """Make it so; what cannot be done while machines are plugged in waits until none is."""
    waits = bool(seen and seen.users and changed - _AT_ONCE)
    return (DefineNetwork(wanted.host, _definition(wanted), waits),)


def _drop(seen: LibvirtNetworkSpec) -> tuple[Operation, ...]:
    """Remove it, unless somebody else had made it."""
    return (RemoveNetwork(seen.host, seen.name),) if seen.is_made and seen.uuid else ()


def _differs(desired: LibvirtNetworkSpec, observed: LibvirtNetworkSpec) -> tuple[FieldChange, ...]:
    """What differs in the managed fields. Without ranges nothing tells how long a lease is."""
    if not desired.ranges:
        desired = replace(desired, lease_seconds=None)
    return diff_fields(desired, observed)


LIBVIRT_NETWORK = LibvirtKind(
    "libvirt_network",
    LibvirtNetworkSpec,
    _question,
    networks_of,
    _read,
    _make,
    _drop,
    note=_note,
    takes=_takes,
    differs=_differs,
    claims_first=True,
)
