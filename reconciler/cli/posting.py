"""Telling a forge what a review found. What cannot be told is said here, and fails nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.cli.terminal import remark
from reconciler.cli.verdict import Verdict
from reconciler.config.forge_settings import ForgeSettings
from reconciler.config.settings import Settings
from reconciler.daemon.clock import SystemClock
from reconciler.errors import DriverError, SettingsError
from reconciler.gitops.forges.port import CommitStatus, Forge
from reconciler.plan.show.misfit import misfits

MARKER = "reconciler:review"


@dataclass(frozen=True, slots=True)
class ForgeOptions:
    """What the command line says of the forge, instead of the settings; None is not said."""

    kind: str | None = None
    url: str | None = None
    project: str | None = None
    token_file: Path | None = None


def forge_of(settings: Settings, options: ForgeOptions) -> Forge | None:
    """The forge to tell, or None with a remark that nobody is told.

    Raises:
        SettingsError: the options do not hold together.
    """
    from reconciler.gitops.forges.open import open_forge

    written = _written(settings.forge, options)
    token_file = options.token_file or (written.token_file if written else None)
    if written is None:
        remark("no forge is named (--forge, or forge: in the settings): nothing is posted")
        return None
    if token_file is None:
        remark("there is no token for the forge (--forge-token-file): nothing is posted")
        return None
    return open_forge(written, SystemClock().monotonic, token_file=token_file)


def tell(forge: Forge, head: str, number: int | None, verdict: Verdict) -> bool:
    """Post the commit status and the comment of a verdict; False if not both could be posted."""
    status = CommitStatus(verdict.context, verdict.state, verdict.headline)
    said = _try("commit status", lambda: forge.set_status(head, status))
    if number is None:
        return said
    return _try("comment", lambda: forge.comment(number, MARKER, verdict.page)) and said


def _written(settings: ForgeSettings | None, options: ForgeOptions) -> ForgeSettings | None:
    given: dict[str, Any] = {
        name: value
        for name, value in (
            ("kind", options.kind),
            ("url", options.url),
            ("project", options.project),
        )
        if value is not None
    }
    if not given:
        return settings
    try:
        written = ForgeSettings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("the options --forge…", [misfits(error)]) from error
    if settings is None:
        return written
    kept = {"ca_file": settings.ca_file, "deadline": settings.deadline}
    return written.model_copy(update=kept)


def _try(what: str, deed: Callable[[], object]) -> bool:
    try:
        deed()
    except DriverError as error:
        remark(f"the {what} could not be posted: {error}")
        return False
    return True
