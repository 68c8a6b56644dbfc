"""The encrypted files of a tree, `secrets/*.sops.yaml`, as they stand: nothing is decrypted here.

sops encrypts each value on its own and leaves the keys readable, so that a document can be checked
against them by somebody who can decrypt nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from reconciler.config.parse import Path, Written, parse, shown
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem
from reconciler.model.secret import SCHEME, SealedFile, SealedSecret, SecretReference

FOLDER = "secrets"
SUFFIX = ".sops.yaml"
METADATA = "sops"
MOST_READERS = 64
LONGEST_DATA_KEY = 16_384
_BASE64 = "[A-Za-z0-9+/]+={0,2}"
_VALUE = re.compile(
    rf"\AENC\[AES256_GCM,data:{_BASE64},iv:{_BASE64},tag:{_BASE64},type:(?:str|int|float|bool|time)\]\Z"
)
_COMMENT_ITEM = re.compile(r"\AENC\[AES256_GCM,[^\]\s]*,type:comment\]\Z")
_ENCRYPT = "encrypt it: sops encrypt --in-place {}"
_AGE = "list the age recipients in .sops.yaml, and run sops updatekeys {}"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One encrypted file: its values by their key, of which the parts are joined by dots.

    `whole` is all that is encrypted in it, also what no reference can name; `readers` are the
    public keys of those who can decrypt it, as the file says.
    """

    name: str
    sealed: Mapping[str, SealedSecret]
    whole: SealedFile
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secrets:
    """The encrypted files of a tree by name. `unread` are those that something is wrong with."""

    files: Mapping[str, SecretFile] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    def sealed(self, reference: SecretReference) -> SealedSecret:
        """What a reference stands for, encrypted.

        Raises:
            KeyError: there is no such file, or no such key in it.
        """
        return self.files[reference.file].sealed[reference.key]

    def lack(self, reference: SecretReference) -> tuple[str, str] | None:
        """Why a reference stands for nothing, and what to do; None if it stands for something.

        Of a file that cannot be read nothing is said but what is wrong with itself.
        """
        if reference.file in self.unread:
            return None
        found = self.files.get(reference.file)
        if found is None:
            near = get_close_matches(reference.file, self.files, 1)
            remedy = f"did you mean {near[0]}?" if near else f"write {path_of(reference.file)}"
            return f"{reference}: there is no file {path_of(reference.file)}", remedy
        if reference.key in found.sealed:
            return None
        near = get_close_matches(reference.key, found.sealed, 1)
        remedy = f"did you mean {near[0]}?" if near else "add it: sops edit " + path_of(found.name)
        return f"{reference}: {path_of(found.name)} has no value {reference.key}", remedy


def path_of(name: str) -> str:
    """Where the encrypted file of that name is."""
    return f"{FOLDER}/{name}{SUFFIX}"


def name_of(path: str) -> str:
    """The name of the encrypted file at that path."""
    return path.removeprefix(f"{FOLDER}/").removesuffix(SUFFIX)


def is_secret_file(path: str) -> bool:
    """Whether a file of the tree is one that references can name."""
    folder, _, name = path.partition("/")
    return folder == FOLDER and name.endswith(SUFFIX) and not name.startswith(".")


def strays(paths: Iterable[str]) -> Iterator[Problem]:
    """One problem for each file that looks like a document and is where only secrets are."""
    for path in sorted(paths):
        folder, _, name = path.partition("/")
        if folder != FOLDER or not path.endswith((".yaml", ".yml")) or name.startswith("."):
            continue
        if not is_secret_file(path) or "/" in name:
            what = (
                f"{FOLDER}/ holds files that sops encrypted, named NAME{SUFFIX}, and nothing else"
            )
            yield Problem(Position(path), what, f"encrypt it as {path_of('NAME')}, or move it away")


def read_secrets(path: str, content: bytes) -> SecretFile:
    """An encrypted file as it stands in the tree.

    Raises:
        ConfigError: every problem of the file, with line and column, and never with a value.
    """
    name = name_of(path)
    problems = list(_name_problems(path, name))
    documents = parse(path, content)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        what = "a file of secrets is one mapping"
        raise ConfigError([*problems, Problem(Position(path), what, "write `key: value` lines")])
    written = documents[0]
    data_keys = _data_keys(written, problems)
    if data_keys is None:
        raise ConfigError(problems)
    whole = _whole(written, problems)
    sealed = dict(_sealed(written, name, (data_keys, whole), problems))
    if problems:
        raise ConfigError(problems)
    return SecretFile(name, sealed, whole, _readers(written))


