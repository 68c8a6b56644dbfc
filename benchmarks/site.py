"""What a run needs beside the farm: the repository, the record of what happened, and the time."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from reconciler.gitops.branches import DEFAULT_PATTERNS
from reconciler.gitops.chronicle import Chronicle
from reconciler.gitops.journal import Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import Retry
from reconciler.gitops.source import ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.plan.policy import Policy
from reconciler.ports.world import Ports
from reconciler.reconcile import Site


def site_of(work: Path, directory: Path, ports: Ports) -> Site:
    """A site for the repository `work`, mirrored in the directory."""
    mirror = Mirror(str(work), directory / "mirror")
    identity = Identity("bench", "bench@farm.internal")
    retry = Retry(time.sleep, random.Random(1))

    def now() -> datetime:
        return datetime.now(UTC)

    return Site(
        source=ConfigSource(mirror, DEFAULT_PATTERNS),
        chronicle=Chronicle(
            cache(lambda name: Journal(mirror, name, identity, now, retry)),
            cache(lambda name: Notes(mirror, name, identity, now, retry)),
            now,
        ),
        ports=ports,
        now=now,
        monotonic=time.monotonic,
        sleep=time.sleep,
        floors=lambda _: Policy(),
    )
