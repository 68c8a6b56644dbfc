"""In whose name the program commits to branches of people."""

from __future__ import annotations

from reconciler.config.settings import Settings
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.merging import Maker
from reconciler.gitops.signing import SigningKey
from reconciler.gitops.stream import Identity


def maker_of(settings: Settings) -> Maker:
    """Who commits, as of now; signed, if the settings name a key."""
    identity = Identity(settings.journal.name, settings.journal.email)
    key = SigningKey(settings.commits.signing_key) if settings.commits.signing_key else None
    return Maker(identity, SystemClock().now(), key)
