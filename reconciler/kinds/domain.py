"""Kind `domain`: a virtual machine on its host.

What a change costs: less memory, autostart and start are live; more memory, processors, disks,
interfaces and the accelerator take effect at a restart; another UUID or name on the host means
that the domain is defined anew around its volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.kinds.domain_operations import (
    DefineDomain,
    MarkDomain,
    MigrateDomain,
    SetAutostart,
    SetMemory,
    StartDomain,
    StopDomain,
    UndefineDomain,
)
from reconciler.kinds.protocol import Operation, fields_of
from reconciler.kinds.volume_operations import FreeVolume
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.hypervisor import (
    Accelerator,
    Disk,
    DomainDefinition,
    DomainState,
    Interface,
)
from reconciler.ports.world import Ports

_IDENTITY = frozenset({"libvirt_name", "uuid"})
_DEFINITION = frozenset({"accelerator", "vcpus", "memory_bytes", "disks", "interfaces"})


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A virtual machine. `host` and `accelerator` None: placement has not yet chosen a host.

    `pending_restart` says that it runs on an older definition; a desired spec has False when
    changes may restart it, and None when they wait for a person to do so.
    """

    host: str | None
    libvirt_name: str
    uuid: str
    accelerator: Accelerator | None
    vcpus: int
    memory_bytes: int
    running: bool
    autostart: bool
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    pending_restart: bool | None = False


def volume_address(domain: str, disk: str) -> Address:
    """The address of the volume that is a disk of a domain."""
    return Address("volume", f"{domain}-{disk}")


