"""The problems of a repository in each format."""

from __future__ import annotations

from reconciler.model.position import Position, Problem
from reconciler.plan.show.problems import problems_json, problems_markdown, problems_text

PROBLEMS = (
    Problem(Position("vms/a.yaml", 3, 7), "the key memroy is unknown", "did you mean memory?"),
    Problem(Position("vms/a.yaml", 9, 1), "it is empty"),
    Problem(Position("zones/\x1b[2J.yaml"), "```\n@all", "::set-env"),
)


def test_text_begins_with_the_place_and_ends_with_the_count() -> None:
    assert problems_text(PROBLEMS).split("\n") == [
        "vms/a.yaml:3:7: the key memroy is unknown",
        "    did you mean memory?",
        "vms/a.yaml:9:1: it is empty",
        r"zones/\x1b[2J.yaml:1:1: ```\n@all",
        r"    \x3a:set-env",
        "",
        "3 problems in 2 files",
        "",
    ]


def test_no_problem_is_said_too() -> None:
    assert problems_text(()) == "No problems\n"
    assert problems_markdown(()) == "### No problems\n"
    assert problems_json(()) == {"problems": []}


def test_one_is_singular() -> None:
    assert problems_text(PROBLEMS[:1]).endswith("1 problem in 1 file\n")


def test_json_gives_the_place_in_parts() -> None:
    assert problems_json(PROBLEMS)["problems"][0] == {
        "source": {"file": "vms/a.yaml", "line": 3, "column": 7},
        "what": "the key memroy is unknown",
        "remedy": "did you mean memory?",
    }


def test_markdown_keeps_every_problem_in_one_fence() -> None:
    text = problems_markdown(PROBLEMS)
    assert text.startswith("### 3 problems in 2 files\n")
    assert (
        "\n````text\nvms/a.yaml:3:7: the key memroy is unknown\n    did you mean memory?\n" in text
    )
    assert text.endswith("\n    \\x3a:set-env\n````\n")


def test_markdown_counts_what_does_not_fit() -> None:
    many = tuple(Problem(Position("a.yaml", line), "wrong") for line in range(1, 1000))
    text = problems_markdown(many, limit=1000)
    assert len(text) <= 1000
    assert "more left out" in text
