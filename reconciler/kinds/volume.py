"""Kind `volume`: the disk of a virtual machine, in a storage pool of its host.

Operations: `CreateVolume`, `GrowVolume`, `SendVolume`, `TrashVolume`, `MarkVolume`.
A volume never shrinks; a deleted one goes to the trash of its pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.kinds.protocol import OnHost, Operation, fields_of
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.quantity import format_size
from reconciler.model.resource import Observed, Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume, VolumeFormat, VolumeState
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume. `name` is its name on the host; `image` matters at creation only.

    `host` None means that placement has not yet chosen one.
    """

    host: str | None
    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    image: ImageSource | None = field(default=None, compare=False)


class VolumeKind:
    """Answers for volumes."""

    name = "volume"
    spec = VolumeSpec
    settle = timedelta(seconds=5)

    def needs(self, address: Address, spec: VolumeSpec) -> frozenset[Address]:
        """Nothing: pools are there before us."""
        del address, spec
        return frozenset()

    def claims(self, spec: VolumeSpec) -> frozenset[str]:
        """Its name in the pool."""
        return frozenset({f"volume {spec.host}/{spec.pool}/{spec.name}"})

    def scopes(self, specs: Iterable[VolumeSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """Every host, because a volume may be on another one than it should."""
        del specs
        return frozenset(Scope("host", host) for host in hosts)

    def observe(self, scope: Scope, ports: Ports) -> Iterable[Observed[VolumeSpec]]:
        """All volumes of all pools of the host."""
        if scope.kind != "host":
            return ()
        return [_observed(scope.name, state) for state in ports.hypervisor(scope.name).volumes()]

    def diff(self, desired: VolumeSpec, observed: VolumeSpec) -> tuple[FieldChange, ...]:
        """Field by field; the image it came from is no difference."""
        return diff_fields(desired, observed)

    def create(self, desired: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make it, empty or from its image."""
        return (CreateVolume(_placed(desired), _new(desired), owner),)

    def update(
        self,
        desired: VolumeSpec,
        observed: VolumeSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Send it, grow it, or, when there is no other way, trash it and make it anew."""
        host, here = _placed(desired), _placed(observed)
        if fields_of(changed) & {"pool", "name", "format"} or _shrinks(desired, observed):
            trash = TrashVolume(here, observed.pool, observed.name)
            return (trash, CreateVolume(host, _new(desired), owner))
        steps: list[Operation] = []
        if desired.capacity_bytes != observed.capacity_bytes:
            steps.append(GrowVolume(here, desired.pool, desired.name, desired.capacity_bytes))
        steps.append(MarkVolume(here, desired.pool, desired.name, owner))
        if host != here:  # last, because it may be left to the domain's migration
            steps.append(SendVolume(here, observed.pool, observed.name, host))
        return tuple(steps)

    def delete(self, observed: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Move it to the trash."""
        del owner
        return (TrashVolume(_placed(observed), observed.pool, observed.name),)

    def mark(self, observed: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Replace the mark."""
        return (MarkVolume(_placed(observed), observed.pool, observed.name, owner),)

    def host(self, spec: VolumeSpec) -> str | None:
        """The host whose pool holds it."""
        return spec.host


@dataclass(frozen=True, slots=True)
class CreateVolume(OnHost):
    """Make a volume."""

    volume: NewVolume
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Make it."""
        ports.hypervisor(self.host).create_volume(self.volume, self.owner)

    def __str__(self) -> str:
        """In words."""
        origin = f" from image {self.volume.image.name}" if self.volume.image else ""
        size = format_size(self.volume.capacity_bytes)
        return f"create volume {self.volume.name} ({size}{origin}) in {self.volume.pool} on {self.host}"


@dataclass(frozen=True, slots=True)
class GrowVolume(OnHost):
    """Make a volume larger, under a running guest too."""

    pool: str
    name: str
    capacity_bytes: int
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Grow it."""
        ports.hypervisor(self.host).grow_volume(self.pool, self.name, self.capacity_bytes)

    def __str__(self) -> str:
        """In words."""
        return f"grow volume {self.name} to {format_size(self.capacity_bytes)} on {self.host}"


@dataclass(frozen=True, slots=True)
class SendVolume:
    """Bring a volume to another host, unless it travels with the domain that uses it."""

    source: str
    pool: str
    name: str
    destination: str
    disruption: Disruption = Disruption.LIVE

    @property
    def machines(self) -> frozenset[str]:
        """Both hosts."""
        return frozenset({self.source, self.destination})

    def run(self, ports: Ports) -> None:
        """Send it if no domain uses it: a domain's migration brings its volumes along."""
        hypervisor = ports.hypervisor(self.source)
        used = {
            (disk.pool, disk.volume)
            for domain in hypervisor.domains()
            for disk in domain.definition.disks
        }
        if (self.pool, self.name) not in used:
            hypervisor.send_volume(self.pool, self.name, self.destination)

    def __str__(self) -> str:
        """In words."""
        return f"move volume {self.name} from {self.source} to {self.destination}"


@dataclass(frozen=True, slots=True)
class TrashVolume(OnHost):
    """Take a volume out of use; its data stays in the trash for a grace time."""

    pool: str
    name: str
    disruption: Disruption = Disruption.DATA_LOSS

    def run(self, ports: Ports) -> None:
        """Trash it."""
        ports.hypervisor(self.host).trash_volume(self.pool, self.name)

    def __str__(self) -> str:
        """In words."""
        return f"move volume {self.name} in {self.pool} on {self.host} to the trash"


@dataclass(frozen=True, slots=True)
class MarkVolume(OnHost):
    """Write down whose a volume is and which spec it has."""

    pool: str
    name: str
    owner: Owner
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Mark it."""
        ports.hypervisor(self.host).mark_volume(self.pool, self.name, self.owner)

    def __str__(self) -> str:
        """In words."""
        return f"mark volume {self.name} on {self.host}"


def _observed(host: str, state: VolumeState) -> Observed[VolumeSpec]:
    spec = VolumeSpec(host, state.pool, state.name, state.format, state.capacity_bytes)
    if state.owner is None:
        return Observed(Address("volume", f"{state.pool}/{state.name}", host), spec)
    return Observed(Address("volume", state.owner.name), spec, state.owner)


def _new(spec: VolumeSpec) -> NewVolume:
    return NewVolume(spec.pool, spec.name, spec.format, spec.capacity_bytes, spec.image)


def _shrinks(desired: VolumeSpec, observed: VolumeSpec) -> bool:
    return desired.capacity_bytes < observed.capacity_bytes


def _placed(spec: VolumeSpec) -> str:
    if spec.host is None:
        message = f"volume {spec.name} was never placed on a host"
        raise ValueError(message)
    return spec.host
