"""The fence: what a writer tells it, and what the host's few lines of shell make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.drivers.ssh.command import FENCED, fenced
from reconciler.drivers.ssh.fence import Claim, Fence

LINE = '{"token": 7, "holder": "bb"}'


def write(directory: Path, claim: Claim) -> int:
    argv = fenced(["touch", str(directory / "changed")], str(directory), claim)
    return subprocess.run(argv, check=False, timeout=30, stderr=subprocess.DEVNULL).returncode


def line_in(directory: Path) -> str:
    return (directory / "fence").read_text().strip()


def test_who_saw_nobody_is_the_first() -> None:
    fence = Fence("aa")
    assert fence.claim() == Claim("aa", "", '{"token": 1, "holder": "aa"}')


def test_who_saw_another_follows_him() -> None:
    fence = Fence("aa")
    fence.saw(LINE)
    assert fence.claim() == Claim("aa", LINE, '{"token": 8, "holder": "aa"}')


def test_a_connection_counts_only_before_the_first_look() -> None:
    fence = Fence("aa")
    fence.met("")
    fence.met(LINE)
    assert fence.claim().seen == ""
    fence.saw(LINE)
    assert fence.claim().seen == LINE


@pytest.mark.parametrize(
    "line",
    ["{}", "x" * 10_000, '{"token": 7, "holder": "bb"}\n', '{"token": -1, "holder": "bb"}', "\0"],
)
def test_a_damaged_line_is_not_passed_on(line: str) -> None:
    fence = Fence("aa")
    fence.saw(line)
    with pytest.raises(ValueError, match="damaged"):
        fence.claim()


def test_the_host_lets_the_one_who_looked_change_it(tmp_path: Path) -> None:
    assert write(tmp_path, Fence("aa").claim()) == 0
    assert (tmp_path / "changed").exists()
    assert json.loads(line_in(tmp_path)) == {"token": 1, "holder": "aa"}
    assert (tmp_path / "fence").stat().st_mode & 0o777 == 0o600


def test_the_same_one_goes_on_without_looking(tmp_path: Path) -> None:
    fence = Fence("aa")
    assert [write(tmp_path, fence.claim()) for _ in range(2)] == [0, 0]
    assert json.loads(line_in(tmp_path))["token"] == 1


def test_another_one_who_did_not_look_is_refused(tmp_path: Path) -> None:
    first, second = Fence("aa"), Fence("bb")
    second.met("")
    write(tmp_path, first.claim())
    (tmp_path / "changed").unlink()
    assert write(tmp_path, second.claim()) == FENCED
    assert not (tmp_path / "changed").exists()
    second.saw(line_in(tmp_path))
    assert write(tmp_path, second.claim()) == 0
    assert write(tmp_path, first.claim()) == FENCED


def test_a_holder_is_not_taken_for_one_whose_name_is_longer(tmp_path: Path) -> None:
    write(tmp_path, Fence("aabb").claim())
    assert write(tmp_path, Fence("aa").claim()) == FENCED
    assert write(tmp_path, Fence("bb").claim()) == FENCED


def test_a_fence_that_was_lost_lets_nobody_in_who_saw_one(tmp_path: Path) -> None:
    fence = Fence("aa")
    fence.saw(LINE)
    assert write(tmp_path, fence.claim()) == FENCED


def test_where_the_fence_cannot_be_written_nothing_is_done(tmp_path: Path) -> None:
    claim = Fence("aa").claim()
    argv = fenced(["touch", str(tmp_path / "changed")], str(tmp_path / "missing"), claim)
    assert subprocess.run(argv, check=False, stderr=subprocess.DEVNULL).returncode == 73
    assert not (tmp_path / "changed").exists()


def test_what_a_crash_left_beside_it_goes_away(tmp_path: Path) -> None:
    (tmp_path / ".fence-abcdef").touch()
    write(tmp_path, Fence("aa").claim())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["changed", "fence"]
