from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import ConfigError, SourceUnavailable
from reconciler.gitops.directory import DirectoryTree
from reconciler.gitops.entries import Limits
from tests.remotes.origin import Origin, git
from tests.remotes.writers import mirror_of

FILES = {"farm.yaml": b"kind: Farm\n", "vms/web-1.yaml": b"kind: VirtualMachine\n", "empty": b""}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    top = tmp_path / "config"
    for name, content in FILES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    return top


def refusals(tree: DirectoryTree) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        tree.entries()
    return [f"{problem.position.file}: {problem.what}" for problem in caught.value.problems]


def test_a_directory_gives_what_a_commit_of_it_would(directory: Path, tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    head = origin.commit("production", FILES)
    with mirror_of(origin, tmp_path / "state") as mirror:
        committed, plain = mirror.tree(head), DirectoryTree(directory)
        assert plain.entries() == committed.entries()
        blobs = plain.entries().values()
        assert plain.read(blobs) == committed.read(blobs)


def test_in_a_work_tree_only_what_git_would_add_counts(directory: Path) -> None:
    git(directory, "init", "--quiet")
    (directory / ".gitignore").write_text(".venv\n", "utf-8")
    (directory / ".venv").mkdir()
    (directory / ".venv/python").symlink_to("/usr/bin/python3")
    git(directory, "add", "farm.yaml")
    assert DirectoryTree(directory).entries().keys() == {*FILES, ".gitignore"}


def test_a_folder_of_a_work_tree_is_a_tree_of_its_own(directory: Path) -> None:
    git(directory, "init", "--quiet")
    assert DirectoryTree(directory / "vms").entries().keys() == {"web-1.yaml"}


def test_a_file_that_was_taken_away_but_is_tracked_does_not_count(directory: Path) -> None:
    git(directory, "init", "--quiet")
    git(directory, "add", ".")
    (directory / "empty").unlink()
    assert "empty" not in DirectoryTree(directory).entries()


@pytest.mark.parametrize("tracked", [False, True])
def test_links_are_refused_and_never_followed(
    directory: Path, tmp_path: Path, tracked: bool
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "web-1.yaml").write_text("secret", "utf-8")
    if tracked:
        git(directory, "init", "--quiet")
        git(directory, "add", ".")
    (directory / "vms/web-1.yaml").unlink()
    (directory / "vms").rmdir()
    (directory / "vms").symlink_to(outside)
    (directory / "link.yaml").symlink_to("/etc/passwd")
    said = refusals(DirectoryTree(directory))
    assert all("symbolic link" in each for each in said)
    assert {each.partition(":")[0] for each in said} >= {"link.yaml"}
    assert any(each.startswith("vms") for each in said)


def test_a_link_that_git_ignores_does_not_lead_elsewhere_either(
    directory: Path, tmp_path: Path
) -> None:
    """What is tracked below a folder is not read through a link in the folder's place."""
    git(directory, "init", "--quiet")
    git(directory, "add", ".")
    (directory / "vms").rename(tmp_path / "outside")
    (directory / "vms").symlink_to(tmp_path / "outside")
    (directory / ".git/info/exclude").write_text("/vms\n", "utf-8")
    (said,) = refusals(DirectoryTree(directory))
    assert said == "vms/web-1.yaml: a symbolic link is not allowed"


def test_a_pipe_is_refused_and_not_opened(directory: Path) -> None:
    os.mkfifo(directory / "pipe.yaml")
    (said,) = refusals(DirectoryTree(directory))
    assert said.startswith("pipe.yaml: mode 010644 is no plain file")


def test_a_repository_inside_is_refused(directory: Path) -> None:
    git(directory, "init", "--quiet")
    inner = directory / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    (said,) = refusals(DirectoryTree(directory))
    assert said.startswith("inner: a submodule")


@pytest.mark.parametrize("tracked", [False, True])
def test_a_directory_beyond_the_limits_is_refused(directory: Path, tracked: bool) -> None:
    if tracked:
        git(directory, "init", "--quiet")
    (said,) = refusals(DirectoryTree(directory, Limits(files=2)))
    assert "more than 2 files" in said


def test_a_directory_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere.*cannot be read"):
        DirectoryTree(tmp_path / "nowhere").entries()
