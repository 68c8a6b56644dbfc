"""F35: an address or MAC with two owners is refused by the plan, with both places.

Each change is right by itself. What is wrong comes of a merge, or of two environments' branches.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.remotes.origin import git
from tests.story.desk import EXAMPLE, Desk

VMS = "environments/production/vms"
STAGING_VMS = "environments/staging/vms"
IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")


def machine(name: str, address: str, more: str = "") -> str:
    return (
        f"kind: VirtualMachine\nname: {name}\nstack: linux\n"
        f"networks:\n  - {{network: lan, address: {address}{more}}}\n"
    )


def text(path: str) -> str:
    return (EXAMPLE / path).read_text("utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.new(tmp_path)


@pytest.fixture
def clone(desk: Desk) -> Path:
    tree = desk.root / "work"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(tree))
    return tree


def branch(clone: Path, name: str, path: str, said: str) -> None:
    """A branch off production that adds a file."""
    git(clone, "checkout", "--quiet", "-b", name, "production")
    (clone / path).write_text(said, "utf-8")
    git(clone, "add", "--all")
    git(clone, *IDENTITY, "commit", "--quiet", "--message=Add a machine")


def merge(clone: Path, *branches: str) -> None:
    """Merge branches into production; git sees no conflict."""
    git(clone, "checkout", "--quiet", "production")
    for name in branches:
        git(clone, *IDENTITY, "merge", "--quiet", "--no-ff", "--message=Merge", name)
    git(clone, "push", "--quiet", "origin", "production")


def refused(desk: Desk, *said: str, environment: str = "production") -> None:
    """The plan is refused with these words, and a sync changes nothing."""
    worlds = []
    for command in ("plan", "sync"):
        done = desk.run(command, "-e", environment)
        assert done.exit_code == 1, done.output
        for each in said:
            assert each in done.output
        worlds.append(desk.world.read_text("utf-8"))
    assert worlds[0] == worlds[1]


def test_two_branches_merged_with_one_address(desk: Desk, clone: Path) -> None:
    assert desk.run("sync", "-e", "production").exit_code == 0
    branch(clone, "one", f"{VMS}/a.yaml", machine("a", "192.168.1.200"))
    branch(clone, "other", f"{VMS}/b.yaml", machine("b", "192.168.1.200"))
    for each in ("one", "other"):
        git(clone, "checkout", "--quiet", each)
        assert desk.run("validate", str(clone)).exit_code == 0
    merge(clone, "one", "other")
    assert desk.run("validate", str(clone)).exit_code == 1, "in CI, of the merge's result"
    refused(
        desk,
        f"{VMS}/b.yaml:5:20: machine b has 192.168.1.200, which machine a has ({VMS}/a.yaml:5:20)",
    )


def test_two_branches_merged_with_one_hardware_address(desk: Desk, clone: Path) -> None:
    mac = ", mac: '52:54:00:00:00:01'"
    branch(clone, "one", f"{VMS}/a.yaml", machine("a", "192.168.1.200", mac))
    branch(clone, "other", f"{VMS}/b.yaml", machine("b", "192.168.1.201", mac))
    merge(clone, "one", "other")
    refused(
        desk,
        f"{VMS}/b.yaml:5:44: machine b has 52:54:00:00:00:01, "
        f"which machine a has ({VMS}/a.yaml:5:44)",
    )


def test_allocate_on_two_branches_gives_what_the_merge_then_refuses(
    desk: Desk, clone: Path
) -> None:
    for name in ("a", "b"):
        lacking = machine(name, "x").replace(", address: x", "")
        branch(clone, f"add-{name}", f"{VMS}/{name}.yaml", lacking)
        assert desk.run("allocate", "--into", str(clone)).exit_code == 0
        git(clone, *IDENTITY, "commit", "--quiet", "--all", "--message=Allocate")
    merge(clone, "add-a", "add-b")
    refused(desk, "machine b has 192.168.1.131, which machine a has")


def test_the_branches_of_two_environments_with_one_address(desk: Desk) -> None:
    """Each branch is right by itself: only together do they take one address twice."""
    network = "environments/staging/networks/lan.yaml"
    files = {network: text(network).replace("10.10.60.14", "192.168.1.13")}
    files[network] = files[network].replace("10.10.60.", "192.168.1.")
    for path in sorted((EXAMPLE / STAGING_VMS).iterdir()):
        place = f"{STAGING_VMS}/{path.name}"
        files[place] = text(place).replace("10.10.60.1", "192.168.1.2")
    desk.put(files, "staging")
    assert desk.run("validate", "--branch", "staging", "-e", "staging").exit_code == 0
    desk.put({f"{VMS}/a.yaml": machine("a", "192.168.1.229")}, "production")
    refused(
        desk,
        f"{STAGING_VMS}/web-1.yaml:5:20: machine web-1 takes address 192.168.1.229, which machine "
        f"a of environment production has ({VMS}/a.yaml:5:20)",
        environment="staging",
    )
