"""A whole site for stories: a remote, the example farm on a simulated farm, and turns over them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import Domain, FarmState, Host, Pool, Server
from reconciler.gitops.branches import DEFAULT_PATTERNS
from reconciler.gitops.chronicle import Chronicle
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.rollback import Rollbacks
from reconciler.gitops.journal import Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import Retry
from reconciler.gitops.report import Report
from reconciler.gitops.source import ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.model.change import Disruption
from reconciler.plan.policy import Policy
from reconciler.plan.show.status import Status
from reconciler.reconcile import Site, turn
from tests.remotes.origin import NOON, Origin

EXAMPLE = Path(__file__).parents[2] / "example-repo"
ENVIRONMENTS = ("development", "staging", "production")
GIB = 1 << 30
MOST_TOLERANT = Policy(
    max_disruption=Disruption.DATA_LOSS, machines_percent=100, records_percent=100
)


class Clock:
    """Stands still until it is told otherwise; sleeping moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(days=1, seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def example_files() -> dict[str, bytes]:
    """The example farm, by path."""
    files = (path for path in EXAMPLE.rglob("*") if path.is_file())
    return {str(path.relative_to(EXAMPLE)): path.read_bytes() for path in files}


def example_hosts() -> FarmState:
    """The example's hosts, empty."""
    bridges = ("br-lan", "br-stg", "br-dev")
    pools = {"default": Pool(1 << 42, target="/var/lib/libvirt/images")}
    host = Host(memory_bytes=64 * GIB, cpus=64, bridges=bridges, pools=pools)
    hosts = {f"virt{number}": host for number in (1, 2, 3)}
    hosts |= {f"ns-{number}": Host(memory_bytes=GIB, cpus=1) for number in (1, 2, 3)}
    return FarmState(hosts=hosts, nameservers={"ns": Server()})


class Scene:
    """The remote, the farm and the reconciler; `restart` forgets all that is not on disk."""

    def __init__(self, root: Path, farm: SimulatedFarm | None = None) -> None:
        self.root = root
        self.clock = Clock()
        self.origin = Origin(root / "origin.git")
        self.farm = farm or SimulatedFarm(example_hosts())
        first = self.origin.commit("production", example_files(), message="Describe the farm")
        for branch in ("staging", "development"):
            self.origin.git("branch", branch, first)
        self.site = site(root, self.origin.url, self.farm, self.clock)

    def restart(self) -> None:
        """A new process on the same disk."""
        self.site.source.mirror.close()
        self.site = site(self.root, self.origin.url, self.farm, self.clock)

    def sync(self, environment: str = "production", *, accept_history: bool = False) -> Report:
        """Fetch, and one turn."""
        self.site.source.refresh()
        return turn(environment, self.site, accept_history=accept_history)

    def keep(self, environment: str = "production") -> Report:
        """One turn without fetching."""
        return turn(environment, self.site)

    def status(self, environment: str = "production") -> Status:
        return self.site.chronicle.recall(environment)

    def events(self, environment: str = "production") -> list[str]:
        """The first words of the journal's pushed commits, oldest first."""
        subjects = self.origin.messages(f"refs/heads/reconciler/{environment}")
        return [subject.partition("(")[0] for subject in subjects]

    def domain(self, name: str) -> tuple[str, Domain]:
        """The host and the state of a domain, by its name on the host."""
        found = {
            host: each.domains[name]
            for host, each in self.farm.state.hosts.items()
            if name in each.domains
        }
        [(host, domain)] = found.items()
        return host, domain


def site(root: Path, url: str, farm: SimulatedFarm, clock: Clock) -> Site:
    """A site whose clock stands still."""
    mirror = Mirror(url, root / "mirror")
    identity = Identity("reconciler", "reconciler@farm.internal")
    retry = Retry(clock.sleep, random.Random(1))
    source = ConfigSource(mirror, DEFAULT_PATTERNS)
    return Site(
        source=source,
        chronicle=Chronicle(
            lambda name: Journal(mirror, name, identity, clock.now, retry),
            lambda name: Notes(mirror, name, identity, clock.now, retry),
            clock.now,
        ),
        ports=farm,
        now=clock.now,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
        floors=lambda _: MOST_TOLERANT,
        rollbacks=BackMerges(Rollbacks(source, identity)),
    )
