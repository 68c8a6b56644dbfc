"""A receiver of webhooks for tests: all kinds at once, and a count of what it asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.config.hook_settings import HookSettings
from reconciler.daemon.clock import ManualClock
from reconciler.web.app import Standing, Web
from reconciler.web.body import Bodies
from reconciler.web.connections import Bounds
from reconciler.web.hooks import hooks_of
from reconciler.web.server import serving
from tests.webhooks.asgi import Reply, request
from tests.webhooks.senders import KINDS, Post, Sample, secret_of, signed


def settings_of(directory: Path, **more: Any) -> dict[str, HookSettings]:
    """A webhook of each kind, under the name of the kind."""
    made = {}
    for kind in KINDS:
        file = directory / f"{kind}.secret"
        file.write_text(secret_of(kind) + "\n", encoding="utf-8")
        file.chmod(0o600)
        made[kind] = HookSettings.model_validate({"kind": kind, "secret_file": file, **more})
    return made


@dataclass
class Receiver:
    """What is asked of the repository is counted."""

    settings: Mapping[str, HookSettings]
    bodies: Bodies = field(default_factory=Bodies)
    clock: ManualClock = field(default_factory=ManualClock)
    asked: int = 0
    opening: int = 0
    is_well: bool = True
    is_ready: bool = True

    def __post_init__(self) -> None:
        standing = Standing(lambda: self.is_well, lambda: self.is_ready)
        hooks = hooks_of(self.settings)
        self.web = Web(hooks, self._ask, standing, self.clock, self.bodies)
        self.app = self.web.app()

    def _ask(self, may_open_gates: bool) -> None:
        self.asked += 1
        self.opening += may_open_gates

    def post(self, post: Post, name: str) -> int:
        """The status that a delivery is answered with."""
        return self.request("POST", f"/hooks/{name}", post.headers, (post.body,)).status

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        parts: Iterable[bytes] = (b"",),
    ) -> Reply:
        """Any request at all."""
        return request(self.app, method, path, headers, parts)

    def send(self, sample: Sample, delivery: str = "d-1", **how: Any) -> int:
        """Sign and deliver to the webhook of the sample's own kind."""
        return self.post(signed(sample, delivery, **how), sample.kind)

    @contextmanager
    def listening(self, listen: str = "127.0.0.1:0", bounds: Bounds = Bounds()) -> Iterator[str]:
        """The same behind a real socket; gives its address."""
        with serving(listen, self.app, bounds) as where:
            yield where
