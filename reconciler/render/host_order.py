"""What comes first on a host, as it follows from what names what.

A directory comes before what is in it, a mount before what is on it, an account before its files,
a package source before all packages, a file before the services that read it, and whatever
holds a storage pool before the pool. Who comes after something that fails is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.documents import Host
from reconciler.kinds.base.account import UserSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.kind import above, lying_at, name_of
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import ServiceSpec
from reconciler.model.address import Address

APT = "/etc/apt/"
UNITS = "/etc/systemd/system/"


@dataclass(frozen=True)
class Order:
    """The declared things of one host, by what they are found by.

    `needs` are the packages that the services' documents name, `packages` those that are to be
    there. `apt`, `units` and `removals` are the files that packages, services and directories that
    are to go have to do with.
    """

    host: str
    wanted: frozenset[Address]
    needs: Mapping[str, tuple[str, ...]]
    packages: frozenset[str]
    apt: tuple[str, ...]
    units: tuple[str, ...]
    removals: tuple[str, ...]

    @classmethod
    def of(cls, host: Host, wanted: Mapping[Address, Any]) -> Order:
        """The order of what is wanted on a host."""
        files = [spec for spec in wanted.values() if isinstance(spec, FileSpec)]
        return cls(
            host=host.name,
            wanted=frozenset(wanted),
            needs={service.name: service.needs for service in host.services},
            packages=frozenset(each.name for each in host.packages if each.state == "present"),
            apt=tuple(spec.path for spec in files if spec.path.startswith(APT)),
            units=tuple(spec.path for spec in files if spec.path.startswith(UNITS)),
            removals=tuple(spec.path for spec in files if spec.type == "absent"),
        )

    def before(self, address: Address, spec: Any) -> tuple[Address, ...]:
        """What comes before one of them, sorted."""
        found = {each for each in self._before(spec) if each in self.wanted and each != address}
        return tuple(sorted(found))

    def _before(self, spec: Any) -> Iterator[Address]:
        match spec:
            case FileSpec():
                yield from self._before_file(spec)
            case PackageSpec(state="present"):
                yield from (self._at("file", path) for path in self.apt)
            case ServiceSpec():
                yield from self._before_service(spec)
            case UserSpec():
                yield from (self._at("group", name) for name in spec.groups or ())
            case MountSpec():
                yield from lying_at(self.host, spec.path)
                yield from self._behind(spec.source or "")
            case PoolSpec(type="directory"):
                yield self._at("mount", spec.target)
                yield from lying_at(self.host, spec.target)
            case PoolSpec():
                kind = "zpool" if spec.type == "zfs" else "volume_group"
                yield self._at(kind, spec.target.partition("/")[0])
            case _:
                return

    def _before_file(self, spec: FileSpec) -> Iterator[Address]:
        if spec.type == "absent":  # a directory goes when it is empty
            inside = (path for path in self.removals if path.startswith(f"{spec.path}/"))
            yield from (self._at("file", path) for path in inside)
            return
        yield from above(self.host, spec.path)
        yield self._at("user", spec.owner or "")
        yield self._at("group", spec.group or "")

    def _before_service(self, spec: ServiceSpec) -> Iterator[Address]:
        for read in spec.reads:
            yield self._at("file", read.path)
        for package in (spec.unit, *self.needs.get(spec.unit, ())):
            if package in self.packages:
                yield self._at("package", package)
        stem = f"{UNITS}{spec.unit if '.' in spec.unit else spec.unit + '.service'}"
        for path in self.units:
            if path == stem or path.startswith(f"{stem}.d/"):
                yield self._at("file", path)

    def _behind(self, source: str) -> Iterator[Address]:
        """What the source of a mount is made of."""
        yield self._at("volume_group", source.removeprefix("/dev/").partition("/")[0])
        yield self._at("zpool", source.partition("/")[0])
        if source.startswith("/"):
            yield self._at("mount", source)
            yield from above(self.host, source)

    def _at(self, kind: str, thing: str) -> Address:
        return Address(kind, name_of(thing), self.host)
