"""Pushes to a local repository are seen as they happen."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.daemon.watch import local_git_directory, watching

PATIENCE_SECONDS = 10.0
ENVIRONMENT = {
    "PATH": os.defpath,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "farm.git"
    git(tmp_path, "init", "--quiet", "--bare", str(path))
    return path


@pytest.fixture
def commit(bare: Path) -> str:
    tree = git(bare, "hash-object", "-t", "tree", "-w", os.devnull)
    return git(bare, "commit-tree", tree, "-m", "empty")


@pytest.fixture
def wakes(bare: Path) -> Iterator[queue.Queue[None]]:
    seen: queue.Queue[None] = queue.Queue()
    with watching([bare], lambda: seen.put(None)):
        yield seen


def test_a_branch_that_moves_wakes(bare: Path, commit: str, wakes: queue.Queue[None]) -> None:
    git(bare, "update-ref", "refs/heads/production", commit)
    wakes.get(timeout=PATIENCE_SECONDS)


def test_a_branch_in_a_new_folder_wakes(bare: Path, commit: str, wakes: queue.Queue[None]) -> None:
    git(bare, "update-ref", "refs/heads/release/v1.2.3", commit)
    git(bare, "update-ref", "refs/heads/main", commit)
    wakes.get(timeout=PATIENCE_SECONDS)


def test_packed_refs_wake(bare: Path, commit: str) -> None:
    git(bare, "update-ref", "refs/heads/production", commit)
    seen: queue.Queue[None] = queue.Queue()
    with watching([bare], lambda: seen.put(None)):
        git(bare, "pack-refs", "--all")
        seen.get(timeout=PATIENCE_SECONDS)


def test_the_refs_that_we_write_ourselves_do_not_wake(
    bare: Path, commit: str, wakes: queue.Queue[None]
) -> None:
    git(bare, "update-ref", "refs/heads/main", commit)
    wakes.get(timeout=PATIENCE_SECONDS)
    git(bare, "update-ref", "refs/notes/reconciler/production", commit)
    git(bare, "update-ref", "refs/heads/reconciler/production", commit)
    git(bare, "update-ref", "refs/heads/last", commit)
    wakes.get(timeout=PATIENCE_SECONDS)
    assert wakes.empty()


def test_a_repository_that_vanishes_ends_nothing(tmp_path: Path, bare: Path, commit: str) -> None:
    other = tmp_path / "other.git"
    shutil.copytree(bare, other)
    seen: queue.Queue[None] = queue.Queue()
    with watching([bare, other], lambda: seen.put(None)):
        shutil.rmtree(other)
        git(bare, "update-ref", "refs/heads/main", commit)
        seen.get(timeout=PATIENCE_SECONDS)


def test_what_is_not_there_is_left_to_the_poll_and_the_rest_is_watched(
    tmp_path: Path, bare: Path, commit: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: queue.Queue[None] = queue.Queue()
    with watching([tmp_path / "absent.git", bare], lambda: seen.put(None)):
        git(bare, "update-ref", "refs/heads/main", commit)
        seen.get(timeout=PATIENCE_SECONDS)
    assert "absent.git cannot be watched and is only polled" in caplog.text


def test_no_thread_is_left_behind(bare: Path) -> None:
    with watching([bare], lambda: None):
        pass
    left = [
        each.name for each in threading.enumerate() if "observer" in type(each).__name__.lower()
    ]
    assert left == []


def test_only_repositories_on_this_machine_have_a_directory(tmp_path: Path, bare: Path) -> None:
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", str(work))
    assert local_git_directory(str(bare)) == bare
    assert local_git_directory(f"file://{bare}") == bare
    assert local_git_directory(str(work)) == work / ".git"
    for url in ("https://example.org/farm.git", "git@example.org:farm.git", "ssh://h/farm.git"):
        assert local_git_directory(url) is None
    assert local_git_directory(str(tmp_path)) is None
