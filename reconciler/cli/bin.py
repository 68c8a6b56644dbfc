"""What is in the trash of all hosts, and which of it somebody means by a name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.cli.command import Failure
from reconciler.errors import DriverError
from reconciler.ports.hypervisor import TrashedVolume
from reconciler.ports.world import Ports

THREADS = 16


@dataclass(frozen=True, slots=True)
class Trashed:
    """A volume in the trash of a host, as people speak of it. Without a mark it is nobody's."""

    host: str
    pool: str
    name: str
    trash_name: str
    since: datetime
    environment: str | None = None
    resource: str | None = None

    def until(self, kept: timedelta) -> datetime | None:
        """When it is deleted; None if that does not happen by itself."""
        return self.since + kept if self.environment else None

    def answers_to(self, name: str) -> bool:
        """Whether somebody may mean it by this name."""
        return name in {self.name, self.trash_name, self.resource}


@dataclass(frozen=True, slots=True)
class Bin:
    """The trash of several hosts; `unknown` are those that could not be asked, with the reason."""

    volumes: tuple[Trashed, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)

    def of(self, environment: str | None) -> Bin:
        """What belongs to one environment, or all."""
        if environment is None:
            return self
        ours = tuple(each for each in self.volumes if each.environment == environment)
        return replace(self, volumes=ours)

    def named(self, names: Sequence[str]) -> tuple[Trashed, ...]:
        """The volumes of these names.

        Raises:
            Failure: there is none, or there are several, of a name.
        """
        return tuple(self._one(name) for name in dict.fromkeys(names))

    def _one(self, name: str) -> Trashed:
        found = [each for each in self.volumes if each.answers_to(name)]
        if not found:
            there = ", ".join(sorted({each.name for each in self.volumes})) or "nothing"
            raise Failure(f"there is no {name} in the trash; there is: {there}")
        if len(found) > 1:
            listed = "\n".join(f"  {each.trash_name} on {each.host}" for each in found)
            raise Failure(
                f"{name} is in the trash {len(found)} times; give one of these names, "
                f"with --host where that is not enough:\n{listed}"
            )
        return found[0]


def look_into(hosts: Iterable[str], ports: Ports) -> Bin:
    """Ask all hosts at once."""
    names = tuple(hosts)
    with ThreadPoolExecutor(THREADS, "trash") as pool:
        answers = dict(zip(names, pool.map(lambda host: _ask(host, ports), names), strict=True))
    return Bin(
        tuple(each for found in answers.values() if not isinstance(found, str) for each in found),
        {host: found for host, found in answers.items() if isinstance(found, str)},
    )


def _ask(host: str, ports: Ports) -> list[Trashed] | str:
    try:
        return [_trashed(host, each) for each in ports.hypervisor(host).trash()]
    except DriverError as error:
        return f"{error.operation}: {error.cause}"


def _trashed(host: str, each: TrashedVolume) -> Trashed:
    owner = each.owner
    return Trashed(
        host,
        each.pool,
        each.name,
        each.trash_name,
        each.since,
        owner.environment if owner else None,
        owner.name if owner else None,
    )
