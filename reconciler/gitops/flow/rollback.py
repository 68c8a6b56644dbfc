"""Rollbacks: a commit on top of a bad one that restores the tree of the last good one.

That a commit is taken back is decided once, by a record in the journal; from then on its tree is
never applied by itself. All else is done by looking, as often as it takes: the commit that restores
the good tree is pushed, never by force, and if somebody was quicker, that is respected. A branch
that takes nothing from us gets a branch beside it to merge.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from reconciler.errors import RolledBack, SourceError, Stalled
from reconciler.gitops.branches import ROLLBACK
from reconciler.gitops.commits import CommitInfo, log
from reconciler.gitops.flow.undone import REASON, RESTORES, REVERTS, GitHistories
from reconciler.gitops.journal import ENVIRONMENT
from reconciler.gitops.lineage import steps
from reconciler.gitops.merging import Maker, commit_tree, tree_of
from reconciler.gitops.message import compose, one_line
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import branch_ref, short
from reconciler.gitops.report import Report
from reconciler.gitops.signing import SigningKey
from reconciler.gitops.source import ACKNOWLEDGED_AT_MOST, ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.model.condition import ConditionType
from reconciler.model.standing import Quarantined
from reconciler.plan.guards import ALLOW_TRAILER, Violation
from reconciler.plan.show.rollbacks import is_back
from reconciler.plan.show.status import Status

GATE = "quarantine"
# What the way back may pass if it is said to; the rest is about who asks, or never allowed.
GUARDS = frozenset(
    {
        "apex-change",
        "base-removal",
        "disruption",
        "empty-desire",
        "mass-deletion",
        "mass-record-change",
        "no-nameservers",
    }
)
# What by itself is gone back to costs what was written since: the environment has asked for that.
BY_ITSELF = ("disruption",)
ATTEMPTS = 5
LISTED_AT_MOST = 20
_SUBJECT_LENGTH = 60
_REASON_LENGTH = 300


class Standing(enum.Enum):
    """How far a rollback has come."""

    DONE = "the branch has it"
    BESIDE = "the branch did not take it; it waits on a branch beside it"
    WAITING = "it could not be pushed yet"
    OVERTAKEN = "the branch has moved on by itself"


@dataclass(frozen=True, slots=True)
class Push:
    """How far a rollback has come: on which branch it is, as which commit, and why not further."""

    standing: Standing
    branch: str = ""
    commit: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Rollbacks:
    """Makes rollbacks and pushes them. With a `key` they are signed."""

    source: ConfigSource
    identity: Identity
    key: SigningKey | None = None

    @property
    def mirror(self) -> Mirror:
        """The mirror of the config repository."""
        return self.source.mirror

    def made_by(self, since: str) -> Maker:
        """Who makes a commit for something that was decided at a time, given as RFC 3339."""
        return Maker(self.identity, datetime.fromisoformat(since), self.key)

    def push(self, environment: str, rollback: Quarantined) -> Push:
        """Bring a rollback to the environment's branch, or beside it, if that is still to be done.

        The same rollback on the same head is the same commit, however often it is made.

        Raises:
            SourceError: an object is missing, or the commit cannot be made.
        """
        reason = "somebody else was quicker each time"
        for _ in range(ATTEMPTS):
            branch = self.source.branches().get(environment)
            head = self.mirror.head(branch) if branch else None
            if branch is None or head is None or not self.is_open(rollback, head):
                return Push(Standing.OVERTAKEN, branch or "")
            commit = self.commit(environment, head, rollback)
            beside = f"{ROLLBACK}{environment}/{short(head)}"
            if self.mirror.head(beside) == commit:
                return Push(Standing.BESIDE, beside, commit)
            try:
                refused = self.mirror.publish({branch_ref(branch): commit})
                if not refused:
                    return Push(Standing.DONE, branch, commit)
                refusal = refused[branch_ref(branch)]
                if not refusal.raced:
                    return self._push_beside(beside, commit, refusal.reason)
                self.mirror.fetch()
            except SourceError as error:
                return Push(Standing.WAITING, commit=commit, reason=str(error))
        return Push(Standing.WAITING, reason=reason)

    def decide(
        self,
        environment: str,
        bad: str,
        good: str,
        reason: str,
        now: datetime,
        *,
        allows: Collection[str] = (),
    ) -> Quarantined:
        """The decision to go back from the commit `bad` to the commit `good`.

        `allows` are guards that the way back may pass, besides those that were acknowledged for
        what is taken back: who allowed a change has allowed that it is undone.

        Raises:
            Stalled: there is no way back from the one to the other.
            SourceError: an object is missing.
        """
        git = self.mirror.git()
        if not (git.has_commit(good) and git.is_ancestor(good, bad)):
            raise Stalled(
                f"{short(good)} is not in the history of {short(bad)}",
                f"push a commit to the branch of {environment} that is as it should be",
            )
        tree, wanted = tree_of(git, bad), tree_of(git, good)
        if tree == wanted:
            raise Stalled(
                f"{short(bad)} has the tree of {short(good)} already: {environment} stays there",
                "push a commit that mends it",
            )
        since = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        allowed = {*allows, *self._acknowledged(bad, good)} & GUARDS
        told = one_line(reason, _REASON_LENGTH)
        return Quarantined(tree, bad, good, told, since, tuple(sorted(allowed)))

    def is_open(self, rollback: Quarantined, head: str) -> bool:
        """Whether a head still is what was taken back, and nobody has taken it back yet."""
        git = self.mirror.git()
        if head != rollback.commit:
            is_same = git.has_commit(rollback.commit) and tree_of(git, head) == rollback.tree
            if not (is_same and git.is_ancestor(rollback.commit, head)):
                return False
        if is_let_in(self.mirror, rollback, head):
            return False
        return GitHistories(git).restorer(rollback.commit, rollback.good, head) is None

    def commit(self, environment: str, head: str, rollback: Quarantined) -> str:
        """The commit on top of `head` that restores the good tree; nobody knows it yet.

        Raises:
            SourceError: an object is missing, or the commit cannot be made.
        """
        git = self.mirror.git()
        taken_back = log(git, head, LISTED_AT_MOST, (rollback.good,))
        is_step = steps(git, head, limit=1)[0].parents[:1] == (rollback.good,)
        trailers = (
            (ENVIRONMENT, environment),
            (REVERTS, head),
            (RESTORES, rollback.good),
            (REASON, rollback.reason),
            *((ALLOW_TRAILER, each) for each in rollback.allows),
        )
        message = compose(
            _subject(environment, rollback, taken_back, is_step=is_step),
            "\n".join(_body(environment, rollback, taken_back)),
            trailers,
            skip_ci=False,
        )
        tree, maker = tree_of(git, rollback.good), self.made_by(rollback.since)
        return commit_tree(git, tree, (head,), message, maker)

    def _acknowledged(self, bad: str, good: str) -> Iterator[str]:
        for each in log(self.mirror.git(), bad, ACKNOWLEDGED_AT_MOST, (good,)):
            yield from each.all(ALLOW_TRAILER)

    def _push_beside(self, branch: str, commit: str, refused: str) -> Push:
        refusal = self.mirror.publish({branch_ref(branch): commit}).get(branch_ref(branch))
        if refusal is None:
            return Push(Standing.BESIDE, branch, commit, refused)
        return Push(Standing.WAITING, commit=commit, reason=f"{refused}; {refusal.reason}")


def needs_rollback(
    report: Report, past: Status, now: datetime, after: timedelta | None
) -> str | None:
    """Why the commit of a turn has to be taken back now; None if it has not.

    `past` is what is remembered after the turn. Only a commit that never was Ready is taken back,
    when it has been failing for `after`, counted from its first try. That a host did not answer is
    never a reason. None for `after` leaves it to people.
    """
    failing = past.failing
    if after is None or report.refusal is not None or not report.is_failing:
        return None
    if failing is None or failing.commit != report.revision or not past.ready_revision:
        return None
    if is_back(past):  # one rollback for each bad commit: there is no way back from the way back
        return None
    if now - datetime.fromisoformat(failing.since) < after or report.finding is None:
        return None
    return f"{report.finding.reason}: {report.finding.message}"


def is_a_rollback(mirror: Mirror, commit: str) -> bool:
    """Whether a commit says that it takes back the one before it, and has the tree it restores."""
    git = mirror.git()
    known = steps(git, commit, limit=1)[0].parents
    found = GitHistories(git).undone_between(commit, known)
    return any(tree_of(git, each.good) == tree_of(git, commit) for each in found)


def acknowledged(past: Status) -> frozenset[str]:
    """The guards that whoever decided the rollback has acknowledged, until it is done."""
    if not (past.quarantined and is_back(past)) or past.ready_since:
        return frozenset()
    return GUARDS & {*past.quarantined[-1].allows}


def is_going_back(mirror: Mirror, revision: str, past: Status) -> bool:
    """Whether a commit has what was gone back to, and was not Ready since."""
    if not (past.quarantined and is_back(past)) or past.ready_since:
        return False
    git, good = mirror.git(), past.quarantined[-1].good
    return git.has_commit(good) and tree_of(git, revision) == tree_of(git, good)


def is_let_in(mirror: Mirror, rollback: Quarantined, head: str) -> bool:
    """Whether a commit since then says that the tree may be applied again."""
    git = mirror.git()
    if head == rollback.commit or not git.has_commit(rollback.commit):
        return False
    since = log(git, head, ACKNOWLEDGED_AT_MOST, (rollback.commit,))
    return any(GATE in each.all(ALLOW_TRAILER) for each in since)


def check_quarantine(mirror: Mirror, environment: str, head: str, past: Status) -> Status:
    """See that a head's tree was not taken back; gives what is remembered as it is for this head.

    Raises:
        RolledBack: it was taken back, and no commit since then says that it may come in again.
        SourceError: an object is missing.
    """
    if not past.quarantined:
        return past
    git = mirror.git()
    tree, last = tree_of(git, head), past.quarantined[-1]
    for each in reversed(past.quarantined):
        if each.tree == tree and not is_let_in(mirror, each, head):
            raise RolledBack((_violation(mirror, environment, head, each),))
    if git.has_commit(last.good) and tree == tree_of(git, last.good):
        return past
    others = (each for each in past.conditions if each.type is not ConditionType.ROLLED_BACK)
    return replace(past, conditions=tuple(others))


def _violation(mirror: Mirror, environment: str, head: str, rollback: Quarantined) -> Violation:
    beside = f"{ROLLBACK}{environment}/{short(head)}"
    is_beside = mirror.head(beside) is not None
    itself = (
        "it" if head == rollback.commit else f"its tree is that of {short(rollback.commit)}, it"
    )
    merge = f"merge the branch {beside}, or " if is_beside else ""
    return Violation(
        GATE,
        f"{short(head)} is not applied: {itself} was taken back at {rollback.since} "
        f"({rollback.reason}), and {short(rollback.good)} stays in force",
        f"{merge}push a commit with another tree, which is followed by itself; to have the same "
        f"tree tried again, say in a new commit {ALLOW_TRAILER}: {GATE}",
    )


def _subject(
    environment: str, rollback: Quarantined, taken_back: Sequence[CommitInfo], *, is_step: bool
) -> str:
    if is_step:
        return f'Revert "{one_line(taken_back[0].subject, _SUBJECT_LENGTH)}"'
    return f"Roll back {environment} to {short(rollback.good)}"


def _body(
    environment: str, rollback: Quarantined, taken_back: Sequence[CommitInfo]
) -> Iterator[str]:
    good = short(rollback.good)
    yield f"The tree is again that of {good}, which was Ready in {environment}."
    yield f"The reason: {rollback.reason}"
    yield ""
    yield "Taken back:"
    for each in taken_back:
        yield f"  {short(each.sha)} {one_line(each.subject, _SUBJECT_LENGTH)} ({each.author})"
    if len(taken_back) == LISTED_AT_MOST:
        yield "  and what was before"
    yield "The work is not lost. This commit is merged back into the lower branches with their"
    yield "trees kept: mend it there, and the next ordinary merge brings all of it in again."
