from __future__ import annotations

from reconciler.model.position import Position, Problem


def test_a_problem_says_where_what_and_what_to_do() -> None:
    problem = Problem(Position("vms/web.yaml", 3, 7), "memory is missing", "write memory: 2 GiB")
    assert str(problem) == "vms/web.yaml:3:7: memory is missing; write memory: 2 GiB"


def test_a_problem_without_a_remedy_ends_after_what() -> None:
    assert str(Problem(Position("farm.yaml"), "it is empty")) == "farm.yaml:1:1: it is empty"


def test_problems_are_sorted_by_where_they_are() -> None:
    later, earlier = Problem(Position("a", 10), "x"), Problem(Position("a", 9), "y")
    assert sorted([later, earlier]) == [earlier, later]
