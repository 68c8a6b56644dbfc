"""What is planned against: the live farm, a file, what the journal remembers, or nothing yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository, pause
from reconciler.cli.terminal import remark
from reconciler.config.repository import Documents
from reconciler.config.settings import HostSettings
from reconciler.daemon.clock import SystemClock
from reconciler.drivers.ssh.access import Access
from reconciler.engine.observe import Questions, observe
from reconciler.errors import ConfigError, SettingsError
from reconciler.model.address import Scope
from reconciler.model.resource import World
from reconciler.model.secret import SealedSecret
from reconciler.ports.world import Ports

if TYPE_CHECKING:
    from reconciler.drivers.farm import RealFarm
    from reconciler.drivers.simulated.farm import SimulatedFarm

CONNECT_DEADLINE = timedelta(seconds=15)
LIVE, JOURNAL, EMPTY = "live", "journal", "empty"
_OTHER_WORLDS = (
    "or say farm.kind: simulated, or plan with --world journal, --world empty or a world file"
)
_now = SystemClock().now
Events = Callable[[str, tuple[str, ...]], AbstractContextManager[Iterator[str]]]
Observe = Callable[[Iterable[Scope], Ports, Questions], World]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The doors to a world, how to look through them, and how to listen at them, if that can be."""

    ports: Ports
    observe: Observe = observe
    events: Events | None = None


def surroundings(repository: Repository, environment: str, world: str = LIVE) -> Surroundings:
    """The world that `--world` names.

    Raises:
        Failure: the journal has seen no world yet.
        SettingsError: a world file cannot be read, or the settings do not say how to reach hosts.
    """
    if world == JOURNAL:
        return _remembered(repository, environment)
    if world == EMPTY:
        return Surroundings(_blank(repository))
    if world != LIVE:
        from reconciler.drivers.simulated.farm import SimulatedFarm

        return Surroundings(SimulatedFarm.open(Path(world), sleep=pause, now=_now))
    if repository.settings.farm.kind == "simulated":
        return Surroundings(_opening(repository, simulated_farm(repository)))
    farm = real_farm(repository)
    return Surroundings(farm, events=farm.events)


def real_farm(repository: Repository) -> RealFarm:
    """The hosts that the branches describe, reached as the settings say.

    Raises:
        SettingsError: they do not say how, or the state directory cannot be used.
    """
    settings = repository.settings
    access = access_of(settings.hosts)
    from reconciler.cli.hosts import FarmBook
    from reconciler.drivers.farm import Means, RealFarm
    from reconciler.drivers.images.rules import ImageRules
    from reconciler.drivers.secrets import Keyring

    clock, rules = SystemClock(), ImageRules.of(settings.images)
    means = Means(
        access,
        rules,
        settings.state_directory,
        clock.now,
        clock.monotonic,
        pause,
        reveal=Keyring(settings.secrets.by_environment()).reveal,
    )
    try:
        book = FarmBook(repository, clock.monotonic)
        return RealFarm(book.hosts, means, book.nameservers)
    except (OSError, ValueError) as error:
        raise SettingsError("settings", [str(error)]) from error


def simulated_farm(repository: Repository) -> SimulatedFarm:
    """The simulated farm of the settings. It begins with the hosts that the branches describe.

    Raises:
        SettingsError: its file cannot be read or written.
        SourceError: it has to begin, and the branches cannot be read.
    """
    from reconciler.drivers.simulated.farm import SimulatedFarm

    file = repository.settings.world_file
    if file.exists():
        return SimulatedFarm.open(file, sleep=pause, now=_now)
    farm = _blank(repository)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remark(f"{file} is a new simulated farm: {', '.join(farm.state.hosts) or 'without hosts'}")
    return SimulatedFarm.create(file, farm.state, sleep=pause, now=_now)


def _opening(repository: Repository, farm: Ports) -> Ports:
    """The simulated farm such that secrets are opened for it, if the settings name keys."""
    keys = repository.settings.secrets.by_environment()
    if not keys:
        return farm
    from reconciler.cli.hosts import FarmBook
    from reconciler.drivers.secrets import Keyring
    from reconciler.drivers.simulated.opening import OpeningFarm

    keyring, book = Keyring(keys), FarmBook(repository, SystemClock().monotonic)

    def reveal(host: str, sealed: SealedSecret) -> None:
        if described := book.hosts().get(host):
            keyring.reveal(described.environment, sealed)

    return OpeningFarm(farm, reveal)


def access_of(hosts: HostSettings) -> Access:
    """How the hosts are reached.

    Raises:
        SettingsError: the settings do not say.
    """
    if hosts.ssh_key is None or hosts.known_hosts is None:
        raise SettingsError("settings", [*hosts.missing(), _OTHER_WORLDS])
    return Access(
        hosts.ssh_key,
        hosts.known_hosts,
        user=hosts.user,
        port=hosts.port,
        connect_deadline=min(CONNECT_DEADLINE, hosts.deadline),
        deadline=hosts.deadline,
    )


def _blank(repository: Repository) -> SimulatedFarm:
    from reconciler.cli.blank import blank_farm
    from reconciler.drivers.simulated.farm import SimulatedFarm

    return SimulatedFarm(blank_farm(_documents(repository)))


def _documents(repository: Repository) -> Iterator[Documents]:
    """What the heads of the branches say, as far as they load."""
    for environment, head in repository.source.heads().items():
        try:
            yield repository.source.documents(environment, head)
        except ConfigError as error:
            remark(f"{environment} does not load, its hosts are left out: {error}")


def has_begun(repository: Repository, environment: str) -> bool:
    """Whether the journal of an environment has seen any of the world."""
    from reconciler.plan.inventory import scopes_in

    return bool(scopes_in(repository.journal(environment).read() or {}))


def _remembered(repository: Repository, environment: str) -> Surroundings:
    """The world as the journal saw it last."""
    from reconciler.plan.inventory import load_world, scopes_in

    journal = repository.journal(environment)
    files = journal.read() or {}
    world, seen = load_world(files), scopes_in(files)
    if not seen:
        raise Failure(
            f"the journal of {environment} has not seen any host yet; "
            f"run reconciler sync --environment {environment} first, or plan with --world empty"
        )
    record = journal.entries(1)[0]
    remark(f"the world is that of {record.time:%Y-%m-%d %H:%M} UTC ({record.subject})")

    told: set[Scope] = set()

    def look(scopes: Iterable[Scope], ports: Ports, questions: Questions) -> World:
        del ports, questions
        if new := sorted(set(scopes) - seen - told):
            told.update(new)
            names = ", ".join(map(str, new))
            remark(f"the journal has not seen {names} yet; taken for empty")
        return world

    return Surroundings(_blank(repository), look)
