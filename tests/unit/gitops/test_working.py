from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable, Stalled
from reconciler.gitops.working import Author, WorkingRepository
from tests.remotes.origin import NOON, git
from tests.remotes.writers import BOT

AUTHOR = Author(BOT, lambda: NOON)
BRANCHES = ("development", "staging", "production")


@pytest.fixture
def work(tmp_path: Path) -> Iterator[WorkingRepository]:
    files = {"farm.yaml": b"kind: Farm\n", "vms/a.yaml": b"a\n"}
    with WorkingRepository.create(tmp_path / "c", files, BRANCHES, "Begin", AUTHOR) as made:
        yield made


def test_a_new_repository_has_its_branches_on_one_commit(work: WorkingRepository) -> None:
    assert len({work.head(branch) for branch in BRANCHES}) == 1
    assert git(work.directory, "branch", "--show-current") == "development"
    assert git(work.directory, "status", "--porcelain") == ""
    assert git(work.directory, "log", "-1", "--format=%an %ae %cI %s") == (
        "Reconciler reconciler@farm.internal 2025-06-01T12:00:00+00:00 Begin"
    )


def test_what_is_a_repository_already_is_left_alone(work: WorkingRepository) -> None:
    with pytest.raises(SourceUnavailable, match="already"):
        WorkingRepository.create(work.directory, {}, BRANCHES, "Begin", AUTHOR)


def test_files_are_written_removed_and_committed(work: WorkingRepository) -> None:
    sha = work.commit("Change", {"vms/b.yaml": b"b\n", "vms/a.yaml": None})
    assert work.head("development") == sha
    assert git(work.directory, "ls-tree", "-r", "--name-only", sha).split() == [
        "farm.yaml",
        "vms/b.yaml",
    ]
    assert git(work.directory, "status", "--porcelain") == ""


def test_a_promotion_is_a_merge_commit_with_both_parents(work: WorkingRepository) -> None:
    change = work.commit("Change", {"vms/b.yaml": b"b\n"})
    before = work.head("staging")
    merge = work.merge("development", "staging", "Promote")
    assert work.head("staging") == merge
    assert git(work.directory, "log", "-1", "--format=%P", merge).split() == [before, change]
    assert git(work.directory, "diff", "--stat", change, merge) == ""
    assert git(work.directory, "status", "--porcelain") == ""


def test_a_merge_into_the_branch_that_is_checked_out_changes_its_files(
    work: WorkingRepository,
) -> None:
    work.switch("staging")
    work.commit("Fix", {"vms/fix.yaml": b"fix\n"})
    work.switch("development")
    work.merge("staging", "development", "Bring back")
    assert (work.directory / "vms/fix.yaml").read_bytes() == b"fix\n"
    assert git(work.directory, "status", "--porcelain") == ""


def test_a_merge_of_what_both_changed_is_left_to_a_person(work: WorkingRepository) -> None:
    work.commit("One", {"vms/a.yaml": b"one\n"})
    work.switch("staging")
    work.commit("Two", {"vms/a.yaml": b"two\n"})
    before = work.head("staging")
    with pytest.raises(Stalled, match=r"both changed vms/a\.yaml"):
        work.merge("development", "staging", "Promote")
    assert work.head("staging") == before


def test_a_branch_that_is_not_there_is_told_of(work: WorkingRepository) -> None:
    with pytest.raises(SourceUnavailable, match="no branch nothing"):
        work.switch("nothing")


def test_a_repository_is_opened_from_a_folder_of_it(work: WorkingRepository) -> None:
    with WorkingRepository.open(work.directory / "vms", AUTHOR) as found:
        assert found.head("production") == work.head("production")
