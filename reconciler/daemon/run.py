"""`reconciler run`: the loop with everything around it, until it is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from reconciler.daemon.loop import Loop
from reconciler.daemon.signals import on_signals
from reconciler.daemon.slots import Reason
from reconciler.daemon.supervisor import Supervisor
from reconciler.daemon.watch import watching
from reconciler.errors import ReconcilerError

_log = logging.getLogger(__name__)


def run(
    loop: Loop,
    *,
    reload: Callable[[], None],
    supervisor: Supervisor,
    git_directories: Iterable[Path] = (),
    work: str = "",
) -> tuple[str, ...]:
    """Run the loop until SIGTERM or SIGINT; SIGHUP calls `reload`. Main thread only.

    `reload` reads the settings again and puts them in force, or raises and leaves the old ones.
    `work` says for the log what is looked after; once it is said, signals are heeded.

    Returns:
        The environments whose turn did not finish in time after the signal; none, normally.
    """

    def stop() -> None:
        supervisor.stopping()
        loop.stop()

    def take_over() -> None:
        try:
            reload()
        except ReconcilerError as error:
            _log.error("the old settings stay in force: %s", error)
            return
        _log.info("the new settings are in force")
        loop.wake_all(Reason.MANUAL)

    with on_signals(stop, take_over), watching(git_directories, loop.poll_now):
        supervisor.ready()
        _log.info("looking after %s", work)
        return loop.run(supervisor.alive)
