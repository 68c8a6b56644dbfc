"""`reconciler run`: the loop, until it is told to stop."""

from __future__ import annotations

import logging
import os
import random
import sys
from contextlib import closing
from datetime import timedelta

import click

from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.herald import heralding
from reconciler.cli.keeper import Keeper
from reconciler.cli.lookout import Lookout
from reconciler.cli.releasing import Releasing
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.served import Served
from reconciler.cli.world import surroundings
from reconciler.daemon.clock import SystemClock
from reconciler.daemon.lock import state_lock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.run import run as run_loop
from reconciler.daemon.schedule import SchedulerAlarms, Timing
from reconciler.daemon.supervisor import Supervisor
from reconciler.daemon.watch import local_git_directory
from reconciler.errors import SourceError

_log = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=5)  # with a forge, when told to stop
_CHATTY = ("httpx", "httpcore")  # they tell of each request
_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"


@command("run")
@click.pass_obj
def run(given: Given) -> Exit:
    """Keep the farm as the branches say, until stopped.

    Looks when a branch moves, and at everything from time to time. SIGTERM and SIGINT let the step
    under way finish and stop; a second one stops at once. SIGHUP reads the settings again.
    """
    settings = settings_of(given)
    _start_log("debug" if given.verbose else settings.log_level)
    with state_lock(settings.state_directory), open_repository(settings) as repository:
        left = _serve(given, repository)
    return Exit.ERROR if left else Exit.SAME


def _serve(given: Given, repository: Repository) -> tuple[str, ...]:
    """Turn until stopped; gives the environments that did not stop in time."""
    settings = repository.settings
    try:
        repository.fetch()
    except SourceError as error:
        _log.warning("%s", error)
    environments = settings.environments
    around = surroundings(repository, environments[0])
    keeper = Keeper(repository, around, settings)
    chance = random.Random().random  # noqa: S311 - it only keeps retries out of step
    timing = Timing(SystemClock(), SchedulerAlarms(), chance)
    pace = Pace(poll=settings.interval, look=settings.full_look)
    loop = Loop(environments, keeper.look, keeper.poll, pace=pace, timing=timing)
    lookout = keeper.lookout = Lookout(loop, around.ports, around.events, timing)
    served = Served(settings, loop, timing.clock)

    def reload() -> None:
        new = settings_of(given)
        keeper.take_over(new)
        served.take_over(new)
        loop.change_pace(poll=new.interval, look=new.full_look)
        logging.getLogger().setLevel(new.log_level.upper())

    directory = local_git_directory(settings.repository.url)
    with closing(lookout), served, heralding(repository, PATIENCE) as herald:
        if herald is not None:
            keeper.preludes.append(herald.begins)
            keeper.followups.append(herald.ended)
        publish = herald.release if herald is not None else None
        keeper.followups.append(Releasing(repository, lambda: keeper.settings, publish))
        return run_loop(
            loop,
            reload=reload,
            supervisor=Supervisor.from_environment(os.environ),  # noqa: TID251 - systemd's way
            git_directories=[directory] if directory else [],
            work=f"{', '.join(environments)} of {repository.mirror.remote}",
        )


def _start_log(level: str) -> None:
    logging.basicConfig(stream=sys.stderr, level=level.upper(), format=_FORMAT, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
