"""Kind `volume`: the disk of a virtual machine, in a storage pool of its host.

A volume never shrinks; a deleted one goes to the trash of its pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.kinds.base.kind import name_of
from reconciler.kinds.protocol import NO_FACTS, Operation, fields_of
from reconciler.kinds.volume_operations import (
    CreateVolume,
    FreeVolume,
    GrowVolume,
    MarkVolume,
    RestoreVolume,
    SendVolume,
    TrashVolume,
    WriteSeed,
)
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.facts import Facts, Question
from reconciler.ports.hypervisor import ImageSource, NewVolume, Seed, VolumeFormat, VolumeState
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume. `name` is its name on the host; `image` and `overlay` matter at creation only.

    `host` None means that placement has not yet chosen one. `content` is the digest of what it is
    made with where that counts: `seed` for a seed, and for a root disk the first boot data
    that its system was set up with. `is_back` asks for the one that was taken away, not a new one.
    """

    host: str | None
    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    content: str | None = None
    image: ImageSource | None = field(default=None, compare=False)
    overlay: bool = field(default=False, compare=False)
    seed: Seed | None = field(default=None, compare=False)
    is_back: bool = field(default=False, compare=False)


_MADE_WITH = frozenset({"pool", "name", "format", "content"})
_WRITTEN = frozenset({"content", "capacity_bytes"})


class VolumeKind:
    """Answers for volumes."""

    name = "volume"
    spec = VolumeSpec
    settle = timedelta(seconds=5)
    is_bound = False

    def identity(self, spec: VolumeSpec) -> str:
        """Its name in its pool, which it keeps on every host."""
        return f"{spec.pool}/{spec.name}"

    def needs(self, address: Address, spec: VolumeSpec) -> frozenset[Address]:
        """Its pool, if that is described too."""
        del address
        return frozenset({Address("pool", name_of(spec.pool), spec.host)} if spec.host else ())

    def claims(self, spec: VolumeSpec) -> frozenset[str]:
        """Its name in the pool."""
        return frozenset({f"volume {spec.host or 'any host'}/{spec.pool}/{spec.name}"})

    def scopes(self, specs: Iterable[VolumeSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """Every host, because a volume may be on another one than it should."""
        del specs
        return frozenset(Scope("host", host) for host in hosts)

    def questions(self, spec: VolumeSpec) -> frozenset[Question]:
        """Nothing."""
        del spec
        return frozenset()

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterable[Observed[VolumeSpec]]:
        """All volumes of all pools of the host."""
        del facts
        if scope.kind != "host":
            return ()
        return [_observed(scope.name, state) for state in ports.hypervisor(scope.name).volumes()]

    def diff(self, desired: VolumeSpec, observed: VolumeSpec) -> tuple[FieldChange, ...]:
        """Field by field. What was made with nobody knows what is not made anew for it.

        A seed without a digest is left as it is, whatever its size.
        """
        if observed.content is None and desired.seed is None:
            desired = replace(desired, content=None)
        if desired.seed and desired.content is None:
            desired = replace(desired, capacity_bytes=observed.capacity_bytes)
        return diff_fields(desired, observed)

    def create(self, desired: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make it, empty or from its image; what is wanted back comes out of the trash."""
        return (_made(desired, owner),)

    def update(
        self,
        desired: VolumeSpec,
        observed: VolumeSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Send it, grow it, or, when there is no other way, trash it and make it anew."""
        host, here, fields = _placed(desired), _placed(observed), fields_of(changed)
        is_written = bool(desired.seed and fields & _WRITTEN)
        if fields & (_MADE_WITH - _WRITTEN if is_written else _MADE_WITH) or (
            not is_written and _shrinks(desired, observed)
        ):
            return (
                FreeVolume(here, observed.pool, observed.name, owner.environment),
                TrashVolume(here, observed.pool, observed.name),
                _made(desired, owner),
            )
        steps: list[Operation] = []
        if is_written:
            steps.append(WriteSeed(here, _new(desired), owner.unfinished))
        elif "capacity_bytes" in fields:
            steps.append(GrowVolume(here, desired.pool, desired.name, desired.capacity_bytes))
        if host == here:
            steps.append(MarkVolume(here, desired.pool, desired.name, owner))
        else:  # it may be left to the domain's migration, so the next look marks it as finished
            steps.append(MarkVolume(here, desired.pool, desired.name, owner.unfinished))
            steps.append(SendVolume(here, desired.pool, desired.name, host))
        return tuple(steps)

    def delete(self, observed: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Move it to the trash. A seed can be made again at any time."""
        del owner
        cost = Disruption.LIVE if observed.format == "iso" else Disruption.DATA_LOSS
        return (TrashVolume(_placed(observed), observed.pool, observed.name, disruption=cost),)

    def without(
        self, address: Address, observed: VolumeSpec, lost: frozenset[Address]
    ) -> VolumeSpec:
        """The same, because it needs nothing."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: VolumeSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing, because it needs nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: VolumeSpec, owner: Owner) -> tuple[Operation, ...]:
        """Replace the mark."""
        return (MarkVolume(_placed(observed), observed.pool, observed.name, owner),)

    def is_untidy(self, observed: VolumeSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: VolumeSpec) -> str | None:
        """The host whose pool holds it."""
        return spec.host


def _observed(host: str, state: VolumeState) -> Observed[VolumeSpec]:
    spec = VolumeSpec(
        host, state.pool, state.name, state.format, state.capacity_bytes, state.content
    )
    if state.owner is None:
        return Observed(Address("volume", f"{state.pool}/{state.name}", host), spec)
    return Observed(Address("volume", state.owner.name), spec, state.owner)


def _made(spec: VolumeSpec, owner: Owner) -> Operation:
    make = RestoreVolume if spec.is_back else CreateVolume
    return make(_placed(spec), _new(spec), owner)


def _new(spec: VolumeSpec) -> NewVolume:
    return NewVolume(
        pool=spec.pool,
        name=spec.name,
        format=spec.format,
        capacity_bytes=spec.capacity_bytes,
        image=spec.image,
        overlay=spec.overlay,
        seed=spec.seed,
        content=spec.content,
    )


def _shrinks(desired: VolumeSpec, observed: VolumeSpec) -> bool:
    return desired.capacity_bytes < observed.capacity_bytes


def _placed(spec: VolumeSpec) -> str:
    if spec.host is None:
        message = f"volume {spec.name} was never placed on a host"
        raise ValueError(message)
    return spec.host
