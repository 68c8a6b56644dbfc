"""What may be wanted of the base of a host, and what is true of one, read from its state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from reconciler.drivers.simulated.base import files, services
from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.state import FarmState
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base import BASE_KINDS
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VolumeGroupSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Owner, owner_of

Place = tuple[str, ...]
_KINDS = {kind.spec: kind for kind in BASE_KINDS}
# In which parts of a base the things of a kind are, and what comes with them.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "file": ("files",),
    "package": ("packages", "services"),
    "service": ("services",),
    "user": ("users", "groups"),
    "group": ("groups",),
    "sysctl": ("sysctls",),
    "module": ("modules",),
    "mount": ("mounts", "files"),
    "setting": ("settings",),
    "volume_group": ("volume_groups",),
    "zpool": ("zpools",),
}
# What tells when something came about, but not what it is.
_TIMES: Mapping[str, Any] = {"tick": 0, "fence": 0, "confirmed": {}, "switch": None, "tried": {}}


def part(spec: Any, *after: Desired[Any]) -> Desired[Any]:
    """Something of a base, as render gives it: it comes after the others, and adopts."""
    kind = _KINDS[type(spec)]
    (question,) = kind.questions(spec)
    address = Address(kind.name, name_of(question.name), spec.host)
    edges = tuple(each.address for each in after)
    return Desired(address, replace(spec, after=edges), adopts=True)


def text(path: str, content: str, host: str = "virt1", **changes: Any) -> FileSpec:
    """A plain file."""
    return FileSpec(host, path, "file", "0644", "root", "root", content, **changes)


def directory(path: str, host: str = "virt1") -> FileSpec:
    """A directory."""
    return FileSpec(host, path, "directory", "0755", "root", "root")


def service(unit: str, *reads: Desired[Any], host: str = "virt1", **changes: Any) -> ServiceSpec:
    """A service that is to run, and what it reads."""
    read = tuple(read_of(each.spec.path, each.spec) for each in reads)
    standard: dict[str, Any] = {"enabled": True, "running": True, "masked": False, "reads": read}
    return ServiceSpec(host, unit, **{**standard, **changes})


def timeless(base: Base) -> Base:
    """A base without what may depend on how it came about."""
    return replace(
        base,
        files={path: replace(each, changed=0) for path, each in base.files.items()},
        services={unit: replace(each, read=0, starts=0) for unit, each in base.services.items()},
        **_TIMES,
    )


def bases(state: FarmState) -> dict[Place, Any]:
    """Everything of every base by host, part and name, without times."""
    return {
        (host, each.name, name): thing
        for host, at in state.hosts.items()
        for each in fields(Base)
        for name, thing in _things(getattr(timeless(at.base), each.name))
    }


def places_of(desired: Iterable[Desired[Any]]) -> set[Place]:
    """What these may change: themselves, and what comes with a package, an account or a mount."""
    found: set[Place] = set()
    for want in desired:
        if want.address.kind in _PARTS:
            (question,) = KIND_BY_NAME[want.address.kind].questions(want.spec)
            parts = _PARTS[want.address.kind]
            found |= {(want.spec.host, part_name, question.name) for part_name in parts}
    return found


def bystanders(state: FarmState, places: set[Place]) -> dict[Place, Any]:
    """Everything of every base that is none of these places, and no memory of ours."""
    parts = {name for names in _PARTS.values() for name in names}
    found = bases(state)
    return {place: found[place] for place in found if place[1] in parts and place not in places}


def misfits(environment: str, desired: tuple[Desired[Any], ...], state: FarmState) -> list[str]:
    """In what the bases are not what the environment wants, their marks among it."""
    found = [f"{'/'.join(place)} has not been read" for place in _stale(state)]
    wanted: dict[Place, Owner] = {}
    for want in desired:
        is_so = _IS_SO.get(type(want.spec))
        if is_so is None:
            continue
        if not is_so(state.hosts[want.spec.host].base, want.spec):
            found.append(f"{want.address} is not as wanted")
        (question,) = KIND_BY_NAME[want.address.kind].questions(want.spec)
        place: Place = (want.spec.host, f"{want.address.kind} {question.name}")
        wanted[place] = owner_of(environment, want)
    seen = _marked(environment, state)
    both = sorted(wanted.keys() | seen.keys())
    return found + [f"mark {place}" for place in both if wanted.get(place) != seen.get(place)]


def _things(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    else:
        yield "", value


def _marked(environment: str, state: FarmState) -> dict[Place, Owner]:
    return {
        (host, key): kept.owner
        for host, at in state.hosts.items()
        for key, kept in at.base.marks.items()
        if kept.owner.environment == environment
    }


def _stale(state: FarmState) -> list[Place]:
    """The services that run with a file that is no longer what they read."""
    return [
        (host, kept.question.name, path)
        for host, at in state.hosts.items()
        for key, kept in at.base.marks.items()
        if key.startswith("service ")
        for path in kept.question.details
        if _is_stale(at.base, kept.question.name, path)
    ]


def _is_stale(base: Base, unit: str, path: str) -> bool:
    service, file = base.services.get(unit), base.files.get(path)
    if service is None or file is None or not service.running:
        return False
    return file.changed > service.read


def _fits(wanted: tuple[Any, ...], seen: tuple[Any, ...]) -> bool:
    """Whether all that is not left open is so."""
    return all(one in {None, other} for one, other in zip(wanted, seen, strict=True))


def _is_file(base: Base, spec: FileSpec) -> bool:
    there = files.at(base, spec.path)
    if spec.type == "absent" or there is None:
        return (spec.type == "absent") == (there is None)
    content = there.content if there.type == "file" else None
    return _fits(
        (spec.type, spec.mode, spec.owner, spec.group, spec.content, spec.target),
        (there.type, there.mode, there.owner, there.group, content, there.target),
    )


def _is_package(base: Base, spec: PackageSpec) -> bool:
    there = base.packages.get(spec.name)
    if spec.state == "absent" or there is None:
        return (spec.state == "absent") == (there is None)
    return _fits((spec.version, spec.held), (there.version, there.held))


def _is_service(base: Base, spec: ServiceSpec) -> bool:
    there = services.named(base, spec.unit)
    if there is None:
        return not (spec.enabled or spec.running or spec.masked)
    return _fits(
        (spec.enabled, spec.running, spec.masked), (there.enabled, there.running, there.masked)
    )


def _is_user(base: Base, spec: UserSpec) -> bool:
    there = base.users.get(spec.name)
    if spec.state == "absent" or there is None:
        return spec.state == "absent" and (there is None or there.locked)
    wanted = (spec.uid, spec.description, spec.shell, spec.sudo, _set(spec.keys), _set(spec.groups))
    return not there.locked and _fits(
        wanted,
        (
            *(there.uid, there.description, there.shell, there.sudo),
            *(_set(there.keys), _set(there.groups)),
        ),
    )


def _set(words: tuple[str, ...] | None) -> frozenset[str] | None:
    """The words, however often and in which order."""
    return None if words is None else frozenset(words)


def _is_sysctl(base: Base, spec: SysctlSpec) -> bool:
    there = base.sysctls.get(spec.name)
    return there is not None and (there.value, there.persisted) == (spec.value, spec.value)


def _is_module(base: Base, spec: ModuleSpec) -> bool:
    there = base.modules.get(spec.name)
    return there is not None and there.loaded and there.persisted


def _is_mount(base: Base, spec: MountSpec) -> bool:
    there = base.mounts.get(spec.path)
    return there is not None and there.source == spec.source and there.fstab is not None


_IS_SO: Mapping[type[Any], Callable[[Base, Any], bool]] = {
    FileSpec: _is_file,
    PackageSpec: _is_package,
    ServiceSpec: _is_service,
    UserSpec: _is_user,
    GroupSpec: lambda base, spec: (spec.name in base.groups) == (spec.state == "present"),
    SysctlSpec: _is_sysctl,
    ModuleSpec: _is_module,
    MountSpec: _is_mount,
    SettingSpec: lambda base, spec: base.settings.get(spec.name) == spec.value,
    CommandSpec: lambda base, spec: spec.name in base.commands,
    VolumeGroupSpec: lambda base, spec: spec.name in base.volume_groups,
}
