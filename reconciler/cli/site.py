"""What a run stands on, put together from the settings and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.cli.authorship import identity_of, key_of
from reconciler.cli.repository import Repository, pause
from reconciler.cli.world import Surroundings
from reconciler.config.settings import PolicyFloor, Settings
from reconciler.daemon.clock import SystemClock
from reconciler.engine.apply import Reporter
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.rollback import Rollbacks
from reconciler.gitops.gates.evidence import Witness
from reconciler.gitops.gates.gatekeeper import Gatekeeper
from reconciler.gitops.gates.keyring import Keys
from reconciler.gitops.gates.signatures import Signatures
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
    keeper = gatekeeper_of(repository, current)
    return Site(
        source=repository.source,
        chronicle=replace(repository.chronicle, verified=keeper.said),
        gates=keeper.closed,
        ports=around.ports,
        observe=around.observe,
        now=SystemClock().now,
        monotonic=SystemClock().monotonic,
        sleep=pause,
        floors=lambda environment: floor_of(current().policy.floor(environment)),
        reporter=reporter,
        rollbacks=back_merges_of(repository),
    )


def back_merges_of(repository: Repository) -> BackMerges:
    """What makes rollbacks and merges them back, in the name and with the key of the settings."""
    settings = repository.settings
    rollbacks = Rollbacks(repository.source, identity_of(settings), key_of(settings))
    return BackMerges(rollbacks, repository.forge)


def gatekeeper_of(repository: Repository, current: Callable[[], Settings]) -> Gatekeeper:
    """Who asks the gates. The keys are read anew each time: nobody restarts to revoke one."""
    clock = SystemClock()

    def keys() -> Keys:
        signers = current().signers
        return Keys.read(signers.ssh, signers.gpg, signers.revoked)

    directory = repository.settings.state_directory / "signers"
    return Gatekeeper(
        Witness(
            repository.source,
            repository.chronicle,
            Signatures(git=repository.mirror.git, keys=keys, directory=directory),
            lambda: repository.forge,
            clock.now,
        ),
        lambda environment: current().gates.floor(environment),  # noqa: PLW0108 - they change
        clock.now,
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
        rollback_after=written.rollback_after,
    )
