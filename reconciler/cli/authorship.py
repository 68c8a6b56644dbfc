"""In whose name the program commits to branches of people."""

from __future__ import annotations

from reconciler.config.settings import Settings
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.merging import Maker
from reconciler.gitops.signing import SigningKey
from reconciler.gitops.stream import Identity


def maker_of(settings: Settings) -> Maker:
    """Who commits, as of now; signed, if the settings name a key."""
    return Maker(identity_of(settings), SystemClock().now(), key_of(settings))


def identity_of(settings: Settings) -> Identity:
    """The name and address of who commits."""
    return Identity(settings.journal.name, settings.journal.email)


def key_of(settings: Settings) -> SigningKey | None:
    """The key that signs; None if the settings name none."""
    return SigningKey(settings.commits.signing_key) if settings.commits.signing_key else None
