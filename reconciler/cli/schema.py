"""`reconciler schema`: JSON Schemas of the documents and of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.cli.command import Failure, command
from reconciler.cli.exits import Exit
from reconciler.config.schema import schema_files
from reconciler.plan.show.json import json_text, plan_schema

PLAN = "plan.json"
_directory = click.Path(file_okay=False, path_type=Path)


@command("schema")
@click.argument("kind", required=False)
@click.option("--write", type=_directory, metavar="DIR", help="Write all schemas below DIR.")
@click.option("--check", type=_directory, metavar="DIR", help="Say which files of DIR are stale.")
def schema(kind: str | None, write: Path | None, check: Path | None) -> Exit:
    """Give the JSON Schemas of the documents, for editors.

    With KIND (VirtualMachine, virtual-machine, patch/virtual-machine, plan) one is printed; without
    anything, the names of all.
    """
    if sum(each is not None for each in (kind, write, check)) > 1:
        raise Failure("give a KIND, --write or --check, and only one of them")
    files = {**schema_files(), PLAN: json_text(plan_schema())}
    if write is not None:
        return _write(files, write)
    if check is not None:
        return _check(files, check)
    click.echo(_text_of(files, kind) if kind else _names(files), nl=False)
    return Exit.SAME


def _write(files: Mapping[str, str], directory: Path) -> Exit:
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    click.echo(f"{len(files)} schemas are in {directory}")
    return Exit.SAME


def _check(files: Mapping[str, str], directory: Path) -> Exit:
    stale = [name for name, text in files.items() if _read(directory / name) != text]
    for name in sorted(stale):
        click.echo(f"stale: {directory / name}; run reconciler schema --write {directory}")
    return Exit.DIFFERENT if stale else Exit.SAME


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _names(files: Mapping[str, str]) -> str:
    return "".join(f"{name.removesuffix('.json')}\n" for name in sorted(files))


def _text_of(files: Mapping[str, str], kind: str) -> str:
    """The schema of a kind, in whichever way its name is written."""
    wanted = kind.removesuffix(".json").replace("-", "").lower()
    for name, text in files.items():
        if name.removesuffix(".json").replace("-", "") == wanted:
            return text
    raise Failure(f"there is no schema {kind}; there are {', '.join(_names(files).split())}")
