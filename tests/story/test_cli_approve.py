"""`approve` and gates at the command line, with settings in a file and real keys."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

from reconciler.cli.command import Given
from reconciler.cli.keeper import Keeper
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.world import surroundings
from reconciler.daemon.clock import SystemClock
from reconciler.daemon.slots import Reason
from tests.remotes.origin import Origin
from tests.remotes.signing import Desk as Person
from tests.remotes.signing import SshKey, private
from tests.story.desk import STACK, Desk


def guarded(desk: Desk, gates: str, *people: Person) -> None:
    """Settings with gates of production, and these people's keys."""
    lines = "".join(p.key.allowed() for p in people if isinstance(p.key, SshKey))
    private(desk.root / "allowed_signers", lines)
    more = f"signers: {{ssh: allowed_signers}}\ngates: {{production: {gates}}}\n"
    desk.settings.write_text(desk.settings.read_text("utf-8") + more, "utf-8")


def person(desk: Desk, name: str) -> Person:
    mail = f"{name.lower()}@farm.internal"
    origin = Origin.__new__(Origin)
    origin.path = desk.remote
    return Person(origin, name, mail, SshKey.made(desk.root, mail))


def test_a_plan_is_approved_of_by_the_command_that_it_prints(desk: Desk) -> None:
    bob = person(desk, "Bob")
    guarded(desk, "{approvals: 1}", bob)
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")
    held = desk.run("sync", "-e", "production")
    assert held.exit_code == 1
    assert "0 of 1 people approved" in held.output
    shown = desk.run("approve", "-e", "production")
    assert shown.exit_code == 0, shown.output
    assert "memory_bytes" in shown.stdout
    command = re.search(r'git (tag -s -m "Approve" (\S+) ([0-9a-f]{40}))', shown.stdout)
    assert command is not None
    bob.git("tag", "-s", "-m", "Approve", command[2], command[3])
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 0, done.output
    assert desk.run("plan", "-e", "production").exit_code == 0


def test_a_branch_is_approved_of_before_it_is_merged(desk: Desk) -> None:
    bob = person(desk, "Bob")
    guarded(desk, "{approvals: 1}", bob)
    head = desk.git("rev-parse", "production")
    desk.git("branch", "feature/more", head)
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB", branch="feature/more")
    work = desk.git("rev-parse", "feature/more")
    shown = desk.run("approve", "-e", "production", "--branch", "feature/more")
    assert shown.exit_code == 0, shown.output
    command = re.search(r'git tag -s -m "Approve" (\S+) ([0-9a-f]{40})', shown.stdout)
    assert command is not None
    assert command[2] == work
    bob.git("tag", "-s", "-m", "Approve", command[1], work)
    keyless = Person(bob.origin, "Carol", "carol@farm.internal")
    keyless.commit("production", keyless.tree(work), head, work, message="Merge")
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 0, done.output
    assert "memory" not in desk.run("plan", "-e", "production").stdout


def test_what_is_not_signed_is_refused_with_the_way_out(desk: Desk) -> None:
    alice = person(desk, "Alice")
    guarded(desk, "{signatures: head}", alice)
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")
    held = desk.run("sync", "-e", "production")
    assert held.exit_code == 1
    assert "is not signed" in held.output
    assert "git commit -S" in held.output
    status = desk.run("status", "-e", "production")
    assert "is not signed" in status.output
    tree = alice.tree("production")
    alice.commit("production", tree, message="I mean it")
    assert desk.run("sync", "-e", "production").exit_code == 0


def test_the_loop_comes_back_when_a_gate_opens(desk: Desk) -> None:
    end = SystemClock().now() + timedelta(minutes=3)
    freeze = f"{{from: 2020-01-01, until: '{end:%Y-%m-%d %H:%M}', reason: Audit}}"
    guarded(desk, f"{{freezes: [{freeze}]}}", person(desk, "Bob"))
    desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB")
    with open_repository(settings_of(Given(config=desk.settings))) as repository:
        repository.fetch()
        around = surroundings(repository, "production")
        keeper = Keeper(repository, around, repository.settings)
        delay = keeper.look("production", frozenset({Reason.POLL}), threading.Event()).delay
    assert delay is not None
    assert delay <= timedelta(minutes=3), "and not only after the five minutes of its interval"
