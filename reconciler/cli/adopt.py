"""`reconciler adopt`: documents for what runs on a host already, and for zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.adopt_zone import zone
from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import HELP, Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.worktree import write_files
from reconciler.cli.world import surroundings
from reconciler.config.check_addresses import lacking_machines
from reconciler.config.documents import Host
from reconciler.config.load import environments_of, load
from reconciler.config.repository import Documents
from reconciler.config.rewrite import document_text, with_items
from reconciler.gitops.directory import DirectoryTree
from reconciler.kinds.domain import DomainKind, DomainSpec
from reconciler.kinds.volume import VolumeKind
from reconciler.model.address import Scope
from reconciler.plan.show.escape import visible
from reconciler.ports.world import Ports
from reconciler.render.adoption import (
    Adoption,
    Plug,
    Surveyed,
    adopt_machine,
    document_name,
    missing_pools,
    new_networks,
)

Files = dict[str, str]
MACHINES = "machines"
_NEXT = """
Look at what was written, commit it, and merge it: the next sync marks these machines as ours and
changes nothing else. `reconciler plan` shows no change for them."""


class _Adopt(click.Group):
    """What comes after `adopt` is a machine unless it is the name of a subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Go on with machines where no subcommand is named."""
        if args and args[0] not in {*self.commands, *HELP}:
            args = [MACHINES, *args]
        return super().parse_args(ctx, args)


@click.group("adopt", cls=_Adopt, context_settings={"help_option_names": HELP})
def adopt() -> None:
    """Write documents for machines on a host, or for a zone.

    `reconciler adopt --host HOST` is `reconciler adopt machines --host HOST`.
    """


@command(MACHINES)
@click.argument("machines", nargs=-1, metavar="[MACHINE[=NAME]]...")
@click.option("--host", "host_name", required=True, metavar="HOST", help="The host to look at.")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The work tree of the config repository. Default: the current directory.",
)
@environment_option
@click.pass_obj
def machines_(
    given: Given, machines: Sequence[str], host_name: str, into: Path, environment: str | None
) -> Exit:
    """Write documents for the machines on a host that are nobody's yet.

    MACHINE is a name on the host; without one, all of them. NAME is the name the machine gets, else
    the same. Nothing on the host is changed, and no file that is there is overwritten: pools are
    added to the document of the host, with comments kept.
    """
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        name = environment_of(repository, environment)
        tree = DirectoryTree(into)
        if name not in environments_of(tree):
            raise Failure(f"{into} holds no environments/{name}; name the work tree with --into")
        documents = load(tree, name)
        host = documents.hosts.get(host_name)
        if host is None:
            known = ", ".join(sorted(documents.hosts)) or "none"
            raise Failure(f"no Host document describes {host_name}; there are: {known}")
        if not host.guests:
            raise Failure(f"host {host_name} runs no machines: its document says `guests: false`")
        ports = surroundings(repository, name).ports
        chosen = _chosen(_strangers(host_name, ports), machines, name)
        if taken := sorted(chosen.keys() & documents.machines.keys()):
            raise Failure(f"{name} has {', '.join(taken)} already; say MACHINE=NAME")
        adoptions, files = _documents_for(chosen, host, documents, ports, into)
    _write(into, files, name)
    _tell_lacking(load(DirectoryTree(into), name, may_lack_addresses=True), adoptions)
    return _tell(adoptions, sorted(files))


adopt.add_command(machines_)
adopt.add_command(zone)


def _strangers(host: str, ports: Ports) -> dict[str, DomainSpec]:
    """The machines of the host that are nobody's, by their name there."""
    seen = DomainKind().observe(Scope("host", host), ports)
    return {each.spec.libvirt_name: each.spec for each in seen if each.owner is None}


