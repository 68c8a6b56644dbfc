"""The comment on a pull request, as people read it there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.address import Address
from reconciler.model.position import Position, Problem
from reconciler.plan.show.background import Background, Merge, Sight, Word
from reconciler.plan.show.json import json_text, plan_json
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.problems import problems_markdown
from reconciler.plan.show.text import plain, plan_lines
from tests.conftest import Golden
from tests.golden.plan.cases import CASES, HOSTILE

HERE = Path(__file__).parent
HEAD, BASE = "c0ffee" + "0" * 34, "1a2b3c4d" + "0" * 32
MERGE = Merge("feature/more-memory", HEAD, "production", BASE)
SIGHT = Sight("2026-11-22T04:30:00Z", "sync(production): 1 updated at 1a2b3c4")
WORDS = (
    Word(
        "hold",
        "production is held by Ada since 2026-11-22T04:00:00Z: disks are being swapped",
        "nothing is changed there before; to end it: reconciler release production",
    ),
    Word("not-ready", "the environment is not Ready since 2026-11-22T04:31:00Z"),
)


def told_apart() -> Background:
    """A branch of which some of the plan is, while some was there before."""
    already = frozenset({Address("domain", "web-1"), Address("zone", "farm")})
    return Background(MERGE, SIGHT, WORDS, already)


def hostile() -> Background:
    merge = Merge(HOSTILE, HEAD, HOSTILE, BASE)
    return Background(merge, Sight(SIGHT.time, HOSTILE), (Word(HOSTILE, HOSTILE, HOSTILE),))


def nothing_new() -> Background:
    return Background(Merge("feature/old", HEAD, "production", BASE, is_merged=True), SIGHT)


SCENES: dict[str, tuple[str, Callable[[], Background]]] = {
    "told-apart": ("drift", told_apart),
    "refused": ("mass-deletion", lambda: Background(MERGE, SIGHT)),
    "first-plan": ("first-machine", lambda: Background(MERGE, Sight())),
    "nothing-new": ("nothing-to-do", nothing_new),
    "hostile": ("hostile", hostile),
}
CONFLICTS = (
    Problem(
        Position("vms/web-1.yaml"),
        "merge conflict: feature/more-memory and production changed it differently",
        "merge production into feature/more-memory, choose what is to be there, and push",
    ),
    Problem(Position("stacks/debian-web.yaml", 7, 1), "Stack has no key 'memmory'", "memory?"),
)


@pytest.mark.parametrize("scene", SCENES)
def test_comment_reads_as_it_did(scene: str, golden: Golden) -> None:
    name, background = SCENES[scene]
    case = CASES[name]()
    plan, violations, about = case.plan(), case.violations(), background()
    golden(HERE / scene / "comment.md", plan_markdown(plan, violations, background=about))
    golden(HERE / scene / "plan.txt", plain(plan_lines(plan, violations, background=about)))
    document = plan_json(plan, violations, background=about)
    golden(HERE / scene / "background.json", json_text(document["background"]))


def test_comment_of_a_merge_that_has_no_plan_reads_as_it_did(golden: Golden) -> None:
    about = Background(MERGE)
    page = problems_markdown(CONFLICTS, environment="production", background=about)
    golden(HERE / "problems" / "comment.md", page)


def test_no_golden_file_is_without_a_scene() -> None:
    kept = {each.name for each in HERE.iterdir() if (each / "comment.md").exists()}
    assert kept == {*SCENES, "problems"}
