"""`reconciler accept` for zones, which goes by record sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.cli.acceptance import Acceptance
from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.cli.world import surroundings
from reconciler.cli.zones import with_changed_record, with_new_records
from reconciler.config.load import TreeReader, load
from reconciler.config.places import EditedTree, text_of
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.engine.observe import NOTHING_ASKED
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Observed
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.acceptance import Acceptance as Change
from reconciler.render.names.acceptance import Judged, Zoned, field_of, judge
from reconciler.render.names.server import door_of
from reconciler.render.names.sources import generated
from reconciler.render.names.zones import zone_resources


def accept_zone(
    repository: Repository,
    environment: str,
    tree: TreeReader,
    name: str,
    keys: Sequence[str],
    world: str,
) -> Acceptance:
    """What was done by hand in a zone, as files with it in them.

    Raises:
        Failure: there is no such zone, or the zones would not be sound then.
        ConfigError: the documents are wrong already.
    """
    documents = load(tree, environment, may_lack_addresses=True)
    document = _document(documents, name)
    zone = _zoned(repository, documents, document, world)
    judged = judge(zone, keys)
    files = _written(tree, documents, document, judged)
    _check(tree, environment, files)
    told = tuple(_told(each) for each in judged.accepted)
    what = ", ".join(each.key for each in judged.accepted)
    return Acceptance(environment, f"zone/{name}", what, files, told, judged.refused)


def _check(tree: TreeReader, environment: str, files: Mapping[str, str | None]) -> None:
    try:
        edited = load(EditedTree(tree, files), environment, may_lack_addresses=True)
        list(zone_resources(edited))
    except ConfigError as error:
        raise Failure(f"nothing is written, because this would be wrong then:\n{error}") from error


def _told(each: Change) -> str:
    what = ", ".join(each.record.values) if each.record else "gone, as it is on the server"
    return f"{each.key}: {what}"


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


def _written(
    tree: TreeReader, documents: Documents, zone: Zone, judged: Judged
) -> dict[str, str | None]:
    """The texts of the files with what was accepted in them."""
    files: dict[str, str] = {}
    for each in judged.accepted:
        if not each.is_new:
            file = documents.position("Zone", zone.name, "records", each.key).file
            text = files.get(file) or text_of(tree, file)
            files[file] = with_changed_record(text, zone, each.key, field_of(zone, each))
    if new := [each for each in judged.accepted if each.is_new]:
        fields = [field for each in new if (field := field_of(zone, each))]

        def read(path: str) -> str:
            return files.get(path) or text_of(tree, path)

        files |= with_new_records(read, documents, zone, fields)
    return dict(files)
