"""Kind `domain`: a virtual machine on its host.

What a change of each field costs a running guest stands in `domain_changes`; start, autostart and
a move are live; another UUID or name on the host means that the domain is defined anew around its
volumes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from functools import lru_cache

from reconciler.kinds.base.kind import name_of
from reconciler.kinds.domain_changes import GuestChanges, in_words, reordered, tagged
from reconciler.kinds.domain_operations import (
    AdjustGuest,
    DefineDomain,
    ForgetSnapshot,
    MarkDomain,
    MigrateDomain,
    RevertDomain,
    SetAutostart,
    SnapshotDomain,
    StartDomain,
    StopDomain,
    UndefineDomain,
)
from reconciler.kinds.network.libvirt_reservations import reservations_name
from reconciler.kinds.protocol import NO_FACTS, Operation, fields_of
from reconciler.kinds.volume_operations import FreeVolume
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.facts import Facts, Question
from reconciler.ports.hypervisor import (
    Accelerator,
    Disk,
    DomainDefinition,
    DomainState,
    Firmware,
    Interface,
    Switch,
)
from reconciler.ports.world import Ports

_IDENTITY = frozenset({"libvirt_name", "uuid"})
_CALLED_ALIKE = frozenset(field.name for field in fields(DomainDefinition)) - {"name"}
_DEFINITION = _CALLED_ALIKE - {"uuid"}
_PLUGS: Mapping[Switch, tuple[str, ...]] = {
    "linux": ("bridge",),
    "openvswitch": ("switch", "tunnel"),
    "libvirt": ("libvirt_network",),
}


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """A virtual machine. `host` and `accelerator` None: placement has not yet chosen a host.

    `pending_restart` says that it runs on another definition, which is `guest`; a desired spec has
    False when changes may restart it, and None when they wait for a person to do so. `after` are
    the machines that must run before this one starts, `networks` the reservations of its addresses;
    those without a host are on its own. `snapshots` are those of ours that are there;
    in a desired spec, what to go back to. `snapshot_from` is the cost from which on a change is
    made only after a snapshot. `moving_to` is where an unfinished move leads.
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
    vcpus_maximum: int | None = None
    memory_maximum_bytes: int | None = None
    cpu_model: str | None = None
    firmware: Firmware | None = None
    tpm: bool | None = None
    title: str | None = None
    first_boot: str | None = None
    pending_restart: bool | None = False
    guest: DomainDefinition | None = field(default=None, compare=False)
    after: tuple[str, ...] = field(default=(), compare=False)
    networks: tuple[Address, ...] | None = field(default=None, compare=False)
    snapshots: tuple[str, ...] = field(default=(), compare=False)
    snapshot_from: Disruption | None = field(default=None, compare=False)
    moving_to: str | None = field(default=None, compare=False)


def volume_addresses(name: str, spec: DomainSpec) -> frozenset[Address]:
    """The volumes of the disks of a domain."""
    return frozenset(volume_address(name, disk.name) for disk in spec.disks)


def volume_address(domain: str, disk: str) -> Address:
    """The address of the volume that is a disk of a domain."""
    return Address("volume", f"{domain}-{disk}")


@lru_cache(maxsize=4096)
def plugs_at(host: str, switch: Switch, bridge: str) -> frozenset[Address]:
    """What an interface that is plugged in there on the host needs, if somebody makes it."""
    name = name_of(bridge)
    return frozenset(Address(kind, name, host) for kind in _PLUGS[switch])