def _name_problems(path: str, name: str) -> Iterator[Problem]:
    if _reference(name, "key") is None:
        what = f"{shown(name)} is no name that a reference can have"
        yield Problem(Position(path), what, "use a-z, 0-9 and -, at most 63 letters")


def _data_keys(written: Written, problems: list[Problem]) -> tuple[str, ...] | None:
    """The key of the file, encrypted to each reader; None if sops has not encrypted the file."""
    here = written.file
    block: Any = written.value.get(METADATA)
    if not isinstance(block, dict) or "mac" not in block:
        what = "this is not a file that sops encrypted"
        problems.append(Problem(Position(here), what, _ENCRYPT.format(here)))
        return None
    readers: Any = block.get("age")
    found = [each.get("enc") for each in readers if isinstance(each, dict)] if readers else []
    keys = tuple(key for key in found if isinstance(key, str) and key)
    position = written.position((METADATA, "age"))
    if not keys or len(keys) < len(found):
        what = "no age key can decrypt this file, and no other kind of key is used"
        problems.append(Problem(position, what, _AGE.format(here)))
        return ()
    if len(keys) > MOST_READERS or max(map(len, keys)) > LONGEST_DATA_KEY:
        what = f"a file of secrets has at most {MOST_READERS} readers, with keys of usual length"
        problems.append(Problem(position, what, _AGE.format(here)))
    return keys


def _readers(written: Written) -> tuple[str, ...]:
    readers = written.value[METADATA].get("age") or ()
    return tuple(str(each.get("recipient", "")) for each in readers if isinstance(each, dict))


def _whole(written: Written, problems: list[Problem]) -> SealedFile:
    """All that is encrypted, with the checksum that sops has put to it."""
    block = written.value[METADATA]
    mac, modified = block["mac"], block.get("lastmodified")
    if not isinstance(mac, str) or _VALUE.match(mac) is None or not isinstance(modified, str):
        what = "its checksum (mac) and the time of it (lastmodified) are not as sops writes them"
        position = written.position((METADATA, "mac"))
        problems.append(Problem(position, what, f"restore {written.file} from git"))
    values = tuple(
        (tuple(step for step in path if isinstance(step, str)), str(value))
        for path, value in _leaves(written.value)
        if path[:1] != (METADATA,) and value not in {None, ""}
    )
    return SealedFile(values, str(mac), str(modified), block.get("mac_only_encrypted") is True)


def _sealed(
    written: Written,
    name: str,
    around: tuple[tuple[str, ...], SealedFile],
    problems: list[Problem],
) -> Iterator[tuple[str, SealedSecret]]:
    """The encrypted values by key. What no reference can name is checked and left out."""
    seen: set[str] = set()
    for path, value in _leaves(written.value):
        if not path or path[0] == METADATA or value is None or value == "":
            continue  # sops leaves what is empty as it is
        keys = tuple(step for step in path if isinstance(step, str))
        called = ".".join(keys)
        if not isinstance(value, str) or _VALUE.match(value) is None:
            what = f"the value of {shown(called)} is not encrypted"
            problems.append(Problem(written.position(path), what, _ENCRYPT.format(written.file)))
        reference = _reference(name, called)
        if reference is None or len(keys) < len(path):
            continue
        if called in seen:
            what = f"two values are called {shown(called)}"
            problems.append(Problem(written.position(path), what, "rename one of them"))
        seen.add(called)
        yield called, SealedSecret(reference, keys, str(value), *around)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values of a tree with their paths. An empty mapping or list has none.

    sops makes of a comment in a list an item, which is no value.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if not isinstance(item, str) or _COMMENT_ITEM.match(item) is None:
                yield from _leaves(item, (*path, number))
    else:
        yield path, value


def _reference(file: str, key: str) -> SecretReference | None:
    try:
        return SecretReference.parse(f"{SCHEME}{file}/{key}")
    except ValueError:
        return None
