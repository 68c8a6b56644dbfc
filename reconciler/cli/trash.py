"""`reconciler trash`: volumes that were taken out of use, how to get them back, and how not to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from reconciler.cli.bin import Bin, Trashed, look_into
from reconciler.cli.choices import environment_option
from reconciler.cli.command import HELP, Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option
from reconciler.cli.hosts import FarmBook
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import remark, screen
from reconciler.cli.world import surroundings
from reconciler.daemon.clock import SystemClock
from reconciler.model.quantity import format_duration
from reconciler.plan.show.escape import visible
from reconciler.plan.show.json import json_text
from reconciler.ports.world import Ports

_BACK = """\
Nothing names it yet: until a document does, the next sync moves it to the trash again. Merge the
document that names it now, or set suspend: true in the Environment document first."""

host_option = click.option("--host", metavar="HOST", help="Only what is on this host.")


@click.group("trash", context_settings={"help_option_names": HELP})
def trash() -> None:
    """Show volumes in the trash, get them back, or delete them."""


@command("list")
@environment_option
@host_option
@format_option(Format.TEXT, Format.JSON)
@click.pass_obj
def list_(given: Given, environment: str | None, host: str | None, form: Format) -> Exit:
    """Show what is in the trash, and how long still.

    Every host is asked. What has no mark of ours any more stays until somebody deletes it.
    """
    return _with_bin(given, environment, host, lambda found, _ports, kept: _show(found, kept, form))


@command("restore")
@click.argument("name")
@environment_option
@host_option
@click.pass_obj
def restore(given: Given, name: str, environment: str | None, host: str | None) -> Exit:
    """Take a volume out of the trash, with its data and under its old name.

    NAME is the name of the volume (web-1-data), its name on the host (production-web-1-data), or
    the one it has in the trash.
    """

    def act(found: Bin, ports: Ports, kept: timedelta) -> Exit:
        del kept
        (chosen,) = found.named([name])
        ports.hypervisor(chosen.host).restore_volume(chosen.pool, chosen.trash_name)
        place = f"pool {chosen.pool} of {chosen.host}"
        screen().say(f"{visible(chosen.name)} is back in {visible(place)}, with its data.")
        remark(_BACK)
        return Exit.SAME

    return _with_bin(given, environment, host, act)


@command("purge")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All that the other options leave.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@environment_option
@host_option
@click.pass_obj
def purge(
    given: Given,
    names: Sequence[str],
    everything: bool,
    yes: bool,
    environment: str | None,
    host: str | None,
) -> Exit:
    """Delete volumes of the trash for good. Their data is gone then.

    NAME is as for restore. Without this, volumes stay in the trash for the time that the settings
    say.
    """
    if bool(names) == everything:
        raise Failure("give the names of volumes, or --all")

    def act(found: Bin, ports: Ports, kept: timedelta) -> Exit:
        chosen = found.volumes if everything else found.named(names)
        if not chosen:
            remark("the trash is empty")
            return Exit.SAME
        _say(chosen, kept)
        if not yes:
            click.confirm(f"Delete {_count(chosen)} with all data?", abort=True, err=True)
        for each in chosen:
            ports.hypervisor(each.host).purge_volume(each.pool, each.trash_name)
        screen().say(f"{_count(chosen)} deleted.")
        return Exit.SAME

    return _with_bin(given, environment, host, act)


for _each in (list_, restore, purge):
    trash.add_command(_each)


def _with_bin(
    given: Given,
    environment: str | None,
    host: str | None,
    act: Callable[[Bin, Ports, timedelta], Exit],
) -> Exit:
    """Look into the trash and act on what is there. Hosts that do not answer are named."""
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        ports = surroundings(repository, environment or "").ports
        found = look_into(_hosts(repository, host), ports).of(environment)
        for name, reason in found.unknown.items():
            remark(f"{name} cannot be looked at: {reason}")
        done = act(found, ports, repository.settings.trash_kept)
    return Exit.ERROR if found.unknown and done is Exit.SAME else done


def _hosts(repository: Repository, wanted: str | None) -> list[str]:
    hosts = FarmBook(repository, SystemClock().monotonic).hosts()
    known = sorted(name for name, host in hosts.items() if host.guests)
    if wanted is None:
        return known
    if wanted not in known:
        described = ", ".join(known) or "none"
        raise Failure(f"no host with guests is called {wanted}; there are: {described}")
    return [wanted]


def _show(found: Bin, kept: timedelta, form: Format) -> Exit:
    if form is Format.JSON:
        listed = [_document(each, kept) for each in found.volumes]
        unknown = [{"host": name, "reason": why} for name, why in found.unknown.items()]
        click.echo(json_text({"trash": listed, "unknown": unknown}), nl=False)
    elif found.volumes:
        _say(found.volumes, kept)
    elif not found.unknown:
        remark("the trash is empty")
    return Exit.SAME


def _say(volumes: Sequence[Trashed], kept: timedelta) -> None:
    shown, now = screen(), SystemClock().now()
    for each in volumes:
        owner = f"{each.resource} of {each.environment}" if each.environment else "nobody's"
        shown.say(f"{visible(each.name)}  {visible(owner)}", "bold")
        shown.say(f"  in pool {visible(each.pool)} of {each.host}, as {visible(each.trash_name)}")
        shown.say(f"  since {each.since:%Y-%m-%d %H:%M} UTC, {_left(each, kept, now)}")


def _left(each: Trashed, kept: timedelta, now: datetime) -> str:
    until = each.until(kept)
    if until is None:
        return "kept until somebody deletes it: reconciler trash purge"
    left = timedelta(minutes=max((until - now) // timedelta(minutes=1), 0))
    if not left:
        return "deleted at the next tidying up"
    if left >= timedelta(days=2):
        left = timedelta(days=left.days)
    return f"deleted in {format_duration(left)}"


def _document(each: Trashed, kept: timedelta) -> dict[str, Any]:
    until = each.until(kept)
    return {
        "name": each.name,
        "host": each.host,
        "pool": each.pool,
        "trashName": each.trash_name,
        "environment": each.environment,
        "resource": each.resource,
        "since": each.since.isoformat(),
        "until": until.isoformat() if until else None,
    }


def _count(volumes: Sequence[Trashed]) -> str:
    return f"{len(volumes)} volume{'' if len(volumes) == 1 else 's'}"