class DomainKind:
    """Answers for domains."""

    name = "domain"
    spec = DomainSpec
    settle = timedelta(seconds=30)
    is_bound = False

    def identity(self, spec: DomainSpec) -> str:
        """Its UUID."""
        return spec.uuid

    def needs(self, address: Address, spec: DomainSpec) -> frozenset[Address]:
        """The volumes of its disks, what it is plugged into, and who must run before it."""
        before = {Address("domain", name) for name in spec.after}
        if spec.host is None:
            return volume_addresses(address.name, spec) | before
        before.update(replace(each, host=each.host or spec.host) for each in spec.networks or ())
        plugs = (plugs_at(spec.host, each.switch, each.bridge) for each in spec.interfaces)
        return volume_addresses(address.name, spec).union(before, *plugs)

    def claims(self, spec: DomainSpec) -> frozenset[str]:
        """Its name on the host, its UUID and its hardware addresses, which no two may share."""
        macs = {f"mac {interface.mac}" for interface in spec.interfaces}
        name = f"domain {spec.host or 'any host'}/{spec.libvirt_name}"
        return frozenset({name, f"uuid {spec.uuid}", *macs})

    def scopes(self, specs: Iterable[DomainSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """Every host, because a domain may run on another one than it should."""
        del specs
        return frozenset(Scope("host", host) for host in hosts)

    def questions(self, spec: DomainSpec) -> frozenset[Question]:
        """Nothing."""
        del spec
        return frozenset()

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterable[Observed[DomainSpec]]:
        """All domains of the host. One that is still arriving is where it comes from."""
        del facts
        if scope.kind != "host":
            return ()
        states = ports.hypervisor(scope.name).domains()
        return [_observed(scope.name, state) for state in states if not state.arriving]

    def diff(self, desired: DomainSpec, observed: DomainSpec) -> tuple[FieldChange, ...]:
        """Field by field. A domain that is off waits for no restart, and none is ever wanted.

        Nor does one whose guest differs only in what is not managed. What a guest that waits for
        a person can be given while it runs is not put off with the rest.
        """
        if desired.pending_restart or not desired.running or _has_all(observed.guest, desired):
            desired = replace(desired, pending_restart=None)
        if any(each.vlan or each.guarded for each in observed.interfaces):
            desired = replace(desired, interfaces=tagged(desired.interfaces))
            observed = replace(observed, interfaces=tagged(observed.interfaces))
        changes = (*diff_fields(desired, observed), *reordered(desired, observed))
        return changes or tuple(_put_off(desired, observed))

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
        if back := set(desired.snapshots) & set(observed.snapshots):
            return _revert(desired, observed, max(back), owner)
        steps: list[Operation] = []
        if "host" in fields and "accelerator" in fields and desired.accelerator == "qemu":
            steps += _deceleration(observed, owner)
            observed = replace(observed, running=False)
            fields = fields_of(self.diff(desired, observed))
        if "host" in fields:
            steps += _move(observed, host)
        if fields & _DEFINITION:
            steps.append(_define(desired, observed, owner))
        if "autostart" in fields:
            steps.append(SetAutostart(host, desired.libvirt_name, autostart=desired.autostart))
        steps += _power(desired, observed)
        is_first = not observed.snapshots  # of several changes until all is well, the first counts
        if is_first and "host" not in fields and desired.running and _is_risky(desired, steps):
            steps.insert(0, SnapshotDomain(host, observed.libvirt_name, f"before-{owner.digest}"))
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
        if not lost & volume_addresses(address.name, observed):
            return observed
        disks = (d for d in observed.disks if volume_address(address.name, d.name) not in lost)
        return replace(
            observed, running=False, pending_restart=False, guest=None, disks=tuple(disks)
        )

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
        """Replace the mark, and delete the snapshots, for all went well."""
        host, name = _placed(observed), observed.libvirt_name
        forget = (ForgetSnapshot(host, name, snapshot) for snapshot in observed.snapshots)
        return (*forget, MarkDomain(host, name, owner))

    def is_untidy(self, observed: DomainSpec) -> bool:
        """Whether there are snapshots, or a move was given up."""
        return bool(observed.snapshots or observed.moving_to)

    def host(self, spec: DomainSpec) -> str | None:
        """The host it is defined on."""
        return spec.host


def _is_risky(desired: DomainSpec, steps: Iterable[Operation]) -> bool:
    limit = desired.snapshot_from
    return limit is not None and any(step.disruption >= limit for step in steps)


def _revert(
    desired: DomainSpec, observed: DomainSpec, snapshot: str, owner: Owner
) -> tuple[Operation, ...]:
    """Back to a snapshot, which brings its definition along, but not whether it is autostarted."""
    host, name = _placed(desired), desired.libvirt_name
    steps: list[Operation] = [RevertDomain(host, name, snapshot)]
    if desired.autostart != observed.autostart:
        steps.append(SetAutostart(host, name, autostart=desired.autostart))
    return (*steps, MarkDomain(host, name, owner))


def _has_all(guest: DomainDefinition | None, desired: DomainSpec) -> bool:
    """Whether the guest, which has another definition than is stored, has all that is wanted."""
    if guest is None or desired.accelerator is None:
        return False
    changes = GuestChanges.of(guest, _definition(desired))
    return not changes.live and not changes.others


def _put_off(desired: DomainSpec, observed: DomainSpec) -> Iterator[FieldChange]:
    guest = observed.guest
    if guest and desired.accelerator and desired.running and desired.pending_restart is None:
        for change in GuestChanges.of(guest, _definition(desired)).live:
            yield replace(change, path=f"guest.{change.path}")


def _move(observed: DomainSpec, host: str) -> Iterator[Operation]:
    """With snapshots no domain can move, and those of an older change are of no more use."""
    here, name = _placed(observed), observed.libvirt_name
    yield from (ForgetSnapshot(here, name, snapshot) for snapshot in observed.snapshots)
    yield MigrateDomain(here, name, host)


def _define(desired: DomainSpec, observed: DomainSpec, owner: Owner) -> Operation:
    """The restart costs what it costs later; that the system may not boot is said at once."""
    wanted = _definition(desired)
    worst = GuestChanges.of(_definition(observed), wanted).disruption
    cost = worst if worst > Disruption.RESTART else Disruption.LIVE
    return DefineDomain(
        _placed(desired), wanted, owner.unfinished, disruption=cost, waits=_waits(desired, observed)
    )


def _waits(desired: DomainSpec, observed: DomainSpec) -> str:
    """What the guest that runs on will get at a later restart only."""
    if not (desired.running and observed.running) or desired.pending_restart is False:
        return ""
    guest = observed.guest or _definition(observed)
    return in_words(GuestChanges.of(guest, _definition(desired)).others)


def _deceleration(observed: DomainSpec, owner: Owner) -> list[Operation]:
    """Every host emulates, but a guest that is accelerated cannot go on without it."""
    host, name = _placed(observed), observed.libvirt_name
    emulated = _definition(replace(observed, accelerator="qemu"))
    stop = [StopDomain(host, name)] if observed.running else []
    return [*stop, DefineDomain(host, emulated, owner.unfinished)]


def _power(desired: DomainSpec, observed: DomainSpec) -> list[Operation]:
    """Start or stop it, or bring its guest along: live where that will do, else by a restart."""
    host, name = _placed(desired), desired.libvirt_name
    if desired.running != observed.running:
        return [StartDomain(host, name) if desired.running else StopDomain(host, name)]
    if not desired.running:
        return []
    guest = observed.guest or _definition(observed)
    changes = GuestChanges.of(guest, _definition(desired))
    if observed.pending_restart and observed.guest is None and desired.pending_restart is False:
        return [StopDomain(host, name), StartDomain(host, name)]  # seen without its guest
    if changes.others and desired.pending_restart is False:
        return [StopDomain(host, name, disruption=changes.disruption), StartDomain(host, name)]
    return [AdjustGuest(host, name, in_words(changes.live))] if changes.live else []


def _definition(spec: DomainSpec) -> DomainDefinition:
    if spec.accelerator is None:
        message = f"domain {spec.libvirt_name} was never placed on a host"
        raise ValueError(message)
    same = {name: getattr(spec, name) for name in _CALLED_ALIKE}
    return DomainDefinition(name=spec.libvirt_name, **same)


def _observed(host: str, state: DomainState) -> Observed[DomainSpec]:
    definition = state.definition
    spec = DomainSpec(
        host=host,
        libvirt_name=definition.name,
        running=state.running,
        autostart=state.autostart,
        pending_restart=state.guest is not None,
        guest=state.guest,
        snapshots=state.snapshots,
        moving_to=state.moving_to,
        **{name: getattr(definition, name) for name in _CALLED_ALIKE},
    )
    if state.owner is None:
        return Observed(Address("domain", definition.name, host), spec)
    networks = tuple(_reservations(definition, state.owner.environment))
    spec = replace(spec, networks=networks) if networks else spec
    return Observed(Address("domain", state.owner.name), spec, state.owner)


def _reservations(definition: DomainDefinition, environment: str) -> Iterator[Address]:
    """What is reserved on its own host; what is on servers is named by networks it knows not."""
    for each in definition.interfaces:
        if each.switch == "libvirt":
            yield Address("libvirt_reservations", reservations_name(each.bridge, environment))


def _placed(spec: DomainSpec) -> str:
    if spec.host is None:
        message = f"domain {spec.libvirt_name} was never placed on a host"
        raise ValueError(message)
    return spec.host
