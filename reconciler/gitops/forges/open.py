"""From settings to a forge: the one place that knows which kinds there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from reconciler.config.forge_settings import ForgeSettings
from reconciler.errors import SettingsError
from reconciler.gitops.forges.port import Forge

_log = logging.getLogger(__name__)


def open_forge(
    settings: ForgeSettings | None,
    monotonic: Callable[[], float],
    *,
    token_file: Path | None = None,
) -> Forge | None:
    """The forge of the settings, or None, with one line of log, if it cannot be used.

    Nothing is asked of it yet. `token_file` is read instead of the one that the settings name.
    """
    if settings is None:
        return None
    try:
        if (file := token_file or settings.token_file) is None:
            raise SettingsError("forge", ["token_file is not set"])
        return _opened(settings, file, monotonic)
    except SettingsError as error:
        _log.warning("%s; the forge is told nothing, and nothing is asked of it", error)
        return None


def _opened(settings: ForgeSettings, file: Path, monotonic: Callable[[], float]) -> Forge:
    # Most do without a forge, and what talks http takes a while to load.
    from reconciler.gitops.forges import gitea, github, gitlab
    from reconciler.gitops.forges.client import Client, Headers
    from reconciler.gitops.forges.token import TokenFile

    kinds: dict[str, tuple[Callable[[Client, str], Forge], Headers]] = {
        "github": (github.GitHub, github.headers),
        "gitlab": (gitlab.GitLab, gitlab.headers),
        "gitea": (gitea.Gitea, gitea.headers),
        "forgejo": (gitea.Gitea, gitea.headers),
    }
    make, headers = kinds[settings.kind]
    client = Client(
        settings.api,
        TokenFile(file).read,
        headers,
        monotonic=monotonic,
        deadline=settings.deadline,
        ca_file=settings.ca_file,
    )
    return make(client, settings.project)
