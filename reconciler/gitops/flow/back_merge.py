"""Merging rollbacks back into the lower branches, so that what was rolled back can come again.

Git takes work that was merged and then taken back for merged: the next merge leaves it out. A merge
of the rollback into the branch with the work, keeping that branch's tree, says that the work is
newer than the rollback, and an ordinary merge brings it again.

It goes from branch to branch, the highest first, so that the lower ones go on from the upper ones.
A branch that lacks something else of what is above it gets that too; then, or if it takes no push,
a branch beside it is made for people to merge. What is done is seen in git, nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.errors import DriverError, SourceError
from reconciler.gitops.branches import BACK_MERGE as BESIDE
from reconciler.gitops.flow.rollback import ATTEMPTS, Rollbacks, Standing
from reconciler.gitops.flow.undone import BACK_MERGE, GitHistories
from reconciler.gitops.forges.port import Forge
from reconciler.gitops.lineage import has_arrived, steps
from reconciler.gitops.merging import commit_tree, merge_trees, tree_of
from reconciler.gitops.message import compose
from reconciler.gitops.refs import branch_ref, short
from reconciler.model.standing import Quarantined
from reconciler.plan.show.status import Status

LOOKED_AT = 20
_TOP = ENVIRONMENT_NAMES[-1]
_TYPED = ("release/", "hotfix/")


@dataclass(frozen=True, slots=True)
class _Lower:
    """A branch below, and whether the branches below it go on from it."""

    branch: str
    is_in_line: bool


@dataclass(frozen=True)
class BackMerges:
    """Brings rollbacks as far as they have to go, again and again until they are there.

    `forge` is asked to open a pull request for what people have to merge.
    """

    rollbacks: Rollbacks
    forge: Forge | None = None
    _settled: dict[str, object] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _told: dict[str, set[str]] = field(default_factory=dict)

    def catch_up(self, environment: str, past: Status) -> tuple[str, ...]:
        """Push what is to be pushed of the latest rollbacks; gives what people should know now.

        Never raises for git or the forge: it is tried again at the next turn.
        """
        told: list[str] = []
        said = self._told.setdefault(environment, set())
        for rollback in past.quarantined[-LOOKED_AT:]:
            try:
                told += self._catch_up(environment, rollback)
            except SourceError as error:
                told.append(f"{environment}: the rollback of {short(rollback.commit)}: {error}")
        news = tuple(line for line in told if line not in said)
        said.clear()
        said.update(told)
        return news

    def _catch_up(self, environment: str, rollback: Quarantined) -> Iterator[str]:
        heads = dict(self.rollbacks.mirror.heads())
        if self._settled.get(rollback.commit) == heads:
            return
        push = self.rollbacks.push(environment, rollback)
        bad, good = short(rollback.commit), short(rollback.good)
        if push.standing is Standing.DONE:
            yield f"{environment}: {short(push.commit)} on {push.branch} takes {bad} back to {good}"
        elif push.standing is Standing.BESIDE:
            yield (
                f"{environment}: {good} is kept in force in place of {bad}; "
                f"merge the branch {push.branch} to take {bad} back"
            )
            branch = self.rollbacks.source.branches()[environment]
            yield from self._ask_for(push.branch, branch, f"Roll back {environment} to {good}")
        elif push.standing is Standing.WAITING:
            yield (
                f"{environment}: the rollback of {bad} could not be pushed, and is tried again "
                f"with the next turn: {push.reason}"
            )
        left = tuple(self._merge_down(environment, rollback))
        yield from left
        if not left and push.standing is Standing.OVERTAKEN:
            self._settled[rollback.commit] = dict(self.rollbacks.mirror.heads())

    def _merge_down(self, environment: str, rollback: Quarantined) -> Iterator[str]:
        mirror = self.rollbacks.mirror
        heads, branches = mirror.heads(), self.rollbacks.source.branches()
        own = heads.get(branches.get(environment, ""))
        histories = GitHistories(mirror.git())
        if own is None or not mirror.has_commit(rollback.commit):
            return
        restorer = histories.restorer(rollback.commit, rollback.good, own)
        if restorer is None:
            return
        carrier = restorer
        for lower in self._below(environment, branches, heads, own):
            source = carrier if lower.is_in_line else restorer
            made = self._bring(lower.branch, restorer, source, rollback)
            yield from made.told
            if lower.is_in_line and made.commit:
                carrier = made.commit

    def _below(
        self, environment: str, branches: Mapping[str, str], heads: Mapping[str, str], own: str
    ) -> Iterator[_Lower]:
        """The lower environments' branches in their line, and the open ones of git-flow."""
        rank = ENVIRONMENT_NAMES.index(environment)
        line = [branches[name] for name in reversed(ENVIRONMENT_NAMES[:rank]) if name in branches]
        yield from (_Lower(branch, is_in_line=True) for branch in line)
        if environment != _TOP:
            return
        git = self.rollbacks.mirror.git()
        for branch, head in heads.items():
            is_typed = branch.startswith(_TYPED) and not has_arrived(git, head, own)
            if branch not in {*line, *branches.values()} and (is_typed or branch == "develop"):
                yield _Lower(branch, is_in_line=False)

    def _bring(self, branch: str, restorer: str, source: str, rollback: Quarantined) -> _Made:
        """Bring a rollback to one branch, by merging `source`, which has it."""
        for _ in range(ATTEMPTS):
            made = self._there(branch, restorer, rollback)
            made = made or self._make(branch, restorer, source, rollback)
            if made is not None:
                return made
            self.rollbacks.mirror.fetch()
        late = f"{branch}: the rollback could not be merged back: somebody else was quicker"
        return _Made("", (late,))

    def _there(self, branch: str, restorer: str, rollback: Quarantined) -> _Made | None:
        """What is there already, or that there is nothing to do; None if there is something."""
        mirror, git = self.rollbacks.mirror, self.rollbacks.mirror.git()
        head = mirror.head(branch)
        if head is None or not self._has_work(head, rollback):
            return _Made()
        if git.is_ancestor(restorer, head):
            return _Made(self._carrier(restorer, head))
        waiting = mirror.head(_beside(branch, restorer))
        if waiting and git.is_ancestor(restorer, waiting):
            return _Made(waiting, (_please_merge(branch, restorer),))
        return None

    def _make(self, branch: str, restorer: str, source: str, rollback: Quarantined) -> _Made | None:
        """Merge and push; None if somebody was quicker."""
        mirror, git = self.rollbacks.mirror, self.rollbacks.mirror.git()
        head = mirror.heads()[branch]
        before = source if source != restorer else steps(git, source, limit=1)[0].parents[0]
        work = source if source != restorer else self._without(restorer, before, rollback)
        merged = merge_trees(git, head, work) if work else None
        if merged is None or not merged.is_clean:
            parent = before if work == before else ""
            return _Made(
                "", (_by_hand(branch, source, parent, merged.conflicts if merged else ()),)
            )
        commit = self._commit(merged.tree, (head, source), branch, restorer, rollback)
        if merged.tree != tree_of(git, head):
            return self._publish_beside(branch, restorer, commit)
        refusal = mirror.publish({branch_ref(branch): commit}).get(branch_ref(branch))
        if refusal is None:
            return _Made(commit, (f"{branch}: {short(commit)} merges {short(restorer)} back",))
        return None if refusal.raced else self._publish_beside(branch, restorer, commit)

    def _without(self, restorer: str, before: str, rollback: Quarantined) -> str | None:
        """What was there before a rollback, with what its commit has brought besides.

        People squash a rollback together with a mend, which must not be left out below. None if
        the one cannot be told from the other.
        """
        git = self.rollbacks.mirror.git()
        again = GitHistories(git).merged(restorer, rollback.commit, rollback.good)
        if again is None or again == tree_of(git, before):
            return before if again else None
        message = compose(f"{short(restorer)} without the rollback", "", ())
        return commit_tree(git, again, (before,), message, self.rollbacks.made_by(rollback.since))

    def _publish_beside(self, branch: str, restorer: str, commit: str) -> _Made:
        beside = _beside(branch, restorer)
        refusal = self.rollbacks.mirror.publish({branch_ref(beside): commit})
        if refusal:
            reason = refusal[branch_ref(beside)].reason
            return _Made("", (f"{branch}: the rollback could not be merged back: {reason}",))
        asked = self._ask_for(beside, branch, f"Merge the rollback {short(restorer)} back")
        return _Made(commit, (_please_merge(branch, restorer), *asked))

    def _has_work(self, head: str, rollback: Quarantined) -> bool:
        """Whether a branch has any of the work that was taken back."""
        git = self.rollbacks.mirror.git()
        every = git.commits_between(rollback.commit, (rollback.good,))
        return len(git.commits_between(rollback.commit, (rollback.good, head))) < len(every)

    def _carrier(self, restorer: str, head: str) -> str:
        """The first commit of a branch that has the rollback."""
        git = self.rollbacks.mirror.git()
        newer = steps(git, head, (restorer,), first_parent=True)
        return next((s.commit for s in newer if git.is_ancestor(restorer, s.commit)), head)

    def _commit(
        self, tree: str, parents: tuple[str, str], branch: str, restorer: str, of: Quarantined
    ) -> str:
        body = (
            f"{short(of.commit)} was taken back by {short(restorer)}. This merge keeps the tree of "
            f"{branch}:\nthe work stays here, and the next ordinary merge brings it in again.\n"
            "Merge it as it is, without squash or rebase: what counts are its parents."
        )
        message = compose(
            f"Merge the rollback {short(restorer)} into {branch}, keeping the work",
            body,
            ((BACK_MERGE, restorer),),
            skip_ci=False,
        )
        maker = self.rollbacks.made_by(of.since)
        return commit_tree(self.rollbacks.mirror.git(), tree, parents, message, maker)

    def _ask_for(self, source: str, target: str, title: str) -> Iterator[str]:
        """Have a pull request opened, once in the life of the process."""
        if self.forge is None or source in self._asked:
            return
        self._asked.add(source)
        body = "The commit's message says why. Merge it as it is, without squash or rebase."
        try:
            opened = self.forge.open_pull_request(source, target, title, body)
        except DriverError as error:
            yield f"no pull request for {source}: {error}"
        else:
            yield f"{target}: {opened.url} waits to be merged"


@dataclass(frozen=True, slots=True)
class _Made:
    """The commit by which a branch has a rollback, or will have it, and what people should know."""

    commit: str = ""
    told: tuple[str, ...] = ()


def _beside(branch: str, restorer: str) -> str:
    return f"{BESIDE}{branch}/{short(restorer)}"


def _please_merge(branch: str, restorer: str) -> str:
    return (
        f"{branch}: merge the branch {_beside(branch, restorer)} (no squash, no rebase): until "
        f"then a release leaves out what {short(restorer)} has taken back"
    )


def _by_hand(branch: str, source: str, parent: str, conflicts: tuple[str, ...]) -> str:
    """What people have to do; without a `parent` the rollback's commit has brought other things."""
    named = f" (both changed {', '.join(conflicts[:3])})" if conflicts else ""
    how = (
        f"git merge {parent}, settle what both changed, then git merge -s ours {source}"
        if parent
        else f"git merge --no-commit {source}, have in it what that took back, too, and commit"
    )
    return (
        f"{branch}: the rollback {short(source)} cannot be merged back{named}; on {branch}: {how}"
    )
