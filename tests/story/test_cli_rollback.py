"""`reconciler rollback`: what a person sees and gets."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tests.story.desk import STACK, Desk

GROWN = ("memory: 2 GiB", "memory: 3 GiB")


@pytest.fixture
def released(desk: Desk) -> Desk:
    """A release that was Ready, and that nobody wants any more."""
    desk.edit(STACK, *GROWN)
    done = desk.run("sync", "--environment", "production")
    assert done.exit_code == 0, done.output
    return desk


def tree(desk: Desk, branch: str) -> str:
    return desk.git("rev-parse", f"{branch}^{{tree}}")


def test_it_goes_back_to_what_was_ready_before(released: Desk) -> None:
    bad = released.head("production")
    done = released.run("rollback", "production", "--reason", "customers complain")
    assert done.exit_code == 0, done.output
    assert "memory" in done.stdout
    assert released.git("rev-parse", "production^") == bad
    assert tree(released, "production") == tree(released, f"{bad}^")
    message = released.git("log", "-1", "--format=%B", "production")
    assert "Reconciler-Reason: customers complain" in message
    machine = released.farm.state.hosts[released.host_of("production-web-1")]
    assert machine.domains["production-web-1"].definition.memory_bytes == 2 << 30


def test_a_dry_run_shows_the_plan_and_changes_nothing(released: Desk) -> None:
    before = released.git("for-each-ref")
    done = released.run("rollback", "production", "--dry-run")
    assert done.exit_code == 2, done.output
    assert "domain/web-1" in done.stdout
    assert released.git("for-each-ref") == before


def test_a_commit_that_was_never_ready_is_refused_with_those_that_were(released: Desk) -> None:
    released.put({"ONE.md": "x\n"})
    never = released.head("production")
    released.put({"TWO.md": "x\n"})
    done = released.run("rollback", "production", "--to", never[:10])
    assert done.exit_code == 1
    assert f"{never[:7]} was never Ready in production; these were: " in done.output
    assert released.git("rev-parse", f"{never}^")[:7] in done.output


def test_there_is_no_way_back_from_the_way_back(released: Desk) -> None:
    assert released.run("rollback", "production").exit_code == 0
    head = released.head("production")
    done = released.run("rollback", "production")
    assert done.exit_code == 1
    assert "is a rollback itself" in done.output
    assert released.head("production") == head


def test_nothing_before_was_ready(desk: Desk) -> None:
    done = desk.run("rollback", "production")
    assert done.exit_code == 1
    assert "nothing before" in done.output


def test_while_the_loop_runs_only_git_is_written(released: Desk) -> None:
    """The loop on this machine holds the lock; it follows at its next look."""
    bad = released.head("production")
    lock = released.root / "state" / "lock"
    with Path(lock).open("r+", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = released.run("rollback", "production")
    assert done.exit_code == 0, done.output
    assert "that process does the rest" in done.output
    assert released.git("rev-parse", "production^") == bad
    assert released.run("sync", "--environment", "production").exit_code == 0
    records = released.git("log", "--format=%s", "reconciler/production").splitlines()
    assert [each.partition("(")[0] for each in records][:2] == ["sync", "rollback"]


def test_what_the_guards_forbid_has_to_be_acknowledged(desk: Desk) -> None:
    text = desk.git("show", "production:environments/production/vms/backup.yaml") + "\n"
    new = {
        f"environments/production/vms/extra-{n}.yaml": "kind: VirtualMachine\n"
        f"name: extra-{n}\nstack: linux\nmemory: 1 GiB\n"
        f"networks:\n  - {{network: lan, address: 192.168.1.{210 + n}}}\n"
        for n in range(3)
    }
    assert text
    desk.put(dict(new))
    done = desk.run("sync", "--environment", "production")
    assert done.exit_code == 0, done.output
    head = desk.head("production")
    refused = desk.run("rollback", "production")
    assert refused.exit_code == 1
    assert "--allow mass-deletion" in refused.output
    assert desk.head("production") == head
    done = desk.run("rollback", "production", "--allow", "mass-deletion")
    assert done.exit_code == 0, done.output
    assert not [n for host in desk.farm.state.hosts.values() for n in host.domains if "extra" in n]
