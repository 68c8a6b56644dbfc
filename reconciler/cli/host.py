"""`reconciler host`: from a bare server to a host that sync can take over."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.command import Failure, Given, command
from reconciler.cli.doctor import described
from reconciler.cli.exits import Exit
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.config.documents import Host
from reconciler.config.settings import Settings
from reconciler.config.settings_file import check_private
from reconciler.errors import SettingsError
from reconciler.render.bootstrap.fresh import fresh_steps
from reconciler.render.bootstrap.rescue import rescue_steps
from reconciler.render.bootstrap.step import Step, shown, spelled_out


@click.group("host")
def host() -> None:
    """Make a bare server a host that sync can take over."""


@command("bootstrap")
@click.argument("name")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The password that the machine has now, on the first line. Else it is asked for.",
)
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A private key that the machine lets in now.",
)
@click.option("--rescue", is_flag=True, help="It runs a rescue system; install it as declared.")
@click.option(
    "--host-key", metavar="SHA256:...", help="Its fingerprint, compared before; else it is asked."
)
@click.option(
    "--yes-i-typed", metavar="NAME", help="The host's name once more: data may be destroyed."
)
@click.option("--dry-run", is_flag=True, help="Only show all that would be run and written.")
@click.pass_obj
def bootstrap(
    given: Given,
    name: str,
    password_file: Path | None,
    key: Path | None,
    rescue: bool,
    host_key: str | None,
    yes_i_typed: str | None,
    dry_run: bool,
) -> Exit:
    """Bring a fresh Debian or Ubuntu, or a rescue system, to where sync takes over.

    NAME is that of its Host document. The steps are shown first. What is done already is not done
    again, so that a bootstrap that was interrupted goes on where it was.
    """
    if password_file and key:
        raise Failure("give --password-file or --key, not both")
    for file in (password_file, key):
        if file is not None and file.is_file() and (problem := check_private(file)):
            raise Failure(f"{file} is a secret: {problem}")
    settings = settings_of(given)
    with open_repository(settings) as repository:
        repository.try_fetch()
        wanted = described(repository, None, name)[name]
        steps = steps_for(wanted, settings, rescue=rescue)
        for line in spelled_out(steps) if dry_run else shown(steps):
            screen().say(line)
        if dry_run:
            return Exit.SAME
        from reconciler.cli.bootstrap import Answers, Bootstrap

        answers = Answers(password_file, key, host_key, yes_i_typed)
        with Bootstrap.begin(repository, wanted, answers, rescue=rescue) as work:
            return Exit.SAME if work.run(steps) else Exit.ERROR


host.add_command(bootstrap)


def steps_for(wanted: Host, settings: Settings, *, rescue: bool) -> tuple[Step, ...]:
    """The steps for a host as its document describes it.

    Raises:
        Failure: there is nothing to install in a rescue system.
        SettingsError: there is no key of ours.
    """
    from reconciler.cli.world import access_of
    from reconciler.drivers.ssh.trial import public_line

    if settings.hosts.missing():
        raise SettingsError("settings", settings.hosts.missing())
    line = public_line(access_of(settings.hosts))
    if not rescue:
        return fresh_steps(line, wanted.install, guests=wanted.guests)
    if wanted.install is None:
        raise Failure(
            f"the Host document of {wanted.name} has no install: that says which image goes on "
            "which disks; see docs/bootstrap.md"
        )
    hostname = wanted.hostname or wanted.name
    return rescue_steps(wanted.name, hostname, wanted.install, line, guests=wanted.guests)
