"""A Host document becomes the resources of the host's base.

Only the environment that owns the host makes them. Everything is adopted by being declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from reconciler.config.base import (
    CommandField,
    HostFileField,
    MountField,
    PoolField,
    ServiceField,
    UserField,
)
from reconciler.config.check_hosts import source_path
from reconciler.config.documents import Host
from reconciler.config.merge import NamePath
from reconciler.config.repository import Documents
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import ServiceSpec, read_of
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VolumeGroupSpec, ZpoolSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.model.secret import references_in
from reconciler.render.host_order import Order
from reconciler.render.nameservers.resources import reading_zones
from reconciler.render.network.dynamic_names import reading_names
from reconciler.render.network.proxies import reading_sites
from reconciler.render.package_sources import source_file

ROOT = "root:root"
SECRET_MODE = "0600"  # noqa: S105 (permissions of what holds a secret)
USUAL_MODES = {"file": "0644", "directory": "0755"}
WRITTEN_AS: Mapping[str, str] = {  # fields of specs that documents call otherwise
    "group": "owner",
    "keys": "ssh_keys",
    "persisted": "value",
    "seconds": "deadline",
    "secrets": "content",
    "unit": "name",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a base: its kind, its spec, and the item of the document that describes it."""

    kind: str
    spec: Any
    path: NamePath
    is_item: bool = True
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        thing = KIND_BY_NAME[self.kind].questions(self.spec)
        name = name_of(next(iter(thing)).name)
        object.__setattr__(self, "address", Address(self.kind, name, self.spec.host))


def host_resources(documents: Documents, host: Host) -> Iterator[Desired[Any]]:
    """The base of a host, each resource with what comes before it; nothing of another's host."""
    if host.environment != documents.environment:
        return
    parts = tuple(_parts(documents, host))
    order = Order.of(host, {part.address: part.spec for part in parts})
    for part in parts:
        yield Desired(
            address=part.address,
            spec=replace(part.spec, after=_after(part, order)),
            position=documents.position("Host", host.name, *part.path),
            adopts=True,
            locate=partial(_position, documents, host.name, part),
        )


def _after(part: Part, order: Order) -> tuple[Address, ...]:
    return tuple(sorted({*part.spec.after, *order.before(part.address, part.spec)}))


def _position(documents: Documents, name: str, part: Part, path: str) -> Position:
    """Where the value behind a field of a spec was written."""
    head = path.partition(".")[0]
    item = (*part.path, WRITTEN_AS.get(head, head)) if part.is_item else part.path
    return documents.position("Host", name, *item)


def _parts(documents: Documents, host: Host) -> Iterator[Part]:
    yield from _settings(host)
    yield from _packages(host)
    files = {file.path: _file(documents, host, file) for file in host.files}
    for path, spec in files.items():
        yield Part("file", spec, ("files", path))
    for service in host.services:
        told = reading_sites(documents, host, _service(host, service, files))
        told = reading_zones(documents, host, told)
        told = reading_names(documents, host, told)
        yield Part("service", told, ("services", service.name))
    yield from _accounts(host)
    yield from _kernel(host)
    yield from _storage(host)
    for command in host.commands:
        yield Part("command", _command(host, command), ("commands", command.name))


def _settings(host: Host) -> Iterator[Part]:
    if host.hostname:
        yield _setting(SettingSpec(host.name, "hostname", host.hostname))
    if host.timezone:
        yield _setting(SettingSpec(host.name, "timezone", host.timezone))
    if host.locale:
        yield _setting(SettingSpec(host.name, "locale", host.locale))


def _setting(spec: SettingSpec) -> Part:
    return Part("setting", spec, (spec.name,), is_item=False)


def _packages(host: Host) -> Iterator[Part]:
    for source in host.package_sources:
        spec = FileSpec(
            host.name,
            source_path(source.name),
            "file",
            mode=USUAL_MODES["file"],
            owner="root",
            group="root",
            content=source_file(source),
        )
        yield Part("file", spec, ("package_sources", source.name), is_item=False)
    for each in host.packages:
        package = PackageSpec(host.name, each.name, each.state, each.version, each.held)
        yield Part("package", package, ("packages", each.name))


def _file(documents: Documents, host: Host, file: HostFileField) -> FileSpec:
    if file.type in {"absent", "link"}:
        return FileSpec(host.name, file.path, file.type, target=file.target)
    owner, _, group = (file.owner or ROOT).partition(":")
    sealed = tuple(map(documents.secrets.sealed, references_in(file.content or "")))
    return FileSpec(
        host.name,
        file.path,
        file.type,
        mode=file.mode or (SECRET_MODE if sealed else USUAL_MODES[file.type]),
        owner=owner,
        group=group,
        content=file.content,
        secrets=tuple(secret.label for secret in sealed),
        sealed=sealed,
        check=file.check,
    )


def _service(host: Host, service: ServiceField, files: Mapping[str, FileSpec]) -> ServiceSpec:
    return ServiceSpec(
        host.name,
        service.name,
        service.enabled,
        service.running,
        service.masked,
        tuple(read_of(path, files.get(path)) for path in dict.fromkeys(service.reads)),
        service.on_change,
    )


def _accounts(host: Host) -> Iterator[Part]:
    for group in host.groups:
        spec = GroupSpec(host.name, group.name, group.gid, group.state)
        yield Part("group", spec, ("groups", group.name))
    for user in host.users:
        yield Part("user", _user(host, user), ("users", user.name))


def _user(host: Host, user: UserField) -> UserSpec:
    if user.state == "absent":
        return UserSpec(host.name, user.name, state="absent")
    return UserSpec(
        host.name,
        user.name,
        user.uid,
        user.description,
        None if user.groups is None else tuple(sorted(set(user.groups))),
        user.shell,
        None if user.ssh_keys is None else tuple(sorted(set(user.ssh_keys))),
        user.sudo,
    )


def _kernel(host: Host) -> Iterator[Part]:
    for module in host.modules:
        yield Part(
            "module", ModuleSpec(host.name, module.name, module.options), ("modules", module.name)
        )
    for sysctl in host.sysctls:
        spec = SysctlSpec(host.name, sysctl.name, sysctl.value, persisted=sysctl.value)
        yield Part("sysctl", spec, ("sysctls", sysctl.name))


def _storage(host: Host) -> Iterator[Part]:
    for mount in host.mounts:
        yield Part("mount", _mount(host, mount), ("mounts", mount.path))
    for group in host.volume_groups:
        spec = VolumeGroupSpec(host.name, group.name, tuple(sorted(group.devices)))
        yield Part("volume_group", spec, ("volume_groups", group.name))
    for zpool in host.zpools:
        properties = tuple(sorted(zpool.properties.items()))
        yield Part(
            "zpool",
            ZpoolSpec(host.name, zpool.name, zpool.layout, properties),
            ("zpools", zpool.name),
        )
    for pool in host.pools:
        yield Part("pool", _pool(host, pool), ("pools", pool.name))


def _command(host: Host, command: CommandField) -> CommandSpec:
    seconds = int(command.deadline.total_seconds())
    return CommandSpec(
        host.name, command.name, run=command.run, check=command.check, seconds=seconds
    )


def _pool(host: Host, pool: PoolField) -> PoolSpec:
    return PoolSpec(host.name, pool.name, pool.type, pool.target)


def _mount(host: Host, mount: MountField) -> MountSpec:
    return MountSpec(host.name, mount.path, mount.source, mount.type, mount.options)
