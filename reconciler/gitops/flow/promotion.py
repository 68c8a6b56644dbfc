"""Whether a commit of one environment may go on to the next, and as what. Pure.

What is promoted is what was Ready below, not the newest commit there. The merge must give just that
tree: only what was tried goes on. All reasons against it are told at once, each with the way out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.gitops.branches import PROMOTE
from reconciler.gitops.lineage import Step
from reconciler.gitops.merging import Merged
from reconciler.gitops.message import compose
from reconciler.gitops.refs import short
from reconciler.gitops.report import count
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.plan.guards import Violation
from reconciler.plan.show.status import Status

PROMOTES = "Reconciler-Promotes"
NAMED = 5
LISTED = 50


class Way(enum.StrEnum):
    """How a promotion is brought about."""

    BRANCH = "branch"  # a branch to open a pull request from
    DIRECT = "direct"  # a merge commit on the environment's branch
    RELEASE = "release"  # the release branch of git-flow, new or brought up


@dataclass(frozen=True, slots=True)
class Place:
    """An environment: its branch and that branch's head, as far as there are any.

    A branch that no environment follows (`is_followed`) stands for itself.
    """

    environment: str
    branch: str | None
    head: str | None
    past: Status
    is_followed: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides about a promotion, put together by `reconciler.gitops.flow.promoting`.

    `commit` with its `tree` is what would go on from `lower` to `upper`; empty if nothing was
    ever Ready. `comes` are the commits that it brings, `apart` those of the upper branch that it
    lacks. `merged` is their merge; `is_same_line`: the upper branch holds nothing but trees that
    the lower one had, in its order, so that a merge may keep the lower tree. `unsoaked` and
    `lost` are what the soak gate and the revert trap have against it.
    """

    lower: Place
    upper: Place
    now: str
    commit: str
    tree: str = ""
    comes: tuple[Step, ...] = ()
    apart: tuple[Step, ...] = ()
    merged: Merged | None = None
    is_there: bool = False
    is_same_line: bool = False
    unsoaked: tuple[Violation, ...] = ()
    lost: tuple[Violation, ...] = ()
    release: str | None = None
    newest: str = ""
    is_older_release: bool = False

    @property
    def gives_the_tree(self) -> bool:
        """Whether an ordinary merge gives just the tree that was tried."""
        return self.merged is None or (self.merged.is_clean and self.merged.tree == self.tree)


Objection = Callable[[Facts], Iterator[Violation]]


def objections(facts: Facts) -> tuple[Violation, ...]:
    """Everything that stands against a promotion, each with the way out."""
    if not facts.commit:
        return tuple(_never_ready(facts))
    return tuple(each for objection in OBJECTIONS for each in objection(facts))


def _never_ready(facts: Facts) -> Iterator[Violation]:
    lower = facts.lower.environment
    yield Violation(
        "not-ready",
        f"{lower} was never Ready, so that nothing of it was tried",
        f"see why: reconciler status --environment {lower}",
    )


def _already_there(facts: Facts) -> Iterator[Violation]:
    if facts.is_there:
        upper = facts.upper
        yield Violation(
            "nothing-new",
            f"{upper.branch or upper.environment} has the work of {short(facts.commit)} already",
            _when_newer(facts),
        )


def _when_newer(facts: Facts) -> str:
    lower = facts.lower
    if lower.head and lower.head != facts.commit:
        return (
            f"{lower.branch} is at {short(lower.head)}, which is to be Ready in "
            f"{lower.environment} first: reconciler status --environment {lower.environment}"
        )
    return f"there is nothing to do until {lower.environment} has something new"


def _held(facts: Facts) -> Iterator[Violation]:
    lower, past = facts.lower.environment, facts.lower.past
    for hold in past.holds:
        if not hold.resource and not hold.is_over(facts.now):
            until = f" until {hold.until}" if hold.until else ""
            yield Violation(
                "held",
                f"{lower} is held{until}: {hold.reason}",
                f"let it go on: reconciler release {lower}",
            )
    stalled = next((c for c in past.conditions if c.type is ConditionType.STALLED), None)
    if stalled is not None and stalled.status is Truth.TRUE:
        first = (stalled.message.splitlines() or [""])[0]
        yield Violation(
            "stalled",
            f"{lower} is stalled: {stalled.reason}: {first}",
            f"mend that first: reconciler status --environment {lower}",
        )


def _unsoaked(facts: Facts) -> Iterator[Violation]:
    yield from facts.unsoaked


