"""Which file describes what: the documents of a tree by kind and name, and who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import dirname

from reconciler.config.load import TreeReader, environments_of, is_read
from reconciler.config.merge import ABSENT
from reconciler.config.parse import parse
from reconciler.config.resolve import ENVIRONMENTS, Key


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is to be written. `is_patch`: below it stands a document that it changes."""

    file: str
    is_patch: bool


@dataclass(frozen=True, slots=True)
class Places:
    """The files of the documents: the shared ones, and those of each environment."""

    shared: Mapping[Key, str]
    own: Mapping[str, Mapping[Key, str]]
    left_out: Mapping[str, frozenset[Key]]

    def readers(self, key: Key) -> frozenset[str]:
        """The environments that a shared document says something about."""
        return frozenset(name for name in self.own if key not in self.left_out[name])

    def place(self, environment: str, key: Key, decided: str, *, is_sole: bool) -> Place:
        """Where a value is written that counts in one environment only.

        `decided` is the file that decides it now. `is_sole`: whatever others read of the document,
        it does nothing there.
        """
        own, shared = self.own.get(environment, {}).get(key), self.shared.get(key)
        is_sole = is_sole or self.readers(key) <= {environment}
        if shared is not None and is_sole and (own is None or decided == shared):
            return Place(shared, is_patch=False)
        if own is not None:
            return Place(own, is_patch=shared is not None)
        folder = dirname(shared or "") or key[0].lower()
        return Place(f"{ENVIRONMENTS}/{environment}/{folder}/{key[1]}.yaml", is_patch=True)


def places_of(tree: TreeReader) -> Places:
    """Where the documents of a tree are.

    Raises:
        ConfigError: a file cannot be read.
    """
    entries = tree.entries()
    names = environments_of(tree)
    paths = [path for path in sorted(entries) if any(is_read(path, name) for name in names)]
    contents = tree.read({entries[path] for path in paths})
    shared: dict[Key, str] = {}
    own: dict[str, dict[Key, str]] = {name: {} for name in names}
    left_out: dict[str, set[Key]] = {name: set() for name in names}
    for path in paths:
        folder, _, rest = path.partition("/")
        environment = rest.partition("/")[0] if folder == ENVIRONMENTS else ""
        for written in parse(path, contents[entries[path]]):
            key = (str(written.value.get("kind")), str(written.value.get("name")))
            (own[environment] if environment else shared)[key] = path
            if environment and written.value.get(ABSENT) is True:
                left_out[environment].add(key)
    frozen = {name: frozenset(keys) for name, keys in left_out.items()}
    return Places(shared, own, frozen)


@dataclass(frozen=True)
class EditedTree:
    """A tree in which some files have another text, or are gone (None)."""

    base: TreeReader
    files: Mapping[str, str | None]

    def entries(self) -> Mapping[str, str]:
        """The files by path; those that were edited have ids that no blob has."""
        kept = {path: blob for path, blob in self.base.entries().items() if path not in self.files}
        edited = {path for path, text in self.files.items() if text is not None}
        return {**kept, **{path: f"edited {path}" for path in edited}}

    def read(self, blob_ids: Iterable[str]) -> Mapping[str, bytes]:
        """The contents, by id."""
        wanted = frozenset(blob_ids)
        edited = {f"edited {path}": text for path, text in self.files.items() if text is not None}
        here = {each: edited[each].encode() for each in wanted & edited.keys()}
        return {**self.base.read(wanted - edited.keys()), **here}


def text_of(tree: TreeReader, path: str) -> str:
    """The text of a file; empty if there is none."""
    blob = tree.entries().get(path)
    return "" if blob is None else tree.read((blob,))[blob].decode()