class DomainKind:
    """Answers for domains."""

    name = "domain"
    spec = DomainSpec
    settle = timedelta(seconds=30)

    def identity(self, spec: DomainSpec) -> str:
        """Its UUID."""
        return spec.uuid

    def needs(self, address: Address, spec: DomainSpec) -> frozenset[Address]:
        """The volumes of its disks."""
        return frozenset(volume_address(address.name, disk.name) for disk in spec.disks)

    def claims(self, spec: DomainSpec) -> frozenset[str]:
        """Its name on the host, its UUID and its hardware addresses, which no two may share."""
        macs = {f"mac {interface.mac}" for interface in spec.interfaces}
        name = f"domain {spec.host or 'any host'}/{spec.libvirt_name}"
        return frozenset({name, f"uuid {spec.uuid}", *macs})

    def scopes(self, specs: Iterable[DomainSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """Every host, because a domain may run on another one than it should."""
        del specs
        return frozenset(Scope("host", host) for host in hosts)

    def observe(self, scope: Scope, ports: Ports) -> Iterable[Observed[DomainSpec]]:
        """All domains of the host."""
        if scope.kind != "host":
            return ()
        return [_observed(scope.name, state) for state in ports.hypervisor(scope.name).domains()]

    def diff(self, desired: DomainSpec, observed: DomainSpec) -> tuple[FieldChange, ...]:
        """Field by field. A domain that is off waits for no restart, and none is ever wanted.

        The order of disks and interfaces counts too: the guest numbers them by it.
        """
        if desired.pending_restart or not desired.running:
            desired = replace(desired, pending_restart=None)
        changes = diff_fields(desired, observed)
        disks = _reordered("disks", desired.disks, observed.disks)
        interfaces = _reordered("interfaces", desired.interfaces, observed.interfaces)
        return (*changes, *disks, *interfaces)

    def create(self, desired: DomainSpec, owner: Owner) -> tuple[Operation, ...]:
        """Define it, say whether it starts with the host, start it."""
        host, name = _placed(desired), desired.libvirt_name
        steps: list[Operation] = [DefineDomain(host, _definition(desired), owner.unfinished)]
        if desired.autostart:
            steps.append(SetAutostart(host, name, autostart=True))
        if desired.running:
            steps.append(StartDomain(host, name))
        return (*steps, MarkDomain(host, name, owner))

    def update(
        self,
        desired: DomainSpec,
        observed: DomainSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Move it first, then change what can be changed live, then restart it if that is due."""
        fields, host = fields_of(changed), _placed(desired)
        if fields & _IDENTITY:
            return (*self.delete(observed, owner), *self.create(desired, owner))
        steps: list[Operation] = []
        if "host" in fields and "accelerator" in fields and desired.accelerator == "qemu":
            steps += _deceleration(observed, owner)
            observed = replace(observed, running=False)
            fields = fields_of(self.diff(desired, observed))
        if "host" in fields:
            steps.append(MigrateDomain(_placed(observed), desired.libvirt_name, host))
        steps += _redefinition(desired, observed, fields, owner)
        if "autostart" in fields:
            steps.append(SetAutostart(host, desired.libvirt_name, autostart=desired.autostart))
        steps += _power(desired, observed, fields)
        return (*steps, MarkDomain(host, desired.libvirt_name, owner))

    def delete(self, observed: DomainSpec, owner: Owner) -> tuple[Operation, ...]:
        """Stop it if it runs, and forget it."""
        del owner
        host, name = _placed(observed), observed.libvirt_name
        stop = (StopDomain(host, name),) if observed.running else ()
        return (*stop, UndefineDomain(host, name))

    def without(
        self, address: Address, observed: DomainSpec, lost: frozenset[Address]
    ) -> DomainSpec:
        """It is off, and the disks that were taken are not in its definition."""
        disks = (d for d in observed.disks if volume_address(address.name, d.name) not in lost)
        return replace(observed, running=False, pending_restart=False, disks=tuple(disks))

    def release(
        self, address: Address, observed: DomainSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Stop it and take the disks out of its definition."""
        host = _placed(observed)
        return tuple(
            FreeVolume(host, disk.pool, disk.volume, owner.environment)
            for disk in observed.disks
            if volume_address(address.name, disk.name) in lost
        )

    def mark(self, observed: DomainSpec, owner: Owner) -> tuple[Operation, ...]:
        """Replace the mark."""
        return (MarkDomain(_placed(observed), observed.libvirt_name, owner),)

    def host(self, spec: DomainSpec) -> str | None:
        """The host it is defined on."""
        return spec.host


def _reordered(
    path: str, desired: Sequence[Disk | Interface], observed: Sequence[Disk | Interface]
) -> Iterator[FieldChange]:
    """That those which both have are in another order."""
    both = {item.key for item in desired} & {item.key for item in observed}
    before = [item.key for item in observed if item.key in both]
    after = [item.key for item in desired if item.key in both]
    if before != after:
        yield FieldChange(path, before, after)


def _deceleration(observed: DomainSpec, owner: Owner) -> list[Operation]:
    """Every host emulates, but a guest that is accelerated cannot go on without it."""
    host, name = _placed(observed), observed.libvirt_name
    emulated = _definition(replace(observed, accelerator="qemu"))
    return [StopDomain(host, name), DefineDomain(host, emulated, owner.unfinished)]


def _redefinition(
    desired: DomainSpec, observed: DomainSpec, fields: frozenset[str], owner: Owner
) -> list[Operation]:
    """The steps that change what the domain is made of."""
    host, name = _placed(desired), desired.libvirt_name
    if _only_less_memory(desired, observed, fields):
        return [SetMemory(host, name, desired.memory_bytes)]
    if fields & _DEFINITION:
        return [DefineDomain(host, _definition(desired), owner.unfinished)]
    return []


def _power(desired: DomainSpec, observed: DomainSpec, fields: frozenset[str]) -> list[Operation]:
    """Start, stop or restart, whichever leads to the desired state."""
    host, name = _placed(desired), desired.libvirt_name
    if "running" in fields:
        return [StartDomain(host, name) if desired.running else StopDomain(host, name)]
    redefined = fields & _DEFINITION and not _only_less_memory(desired, observed, fields)
    due = redefined or "pending_restart" in fields
    if due and desired.running and desired.pending_restart is False:
        return [StopDomain(host, name), StartDomain(host, name)]
    return []


def _only_less_memory(desired: DomainSpec, observed: DomainSpec, fields: frozenset[str]) -> bool:
    """A guest gives memory back while it runs; everything else waits for its next start.

    One that waits for a restart may have been started with less than its definition says.
    """
    less = desired.memory_bytes < observed.memory_bytes and not observed.pending_restart
    return fields & _DEFINITION == {"memory_bytes"} and less


def _definition(spec: DomainSpec) -> DomainDefinition:
    if spec.accelerator is None:
        message = f"domain {spec.libvirt_name} was never placed on a host"
        raise ValueError(message)
    return DomainDefinition(
        name=spec.libvirt_name,
        uuid=spec.uuid,
        accelerator=spec.accelerator,
        vcpus=spec.vcpus,
        memory_bytes=spec.memory_bytes,
        disks=spec.disks,
        interfaces=spec.interfaces,
    )


def _observed(host: str, state: DomainState) -> Observed[DomainSpec]:
    definition = state.definition
    spec = DomainSpec(
        host=host,
        libvirt_name=definition.name,
        uuid=definition.uuid,
        accelerator=definition.accelerator,
        vcpus=definition.vcpus,
        memory_bytes=definition.memory_bytes,
        running=state.running,
        autostart=state.autostart,
        disks=definition.disks,
        interfaces=definition.interfaces,
        pending_restart=state.pending_restart,
    )
    if state.owner is None:
        return Observed(Address("domain", definition.name, host), spec)
    return Observed(Address("domain", state.owner.name), spec, state.owner)


def _placed(spec: DomainSpec) -> str:
    if spec.host is None:
        message = f"domain {spec.libvirt_name} was never placed on a host"
        raise ValueError(message)
    return spec.host
