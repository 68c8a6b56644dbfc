"""The demo runs through, shows what it promises, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.story.desk import program

ROOT = Path(__file__).parents[2]


def test_the_demo_shows_what_it_promises(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    done = program("demo", "--directory", str(directory))
    assert done.exit_code == 0, done.output
    for shown in (
        "production at ",
        "memory_bytes: 1 GiB → 2 GiB",
        "mail.farm.internal. → web-1.farm.internal.",
        "2 updated, all of it drift",
        "capacity_bytes: 8 GiB → 12 GiB",
        "-maxdistance 16",
        "+maxdistance 8",
        "6 updated",
        "-local stratum 1",
        "stacks/debian-web.yaml:7:1: Stack has no key 'memmory'; did you mean memory?",
        "stays in force",
        "drift(production): 2 resources differ",
        "heal(production): 2 resources set right",
        "Notes (reconciler/production):",
    ):
        assert shown in done.output, shown
    assert done.output.count(": Ready\n") >= 3
    assert {each.name for each in directory.iterdir()} >= {"farm", "origin.git", "world.yaml"}


def test_the_demo_never_touches_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", "utf-8")
    done = program("demo", "--directory", str(tmp_path))
    assert done.exit_code == 1
    assert "is not empty" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_the_demo_can_be_kept_running(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    command = [sys.executable, "-m", "reconciler", "demo", "--serve", "--directory", str(directory)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if "looking after" in line:
                break
        process.send_signal(signal.SIGINT)
        seen += process.stdout
    assert process.returncode == 0, "".join(seen)
    assert f"cd {directory / 'farm'}\n" in "".join(seen)
