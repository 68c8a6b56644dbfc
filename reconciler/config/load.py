"""Load what one environment's branch says: read, parse, patch, inherit, validate, check.

Blobs are parsed once: the cache goes by path and blob id, so a commit that touches one file costs
one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

from pydantic import ValidationError

from reconciler.config.check import check_documents
from reconciler.config.complaints import complaints
from reconciler.config.documents import DOCUMENTS, Document
from reconciler.config.merge import Located, NamePath, locate
from reconciler.config.parse import parse
from reconciler.config.repository import Documents
from reconciler.config.resolve import ENVIRONMENTS, Key, completed, level_of, patched
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

MODELS: Mapping[str, type[Document]] = {model.__name__: model for model in DOCUMENTS}
SUFFIXES = (".yaml", ".yml")
NOT_READ = frozenset({"secrets", "docs", "schemas"})


class TreeReader(Protocol):
    """One tree of the config repository."""

    def entries(self) -> Mapping[str, str]:
        """The id of each regular file's content, by path.

        Raises:
            ConfigError: the tree holds what has no place in a config repository.
        """
        ...

    def read(self, blob_ids: Iterable[str]) -> Mapping[str, bytes]:
        """The contents, by id."""
        ...


@dataclass
class ParseCache:
    """Parsed files, and what is wrong with those that do not parse, by path and blob id."""

    files: dict[tuple[str, str], tuple[Located, ...]] = field(default_factory=dict)
    broken: dict[tuple[str, str], tuple[Problem, ...]] = field(default_factory=dict)

    def keep(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Forget the files of trees long gone, when there are many more than in use."""
        in_use = set(wanted)
        if len(self.files) > 4 * len(in_use) + 1000:
            self.files = {key: value for key, value in self.files.items() if key in in_use}


def load(tree: TreeReader, environment: str, cache: ParseCache | None = None) -> Documents:
    """The documents of one environment.

    Raises:
        ConfigError: every problem of the tree, each with file, line and column.
    """
    known = cache or ParseCache()
    paths = {path: blob for path, blob in tree.entries().items() if is_read(path, environment)}
    problems: list[Problem] = []
    found = _read(tree, paths, known, problems)
    prefix = f"{ENVIRONMENTS}/"
    shared = level_of(_keyed(found, lambda p: not p.startswith(prefix), problems), problems)
    own = level_of(_keyed(found, lambda p: p.startswith(prefix), problems), problems)
    located = completed(patched(shared, own, problems), problems)
    models = dict(_validated(located, problems))
    problems += _essentials(environment, models, complete=not problems)
    if problems:
        raise ConfigError(problems)
    documents = _documents(environment, models, located)
    problems += check_documents(documents)
    if problems:
        raise ConfigError(problems)
    return documents


def is_read(path: str, environment: str) -> bool:
    """Whether a file says anything about an environment."""
    parts = path.split("/")
    if not path.endswith(SUFFIXES) or any(part.startswith(".") for part in parts):
        return False
    if parts[0] == ENVIRONMENTS:
        return bool(parts[2:]) and parts[1] == environment
    return parts[0] not in NOT_READ


def environments_of(tree: TreeReader) -> tuple[str, ...]:
    """The environments that a tree has folders for."""
    parts = (path.split("/") for path in tree.entries())
    return tuple(sorted({each[1] for each in parts if each[0] == ENVIRONMENTS and each[2:]}))


def _read(
    tree: TreeReader, paths: Mapping[str, str], cache: ParseCache, problems: list[Problem]
) -> dict[str, tuple[Located, ...]]:
    """Parse what the cache does not know."""
    missing = {key for key in paths.items() if key not in cache.files and key not in cache.broken}
    contents = tree.read({blob for _, blob in missing}) if missing else {}
    for path, blob in sorted(missing):
        try:
            written = parse(path, contents[blob])
            cache.files[path, blob] = tuple(locate(each) for each in written)
        except ConfigError as error:
            cache.broken[path, blob] = error.problems
    cache.keep(paths.items())
    for key in paths.items():
        problems += cache.broken.get(key, ())
    return {
        path: cache.files[path, blob] for path, blob in paths.items() if (path, blob) in cache.files
    }


def _keyed(
    found: Mapping[str, tuple[Located, ...]], chosen: Any, problems: list[Problem]
) -> Iterator[tuple[Key, Located]]:
    for path in sorted(found):
        if chosen(path):
            for located in found[path]:
                key = _key(located, problems)
                if key is not None:
                    yield key, located


def _key(located: Located, problems: list[Problem]) -> Key | None:
    value: Any = located.value
    if not isinstance(value, dict):
        what = "a document must be a mapping with kind and name"
        problems.append(Problem(located.position(), what, "begin with `kind: …`"))
        return None
    kind, name = value.get("kind"), value.get("name")
    if kind not in MODELS:
        near = get_close_matches(str(kind), MODELS, 1)
        remedy = f"did you mean {near[0]}?" if near else f"kinds are {', '.join(sorted(MODELS))}"
        problems.append(Problem(located.position(("kind",)), f"there is no kind {kind}", remedy))
        return None
    if not isinstance(name, str):
        problems.append(
            Problem(located.position(("name",)), "the name is missing", "add `name: …`")
        )
        return None
    return str(kind), name


def _validated(
    located: Mapping[Key, Located], problems: list[Problem]
) -> Iterator[tuple[Key, Document]]:
    for key, each in located.items():
        model = MODELS[key[0]]
        try:
            yield key, model.model_validate(each.value)
        except ValidationError as error:
            problems += complaints(each, model, error)


def _essentials(
    environment: str, models: Mapping[Key, Document], *, complete: bool
) -> Iterator[Problem]:
    """The two documents without which nothing can be said."""
    if not complete:
        return
    farms = [name for kind, name in models if kind == "Farm"]
    if len(farms) != 1:
        what = f"there are {len(farms)} Farm documents, there must be one"
        yield Problem(Position("farm.yaml"), what, "describe the farm in farm.yaml")
    if ("Environment", environment) not in models:
        file = f"{ENVIRONMENTS}/{environment}/environment.yaml"
        what = f"there is no Environment document {environment}"
        yield Problem(Position(file), what, f"write one in {file}")


def _documents(
    environment: str, models: Mapping[Key, Document], located: Mapping[Key, Located]
) -> Documents:
    def of(kind: str) -> dict[str, Any]:
        return {name: model for (each, name), model in models.items() if each == kind}

    def position(kind: str, name: str, path: NamePath) -> Position:
        found = located.get((kind, name))
        return found.position(path) if found else Position("farm.yaml")

    return Documents(
        environment=environment,
        farm=next(iter(of("Farm").values())),
        policy=of("Environment")[environment],
        hosts=of("Host"),
        networks=of("Network"),
        zones=of("Zone"),
        images=of("Image"),
        machines=of("VirtualMachine"),
        locate=position,
    )
