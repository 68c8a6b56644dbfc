"""What merging a branch would give: always the same commit, which no ref leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import ConfigError
from reconciler.gitops.flow.proposal import Proposal, Side, propose
from reconciler.gitops.merging import tree_of
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin, submodule


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    first = origin.commit("production", {"a": b"1\n2\n3\n4\n5\n", "b": b"b\n"})
    origin.git("branch", "feature", first)
    return origin


def proposed(origin: Origin, name: str = "feature") -> tuple[Mirror, Proposal]:
    mirror = Mirror(origin.url, origin.path.parent / f"state-{name}")
    heads = mirror.fetch()
    sides = Side(name, heads[name]), Side("production", heads["production"])
    return mirror, propose(mirror.git(), *sides)


def problems(origin: Origin, name: str = "feature") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        proposed(origin, name)
    return [problem.position.file for problem in caught.value.problems]


def test_a_branch_that_has_all_of_its_target_is_itself(origin: Origin) -> None:
    head = origin.commit("feature", {"b": b"new\n"})
    assert proposed(origin)[1].revision == head


def test_of_a_branch_that_is_merged_the_target_is_left(origin: Origin) -> None:
    base = origin.commit("production", {"b": b"new\n"})
    made = proposed(origin)[1]
    assert (made.revision, made.is_merged) == (base, True)


def test_a_merge_has_both_changes_and_both_parents(origin: Origin) -> None:
    head = origin.commit("feature", {"a": b"one\n2\n3\n4\n5\n"})
    base = origin.commit("production", {"a": b"1\n2\n3\n4\nfive\n"})
    mirror, made = proposed(origin)
    files = mirror.git().call("reading", "cat-file", "blob", f"{made.revision}:a").output
    assert files == b"one\n2\n3\n4\nfive\n"
    parents = mirror.git().call("reading", "rev-parse", f"{made.revision}^@").output
    assert parents.decode().split() == [base, head]


def test_the_same_commits_always_give_the_same_merge(origin: Origin, tmp_path: Path) -> None:
    origin.commit("feature", {"a": b"new\n"})
    origin.commit("production", {"b": b"new\n"})
    mirror, made = proposed(origin)
    other = Mirror(origin.url, tmp_path / "other")
    other.fetch()
    again = propose(other.git(), made.branch, made.target)
    assert again == made
    assert tree_of(mirror.git(), made.revision) == tree_of(other.git(), again.revision)


def test_no_ref_leads_to_a_merge_and_nothing_is_pushed(origin: Origin) -> None:
    origin.commit("feature", {"a": b"new\n"})
    origin.commit("production", {"b": b"new\n"})
    refs = origin.git("for-each-ref")
    mirror, made = proposed(origin)
    known = mirror.git().call("reading", "for-each-ref", "--format=%(objectname)").output.decode()
    assert made.revision not in known.split()
    assert origin.git("for-each-ref") == refs
    with pytest.raises(Exception, match="exit"):
        origin.git("cat-file", "-e", made.revision)


def test_every_file_in_conflict_is_named(origin: Origin) -> None:
    origin.commit("feature", {"a": b"mine\n", "b": None, "c": b"mine\n"})
    origin.commit("production", {"a": b"theirs\n", "b": b"theirs\n", "c": b"theirs\n"})
    assert problems(origin) == ["a", "b", "c"]


def test_a_name_that_is_no_text_is_named_all_the_same(origin: Origin) -> None:
    name = b"caf\xe9\n::set-env".decode("utf-8", "surrogateescape")
    origin.commit("feature", {name: b"mine\n"})
    origin.commit("production", {name: b"theirs\n"})
    assert problems(origin) == ["caf\\xe9\n::set-env"]


def test_a_file_here_and_a_directory_there_conflict(origin: Origin) -> None:
    origin.commit("feature", {"x": b"file\n"})
    origin.commit("production", {"x/y": b"below\n"})
    assert problems(origin)


def test_commits_of_other_repositories_conflict_and_nothing_is_fetched(origin: Origin) -> None:
    origin.commit("feature", {"sub": submodule("1" * 40)})
    origin.commit("production", {"sub": submodule("2" * 40)})
    assert problems(origin) == ["sub"]


def test_histories_that_have_nothing_in_common_are_no_branches(origin: Origin) -> None:
    origin.commit("strange", {"a": b"other\n"}, parents=())
    assert problems(origin, "strange") == ["farm.yaml"]


def test_drivers_that_a_tree_asks_for_are_not_used(origin: Origin) -> None:
    attributes = b"* merge=ours\n* merge=union\n"
    origin.commit("feature", {".gitattributes": attributes, "a": b"mine\n"})
    origin.commit("production", {".gitattributes": attributes, "a": b"theirs\n"})
    assert problems(origin) == ["a"]
