"""Load what one environment's branch says: read, parse, patch, inherit, validate, check.

Blobs are parsed once: the cache goes by path and blob id, so a commit that touches one file costs
one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol, get_args

from pydantic import ValidationError

from reconciler.config.check import UNKNOWN, check_documents
from reconciler.config.check_addresses import lacking_problems
from reconciler.config.complaints import complaints
from reconciler.config.document import Document, EnvironmentName
from reconciler.config.documents import DOCUMENTS, Environment, Farm
from reconciler.config.merge import Located, NamePath, has_long_lists, locate
from reconciler.config.names import Names
from reconciler.config.parse import parse, shown
from reconciler.config.repository import Documents
from reconciler.config.resolve import (
    ENVIRONMENTS,
    HEIRS,
    Key,
    Resolved,
    completed,
    level_of,
    patched,
)
from reconciler.config.secrets import (
    SecretFile,
    Secrets,
    is_secret_file,
    name_of,
    read_secrets,
    strays,
)
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

MODELS: Mapping[str, type[Document]] = {model.__name__: model for model in DOCUMENTS}
ENVIRONMENT_NAMES: tuple[str, ...] = get_args(EnvironmentName)
SUFFIXES = (".yaml", ".yml")
NOT_READ = frozenset({"secrets", "docs", "schemas"})
MOST_LARGE = 2
_NO_FARM = Farm(kind="Farm", name="none", domain=UNKNOWN, contact=f"nobody@{UNKNOWN}")
_NO_POLICY = Environment(kind="Environment", name="production", domain=UNKNOWN)


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
    secrets: dict[tuple[str, str], SecretFile] = field(default_factory=dict)

    def keep(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Forget the files of trees long gone, when there are many more than in use.

        Of those with long lists only the newest are kept: each takes very much memory.
        """
        in_use = set(wanted)
        large = [key for key, value in self.files.items() if any(map(has_long_lists, value))]
        for key in [key for key in large if key not in in_use][:-MOST_LARGE]:
            del self.files[key]
        if len(self.files) + len(self.broken) + len(self.secrets) > 4 * len(in_use) + 1000:
            self.files = {key: value for key, value in self.files.items() if key in in_use}
            self.broken = {key: value for key, value in self.broken.items() if key in in_use}
            self.secrets = {key: value for key, value in self.secrets.items() if key in in_use}


def load(
    tree: TreeReader,
    environment: str,
    cache: ParseCache | None = None,
    *,
    may_lack_addresses: bool = False,
) -> Documents:
    """The documents of one environment.

    `may_lack_addresses`: machines that must have an address need not have it yet.

    Raises:
        ConfigError: every problem of the tree, each with file, line and column.
    """
    known = cache or ParseCache()
    entries = tree.entries()
    paths = {path: blob for path, blob in entries.items() if is_read(path, environment)}
    problems: list[Problem] = [*_strays(entries), *strays(entries)]
    secrets = _secrets(tree, entries, known, problems)
    found = _read(tree, paths, known, problems)
    known.keep(entries.items())
    prefix = f"{ENVIRONMENTS}/"
    shared = level_of(_keyed(found, lambda p: not p.startswith(prefix), problems), problems)
    own = level_of(_keyed(found, lambda p: p.startswith(prefix), problems), problems)
    some_unread = bool(problems)
    layers = patched(shared, own, problems)
    names = Names(frozenset(layers), some_unread=some_unread)
    resolved = completed(layers, names, problems)
    models = dict(_validated(resolved, problems, some_unread=some_unread))
    problems += _essentials(environment, names)
    documents = _documents(environment, models, resolved.documents, secrets)
    problems += check_documents(documents, names)
    problems += () if may_lack_addresses else lacking_problems(documents)
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


def _strays(paths: Iterable[str]) -> Iterator[Problem]:
    """One problem for each folder or file below `environments/` that no environment reads."""
    told: set[str] = set()
    for path in sorted(paths):
        parts = path.split("/")
        if parts[0] == ENVIRONMENTS and path.endswith(SUFFIXES) and parts[1] not in told:
            if parts[2:] and parts[1] in ENVIRONMENT_NAMES:
                continue
            told.add(parts[1])
            what = f"{ENVIRONMENTS}/{parts[1]} is read by no environment"
            remedy = f"use a folder {', '.join(ENVIRONMENT_NAMES[:-1])} or {ENVIRONMENT_NAMES[-1]}"
            yield Problem(Position(path), what, remedy)


