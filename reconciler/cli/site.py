"""What a run stands on, put together from the settings and the command line."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.cli.repository import Repository, pause
from reconciler.cli.world import Surroundings
from reconciler.config.settings import PolicyFloor, Settings
from reconciler.daemon.clock import SystemClock
from reconciler.engine.apply import Reporter
from reconciler.model.change import Disruption
from reconciler.plan.policy import Policy
from reconciler.reconcile import Site


def site_of(
    repository: Repository,
    around: Surroundings,
    *,
    reporter: Reporter | None = None,
    settings: Callable[[], Settings] | None = None,
) -> Site:
    """A site. `settings` gives those in force, where they may change meanwhile."""
    current = settings or (lambda: repository.settings)
    return Site(
        source=repository.source,
        chronicle=repository.chronicle,
        ports=around.ports,
        observe=around.observe,
        now=SystemClock().now,
        monotonic=SystemClock().monotonic,
        sleep=pause,
        floors=lambda environment: floor_of(current().policy.floor(environment)),
        reporter=reporter,
    )


def floor_of(written: PolicyFloor) -> Policy:
    """The operator's rules as a policy."""
    return Policy(
        prune=written.prune,
        drift=written.drift,
        max_disruption=Disruption.of(written.max_disruption),
        machines_percent=written.max_deletions.machines_percent,
        records_percent=written.max_deletions.records_percent,
        suspend=written.suspend,
    )
