"""`reconciler accept` for everything but zones: what somebody did by hand becomes what git says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.cli.acceptance import Acceptance
from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.cli.site import site_of
from reconciler.cli.world import surroundings
from reconciler.config.load import TreeReader, load
from reconciler.config.places import EditedTree, places_of, text_of
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.resource import World
from reconciler.plan.plan import Change, Plan
from reconciler.plan.policy import Policy
from reconciler.plan.show.content import difference
from reconciler.reconcile import Site, looker
from reconciler.reconcile import plan as plan_of
from reconciler.render.acceptance.files import files_of
from reconciler.render.acceptance.judge import FOLLOWS, Accepted, Judged, gone, judge
from reconciler.render.acceptance.rule import Unsayable
from reconciler.render.render import render
from reconciler.render.written import spec_path, written_path

NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Wish:
    """What a person wants accepted: a resource, some of its fields or all, and that it is gone."""

    address: Address
    fields: Sequence[str] = ()
    is_gone: bool = False


@dataclass(frozen=True)
class Desk:
    """What a wish is judged by: the world as it was seen, and documents that plan for it."""

    site: Site
    environment: str
    world: World
    tree: TreeReader

    def documents(self, files: Mapping[str, str | None]) -> Documents:
        """The documents with other texts in some files."""
        tree = EditedTree(self.tree, files) if files else self.tree
        return load(tree, self.environment, may_lack_addresses=True)

    def plan(self, documents: Documents) -> Plan:
        """What these documents would change in that world."""
        past = self.site.chronicle.recall(self.environment)
        site = replace(self.site, observe=lambda *_: self.world, latest={})
        return looker(documents, "", Policy(), site, past)().plan


def accept_resource(
    repository: Repository, environment: str, tree: TreeReader, wish: Wish, world: str
) -> Acceptance:
    """What of a drift becomes changed files, checked and planned.

    Raises:
        Failure: nothing can be accepted, and why.
        ConfigError: the documents are wrong already.
    """
    site = site_of(repository, surroundings(repository, environment, world))
    past = repository.chronicle.recall(environment)
    revision = past.revision or site.source.head(environment, "")
    seen, _ = plan_of(environment, revision, site)
    desk = Desk(site, environment, seen.world, tree)
    documents = desk.documents({})
    before = desk.plan(documents)
    change = _change(before, wish.address)
    if change is None:
        raise Failure(_why_nothing(desk, before, wish.address))
    drifted = _change(seen.plan, wish.address) if past.revision else change
    if change.action is Action.CREATE:
        return _gone(desk, documents, before, change, wish)
    fields, refused = _wanted(change, drifted, wish)
    want = next(each for each in render(documents) if each.address == wish.address)
    judged = judge(documents, places_of(tree), want, change.observed, fields)
    if not judged.accepted:
        raise Failure(_nothing(wish, {**refused, **judged.refused}))
    return _accepted(desk, before, change, judged, refused)


def _accepted(
    desk: Desk, before: Plan, change: Change, judged: Judged, refused: Mapping[str, str]
) -> Acceptance:
    """The files with what was accepted in them, if they lead where they should."""
    files = _files(desk.tree, judged.accepted)
    after = _planned(desk, files)
    kind = change.address.kind
    rest = _change(after, change.address)
    taken = {each.field.path for each in judged.accepted}
    follows = FOLLOWS.get(kind, frozenset())
    known = {each.path for each in change.fields} - taken
    left = [each for each in rest.fields if each.path not in known] if rest else []
    if wrong := [each for each in left if each.path not in follows]:
        told = "; ".join(difference(each) for each in wrong)
        raise Failure(f"nothing is written, because {change.address} would still differ: {told}")
    notes = [f"The next sync also sets {each.path}." for each in left]
    return Acceptance(
        desk.environment,
        str(change.address),
        ", ".join(written_path(kind, path) for path in sorted(taken)),
        files,
        tuple(_told(judged.accepted)),
        {**refused, **judged.refused},
        (*notes, *_others(before, after, change.address)),
    )


def _gone(desk: Desk, documents: Documents, before: Plan, change: Change, wish: Wish) -> Acceptance:
    """The files without what is not there any more."""
    address = change.address
    if not wish.is_gone:
        raise Failure(
            f"{address} is gone. To accept that means to describe it no more"
            f" ({change.position}): say so with --gone; else the next sync makes it again"
        )
    want = next(each for each in render(documents) if each.address == address)
    try:
        made = gone(documents, places_of(desk.tree), want)
    except Unsayable as error:
        raise Failure(f"{address} cannot be accepted as gone: {error}") from error
    files = _files(desk.tree, (made,))
    after = _planned(desk, files)
    if rest := _change(after, address):
        raise Failure(f"nothing is written, because there would still be: {rest}")
    where = ".".join(made.amendment.path) or "the document"
    told = (f"{address} is not there; {where} goes from {made.place.file}",)
    others = tuple(_others(before, after, address))
    return Acceptance(desk.environment, str(address), "the loss", files, told, {}, others)


def _wanted(
    change: Change, drifted: Change | None, wish: Wish
) -> tuple[list[FieldChange], dict[str, str]]:
    """The differences to accept, and those that git has brought about itself."""
    named = [spec_path(change.address.kind, each) for each in wish.fields]
    chosen = [each for each in change.fields if not named or _is_named(each.path, named)]
    unknown = [
        name
        for name, path in zip(wish.fields, named, strict=True)
        if not any(_is_named(each.path, [path]) for each in change.fields)
    ]
    if unknown:
        differing = ", ".join(written_path(change.address.kind, e.path) for e in change.fields)
        raise Failure(f"{', '.join(unknown)} of {change.address} does not differ; {differing} does")
    was = {each.path: each.after for each in drifted.fields} if drifted else {}
    drift = [each for each in chosen if each.path in was and was[each.path] == each.after]
    refused = {
        each.path: "git has changed it since what was applied last: sync first"
        for each in chosen
        if each not in drift
    }
    return drift, refused


def _is_named(path: str, named: Iterable[str]) -> bool:
    return any(f"{path}.".startswith(f"{each}.") for each in named)


def _files(tree: TreeReader, accepted: Iterable[Accepted]) -> Mapping[str, str | None]:
    try:
        return files_of(accepted, lambda path: text_of(tree, path))
    except ValueError as error:
        raise Failure(f"nothing is written: {error}") from error


def _planned(desk: Desk, files: Mapping[str, str | None]) -> Plan:
    try:
        return desk.plan(desk.documents(files))
    except ConfigError as error:
        raise Failure(f"nothing is written, because this would be wrong then:\n{error}") from error


def _change(plan: Plan, address: Address) -> Change | None:
    return next((each for each in plan.changes if each.address == address), None)


def _told(accepted: Iterable[Accepted]) -> Iterator[str]:
    for each in accepted:
        turned = FieldChange(each.field.path, each.field.after, each.field.before)
        yield f"{difference(turned)} ({each.place.file})"


def _others(before: Plan, after: Plan, address: Address) -> Iterator[str]:
    """What else the documents change then."""
    known = {each.address: each.fields for each in before.changes}
    new = [
        each
        for each in after.changes
        if each.address != address and known.get(each.address) != each.fields
    ]
    if new:
        named = ", ".join(str(each) for each in new[:NAMED_AT_MOST])
        more = f" and {len(new) - NAMED_AT_MOST} more" if len(new) > NAMED_AT_MOST else ""
        yield f"The next sync also does: {named}{more}."


def _nothing(wish: Wish, refused: Mapping[str, str]) -> str:
    reasons = "".join(f"\n  {path}: {why}" for path, why in sorted(refused.items()))
    return f"nothing of {wish.address} can be accepted:{reasons}"


def _why_nothing(desk: Desk, plan: Plan, address: Address) -> str:
    """Why there is no difference to accept."""
    unknown = next((each for each in plan.unknown if each.address == address), None)
    if unknown is not None:
        return f"{address} cannot be looked at: {unknown.reason}"
    known = {each.address for each in render(desk.documents({}))}
    if address in known:
        return f"{address} is as git says; there is nothing to accept"
    for each in desk.world.observed:
        if each.address == address:
            if each.owner is None:
                return f"{address} is nobody's: take it over with reconciler adopt"
            return f"{address} belongs to environment {each.owner.environment}: name that with -e"
    return f"there is no {address} in {desk.environment}; reconciler drift shows what differs"
