"""What a tree of the config repository may hold: plain files with plain names, within limits. Pure.

Symbolic links and submodules point out of the repository, so they are refused wherever they are;
nothing that is refused is ever read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem
from reconciler.model.quantity import format_size

FILE_MODES = frozenset({"100644", "100755", "100664"})
_SHOWN_AT_MOST = 100
_PLAIN = re.compile(rb"\A[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z")
_STRANGE = {
    "120000": ("a symbolic link is not allowed", "replace it by the file it points to"),
    "160000": ("a submodule is not allowed", "put the files themselves into the repository"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a tree may be: files, bytes of all files, bytes of one YAML file and of a path."""

    files: int = 5_000
    total_bytes: int = 16 * 2**20
    yaml_bytes: int = 16 * 2**20
    path_bytes: int = 512

    @property
    def listing_bytes(self) -> int:
        """More than a listing within these limits can take."""
        return (self.files + 1) * (self.path_bytes + 80)


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as git lists it: its name as bytes, its mode in octal, its blob and the size."""

    name: bytes
    mode: str
    blob: str
    size_bytes: int


def check_entries(entries: Iterable[Entry], limits: Limits) -> dict[str, Entry]:
    """The entries by path, if all of them may be there.

    Raises:
        ConfigError: every entry that may not, and every limit that is exceeded.
    """
    good: dict[str, Entry] = {}
    problems: list[Problem] = []
    for entry in entries:
        reasons = list(_objections(entry, limits))
        path = entry.name.decode("utf-8", "backslashreplace")
        problems += [_problem(path, *reason) for reason in reasons]
        if not reasons:
            good[path] = entry
    problems += _collisions(good)
    problems += _excess(good, limits)
    if problems:
        raise ConfigError(_shortened(problems))
    return good


def too_many_files(limits: Limits) -> ConfigError:
    """The error for a tree whose listing alone is beyond the limits."""
    return ConfigError((_too_many(limits),))


def _objections(entry: Entry, limits: Limits) -> Iterator[tuple[str, str]]:
    yield from _objections_to_name(entry.name, limits)
    if entry.mode not in FILE_MODES:
        yield _STRANGE.get(entry.mode, (f"mode {entry.mode} is no plain file", "remove it"))
    elif is_yaml(entry.name) and entry.size_bytes > limits.yaml_bytes:
        what = f"{format_size(entry.size_bytes)} is more than {format_size(limits.yaml_bytes)}"
        yield f"the file is too large: {what}", "split it"


def _objections_to_name(name: bytes, limits: Limits) -> Iterator[tuple[str, str]]:
    if _PLAIN.match(name) is not None and len(name) <= limits.path_bytes:
        return
    if len(name) > limits.path_bytes:
        yield f"the path is longer than {limits.path_bytes} bytes", "use shorter names"
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        yield "the name is not UTF-8", "rename it"
        return
    if not text.isprintable() or "\\" in text:
        yield "the name holds a backslash or a character that is not printable", "rename it"
    for part in text.split("/"):
        if part in {"", ".", ".."} or _means_git_directory(part):
            yield f"{part!r} is not allowed in a path", "rename it"


def _means_git_directory(part: str) -> bool:
    """Whether some file system would take the name for `.git`."""
    plain = "".join(c for c in part if unicodedata.category(c) != "Cf")
    return plain.rstrip(" .").casefold() in {".git", "git~1"}


def is_yaml(name: bytes) -> bool:
    """Whether the name is that of a YAML file."""
    return name.lower().endswith((b".yaml", b".yml"))


def _collisions(paths: Iterable[str]) -> Iterator[Problem]:
    """Paths that are one and the same where upper and lower case are, each with the other."""
    first: dict[str, str] = {}
    for path in sorted(paths):
        here = path
        while here and first.get(folded := _folded(here)) != here:
            other = first.setdefault(folded, here)
            if other != here:
                what = f"{here!r} and {other!r} differ only in the case of their letters"
                yield _problem(path, what, "rename one of them")
                break
            here = here.rpartition("/")[0]


def _folded(path: str) -> str:
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def _excess(good: Mapping[str, Entry], limits: Limits) -> Iterator[Problem]:
    if len(good) > limits.files:
        yield _too_many(limits)
    total = sum(entry.size_bytes for entry in good.values())
    if total > limits.total_bytes:
        largest = max(good.values(), key=lambda entry: entry.size_bytes)
        name = largest.name.decode("utf-8", "backslashreplace")
        what = f"the files take {format_size(total)}, more than {format_size(limits.total_bytes)}"
        yield _problem(name, what, "keep large files, such as this one, somewhere else")


def _too_many(limits: Limits) -> Problem:
    what = f"the repository holds more than {limits.files:,} files"
    return _problem(".", what, "keep what is not configuration in another repository")


def _problem(path: str, what: str, remedy: str) -> Problem:
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)
    return Problem(Position(shown), what, remedy)


def _shortened(problems: list[Problem]) -> list[Problem]:
    """All problems, or the first hundred and how many more there are."""
    more = len(problems) - _SHOWN_AT_MOST
    if more <= 0:
        return problems
    return [*problems[:_SHOWN_AT_MOST], _problem(".", f"{more} more entries are refused", "")]
