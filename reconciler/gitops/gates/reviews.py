"""Approvals that people give at the forge: reviews of the pull request that brought a commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.errors import DriverError
from reconciler.gitops.forges.port import Approval, Forge, PullRequest
from reconciler.gitops.gates.inquiry import digests_in
from reconciler.gitops.refs import short
from reconciler.plan.evidence import Approver

AT_FORGE = "account"


@dataclass(frozen=True, slots=True)
class Reviews:
    """What the forge says: who approves, who opened what was reviewed, and what does not count."""

    approvers: tuple[Approver, ...] = ()
    authors: tuple[frozenset[str], ...] = ()
    discounted: tuple[str, ...] = ()


def reviews_of(forge: Forge, commits: Iterable[str]) -> Reviews:
    """The reviews of the pull requests that brought these commits.

    An approval counts for the very commit that was reviewed, and for the plan whose digest it
    names. That the forge does not answer is a reason, and no failure.
    """
    try:
        pulls = {pull.number: pull for each in commits for pull in forge.pull_requests(each)}
        read = [said for pull in pulls.values() for said in _read(forge, pull)]
    except DriverError as error:
        kind = type(error).__name__.lower()
        return Reviews(discounted=(f"the forge could not be asked for reviews ({kind})",))
    return Reviews(
        tuple(each for each in read if isinstance(each, Approver)),
        tuple(frozenset({p.author.casefold()}) for p in pulls.values() if p.author),
        tuple(each for each in read if isinstance(each, str)),
    )


def _read(forge: Forge, pull: PullRequest) -> Iterator[Approver | str]:
    for approval in forge.approvals(pull.number):
        yield from _judged(approval, pull)


def _judged(approval: Approval, pull: PullRequest) -> Iterator[Approver | str]:
    whose = f"{approval.by}'s review of #{pull.number}"
    if approval.commit != pull.head:
        yield (
            f"{whose} is of {short(approval.commit)}, and its head is {short(pull.head)}: "
            "review that"
        )
        return
    digests = digests_in(approval.text)
    yield from (Approver(approval.by, AT_FORGE, digest) for digest in digests)
    if not digests:
        yield f"{whose} names no digest: write into it which plan it is about"
