"""Kind `libvirt_network`: a network of libvirt's own, with dnsmasq for the machines plugged in.

Libvirt is asked for it, and the mark is kept with those of the base. While libvirt cannot be asked
its networks are unknown, and the rest of the base is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta

from reconciler.errors import DriverError
from reconciler.kinds.base.kind import MADE, ChangeBase, marks_of, questions_about, seen_as
from reconciler.kinds.protocol import NO_FACTS, OnHost, Operation, fields_of
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.acts import Forget, PutMark
from reconciler.ports.facts import Facts, Mark, Question
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


class LibvirtNetworkKind:
    """The kind `libvirt_network`."""

    name = "libvirt_network"
    spec = LibvirtNetworkSpec
    settle = timedelta(seconds=5)
    is_bound = True

    def identity(self, spec: LibvirtNetworkSpec) -> str:
        """The network on its host."""
        return f"{spec.host} {spec.name}"

    def needs(self, address: Address, spec: LibvirtNetworkSpec) -> frozenset[Address]:
        """What the host's description puts before it."""
        del address
        return frozenset(spec.after)

    def claims(self, spec: LibvirtNetworkSpec) -> frozenset[str]:
        """The network itself, and its bridge among the interfaces of the host."""
        device = spec.bridge or spec.name
        return frozenset(
            {
                f"libvirt_network {spec.name} of host {spec.host}",
                f"interface {device} of host {spec.host}",
            }
        )

    def scopes(self, specs: Iterable[LibvirtNetworkSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """The base with the mark, and the host whose libvirt must answer."""
        del hosts
        places = {spec.host for spec in specs}
        return frozenset(Scope(kind, host) for host in places for kind in ("base", "host"))

    def questions(self, spec: LibvirtNetworkSpec) -> frozenset[Question]:
        """That it is asked for; the machine itself knows nothing of it."""
        return frozenset({_question(spec)})

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterator[Observed[LibvirtNetworkSpec]]:
        """What libvirt says of the networks that are asked for; nothing while it says nothing."""
        asked = questions_about(self.name, facts) if scope.kind == "base" else []
        try:
            networks = ports.hypervisor(scope.name).networks() if asked else ()
        except DriverError:
            return
        there, marks = {each.name: each for each in networks}, marks_of(self.name, facts)
        for question in asked:
            state, mark = there.get(question.name), marks.get(question.name)
            if state is not None or mark is not None:
                is_made = mark is not None and mark.note == MADE
                spec = replace(_read(scope.name, question.name, state), is_made=is_made)
                yield seen_as(self.name, scope.name, question, spec, mark)

    def diff(
        self, desired: LibvirtNetworkSpec, observed: LibvirtNetworkSpec
    ) -> tuple[FieldChange, ...]:
        """What differs in the managed fields. Without ranges nothing tells how long a lease is."""
        if not desired.ranges:
            desired = replace(desired, lease_seconds=None)
        return diff_fields(desired, observed)

    def create(self, desired: LibvirtNetworkSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make it, and mark it: first as not yet whole, because nobody could tell afterwards."""
        made = replace(desired, is_made=True)
        return (
            *self.mark(made, owner.unfinished),
            DefineNetwork(desired.host, _definition(desired)),
            *self.mark(made, owner),
        )

    def update(
        self,
        desired: LibvirtNetworkSpec,
        observed: LibvirtNetworkSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Make it so; what cannot be done while machines are plugged in waits until none is."""
        waits = bool(observed.users and fields_of(changed) - _AT_ONCE)
        is_made = observed.is_made or not observed.uuid
        return (
            DefineNetwork(desired.host, _definition(desired), waits),
            *self.mark(replace(desired, is_made=is_made), owner),
        )

    def delete(self, observed: LibvirtNetworkSpec, owner: Owner) -> tuple[Operation, ...]:
        """Remove it, unless somebody else had made it."""
        del owner
        forget = ChangeBase(observed.host, (Forget(self.name, _question(observed)),))
        if not (observed.is_made and observed.uuid):
            return (forget,)
        return (RemoveNetwork(observed.host, observed.name), forget)

    def without(
        self, address: Address, observed: LibvirtNetworkSpec, lost: frozenset[Address]
    ) -> LibvirtNetworkSpec:
        """The same: nothing of it is part of another."""
        del address, lost
        return observed

    def release(
        self,
        address: Address,
        observed: LibvirtNetworkSpec,
        lost: frozenset[Address],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: LibvirtNetworkSpec, owner: Owner) -> tuple[Operation, ...]:
        """Write the mark anew."""
        note = MADE if observed.is_made else ""
        mark = PutMark(Mark(self.name, owner, _question(observed), note))
        return (ChangeBase(observed.host, (mark,)),)

    def is_untidy(self, observed: LibvirtNetworkSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: LibvirtNetworkSpec) -> str | None:
        """The host it is on."""
        return spec.host


def _question(spec: LibvirtNetworkSpec) -> Question:
    return Question("libvirt_network", spec.name)


def _definition(spec: LibvirtNetworkSpec) -> NetworkDefinition:
    return NetworkDefinition(**{name: getattr(spec, name) for name in _DEFINED})


def _read(host: str, name: str, state: NetworkState | None) -> LibvirtNetworkSpec:
    """One that is gone, but for its mark, has no UUID."""
    if state is None or state.definition is None:
        return LibvirtNetworkSpec(host, name, forward="", running=False, autostart=False)
    return LibvirtNetworkSpec(
        host=host,
        running=state.running,
        autostart=state.autostart,
        is_current=_is_current(state.definition, state),
        users=state.users,
        **{each: getattr(state.definition, each) for each in _DEFINED},
    )


def _is_current(stored: NetworkDefinition, state: NetworkState) -> bool:
    """While somebody is plugged in, only the ranges can be brought along."""
    if state.live is None:
        return True
    return state.users > 0 and state.live.ranges == stored.ranges


LIBVIRT_NETWORK = LibvirtNetworkKind()
