"""F01: kill -9 at any change of a real host; who comes next ends where it would have ended.

Each change (a libvirt call, a command over ssh) is a point: the process dies before the first one,
after each one, and in the middle of those that take long. Calls that only look are no points, for
the world is then as it was after the change before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.system.crash_run import Call, When, hurry
from tests.system.crash_scenes import SCENES
from tests.system.crash_stage import Stage
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost

LONG_SECONDS = 0.15
PARTS_OF_A_MOVE = (0.1, 0.3, 0.5, 0.7, 0.85, 0.95)
FEW = {"created": 2, "replaced": 2, "moved_live": 3}
Point = tuple[int, When, float]


@pytest.fixture
def stage(lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path) -> Iterator[Stage]:
    here = replace(lab, hosts={host.name: host for host in virthosts})
    with driven(here, tmp_path / "look") as farm:
        hurry(farm)
        (tmp_path / "play").mkdir()
        yield Stage(here, farm, tmp_path / "play")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All scenes with all their points, or a few that take a minute or so."""
    if "scene_name" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-crash-points")
        counts = dict.fromkeys(SCENES) if every else FEW
        metafunc.parametrize(("scene_name", "count"), counts.items(), ids=counts)


@pytest.mark.timeout(3600)
def test_whoever_comes_after_a_kill_finishes_its_work(
    stage: Stage, scene_name: str, count: int | None
) -> None:
    scene = stage.scene(scene_name)
    calls = stage.record(scene.after, stage.prepare(scene))
    stage.finish(scene.after, {})
    expected = stage.ends()
    points = list(points_of(calls))
    for number, when, seconds in points if count is None else spread(points, count):
        memory = stage.prepare(scene)
        assert stage.kill(scene.after, memory, number, when, seconds)
        stage.check_running_once()
        stage.finish(scene.after, memory)
        assert stage.ends() == expected, f"{when} change {number}, {calls[number - 1].name}"


def points_of(calls: list[Call]) -> Iterator[Point]:
    """Where to die. Of blocks that are sent one after another, only the last counts."""
    yield 1, "before", 0.0
    for number, (call, following) in enumerate(zip(calls, [*calls[1:], None], strict=True), 1):
        if call.seconds > LONG_SECONDS and not call.name.startswith("ssh"):
            parts = PARTS_OF_A_MOVE if call.name.endswith("migrate3") else (0.5,)
            yield from ((number, "within", call.seconds * part) for part in parts)
        if not (following and call.name == following.name == "virStream.send"):
            yield number, "after", 0.0


def spread(points: list[Point], count: int) -> list[Point]:
    """So many of them, from all over; the longest call is the most worth a try."""
    within = [point for point in points if point[1] == "within"][-1:]
    return [*points[len(points) // count - 1 :: len(points) // count][: count - 1], *within][:count]
