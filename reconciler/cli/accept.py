"""`reconciler accept`: what somebody did by hand in a zone becomes what git says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.world import JOURNAL, LIVE, surroundings
from reconciler.cli.zones import with_changed_record, with_new_records, write_zone_files
from reconciler.config.load import environments_of, load
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.engine.observe import NOTHING_ASKED
from reconciler.gitops.directory import DirectoryTree
from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Observed
from reconciler.plan.show.escape import visible
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.acceptance import Judged, Zoned, field_of, judge
from reconciler.render.names.server import door_of
from reconciler.render.names.sources import generated
from reconciler.render.names.zones import zone_resources

_NEXT = """
Look at what was written, commit it, and merge it: the next sync makes these records ours and
changes nothing else."""


@command("accept")
@click.argument("address", metavar="zone/ZONE")
@click.argument("keys", nargs=-1, metavar="[NAME/TYPE]...")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The work tree of the config repository. Default: the current directory.",
)
@click.option(
    "--world",
    type=click.Choice((LIVE, JOURNAL)),
    default=LIVE,
    show_default=True,
    help="What to accept from. journal needs no access to any server.",
)
@environment_option
@click.pass_obj
def accept(
    given: Given,
    address: str,
    keys: Sequence[str],
    into: Path,
    world: str,
    environment: str | None,
) -> Exit:
    """Write what was done by hand in a zone into its document.

    NAME/TYPE is a record set, such as www/A or @/MX; without one, all that were made or changed
    by hand. Nothing on the server is changed. Records of machines, hosts and services come from
    their documents, and cannot be accepted. Comments in the file are kept.
    """
    kind, _, zone_name = address.partition("/")
    if kind != "zone" or not zone_name:
        raise Failure(f"only zones can be accepted, such as zone/farm.internal, and not {address}")
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        name = environment_of(repository, environment)
        tree = DirectoryTree(into)
        if name not in environments_of(tree):
            raise Failure(f"{into} holds no environments/{name}; name the work tree with --into")
        documents = load(tree, name, may_lack_addresses=True)
        document = _document(documents, zone_name)
        zone = _zoned(repository, documents, document, world)
    judged = judge(zone, keys)
    files = _written(into, documents, document, judged)
    write_zone_files(into, name, files)
    return _tell(judged, sorted(files))


def _document(documents: Documents, name: str) -> Zone:
    """The document of a zone.

    Raises:
        Failure: there is none that could hold records.
    """
    found = {
        zone_address(door_of(documents, each), each.zone_name).name: each
        for each in documents.zones.values()
    }
    if name in found:
        return found[name]
    known = ", ".join(sorted(found)) or "none"
    made = {each.address.name for each in zone_resources(documents)}
    if name in made:
        raise Failure(
            f"zone {name} is made for the addresses of a network and has no records by hand; "
            f"write a Zone document for it (kind: Zone, name: {name}), then accept again"
        )
    raise Failure(f"no Zone document describes {name}; there are: {known}")


def _zoned(repository: Repository, documents: Documents, document: Zone, world: str) -> Zoned:
    """The zone as it was applied, if it was, and as it is seen now.

    Only this zone is looked at: it may be one that no commit in force has, since a plan that needs
    it was refused.
    """
    name = documents.environment
    scope = Scope("zone", document.zone_name, door_of(documents, document))
    address = zone_address(scope.server or "", scope.name)
    around = surroundings(repository, name, world)
    look = around.observe([scope], around.ports, NOTHING_ASKED)
    if reason := look.unknown.get(scope):
        raise Failure(f"zone {address.name} cannot be looked at: {reason}")
    seen = tuple(each for each in look.observed if _is_of(each, address))
    if not seen:
        raise Failure(f"zone {address.name} is not served by {document.server}")
    applied = repository.chronicle.recall(name).revision
    before = _records(repository.source.documents(name, applied), address) if applied else ()
    sources = generated(documents, document).sources
    return Zoned(document, name, before, seen, sources, _records(documents, address))


def _is_of(observed: Observed[ZoneSpec], address: Address) -> bool:
    return (observed.address.kind, observed.address.name) == ("zone", address.name)


def _records(documents: Documents, address: Address) -> tuple[RecordSet, ...]:
    for each in zone_resources(documents):
        if each.address == address:
            return tuple(each.spec.records)
    return ()


def _written(root: Path, documents: Documents, zone: Zone, judged: Judged) -> Mapping[str, str]:
    """The texts of the files with what was accepted in them."""
    files: dict[str, str] = {}
    for each in judged.accepted:
        if not each.is_new:
            file = documents.position("Zone", zone.name, "records", each.key).file
            text = files.get(file) or (root / file).read_bytes().decode()
            files[file] = with_changed_record(text, zone, each.key, field_of(zone, each))
    if new := [each for each in judged.accepted if each.is_new]:
        fields = [field for each in new if (field := field_of(zone, each))]
        files |= with_new_records(root, documents, zone, fields, files)
    return files


def _tell(judged: Judged, files: Sequence[str]) -> Exit:
    for each in judged.accepted:
        what = ", ".join(each.record.values) if each.record else "gone, as it is on the server"
        click.echo(visible(f"{each.key}: {what}"))
    for path in files:
        click.echo(visible(f"wrote {path}"))
    for key, why in judged.refused.items():
        click.echo(visible(f"{key} is not accepted: {why}"), err=True)
    if judged.accepted:
        click.echo(_NEXT)
    elif not judged.refused:
        click.echo("Nobody made or changed a record of this zone by hand.")
    return Exit.ERROR if judged.refused else Exit.SAME
