"""`allocate` and `network show` at the command line: a work tree, the branches, and their past."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.remotes.origin import git
from tests.story.desk import Desk

MAIL = "environments/production/vms/mail.yaml"
APP = "environments/production/vms/app-2.yaml"
GUEST = """\
# what we play with
kind: VirtualMachine
name: {}
stack: linux
networks:
  - {{network: lan}} # anything
"""


@pytest.fixture
def clone(desk: Desk) -> Path:
    """A work tree of production in which two machines lack an address."""
    tree = desk.root / "work"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(tree))
    for name in ("play", "toy"):
        path = tree / f"environments/production/vms/{name}.yaml"
        path.write_text(GUEST.format(name), "utf-8")
    return tree


def text(clone: Path, name: str) -> str:
    return (clone / f"environments/production/vms/{name}.yaml").read_text("utf-8")


def test_addresses_are_written_and_nothing_else(desk: Desk, clone: Path) -> None:
    assert desk.run("validate", str(clone)).exit_code == 1
    done = desk.run("allocate", "--into", str(clone))
    assert done.exit_code == 0, done.output
    assert "machine play of production gets 192.168.1.131 " in done.stdout
    assert "wrote environments/production/vms/toy.yaml\n" in done.stdout
    for name, address in (("play", "192.168.1.131"), ("toy", "192.168.1.132")):
        expected = GUEST.format(name).replace("lan}", f"lan, address: {address}}}")
        assert text(clone, name) == expected
    assert git(clone, "diff", "--name-only") == ""
    assert desk.run("validate", str(clone)).exit_code == 0
    done = desk.run("allocate", "--into", str(clone))
    assert (done.exit_code, done.stdout) == (0, "Nobody lacks an address.\n")


def test_check_writes_nothing_and_exits_with_2(desk: Desk, clone: Path) -> None:
    done = desk.run("allocate", "--check", "--into", str(clone))
    assert done.exit_code == 2
    assert "machine play of production would get 192.168.1.131 " in done.stdout
    assert text(clone, "play") == GUEST.format("play")
    assert desk.run("allocate", "--into", str(clone)).exit_code == 0
    assert desk.run("allocate", "--check", "--into", str(clone)).exit_code == 0


def test_another_environment_may_be_left_alone(desk: Desk, clone: Path) -> None:
    done = desk.run("allocate", "-e", "staging", "--into", str(clone))
    assert done.stdout == "Nobody lacks an address.\n"


def test_what_a_branch_has_or_gave_up_lately_is_not_given(desk: Desk, clone: Path) -> None:
    desk.put({"environments/production/vms/a.yaml": with_address("a", 131)})
    desk.put({"environments/production/vms/b.yaml": with_address("b", 132)})
    desk.put({"environments/production/vms/b.yaml": None})
    done = desk.run("allocate", "--into", str(clone))
    assert "machine play of production gets 192.168.1.135 " in done.stdout, done.output
    shown = desk.run("network", "show", "lan", "-e", "production").stdout
    assert "192.168.1.132  in quarantine until " in shown
    assert "192.168.1.131  machine a " in shown


def with_address(name: str, last: int) -> str:
    return GUEST.format(name).replace("lan}", f"lan, address: 192.168.1.{last}}}")


def test_a_branch_that_does_not_load_still_has_what_it_names(desk: Desk, clone: Path) -> None:
    broken = with_address("a", 131) + "nonsense: true\n"
    desk.put({"environments/production/vms/a.yaml": broken})
    done = desk.run("allocate", "--into", str(clone))
    assert "machine play of production gets 192.168.1.132 " in done.stdout, done.output
    assert "the branch of production has problems" in done.stderr


def test_nothing_is_written_if_something_is_wrong(desk: Desk, clone: Path) -> None:
    path = clone / "environments/production/vms/toy.yaml"
    path.write_text(GUEST.format("toy").replace("stack: linux", "stack: linus"), "utf-8")
    done = desk.run("allocate", "--into", str(clone))
    assert done.exit_code == 1
    assert "linus" in done.stderr
    assert text(clone, "play") == GUEST.format("play")


def test_a_directory_that_is_no_config_repository_is_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    done = desk.run("allocate", "--into", str(tmp_path / "other"))
    assert done.exit_code == 1
    assert "no config repository" in done.stderr


def test_the_plan_is_shown_drawn_and_given_to_programs(desk: Desk, tmp_path: Path) -> None:
    picture = tmp_path / "plan.svg"
    done = desk.run("network", "show", "--svg", str(picture))
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["machines", "machines", "192.168.1.128/25", "9", "117", "0", "192.168.1.131"] in rows
    place = "environments/production/vms/mail.yaml:7:20"
    assert ["192.168.1.151", "machine", "mail", "machines", "production", place] in rows
    assert picture.read_text("utf-8").startswith("<svg ")
    networks = desk.json("network", "show", "lan", "-e", "production")["networks"]
    (machines,) = (each for each in networks[0]["partitions"] if each["name"] == "machines")
    assert (machines["free"], machines["next_free"]) == (117, "192.168.1.131")
    assert json.dumps(networks).isascii()


def test_a_work_tree_may_be_shown_before_it_is_committed(desk: Desk, clone: Path) -> None:
    desk.run("allocate", "--into", str(clone))
    done = desk.run("network", "show", "--tree", str(clone), "-e", "production")
    assert "192.168.1.131  machine play " in done.stdout
    assert "machine play" not in desk.run("network", "show").stdout


def test_a_network_that_is_not_there_is_an_error(desk: Desk) -> None:
    done = desk.run("network", "show", "wan")
    assert done.exit_code == 1
    assert "there is no network wan; there are: lan" in done.stderr
