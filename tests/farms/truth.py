"""What is true of a simulated farm, read from its state and not through the reconciler's eyes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from reconciler.drivers.simulated.definitions import filled
from reconciler.drivers.simulated.state import Domain, FarmState, Volume
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.kinds.zone_registry import Holding, is_mark, marks, read_marks
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, Owner
from reconciler.ports.hypervisor import DomainDefinition

Place = tuple[str, ...]


def domains(state: FarmState) -> dict[Place, Domain]:
    return {
        (host, name): domain
        for host, at in state.hosts.items()
        for name, domain in at.domains.items()
    }


def volumes(state: FarmState) -> dict[Place, Volume]:
    return {
        (host, pool, name): volume
        for host, at in state.hosts.items()
        for pool, in_pool in at.pools.items()
        for name, volume in in_pool.volumes.items()
    }


def records(state: FarmState) -> dict[Place, Any]:
    """Record sets and marks by server, zone and key."""
    return {
        (server, zone, record.key): record
        for server, at in state.nameservers.items()
        for zone, served in at.zones.items()
        for record in served.records
    }


def not_of(environment: str, state: FarmState) -> dict[Place, Any]:
    """Everything of other environments and of nobody, whole."""

    def is_other(owner: Owner | None) -> bool:
        return owner is None or owner.environment != environment

    found: dict[Place, Any] = {}
    found |= {place: each for place, each in domains(state).items() if is_other(each.owner)}
    found |= {place: each for place, each in volumes(state).items() if is_other(each.owner)}
    ours = {
        (server, zone, key)
        for server, at in state.nameservers.items()
        for zone, served in at.zones.items()
        for key in _held(environment, served.records)
    }
    return found | {place: each for place, each in records(state).items() if place not in ours}


def _held(environment: str, served: Any) -> set[str]:
    """The keys that the marks in a zone give to the environment, the marks among them."""
    holding = read_marks(served).get(environment)
    if holding is None:
        return set()
    return set(holding.keys) | {mark.key for mark in marks(holding)}


def misfits(environment: str, desired: tuple[Desired[Any], ...], state: FarmState) -> list[str]:
    """In what the farm is not what the environment wants, its marks among it; empty when it is.

    `desired` are placed resources.
    """
    found = [*_domain_misfits(environment, desired, state)]
    found += _volume_misfits(environment, desired, state)
    found += _zone_misfits(environment, desired, state)
    return found


def _owner(environment: str, want: Desired[Any]) -> Owner:
    return Owner(environment, want.address.name, digest_of(want.spec))


def _domain_misfits(
    environment: str, desired: tuple[Desired[Any], ...], state: FarmState
) -> list[str]:
    ours = {
        k: v for k, v in domains(state).items() if v.owner and v.owner.environment == environment
    }
    wanted = {}
    found = []
    for want in desired:
        spec = want.spec
        if isinstance(spec, DomainSpec):
            place = (str(spec.host), spec.libvirt_name)
            wanted[place] = want
            domain = ours.get(place)
            if domain is None:
                found.append(f"{want.address} is not at {place}")
                continue
            is_like: Mapping[str, bool] = {
                "definition": _says(domain.definition, spec),
                "power": domain.running == spec.running,
                "autostart": domain.autostart == spec.autostart,
                "mark": domain.owner == _owner(environment, want),
                "guest": domain.runs_on is None
                or spec.pending_restart is None
                or _says(domain.runs_on, spec),
                "tidy": not domain.snapshots,
            }
            found += [f"{want.address}: {name}" for name, so in is_like.items() if not so]
    return found + [f"nobody wants {place}" for place in ours.keys() - wanted.keys()]


def _says(definition: DomainDefinition, spec: DomainSpec) -> bool:
    """Whether a definition says all that is wanted and not left open."""
    said = filled(definition)
    return all(
        getattr(spec, each.name) in {None, getattr(said, each.name)}
        for each in fields(DomainDefinition)
        if each.name != "name"
    )


def _volume_misfits(
    environment: str, desired: tuple[Desired[Any], ...], state: FarmState
) -> list[str]:
    ours = {
        k: v for k, v in volumes(state).items() if v.owner and v.owner.environment == environment
    }
    wanted: dict[Place, Any] = {
        (str(want.spec.host), want.spec.pool, want.spec.name): (
            want.spec.format,
            want.spec.capacity_bytes,
            _owner(environment, want),
        )
        for want in desired
        if isinstance(want.spec, VolumeSpec)
    }
    seen: dict[Place, Any] = {
        place: (each.format, each.capacity_bytes, each.owner) for place, each in ours.items()
    }
    return [f"volume {place}" for place in _different(wanted, seen)]


def _zone_misfits(
    environment: str, desired: tuple[Desired[Any], ...], state: FarmState
) -> list[str]:
    wanted: dict[Place, Any] = {}
    found: list[str] = []
    for want in desired:
        if isinstance(want.spec, ZoneSpec):
            spec, owner = want.spec, _owner(environment, want)
            keys = frozenset(record.key for record in spec.records)
            held = Holding(environment, owner.digest, spec.timers is not None, keys)
            for record in (*spec.records, *marks(held)):
                wanted[spec.server, spec.name, record.key] = record
            served = state.nameservers[spec.server].zones.get(spec.name)
            if served is None or spec.timers not in {None, served.timers}:
                found.append(f"{want.address}: zone or timers")
    foreign = not_of(environment, state)
    seen = {place: each for place, each in records(state).items() if place not in foreign}
    stray = {
        place: each
        for place, each in records(state).items()
        if is_mark(each) and f".{environment}._reconciler" in f".{each.name}"
    }
    return found + [f"record {place}" for place in _different(wanted, seen | stray)]


def _different(wanted: Mapping[Place, Any], seen: Mapping[Place, Any]) -> list[Place]:
    both = wanted.keys() | seen.keys()
    return sorted(place for place in both if wanted.get(place) != seen.get(place))
