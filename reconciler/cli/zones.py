"""Zone documents in the work tree of a person: what they say, and records written into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.cli.command import Failure
from reconciler.cli.worktree import write_files
from reconciler.config.load import load
from reconciler.config.repository import Documents
from reconciler.config.rewrite import with_item, with_items
from reconciler.config.zones import Zone
from reconciler.errors import ConfigError
from reconciler.gitops.directory import DirectoryTree
from reconciler.render.names.zones import zone_resources


def checked(root: Path, environment: str) -> Callable[[], object]:
    """Whether the documents and all their zones are sound.

    Raises (what it gives):
        ConfigError: all that is wrong.
    """

    def check() -> object:
        documents = load(DirectoryTree(root), environment, may_lack_addresses=True)
        return list(zone_resources(documents))

    return check


def write_zone_files(root: Path, environment: str, files: Mapping[str, str]) -> None:
    """Write all the files, or none if the zones would not be sound with them.

    Raises:
        Failure: what would be wrong then.
    """
    try:
        write_files(root, files, checked(root, environment))
    except ConfigError as error:
        raise Failure(f"nothing is written, because this would be wrong then:\n{error}") from error


def with_new_records(
    read: Callable[[str], str],
    documents: Documents,
    zone: Zone,
    records: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """The file of a Zone document with more records in it, by its path.

    `read` gives the text of a file.
    """
    file = documents.position("Zone", zone.name).file
    return {file: with_items(read(file), "Zone", zone.name, "records", records)}


def with_changed_record(text: str, zone: Zone, key: str, fields: Mapping[str, Any] | None) -> str:
    """The text of a file in which one record of a zone is another, or is gone.

    Raises:
        KeyError: it is not in this file.
    """
    name, _, kind = key.rpartition("/")
    changes = None if fields is None else {"ttl": fields.get("ttl"), "values": fields["values"]}
    return with_item(text, "Zone", zone.name, "records", {"name": name, "type": kind}, changes)
