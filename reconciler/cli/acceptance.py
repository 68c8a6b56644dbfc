"""What was accepted, and where it goes: into a work tree, or as a branch to be merged."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

import click

from reconciler.cli.authorship import maker_of
from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.cli.worktree import check_place, write_files
from reconciler.config.load import TreeReader
from reconciler.config.places import text_of
from reconciler.daemon.clock import SystemClock
from reconciler.errors import ReconcilerError
from reconciler.gitops.branches import ACCEPT
from reconciler.gitops.chronicle import DETECTED
from reconciler.gitops.flow.acceptance import Offer, Work, offer
from reconciler.gitops.journal import ENVIRONMENT, RESOURCE
from reconciler.gitops.message import compose
from reconciler.gitops.wording import EventWord
from reconciler.plan.show.escape import code_span, visible

EVENTS_LOOKED_THROUGH = 200
LONGEST_SLUG = 60
_UNFIT = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What was accepted of one resource.

    `files` are the new texts, None for one that goes. `told` says field by field what was seen,
    `refused` what is not accepted and why, `notes` what follows from it.
    """

    environment: str
    resource: str
    what: str
    files: Mapping[str, str | None]
    told: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """The branch of an environment, with its head, that an acceptance is to be merged into."""

    branch: str
    head: str


def write_into(root: Path, accepted: Acceptance) -> None:
    """Write the files below a work tree."""
    texts = {path: text for path, text in accepted.files.items() if text is not None}
    write_files(root, texts, lambda: None)
    for path in accepted.files.keys() - texts.keys():
        check_place(root, path)
        (root / path).unlink()
    for path in sorted(accepted.files):
        verb = "wrote" if path in texts else "removed"
        click.echo(visible(f"{verb} {path}"))


def offer_branch(
    repository: Repository, tree: TreeReader, accepted: Acceptance, target: Target
) -> bool:
    """Push the files as a branch, and open a pull request if there is a forge; False if refused."""
    name = f"{ACCEPT}{accepted.environment}/{_slug(accepted.resource)}"
    work = Work(name, target.head, accepted.files, _message(repository, accepted))
    try:
        made = offer(repository.mirror, work, maker_of(repository.settings))
    except ValueError as error:
        raise Failure(str(error)) from error
    if made.refusal is not None:
        click.echo(visible(f"{made.branch} was not taken: {made.refusal.reason}"), err=True)
        click.echo("This is what it would have said:\n", err=True)
        click.echo("".join(_difference(tree, accepted.files)), nl=False)
        return False
    verb = "pushed" if made.is_new else "is there already:"
    click.echo(visible(f"{verb} branch {made.branch}, to be merged into {target.branch}"))
    _propose(repository, accepted, made, target.branch)
    return True


def _message(repository: Repository, accepted: Acceptance) -> bytes:
    trailers = [(ENVIRONMENT, accepted.environment), (RESOURCE, accepted.resource)]
    return compose(_subject(accepted), _body(repository, accepted), trailers, skip_ci=False)


def _subject(accepted: Acceptance) -> str:
    return f"Accept {accepted.what} of {accepted.resource} in {accepted.environment}"


def _body(repository: Repository, accepted: Acceptance) -> str:
    seen = SystemClock().now().strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"Somebody changed this by hand. As it was seen at {seen}:", "", *accepted.told]
    for detected in _detected(repository, accepted):
        lines += ["", detected]
    lines += ["", *accepted.notes] if accepted.notes else []
    return "\n".join(lines)


def _detected(repository: Repository, accepted: Acceptance) -> Iterator[str]:
    """When the journal told of it last, and by which detection."""
    for record in repository.journal(accepted.environment).entries(EVENTS_LOOKED_THROUGH):
        if record.event == EventWord.DRIFT and accepted.resource in record.resources:
            mine = f"{accepted.resource} by "
            by = [value for key, value in record.trailers if key == DETECTED]
            how = next((each for each in by if each.startswith(mine)), "")
            said = f", found by {how.removeprefix(mine)}" if how else ""
            yield f"In the journal since {record.time:%Y-%m-%d %H:%M} UTC{said} ({record.sha[:7]})."
            return


def _difference(tree: TreeReader, files: Mapping[str, str | None]) -> Iterator[str]:
    for path, text in sorted(files.items()):
        before = text_of(tree, path).splitlines(keepends=True)
        after = (text or "").splitlines(keepends=True)
        for line in unified_diff(before, after, f"a/{path}", f"b/{path}"):
            yield visible(line.rstrip("\n")) + "\n"


def _propose(repository: Repository, accepted: Acceptance, made: Offer, target: str) -> None:
    """Open a pull request. That there is no forge, or that it does not answer, changes nothing."""
    forge = repository.forge
    if forge is None:
        return
    told = "\n".join(f"- {code_span(line)}" for line in (*accepted.told, *accepted.notes))
    try:
        made_there = forge.open_pull_request(made.branch, target, _subject(accepted), told)
    except ReconcilerError as error:
        click.echo(visible(f"no pull request could be opened: {error}"), err=True)
    else:
        click.echo(visible(f"pull request {made_there.url}"))


def _slug(resource: str) -> str:
    """A resource as a part of the name of a branch."""
    word = _UNFIT.sub("-", resource.lower()).strip("-._")
    if len(word) <= LONGEST_SLUG and not word.endswith(".lock") and ".." not in word:
        return word
    digest = hashlib.sha256(resource.encode()).hexdigest()[:8]
    return f"{word.replace('.', '-')[:LONGEST_SLUG].strip('-')}-{digest}"
