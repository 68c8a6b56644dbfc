"""What became of a commit in each environment, from journals and the history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.gitops.forges.fates import MOST_COMMITS, arrivals, fate_markdown, fates
from reconciler.gitops.git import Git
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.url import check_url
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.standing import Quarantined
from reconciler.plan.show.status import Status
from tests.remotes.origin import Origin

TIME = "2030-01-01T12:00:00Z"


class History:
    """A line of commits, each with another tree, in a remote and its mirror."""

    def __init__(self, directory: Path) -> None:
        self.origin = Origin(directory / "origin.git")
        self.first = self.add("first")

    def add(self, text: str) -> str:
        return self.origin.commit("main", {"a": text.encode()}, message=text)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def mirrored(history: History, directory: Path) -> Iterator[Git]:
    remote = check_url(str(history.origin.path))
    with Mirror(remote, directory / "mirror", deadline=timedelta(seconds=30)) as mirror:
        mirror.fetch()
        yield mirror.git()


def ready(message: str, truth: Truth = Truth.FALSE) -> tuple[Condition, ...]:
    return (Condition(ConditionType.READY, truth, "Reason", message, TIME),)


def told(commit: str, git: Git, *statuses: Status) -> list[str]:
    return [f"{each.environment}: {each.word}; {each.why}" for each in fates(commit, statuses, git)]


def test_each_environment_has_its_own_fate(history: History, tmp_path: Path) -> None:
    work = history.add("work")
    bad = history.add("bad")
    first = history.first
    [git] = mirrored(history, tmp_path)
    statuses = (
        Status("development", revision=bad, conditions=ready("vm/a: no room")),
        Status("staging", revision=work, ready_revision=work),
        Status("production", revision=first, refused=bad, conditions=ready("frozen")),
    )
    assert told(bad, git, *statuses) == [
        f"development: applied with `{bad[:7]}`; vm/a: no room",
        f"production: not applied: `{bad[:7]}` is refused; frozen",
    ]
    assert told(work, git, *statuses)[1] == f"staging: applied with `{work[:7]}`, Ready; "


def test_what_was_rolled_back_is_not_called_applied(history: History, tmp_path: Path) -> None:
    good = history.first
    bad = history.add("bad")
    back = history.add("first")
    better = history.add("better")
    [git] = mirrored(history, tmp_path)
    gone = (Quarantined("t", bad, good, "web-1 is not healthy", TIME),)
    after = Status("production", revision=back, ready_revision=back, quarantined=gone)
    assert told(bad, git, after) == [
        f"production: rolled back to `{good[:7]}`; web-1 is not healthy"
    ]
    assert told(good, git, after) == [f"production: applied with `{back[:7]}`, Ready; "]
    later = Status("production", revision=better, ready_revision=better, quarantined=gone)
    assert told(bad, git, later) == [f"production: applied with `{better[:7]}`, Ready; "]


def test_a_commit_that_is_not_here_has_no_fate(history: History, tmp_path: Path) -> None:
    [git] = mirrored(history, tmp_path)
    assert told("f" * 40, git, Status("production", revision=history.first)) == []
    assert told(history.first, git, Status("production", revision="f" * 40)) == []


def test_work_arrives_by_each_commit_of_the_branch(history: History, tmp_path: Path) -> None:
    commits = tuple(history.add(f"work {number}") for number in range(3))
    [git] = mirrored(history, tmp_path)
    assert arrivals(git, commits[-1], history.first) == commits
    assert arrivals(git, commits[-1], "") == (commits[-1],)
    assert arrivals(git, history.first, commits[-1]) == (history.first,)


def test_of_very_much_work_the_newest_is_told(history: History, tmp_path: Path) -> None:
    commits = [history.add(f"work {number}") for number in range(MOST_COMMITS + 5)]
    [git] = mirrored(history, tmp_path)
    assert list(arrivals(git, commits[-1], history.first)) == commits[5:]


def test_nothing_of_a_repository_is_markup(history: History, tmp_path: Path) -> None:
    bad = history.add("bad")
    [git] = mirrored(history, tmp_path)
    hostile = "</details> @all `x` [a](javascript:b)\n# big"
    status = Status("production", revision=bad, conditions=ready(hostile))
    text = fate_markdown(bad, fates(bad, [status], git))
    assert text.splitlines()[2] == (
        f"- **production**: applied with `{bad[:7]}`: "
        "`` </details> @all `x` [a](javascript:b)\\n# big ``"
    )