def _chosen(
    strangers: Mapping[str, DomainSpec], wanted: Sequence[str], environment: str
) -> dict[str, DomainSpec]:
    """The machines to adopt, by the name each gets.

    Raises:
        Failure: there is none of a name, or two would get one name.
    """
    pairs = [each.partition("=")[::2] for each in wanted] or [(each, "") for each in strangers]
    if unknown := sorted({theirs for theirs, _ in pairs} - strangers.keys()):
        free = ", ".join(sorted(strangers)) or "none"
        raise Failure(f"no machine of nobody's is called {', '.join(unknown)}; there are: {free}")
    chosen: dict[str, DomainSpec] = {}
    for theirs, ours in pairs:
        name = ours or document_name(theirs, environment)
        if name in chosen:
            taken = chosen[name].libvirt_name
            raise Failure(f"{taken} and {theirs} would both be {name}; say {theirs}=NAME")
        chosen[name] = strangers[theirs]
    return chosen


def _documents_for(
    chosen: Mapping[str, DomainSpec], host: Host, documents: Documents, ports: Ports, root: Path
) -> tuple[tuple[Adoption, ...], Files]:
    """What becomes of each machine, and the texts of the files to write."""
    hypervisor = ports.hypervisor(host.name)
    seen = VolumeKind().observe(Scope("host", host.name), ports)
    volumes = {(each.spec.pool, each.spec.name): each.spec for each in seen}
    plugs = tuple(Plug.of(network) for network in documents.networks.values())
    networks = new_networks(chosen.values(), hypervisor.networks(), plugs)
    plugs += tuple(Plug(each["name"], each["bridge"], each["switch"]) for each in networks)
    farm = documents.farm
    surveyed = Surveyed(host, volumes, plugs, farm.defaults, farm.cpu_models.get(host.group or ""))
    adoptions = tuple(adopt_machine(name, spec, surveyed) for name, spec in chosen.items())
    place = f"environments/{documents.environment}"
    files = {f"{place}/networks/{each['name']}.yaml": document_text(each) for each in networks}
    for each in adoptions:
        if not each.reasons:
            files[f"{place}/vms/{each.machine}.yaml"] = document_text(each.document)
    if pools := missing_pools(host, hypervisor.pools()):
        file = documents.position("Host", host.name).file
        text = (root / file).read_text(encoding="utf-8")
        files[file] = with_items(text, "Host", host.name, "pools", pools)
    return adoptions, files


def _write(root: Path, files: Files, environment: str) -> None:
    """Write all the files, or none if the repository would not load with them.

    Machines may lack addresses for now: only people know which each has.

    Raises:
        Failure: a new file is there already.
        ConfigError: what the repository would have against it.
    """
    if there := sorted(path for path in files if "/vms/" in path and (root / path).exists()):
        raise Failure(f"{', '.join(there)}: there already; remove it, or say MACHINE=NAME")
    tree = DirectoryTree(root)
    write_files(root, files, lambda: load(tree, environment, may_lack_addresses=True))


def _tell_lacking(documents: Documents, adoptions: Sequence[Adoption]) -> None:
    """Which addresses people have to write: hosts do not know what their machines took."""
    adopted = {each.machine for each in adoptions if not each.reasons}
    for machine, attachment, _ in lacking_machines(documents):
        if machine.name in adopted:
            said = f"write the address that {machine.name} has on network {attachment.network}"
            click.echo(visible(f"{said}, or name a dynamic partition"), err=True)


def _tell(adoptions: Sequence[Adoption], files: Sequence[str]) -> Exit:
    for path in files:
        click.echo(f"wrote {path}")
    refused = [each for each in adoptions if each.reasons]
    for each in refused:
        said = f"{each.machine} is left as it is: {'; '.join(each.reasons)}"
        click.echo(visible(said), err=True)
    if not adoptions:
        click.echo("Every machine on this host is somebody's already.")
    elif len(refused) < len(adoptions):
        click.echo(_NEXT)
    return Exit.ERROR if refused else Exit.SAME
