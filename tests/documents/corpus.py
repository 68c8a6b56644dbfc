"""Good and bad documents as files, each put into the same small farm to be judged.

`good/` holds what loads, `bad/both/` what models and JSON Schemas refuse alike, `bad/models/` what
only the loader can tell: cross references, sums, quantities. `patches/` lie below `environments/`.
A bad document begins with the problems it must give, one a line after `#!`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from reconciler.config.load import load
from reconciler.errors import ConfigError
from reconciler.model.position import Problem

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "documents"
ENVIRONMENT = "production"
MARK = "#!"


class FileTree:
    """Files by path, as the loader is given them; it remembers what was read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.reads: list[str] = []

    def entries(self) -> Mapping[str, str]:
        return {path: sha256(content).hexdigest() for path, content in self.files.items()}

    def read(self, blob_ids: Iterable[str]) -> Mapping[str, bytes]:
        by_id = {sha256(content).hexdigest(): content for content in self.files.values()}
        wanted = {blob: by_id[blob] for blob in blob_ids}
        self.reads += sorted(wanted)
        return wanted


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


FARM = files_below(CORPUS / "farm")


def corpus(*parts: str) -> list[Path]:
    """The documents of a part of the corpus."""
    return sorted(CORPUS.joinpath(*parts).rglob("*.yaml"))


def name_of(path: Path) -> str:
    return path.relative_to(CORPUS).with_suffix("").as_posix()


def place_of(path: Path) -> str:
    """Where the document lies in the farm."""
    folder = f"environments/{ENVIRONMENT}" if path.parent.name == "patches" else "new"
    return f"{folder}/{path.name}"


def problems_of(place: str, content: bytes) -> tuple[Problem, ...]:
    """What the loader says when the farm has this file, too."""
    return problems_in({**FARM, place: content})


def problems_in(files: Mapping[str, bytes], environment: str = ENVIRONMENT) -> tuple[Problem, ...]:
    """What the loader says of a tree; nothing if it loads."""
    try:
        load(FileTree(files), environment)
    except ConfigError as error:
        return error.problems
    return ()


def without_marks(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(MARK))


def with_marks(place: str, text: str) -> str:
    """The document with the problems it gives written above it."""
    body = without_marks(text)
    lines = len(problems_of(place, body.encode()))
    problems = problems_of(place, (f"{MARK}\n" * lines + body).encode())
    told = [str(problem).removeprefix(f"{place}:") for problem in problems]
    return "".join(f"{MARK} {line}\n" for line in told) + body
