"""What a review has to say: a line, a page for people, and files for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.cli.background import background_of
from reconciler.cli.formats import Format, plan_document, problems_document
from reconciler.cli.proposed import proposed, unmerged
from reconciler.cli.repository import Repository
from reconciler.cli.site import site_of
from reconciler.cli.validate import problems_of_tree
from reconciler.cli.world import EMPTY, JOURNAL, has_begun, surroundings
from reconciler.errors import ConfigError, PlanError, ReconcilerError, Stalled
from reconciler.gitops.flow.proposal import ROOT_DOCUMENT, Side
from reconciler.gitops.forges.port import State
from reconciler.model.change import Action
from reconciler.model.position import Position, Problem
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.plan.show.background import Background, Merge, Word
from reconciler.plan.show.escape import shortened
from reconciler.reconcile import plan as make_plan

FILES: Mapping[Format, str] = {
    Format.MARKDOWN: "plan.md",
    Format.JSON: "plan.json",
    Format.JUNIT: "plan.junit.xml",
    Format.SARIF: "plan.sarif",
}
VALIDATE = "validate"
PAGE_LENGTH = 59_000  # drivers of forges cut comments at 60,000 characters
SUBJECT_LENGTH = 140  # what every forge takes as the text of a commit status
_BLANK = Word(
    "journal",
    "the journal has not begun, so everything looks new",
    "the first sync begins it",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `name` is the environment, or `validate` where the target feeds none.

    `headline` is harmless text. `documents` are the files by name, `has_changes` whether a sync
    would do anything.
    """

    name: str
    state: State
    headline: str
    documents: Mapping[str, bytes]
    has_changes: bool = False

    @property
    def context(self) -> str:
        """The name of the commit status."""
        return "reconciler/validate" if self.name == VALIDATE else f"reconciler/{self.name}/plan"

    @property
    def page(self) -> str:
        """The markdown for people."""
        return self.documents[FILES[Format.MARKDOWN]].decode()


def judge(repository: Repository, branch: Side, target: str, world: str) -> Verdict:
    """The plan for the environment that the target feeds; if it feeds none, the tree's soundness.

    Raises:
        SourceError: the repository cannot be read.
        KeyError: there is no such target.
    """
    for environment, feeds in repository.source.branches().items():
        if feeds == target:
            return _planned(repository, environment, branch, target, world)
    return _validated(repository, branch, target)


def _planned(
    repository: Repository, environment: str, branch: Side, target: str, world: str
) -> Verdict:
    """The plan of the merge for one environment."""
    is_blank = world == JOURNAL and not has_begun(repository, environment)
    world = EMPTY if is_blank else world
    try:
        subject = proposed(repository, environment, branch, target)
        site = site_of(repository, surroundings(repository, environment, world))
        look, violations = make_plan(environment, subject.revision, site)
        background = background_of(repository, site, subject, look.plan, world)
    except (ConfigError, PlanError, Stalled) as error:
        merge = unmerged(repository, branch, target)
        return _refused(environment, _problems(environment, error), merge)
    if is_blank:
        background = replace(background, words=(_BLANK, *background.words))
    return _accepted(look.plan, violations, background)


def _accepted(plan: Plan, violations: tuple[Violation, ...], background: Background) -> Verdict:
    return Verdict(
        name=plan.environment,
        state=State.FAILURE if violations else State.SUCCESS,
        headline=_headline(plan, violations),
        documents={
            file: plan_document(plan, violations, form, background=background, limit=PAGE_LENGTH)
            for form, file in FILES.items()
        },
        has_changes=bool(plan.changes),
    )


def _validated(repository: Repository, branch: Side, target: str) -> Verdict:
    """Whether the merge loads, for every environment that it has."""
    try:
        subject = proposed(repository, "", branch, target)
        problems = problems_of_tree(repository.mirror.tree(subject.revision), None)
    except ConfigError as error:
        problems = error.problems
    return _refused("", problems, unmerged(repository, branch, target))


def _refused(environment: str, problems: Sequence[Problem], merge: Merge) -> Verdict:
    """What is wrong with the tree; nothing, if there are no problems."""
    about = Background(merge)
    return Verdict(
        name=environment or VALIDATE,
        state=State.FAILURE if problems else State.SUCCESS,
        headline=_of_problems(problems),
        documents={
            file: problems_document(problems, form, environment, about, limit=PAGE_LENGTH)
            for form, file in FILES.items()
        },
    )


def _problems(environment: str, error: ReconcilerError) -> tuple[Problem, ...]:
    if isinstance(error, ConfigError):
        return error.problems
    return (Problem(Position(ROOT_DOCUMENT), f"{environment}: {error}"),)


def _headline(plan: Plan, violations: Sequence[Violation]) -> str:
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        first = violations[0]
        return shortened(f"refused{more}: {first.name}: {first.message}", SUBJECT_LENGTH)
    if not plan.changes:
        return "no changes"
    counts = [f"{plan.count(action)} to {action}" for action in Action if plan.count(action)]
    noun = "change" if len(plan.changes) == 1 else "changes"
    return f"{len(plan.changes)} {noun}: {', '.join(counts)}; digest {plan.digest}"


def _of_problems(problems: Sequence[Problem]) -> str:
    if not problems:
        return "no problems"
    noun = "problem" if len(problems) == 1 else "problems"
    return shortened(f"{len(problems)} {noun}; first: {problems[0]}", SUBJECT_LENGTH)
