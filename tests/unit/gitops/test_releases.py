"""Which releases production has brought, in real repositories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.gitops.flow.releases import (
    Tagged,
    back_merge,
    newest_tag,
    tag_object,
    tag_ref,
    unreleased,
)
from reconciler.gitops.git import Git
from reconciler.gitops.merging import Maker
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.version import Version
from tests.remotes.origin import NOON, Origin
from tests.remotes.writers import BOT, mirror_of

PATTERNS = ("staging", "release/v*", "hotfix/v*")
MAKER = Maker(BOT, NOON)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    """Master is at v1.0.0, whose tag is annotated."""
    origin = Origin(tmp_path / "origin.git")
    origin.commit("master", {"file": b"0"})
    origin.git(
        "-c", "user.name=A", "-c", "user.email=a@x", "tag", "-am", "v1.0.0", "v1.0.0", "master"
    )
    return origin


@contextmanager
def seen(origin: Origin) -> Iterator[Mirror]:
    with mirror_of(origin, origin.path.parent / "state") as mirror:
        yield mirror


def found(origin: Origin, staged: tuple[str, str] = ("", "")) -> list[tuple[str, str]]:
    with seen(origin) as mirror:
        heads = mirror.heads()
        releases = unreleased(mirror.git(), heads["master"], heads, PATTERNS, staged)
        return [(each.tag, each.commit) for each in releases]


def branched(origin: Origin, branch: str, content: bytes = b"1") -> str:
    head = origin.head("master") or ""
    return origin.commit(branch, {"file": content}, parents=(head,), message="Work")


def merged(origin: Origin, other: str, content: bytes = b"1", message: str = "Merge") -> str:
    parents = (origin.head("master") or "", other)
    return origin.commit("master", {"file": content}, parents=parents, message=message)


def test_a_merged_release_is_found_where_it_arrived(origin: Origin) -> None:
    work = branched(origin, "release/v1.1.0")
    brought = merged(origin, work)
    origin.commit("master", {"other": b"later"})
    assert found(origin) == [("v1.1.0", brought)]


def test_what_is_tagged_or_older_is_not_found(origin: Origin) -> None:
    merged(origin, branched(origin, "release/v0.9.0"))
    assert found(origin) == []
    merged(origin, branched(origin, "hotfix/v1.0.1", b"2"), b"2")
    origin.git("tag", "1.0.1", "master~1")
    assert found(origin) == [], "a version is tagged however the tag is spelled"


def test_an_open_release_is_not_found(origin: Origin) -> None:
    branched(origin, "release/v1.1.0")
    assert found(origin) == []


def test_a_branch_without_work_is_not_found(origin: Origin) -> None:
    origin.commit("master", {"other": b"by hand"})
    origin.git("branch", "hotfix/v1.0.1", "master")
    assert found(origin) == []
    origin.git("branch", "hotfix/v1.0.2", "v1.0.0")
    assert found(origin) == []


def test_a_fast_forward_is_told_from_an_empty_branch_by_what_staging_had(origin: Origin) -> None:
    work = branched(origin, "release/v1.1.0")
    origin.git("update-ref", "refs/heads/master", work)
    assert found(origin) == []
    assert found(origin, ("release/v1.1.0", work)) == [("v1.1.0", work)]
    assert found(origin, ("release/v1.2.0", work)) == []


@pytest.mark.parametrize(
    "subject",
    [
        "Merge branch 'release/v1.1.0'",
        "Merge branch 'release/v1.1.0' into 'master'",
        "Merge pull request #5 from farm/release/v1.1.0",
        "Merge pull request 'Ship it' (#5) from release/v1.1.0 into master",
        "Promote release/v1.1.0 to production",
    ],
)
def test_a_branch_that_is_gone_is_known_by_the_subject(origin: Origin, subject: str) -> None:
    work = branched(origin, "release/v1.1.0")
    brought = merged(origin, work, message=subject)
    origin.git("update-ref", "-d", "refs/heads/release/v1.1.0")
    assert found(origin) == [("v1.1.0", brought)]


@pytest.mark.parametrize(
    "subject", ["Mention release/v9.0.0", "Merge branch 'feature/release/v9.0.0'", "Revert v9.0.0"]
)
def test_other_subjects_name_no_release(origin: Origin, subject: str) -> None:
    merged(origin, branched(origin, "feature/x"), message=subject)
    assert found(origin) == []


def test_only_a_merge_names_a_release(origin: Origin) -> None:
    origin.commit("master", {"file": b"7"}, message="Merge branch 'release/v9.0.0'")
    assert found(origin) == []


def test_two_releases_are_found_in_the_order_of_their_versions(origin: Origin) -> None:
    second = merged(origin, branched(origin, "release/v1.10.0", b"2"), b"2")
    first = merged(origin, branched(origin, "hotfix/v1.9.1", b"3"), b"3")
    assert found(origin) == [("v1.9.1", first), ("v1.10.0", second)]


def test_a_tag_is_annotated_and_lists_what_it_brought(origin: Origin) -> None:
    brought = merged(origin, branched(origin, "release/v1.1.0"))
    with seen(origin) as mirror:
        git, heads = mirror.git(), mirror.heads()
        [release] = unreleased(git, heads["master"], heads, PATTERNS)
        made, listed = tag_object(git, release, MAKER)
        assert mirror.publish({tag_ref("v1.1.0"): made}) == {}
        assert newest_tag(git, brought) == Tagged(Version((1, 1, 0)), "v1.1.0", brought)
    assert listed == "- Work"
    shown = origin.git("cat-file", "tag", "v1.1.0")
    assert shown.splitlines()[:3] == [f"object {brought}", "type commit", "tag v1.1.0"]
    assert origin.git("fsck", "--strict") == ""


def merge_back(origin: Origin, git: Git) -> tuple[str, bool] | None:
    tagged = newest_tag(git, origin.head("master") or "")
    assert tagged is not None
    made = back_merge(git, "develop", origin.head("develop") or "", tagged, MAKER)
    return (made.branch, made.is_beside) if made else None


def test_a_rollback_is_never_carried_down_by_the_merge_back(origin: Origin) -> None:
    """It would take the work away from develop; it is merged back by itself, keeping the files."""
    good = origin.head("master") or ""
    bad = origin.commit("master", {"file": b"bad"})
    origin.git("branch", "develop", bad)
    message = f"Roll back\\n\\nReconciler-Reverts: {bad}\\nReconciler-Restores: {good}"
    origin.commit("master", {"file": b"0"}, message=message.replace("\\n", "\n"))
    origin.git("tag", "v1.1.0", "master")
    with seen(origin) as mirror:
        assert merge_back(origin, mirror.git()) is None


def test_a_merge_back_is_made_once(origin: Origin) -> None:
    origin.git("branch", "develop", "master")
    origin.commit("develop", {"new": b"n"})
    brought = merged(origin, branched(origin, "hotfix/v1.0.1"))
    origin.git("tag", "v1.0.1", brought)
    with seen(origin) as mirror:
        assert merge_back(origin, mirror.git()) == ("develop", False)
        origin.commit("develop", {"file": b"1"}, parents=(origin.head("develop") or "", brought))
        mirror.fetch()
        assert merge_back(origin, mirror.git()) is None


def test_conflicts_and_reverts_wait_beside(origin: Origin) -> None:
    origin.git("branch", "develop", "master")
    origin.commit("develop", {"file": b"other"})
    brought = merged(origin, branched(origin, "hotfix/v1.0.1"))
    origin.git("tag", "v1.0.1", brought)
    with seen(origin) as mirror:
        assert merge_back(origin, mirror.git()) == (f"back-merge/develop/{brought[:7]}", True)


def test_a_version_that_is_tagged_elsewhere_is_left_to_people(origin: Origin) -> None:
    elsewhere = origin.commit("other", {"file": b"x"}, parents=())
    origin.git("tag", "v1.1.0", elsewhere)
    merged(origin, branched(origin, "release/v1.1.0"))
    assert found(origin) == []
