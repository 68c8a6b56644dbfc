"""`reconciler adopt zone`: the document of a zone, from a file or from the server that has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.zones import with_new_records, write_zone_files
from reconciler.config.load import environments_of, load
from reconciler.config.repository import Documents
from reconciler.config.rewrite import document_text
from reconciler.config.zones import Zone
from reconciler.gitops.directory import DirectoryTree
from reconciler.plan.show.escape import visible
from reconciler.render.names.adoption import (
    AdoptedZone,
    adopted_records,
    differing,
    zone_document,
)
from reconciler.render.names.sources import generated
from reconciler.render.names.written import timers

if TYPE_CHECKING:
    from reconciler.drivers.dns.access import Key
    from reconciler.ports.nameserver import ZoneState

_NEXT = """
Look at what was written, commit it, and merge it. What a zone that is served has, and the documents
say in the same way, becomes ours; `reconciler plan` shows what else would change."""
_SCHEMA = "../schemas/zone.json"


@command("zone")
@click.argument("name", metavar="ZONE")
@click.option(
    "--from-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A zone file. What it includes must be in its directory.",
)
@click.option("--from-server", metavar="ADDRESS", help="A server that transfers the zone to us.")
@click.option("--port", type=click.IntRange(1, 65535), default=53, show_default=True)
@click.option(
    "--key",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The key that the server asks for, in a file as of tsig-keygen.",
)
@click.option(
    "--server", metavar="NAME", help="The name server of the document. Default: the only one."
)
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The work tree of the config repository. Default: the current directory.",
)
@environment_option
@click.pass_obj
def zone(
    given: Given,
    name: str,
    from_file: Path | None,
    from_server: str | None,
    port: int,
    key_file: Path | None,
    server: str | None,
    into: Path,
    environment: str | None,
) -> Exit:
    """Write the document of a zone that is there already.

    Records that the farm's documents give in the same way are left out; so are, with a warning,
    those that documents cannot hold. If the zone has a document, what it lacks is added to its
    records, with comments kept. Nothing on any server is changed.
    """
    origin = name.lower().removesuffix(".")
    if (from_file is None) == (from_server is None):
        raise Failure("give --from-file FILE or --from-server ADDRESS")
    state, notes = (
        _from_file(from_file, origin)
        if from_file
        else (_from_server(from_server or "", port, key_file, origin), ())
    )
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        chosen = environment_of(repository, environment)
    if chosen not in environments_of(DirectoryTree(into)):
        raise Failure(f"{into} holds no environments/{chosen}; name the work tree with --into")
    documents = load(DirectoryTree(into), chosen, may_lack_addresses=True)
    files, adopted, more = _files(into, documents, state, server)
    write_zone_files(into, chosen, files)
    return _tell(sorted(files), adopted, (*notes, *more, *adopted.notes))


def _from_file(path: Path, origin: str) -> tuple[ZoneState, Sequence[str]]:
    """The zone in a file, and what was left out in reading it.

    Raises:
        ConfigError: all that is wrong with it.
    """
    from reconciler.drivers.zonefiles.inclusion import zone_file
    from reconciler.drivers.zonefiles.reading import read_zone

    try:
        text, include = zone_file(path)
    except ValueError as error:
        raise Failure(str(error)) from None
    read = read_zone(text, origin, str(path), include)
    return read.state, [str(note) for note in read.notes]


def _from_server(address: str, port: int, key_file: Path | None, origin: str) -> ZoneState:
    from reconciler.drivers.zonefiles.fetching import fetch_zone

    try:
        where = str(ip_address(address))
    except ValueError:
        raise Failure(f"--from-server takes an IP address, and {address} is none") from None
    return fetch_zone(origin, where, port, _key(key_file) if key_file else None)


def _key(path: Path) -> Key:
    from reconciler.drivers.zonefiles.keyfile import LARGEST_BYTES, read_key

    try:
        with path.open("rb") as file:
            return read_key(file.read(LARGEST_BYTES).decode(), str(path))
    except (OSError, ValueError) as error:
        raise Failure(str(error)) from None


def _files(
    root: Path, documents: Documents, state: ZoneState, server: str | None
) -> tuple[Mapping[str, str], AdoptedZone, Sequence[str]]:
    """The texts to write, what went into them, and what people should know."""
    there = next((z for z in documents.zones.values() if z.zone_name == state.name), None)
    if there is None:
        return _new(root, documents, state, _server(documents, server))
    keys = [f"{each.name}/{each.type}" for each in there.records]
    adopted = adopted_records(there, state, generated(documents, there).records, keys)
    notes = list(differing(state.timers, timers(there, documents.farm.contact)))
    if not adopted.records:
        return {}, adopted, notes

    def read(path: str) -> str:
        return (root / path).read_bytes().decode()

    return with_new_records(read, documents, there, adopted.records), adopted, notes


def _new(
    root: Path, documents: Documents, state: ZoneState, server: str
) -> tuple[Mapping[str, str], AdoptedZone, Sequence[str]]:
    path = f"zones/{state.name}.yaml"
    if (root / path).exists():
        raise Failure(f"{path}: there already, and it does not describe {state.name}; remove it")
    fields: dict[str, Any] = zone_document(state, server, documents.environment)
    document = Zone.model_validate(fields | {"nameservers": tuple(fields["nameservers"])})
    adopted = adopted_records(document, state, generated(documents, document).records, ())
    if adopted.records:
        fields["records"] = list(adopted.records)
    schema = _SCHEMA if (root / "schemas/zone.json").exists() else ""
    return {path: document_text(fields, schema)}, adopted, ()


def _server(documents: Documents, wanted: str | None) -> str:
    known = sorted(documents.nameservers)
    if wanted is not None:
        return wanted
    if len(known) == 1:
        return known[0]
    raise Failure(f"which name server? Give --server NAME; there are: {', '.join(known) or 'none'}")


def _tell(files: Sequence[str], adopted: AdoptedZone, notes: Sequence[str]) -> Exit:
    for path in files:
        click.echo(visible(f"wrote {path}: {len(adopted.records)} record sets"))
    for note in notes:
        click.echo(visible(note), err=True)
    click.echo(_NEXT if files else "The documents say all that this zone has.")
    return Exit.SAME