def _quarantined(facts: Facts) -> Iterator[Violation]:
    for place in (facts.lower, facts.upper):
        for each in place.past.quarantined:
            if each.tree == facts.tree:
                yield Violation(
                    "quarantine",
                    f"just this tree was rolled back in {place.environment} "
                    f"({short(each.commit)}, {each.since}): {each.reason}",
                    f"mend it in a new commit on {facts.lower.branch}, and promote that",
                )


def _no_branch(facts: Facts) -> Iterator[Violation]:
    if facts.upper.branch is None and facts.release is None:
        upper = facts.upper.environment
        yield Violation(
            "no-branch",
            f"{upper} has no branch to promote to",
            f"make it once: git push origin {facts.commit}:refs/heads/{upper}",
        )


def _older_release(facts: Facts) -> Iterator[Violation]:
    if facts.is_older_release:
        yield Violation(
            "version",
            f"{facts.release} is not above {facts.newest}, the newest there is",
            "give a higher one with --release, or none for the next minor version",
        )


def _conflicting(facts: Facts) -> Iterator[Violation]:
    merged = facts.merged
    if merged is None or facts.is_same_line:
        return
    lower, upper = facts.lower.branch, facts.upper.branch
    if merged.is_unrelated:
        yield Violation(
            "unrelated",
            f"{lower} and {upper} have no history in common",
            f"begin {lower} anew at {upper}, and bring the changes there by git cherry-pick",
        )
    elif merged.conflicts:
        yield Violation(
            "conflict",
            f"merging {short(facts.commit)} into {upper} conflicts in {_some(merged.conflicts)}",
            back_merge_first(facts),
        )


def _diverged(facts: Facts) -> Iterator[Violation]:
    merged = facts.merged
    if merged is None or facts.is_same_line or not merged.is_clean or facts.gives_the_tree:
        return
    theirs = [step for step in facts.apart if not step.is_merge] or list(facts.apart)
    told = _some(f"{short(step.commit)} {step.subject}" for step in reversed(theirs))
    yield Violation(
        "diverged",
        f"{facts.upper.branch} has {count(len(theirs), 'commit')} that {facts.lower.branch} lacks "
        f"({told}), so that the merge would not be what was Ready in {facts.lower.environment}",
        back_merge_first(facts),
    )


def _losing(facts: Facts) -> Iterator[Violation]:
    yield from facts.lost


OBJECTIONS: tuple[Objection, ...] = (
    _already_there,
    _held,
    _unsoaked,
    _quarantined,
    _no_branch,
    _older_release,
    _conflicting,
    _diverged,
    _losing,
)


def back_merge_first(facts: Facts) -> str:
    """How the upper branch is merged back into the lower one."""
    lower, upper = facts.lower.branch, facts.upper.branch
    return (
        f"merge {upper} back into {lower} first: git fetch origin && git switch {lower} && "
        f"git merge --ff-only origin/{lower} && git merge origin/{upper} && git push origin "
        f"{lower}; promote again when that is Ready in {facts.lower.environment}"
    )


def promote_branch(lower: str, upper: str) -> str:
    """The branch to open a pull request from."""
    return f"{PROMOTE}{lower}-{upper}"


def title_of(facts: Facts) -> str:
    """The subject of the merge, and the title of the pull request."""
    if facts.release is not None:
        return f"Bring {facts.lower.environment} to {facts.release}"
    lower = facts.lower.branch or ""
    named = lower if lower.startswith(("release/", "hotfix/")) else facts.lower.environment
    return f"Promote {named} to {facts.upper.environment}"


def list_of(facts: Facts) -> str:
    """What comes, by subjects, the newest first; merges only where nothing else comes."""
    changes = [step for step in facts.comes if not step.is_merge] or list(facts.comes)
    shown = [f"- {short(step.commit)} {step.subject}" for step in reversed(changes)]
    more = [f"- and {len(shown) - LISTED} more"] if shown[LISTED:] else []
    return "\n".join([*shown[:LISTED], *more])


def origin_of(facts: Facts) -> str:
    """What goes on, and where it was tried."""
    lower = facts.lower
    tried = f", Ready in {lower.environment}" if lower.is_followed else ""
    return f"Commit {short(facts.commit)} of {lower.branch or lower.environment}{tried}"


def message_of(facts: Facts) -> bytes:
    """The message of a merge commit of ours."""
    since = f"{origin_of(facts)}\n\n{list_of(facts)}"
    trailers = (
        (PROMOTES, facts.commit),
        ("Reconciler-Environment", facts.upper.environment),
    )
    return compose(title_of(facts), since, trailers, skip_ci=False)


def _some(texts: Iterable[str]) -> str:
    known = list(texts)
    more = f" and {len(known) - NAMED} more" if known[NAMED:] else ""
    return ", ".join(known[:NAMED]) + more
