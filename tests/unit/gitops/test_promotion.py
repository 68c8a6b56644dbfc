"""What stands against a promotion: each reason by itself, and all of them at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.gitops.flow.promoting import way_of
from reconciler.gitops.flow.promotion import (
    LISTED,
    Facts,
    Place,
    Way,
    list_of,
    message_of,
    objections,
    promote_branch,
    title_of,
)
from reconciler.gitops.lineage import Step
from reconciler.gitops.merging import Merged
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.standing import Hold, Quarantined
from reconciler.plan.guards import Violation
from reconciler.plan.show.status import Status

NOW = "2025-06-02T12:00:00Z"
TREE, OTHER = "d" * 40, "e" * 40
COMMIT, HEAD = "a" * 40, "b" * 40
LOWER = Place("development", "develop", COMMIT, Status("development", ready_revision=COMMIT))
UPPER = Place("staging", "release/v1.1.0", HEAD, Status("staging"))
GOOD = Facts(LOWER, UPPER, NOW, COMMIT, TREE, merged=Merged(TREE))
THEIRS = Step("c" * 40, OTHER, (HEAD,), "Mend by hand")
MERGE = Step("f" * 40, OTHER, (HEAD, COMMIT), "Merge it")


def lower(**past: Any) -> Place:
    return replace(LOWER, past=replace(LOWER.past, **past))


def stalled() -> Condition:
    return Condition(ConditionType.STALLED, Truth.TRUE, "ConfigError", "vms/a.yaml: no\nmore", NOW)


CASES: dict[str, tuple[Facts, str, str]] = {
    "nothing-new": (
        replace(GOOD, is_there=True),
        "has the work of aaaaaaa already",
        "nothing to do",
    ),
    "held": (
        replace(GOOD, lower=lower(holds=(Hold("a test", NOW, until="2025-06-02T13:00:00Z"),))),
        "held until 2025-06-02T13:00:00Z: a test",
        "reconciler release development",
    ),
    "stalled": (
        replace(GOOD, lower=lower(conditions=(stalled(),))),
        "development is stalled: ConfigError: vms/a.yaml: no",
        "reconciler status",
    ),
    "quarantine": (
        replace(
            GOOD,
            upper=replace(
                UPPER,
                past=Status(
                    "staging", quarantined=(Quarantined(TREE, HEAD, COMMIT, "unhealthy", NOW),)
                ),
            ),
        ),
        "rolled back in staging (bbbbbbb",
        "a new commit on develop",
    ),
    "no-branch": (
        replace(GOOD, upper=Place("staging", None, None, Status("staging")), merged=None),
        "staging has no branch",
        f"git push origin {COMMIT}:refs/heads/staging",
    ),
    "version": (
        replace(GOOD, is_older_release=True, release="release/v1.0.0", newest="v1.2.0"),
        "release/v1.0.0 is not above v1.2.0",
        "--release",
    ),
    "conflict": (
        replace(GOOD, merged=Merged(OTHER, ("a.yaml", "b.yaml"))),
        "conflicts in a.yaml, b.yaml",
        "git merge origin/release/v1.1.0",
    ),
    "unrelated": (
        replace(GOOD, merged=Merged("", is_unrelated=True)),
        "no history in common",
        "cherry-pick",
    ),
    "diverged": (
        replace(GOOD, merged=Merged(OTHER), apart=(THEIRS, MERGE)),
        "has 1 commit that develop lacks (ccccccc Mend by hand)",
        "merge release/v1.1.0 back into develop first",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_reason_is_named_with_what_to_do(name: str) -> None:
    facts, message, remedy = CASES[name]
    [found] = objections(facts)
    assert found.name == name
    assert message in found.message
    assert remedy in found.remedy


def test_nothing_stands_against_a_clean_promotion() -> None:
    assert objections(GOOD) == ()
    assert objections(replace(GOOD, merged=None)) == ()


def test_all_reasons_are_told_at_once() -> None:
    soak = Violation("soak", "too early", "wait")
    lost = Violation("lost-work", "it loses work", "merge back")
    facts = replace(
        CASES["diverged"][0],
        lower=lower(holds=(Hold("a test", NOW),)),
        unsoaked=(soak,),
        lost=(lost,),
    )
    assert [each.name for each in objections(facts)] == ["held", "soak", "diverged", "lost-work"]


def test_what_was_never_ready_is_the_only_reason() -> None:
    [found] = objections(replace(CASES["diverged"][0], commit=""))
    assert found.name == "not-ready"


def test_a_hold_that_is_over_or_of_one_resource_stops_nothing() -> None:
    over = Hold("a test", NOW, until="2025-06-02T11:00:00Z")
    one = Hold("a test", NOW, resource="domain/web-1")
    assert objections(replace(GOOD, lower=lower(holds=(over, one)))) == ()


@pytest.mark.parametrize("name", ["conflict", "diverged"])
def test_the_same_line_under_other_ids_is_no_divergence(name: str) -> None:
    assert objections(replace(CASES[name][0], is_same_line=True)) == ()


def test_the_way_follows_the_branches_and_the_wish() -> None:
    assert way_of(GOOD, direct=False) is Way.BRANCH
    assert way_of(GOOD, direct=True) is Way.DIRECT
    assert way_of(replace(GOOD, release="release/v1.1.0"), direct=False) is Way.RELEASE


def test_the_list_leaves_merges_out_and_ends() -> None:
    steps = tuple(Step(f"{n:040x}", TREE, (HEAD,), f"Change {n}") for n in range(LISTED + 5))
    listed = list_of(replace(GOOD, comes=(*steps, MERGE))).splitlines()
    assert listed[0].endswith(f"Change {LISTED + 4}")
    assert len(listed) == LISTED + 1
    assert listed[-1] == "- and 5 more"
    assert list_of(replace(GOOD, comes=(MERGE,))) == "- fffffff Merge it"


def test_a_subject_cannot_add_trailers_to_our_merge() -> None:
    evil = Step(HEAD, TREE, (COMMIT,), "x\n\nReconciler-Allow: mass-deletion")
    text = message_of(replace(GOOD, comes=(evil,))).decode()
    assert text.splitlines()[0] == "Promote development to staging"
    assert "\nReconciler-Allow" not in text
    assert f"Reconciler-Promotes: {COMMIT}" in text


def test_titles_name_the_release() -> None:
    assert (
        title_of(replace(GOOD, release="release/v1.1.0")) == "Bring development to release/v1.1.0"
    )
    staging = replace(LOWER, environment="staging", branch="release/v1.1.0")
    facts = replace(GOOD, lower=staging, upper=replace(UPPER, environment="production"))
    assert title_of(facts) == "Promote release/v1.1.0 to production"
    assert promote_branch("development", "staging") == "promote/development-staging"
