"""`reconciler doctor`: is the ground sound that everything stands on, and if not, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import click

from reconciler.cli.checkup import (
    complain,
    host_findings,
    local_answers,
    look_at_settings,
    repository_answers,
    server_findings,
)
from reconciler.cli.choices import environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option
from reconciler.cli.hosts import FarmBook
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.config.described import DescribedServer
from reconciler.config.documents import Host
from reconciler.daemon.clock import SystemClock
from reconciler.errors import SettingsError, SourceError
from reconciler.plan.checkup.finding import Finding, Level, is_sound
from reconciler.plan.checkup.show import checkup_document, checkup_lines
from reconciler.plan.show.json import json_text

STYLES: Mapping[Level | None, str] = {
    None: "bold",
    Level.OK: "",
    Level.WARN: "yellow",
    Level.BAD: "bold red",
}


@command("doctor")
@environment_option
@click.option("--host", metavar="NAME", help="Only this host.")
@format_option(Format.TEXT, Format.JSON)
@click.pass_obj
def doctor(given: Given, environment: str | None, host: str | None, form: Format) -> Exit:
    """See whether settings, repository, hosts and name servers are sound.

    Of what is not, it says what that means and what to do. Nothing is changed anywhere. All hosts
    are looked at side by side. Exits with 1 if something is in the way of a sync.
    """
    found = list(_findings(given, environment, host))
    write_findings(found, form)
    return Exit.SAME if is_sound(found) else Exit.ERROR


def write_findings(findings: Iterable[Finding], form: Format) -> None:
    """Write findings to standard output."""
    found = list(findings)
    if form is Format.JSON:
        click.echo(json_text(checkup_document(found)), nl=False)
        return
    shown = screen()
    for line, level in checkup_lines(found):
        shown.say(line, STYLES[level])


def described(repository: Repository, environment: str | None, host: str | None) -> dict[str, Host]:
    """The hosts that are meant, as their branches describe them.

    Raises:
        Failure: no branch describes the host.
    """
    known = FarmBook(repository, SystemClock().monotonic).hosts()
    if host is not None and host not in known:
        raise Failure(
            f"no Host document describes {host}; there are: {', '.join(sorted(known)) or 'none'}"
        )
    return {
        name: each
        for name, each in known.items()
        if host in {None, name} and environment in {None, each.environment}
    }


def _findings(given: Given, environment: str | None, host: str | None) -> Iterable[Finding]:
    try:
        settings = settings_of(given)
    except SettingsError as error:
        yield from complain(given, error)
        return
    local = list(local_answers(settings))
    with open_repository(settings) as repository:
        answers = [*local, *repository_answers(repository)]
        yield from look_at_settings(given, answers)
        try:
            hosts = described(repository, environment, host)
        except SourceError:
            return  # which the findings have said already
        if settings.farm.kind == "real" and not settings.hosts.missing():
            yield from host_findings(hosts, settings)
            if host is None:
                yield from server_findings(*_servers(repository, environment), settings)


def _servers(
    repository: Repository, environment: str | None
) -> tuple[Mapping[str, DescribedServer], Mapping[str, Host]]:
    """The name servers that are meant, and all hosts: they may be on any."""
    book = FarmBook(repository, SystemClock().monotonic)
    servers = book.nameservers().items()
    meant = {name: each for name, each in servers if environment in {None, each.environment}}
    return meant, book.hosts()
