"""A fake forge of a kind, and the product's driver of it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.config.forge_settings import ForgeSettings
from reconciler.gitops.forges.open import open_forge
from reconciler.gitops.forges.port import Forge
from tests.forges import gitea_shapes, github_shapes, gitlab_shapes
from tests.forges.fake import FakeForge
from tests.forges.project import TOKEN, Project

APIS = {
    "github": github_shapes.API,
    "gitlab": gitlab_shapes.API,
    "gitea": gitea_shapes.API,
    "forgejo": gitea_shapes.API,
}
KINDS = tuple(APIS)


@contextmanager
def serving(
    kind: str, project: Project | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[FakeForge]:
    with FakeForge(kind, APIS[kind], project or Project(), tls).serving() as fake:
        yield fake


def token_file(directory: Path, token: str = TOKEN) -> Path:
    file = directory / "token"
    file.write_text(f"{token}\n", "ascii")
    file.chmod(0o600)
    return file


def settings_for(fake: FakeForge, token: Path, **more: object) -> ForgeSettings:
    values = {"kind": fake.kind, "url": fake.url, "project": "acme/farm", "token_file": token}
    return ForgeSettings.model_validate({**values, **more})


def opened(
    fake: FakeForge,
    directory: Path,
    *,
    monotonic: Callable[[], float],
    deadline: str = "20s",
) -> Forge:
    settings = settings_for(fake, token_file(directory), deadline=deadline)
    forge = open_forge(settings, monotonic)
    assert forge is not None
    return forge