def _read(
    tree: TreeReader, paths: Mapping[str, str], cache: ParseCache, problems: list[Problem]
) -> dict[str, tuple[Located, ...]]:
    """What the files hold, by path. Parses what the cache does not know."""
    missing = {key for key in paths.items() if key not in cache.files and key not in cache.broken}
    contents = tree.read({blob for _, blob in missing}) if missing else {}
    for path, blob in sorted(missing):
        try:
            written = parse(path, contents[blob])
            cache.files[path, blob] = tuple(locate(each) for each in written)
        except ConfigError as error:
            cache.broken[path, blob] = error.problems
    for key in paths.items():
        problems += cache.broken.get(key, ())
    return {path: cache.files[path, b] for path, b in paths.items() if (path, b) in cache.files}


def _secrets(
    tree: TreeReader, entries: Mapping[str, str], cache: ParseCache, problems: list[Problem]
) -> Secrets:
    """The encrypted files. Reads what the cache does not know."""
    paths = {path: blob for path, blob in entries.items() if is_secret_file(path)}
    missing = {key for key in paths.items() if key not in cache.secrets and key not in cache.broken}
    contents = tree.read({blob for _, blob in missing}) if missing else {}
    for path, blob in sorted(missing):
        try:
            cache.secrets[path, blob] = read_secrets(path, contents[blob])
        except ConfigError as error:
            cache.broken[path, blob] = error.problems
    for key in paths.items():
        problems += cache.broken.get(key, ())
    read = [cache.secrets[key] for key in paths.items() if key in cache.secrets]
    unread = {name_of(path) for path, blob in paths.items() if (path, blob) in cache.broken}
    return Secrets({each.name: each for each in read}, frozenset(unread))


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
    if not isinstance(kind, str) or kind not in MODELS:
        near = get_close_matches(shown(kind), MODELS, 1) if isinstance(kind, str) else ()
        remedy = f"did you mean {near[0]}?" if near else f"kinds are {', '.join(sorted(MODELS))}"
        what = f"there is no kind {shown(kind)}" if "kind" in value else "kind is missing"
        problems.append(Problem(located.position(("kind",)), what, remedy))
        return None
    if not isinstance(name, str):
        what = "name must be text" if "name" in value else "name is missing"
        problems.append(Problem(located.position(("name",)), what, "write `name: …`"))
        return None
    return kind, name


def _validated(
    resolved: Resolved, problems: list[Problem], *, some_unread: bool
) -> Iterator[tuple[Key, Document]]:
    """The models, heirs last: what is wrong in a stack is told once, not for each machine."""
    heirs_last = sorted(resolved.documents, key=lambda key: key[0] in HEIRS)
    told = {problem.position for problem in problems}
    for key in heirs_last:
        located, model = resolved.documents[key], MODELS[key[0]]
        try:
            yield key, model.model_validate(located.value)
        except ValidationError as error:
            is_whole = not some_unread and key not in resolved.incomplete
            found = [
                problem
                for problem in complaints(located, model, error, is_whole=is_whole)
                if problem.position not in told
            ]
            problems += found
            told |= {problem.position for problem in found}


def _essentials(environment: str, names: Names) -> Iterator[Problem]:
    """The two documents without which nothing can be said."""
    farms = names.of("Farm")
    if len(farms) > 1 or not (farms or names.some_unread):
        what = f"there are {len(farms)} Farm documents, there must be one"
        yield Problem(Position("farm.yaml"), what, "describe the farm in farm.yaml")
    if names.lack("Environment", environment):
        file = f"{ENVIRONMENTS}/{environment}/environment.yaml"
        what = f"there is no Environment document {environment}"
        yield Problem(Position(file), what, f"write one in {file}")


def _of(kind: str, models: Mapping[Key, Any]) -> dict[str, Any]:
    return {name: model for (each, name), model in models.items() if each == kind}


def _documents(
    environment: str,
    models: Mapping[Key, Any],
    located: Mapping[Key, Located],
    secrets: Secrets,
) -> Documents:
    """The models together; blank ones stand in for a wrong Farm or Environment.

    Nothing refers to these two, so that the rest can be checked all the same.
    """

    def position(kind: str, name: str, path: NamePath) -> Position:
        found = located.get((kind, name))
        return found.position(path) if found else Position("farm.yaml")

    return Documents(
        environment=environment,
        farm=next(iter(_of("Farm", models).values()), _NO_FARM),
        policy=models.get(("Environment", environment), _NO_POLICY),
        hosts=_of("Host", models),
        networks=_of("Network", models),
        firewalls=_of("Firewall", models),
        proxies=_of("Proxy", models),
        nameservers=_of("Nameserver", models),
        zones=_of("Zone", models),
        images=_of("Image", models),
        machines=_of("VirtualMachine", models),
        locate=position,
        secrets=secrets,
        ignores=_of("Ignore", models),
    )
