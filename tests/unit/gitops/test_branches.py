from __future__ import annotations

import pytest

from reconciler.gitops.branches import (
    DEFAULT_PATTERNS,
    Role,
    environment_branches,
    pattern_problems,
    role_of,
)


def test_the_plain_names_feed_the_environments() -> None:
    heads = ["development", "staging", "production", "feature/x"]
    assert environment_branches(heads) == {name: name for name in heads[:3]}


@pytest.mark.parametrize("trunk", ["master", "main"])
def test_the_names_of_git_flow_feed_the_environments(trunk: str) -> None:
    heads = ["develop", "release/v1.2.0", trunk, "support/v0.9", "feature/x"]
    assert environment_branches(heads) == {
        "development": "develop",
        "staging": "release/v1.2.0",
        "production": trunk,
    }


def test_a_plain_name_wins_over_one_of_git_flow() -> None:
    heads = ["production", "main", "staging", "release/v9.0.0", "development", "develop"]
    assert set(environment_branches(heads).values()) == {"production", "staging", "development"}


def test_the_newest_release_feeds_staging_by_version_not_by_letters() -> None:
    heads = ["release/v1.9.0", "release/v1.10.0", "release/v1.10.0-rc.1", "hotfix/v9.0.0"]
    assert environment_branches(heads)["staging"] == "release/v1.10.0"


def test_without_an_open_release_the_newest_hotfix_feeds_staging() -> None:
    heads = ["release/v2.0.0", "hotfix/v1.0.1", "hotfix/v1.0.2"]
    found = environment_branches(heads, merged={"release/v2.0.0"})
    assert found["staging"] == "hotfix/v1.0.2"


def test_an_environment_without_a_branch_is_left_out() -> None:
    assert environment_branches(["main", "release/next"]) == {"production": "main"}
    assert environment_branches(["hotfix/v1.0.0"], merged={"hotfix/v1.0.0"}) == {}


def test_the_choice_does_not_depend_on_the_order_of_the_branches() -> None:
    heads = ["release/v1.0.0", "release/v1.0.0+a", "release/v1.0.0+b"]
    assert environment_branches(heads) == environment_branches(reversed(heads))


@pytest.mark.parametrize(
    ("branch", "role"),
    [
        ("production", Role.ENVIRONMENT),
        ("release/v1.0.0", Role.ENVIRONMENT),
        ("release/next", Role.UNUSED),
        ("feature/x", Role.PLAN_ONLY),
        ("support/v1", Role.UNUSED),
        ("reconciler/production", Role.OURS),
        ("rollback/production/1a2b3c4", Role.OURS),
        ("somebody", Role.UNUSED),
    ],
)
def test_each_branch_has_a_role(branch: str, role: Role) -> None:
    assert role_of(branch) is role


def test_our_own_branches_feed_nothing_whatever_the_patterns_say() -> None:
    patterns = {"production": ("reconciler/production", "reconciler/*", "rollback/*")}
    heads = ["reconciler/production", "reconciler/v1", "rollback/v1"]
    assert environment_branches(heads, patterns) == {}
    assert role_of("reconciler/production", patterns) is Role.OURS


def test_the_default_patterns_are_without_fault() -> None:
    assert pattern_problems(DEFAULT_PATTERNS) == ()


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ({"a": ()}, "has no branch pattern"),
        ({"a": ("x y",)}, "no branch name"),
        ({"a": ("-x",)}, "no branch name"),
        ({"a": ("x/*/*",)}, "no branch name"),
        ({"a": ("reconciler/a",)}, "this program writes"),
        ({"a": ("x",), "b": ("x",)}, "used by a and b"),
    ],
)
def test_patterns_that_cannot_work_are_told_of(
    patterns: dict[str, tuple[str, ...]], words: str
) -> None:
    (problem,) = pattern_problems(patterns)
    assert words in problem
