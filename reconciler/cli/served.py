"""What `run` serves beside the loop: the webhooks of the settings in force, if anything listens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Self

from reconciler.config.hook_settings import HookSettings
from reconciler.config.settings import Settings
from reconciler.daemon.clock import Clock
from reconciler.daemon.loop import Loop
from reconciler.daemon.slots import Reason
from reconciler.errors import SettingsError
from reconciler.plan.checkup.observation import Answer

_log = logging.getLogger(__name__)


def webhook_answers(settings: Settings) -> Iterator[Answer]:
    """Whether each webhook of the settings is there, and anything listens for it."""
    if settings.hooks and settings.listen is None:
        problem = "webhooks are described, but nothing listens, so only the poll sees pushes"
        yield Answer("webhooks", problem, problem, "set listen", is_minor=True)
    for name, hook in sorted(settings.hooks.items()):
        yield _webhook_answer(name, hook)


def _webhook_answer(name: str, hook: HookSettings) -> Answer:
    from reconciler.web.secrets import read_keys

    try:
        keys = read_keys(hook)
    except SettingsError as error:
        remedy = "put a secret into the file, and the same one into the settings of the sender"
        problem = f"there is no POST /hooks/{name}: {error}"
        return Answer(f"webhook {name}", problem, problem, remedy, is_minor=True)
    secrets = f"{len(keys)} secrets" if len(keys) > 1 else "1 secret"
    return Answer(f"webhook {name}", f"{hook.kind}, {secrets}")


class Served:
    """Serves while inside; without `listen` in the settings it does nothing at all."""

    def __init__(self, settings: Settings, loop: Loop, clock: Clock) -> None:
        """Nothing is bound or read yet."""
        self._settings = settings
        self._loop = loop
        self._clock = clock
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            SettingsError: nobody can listen there, and why.
        """
        listen, hooks = self._settings.listen, self._settings.hooks
        if listen is None:
            if hooks:
                _log.warning("hooks are configured, but nothing listens; set listen")
            return self
        # It takes 0.2 s to import, and most do without.
        from reconciler.web.app import Standing, Web
        from reconciler.web.hooks import hooks_of
        from reconciler.web.server import serving

        standing = Standing(lambda: self._loop.health().well, self._is_ready)
        self._web = Web(hooks_of(hooks), self._ask, standing, self._clock)
        where = self._stack.enter_context(serving(listen, self._web.app()))
        named = ", ".join(sorted(self._web.hooks)) or "none"
        _log.info("listening at %s, webhooks: %s", where, named)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Listen no more."""
        self._stack.close()

    def take_over(self, new: Settings) -> None:
        """Read the webhooks and their secrets again. Where to listen is left as it was."""
        if self._settings.listen is None:
            return
        from reconciler.web.hooks import hooks_of

        self._web.hooks = hooks_of(new.hooks, self._web.hooks)

    def _ask(self, may_open_gates: bool) -> None:
        """Ask the repository. No branch moves by a tag or an approval, so all are looked at."""
        self._loop.poll_now()
        if may_open_gates:
            self._loop.wake_all(Reason.PUSH)

    def _is_ready(self) -> bool:
        """Whether each environment was looked at once since the start, and we go on."""
        slots = self._loop.health().slots
        turned = {slot.name for slot in slots if slot.last_turn_monotonic is not None}
        return not self._loop.stopping.is_set() and turned.issuperset(self._loop.environments)
