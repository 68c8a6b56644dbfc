from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.gitops.refs import branch_ref, check_object_id, check_ref, is_ref, short


@pytest.mark.parametrize(
    "name",
    [
        "refs/heads/production",
        "refs/heads/release/v1.2.3",
        "refs/heads/feature/é",
        "refs/notes/reconciler/production",
        "refs/heads/a-b_c+d=e",
    ],
)
def test_full_names_are_accepted(name: str) -> None:
    assert check_ref(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "production",
        "heads/production",
        "refs/heads",
        "refs/heads/",
        "refs/heads/-x",
        "refs/heads/a/-x",
        "refs/heads/a..b",
        "refs/heads/a b",
        "refs/heads/a\nb",
        "refs/heads/a\n",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a:b",
        "refs/heads/a*",
        "refs/heads/a?",
        "refs/heads/[a",
        "refs/heads/a\\b",
        "refs/heads/a.lock",
        "refs/heads/a.lock/b",
        "refs/heads/.a",
        "refs/heads/a.",
        "refs/heads/a@{1}",
        "refs/heads/@",
        "refs/heads//a",
        "refs/heads/a\u202eb",
        "refs/heads/" + "x" * 256,
        "--output=x",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    assert not is_ref(name)
    with pytest.raises(ValueError, match="not a full name"):
        check_ref(name)


@given(st.text(min_size=1, max_size=12))
def test_what_is_accepted_git_accepts_too(text: str) -> None:
    name = "refs/heads/" + text
    if is_ref(name):
        done = subprocess.run(["git", "check-ref-format", name], check=False, timeout=20)
        assert done.returncode == 0


def test_a_branch_gets_its_full_name() -> None:
    assert branch_ref("release/v1") == "refs/heads/release/v1"


@pytest.mark.parametrize(
    "text", ["", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 40 + "\n", "HEAD"]
)
def test_only_full_object_ids_are_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="not a full commit id"):
        check_object_id(text)


def test_an_object_id_is_shown_short() -> None:
    assert short(check_object_id("1a2b3c4d" * 5)) == "1a2b3c4"
