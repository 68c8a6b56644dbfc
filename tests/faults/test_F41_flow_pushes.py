"""F05-F09, F41: whatever a step of the git flow pushes, the remote may fail just then.

Each step is tried against each failure. Nobody sees a stack, and once the remote is well again the
same step, asked for again, leaves the remote as if nothing had happened: nothing twice, nothing
missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of
from tests.story.people import FlowDesk

RECORDS = 1000
SETTINGS = """\
repository: {{url: {url}, deadline: {deadline}}}
state_directory: state
farm: {{kind: simulated, file: world.yaml}}
promotion: {{staging: direct, production: direct}}
"""
HOOKS = {
    "refuses": ("pre-receive", "echo quota exceeded; exit 1"),
    "breaks off before": ("pre-receive", "kill -9 $PPID"),
    "breaks off after": ("reference-transaction", '[ "$1" != committed ] || kill -9 $PPID'),
    "hangs": ("pre-receive", "sleep 4; exit 1"),
}
DECIDED = (" is held by ", " is released by ", " is taken back, ")
KINDS = ("is away", "is corrupt", *HOOKS)


@contextmanager
def failing(remote: Path, kind: str) -> Iterator[None]:
    """The remote fails in this way, until the end of the block."""
    if kind == "is away":
        away = remote.rename(remote.with_name("away.git"))
        yield
        away.rename(remote)
    elif kind == "is corrupt":
        config = (remote / "config").read_bytes()
        (remote / "config").write_bytes(b"[core\0")
        yield
        (remote / "config").write_bytes(config)
    else:
        name, script = HOOKS[kind]
        hook = remote / "hooks" / name
        hook.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        hook.chmod(0o755)
        yield
        hook.unlink()


def run(desk: FlowDesk, *arguments: str) -> str:
    """A command, which is to end well."""
    done = desk.run(*arguments)
    assert done.exit_code == 0, done.output
    return done.output


def ready_below(desk: FlowDesk) -> None:
    desk.grow("develop", 3)
    desk.sync("development")


def ready_in_staging(desk: FlowDesk) -> None:
    ready_below(desk)
    run(desk, "promote", "development", "staging", "--release", "v1.1.0")
    desk.sync("staging")


def merged(desk: FlowDesk) -> None:
    ready_in_staging(desk)
    desk.merge("release/v1.1.0", "master")


def in_production(desk: FlowDesk) -> None:
    merged(desk)
    desk.sync("production")


def changed_by_hand(desk: FlowDesk) -> None:
    text = desk.world.read_text(encoding="utf-8")
    at = text.index("memory: 2 GiB", text.index("production-hello:"))
    desk.world.write_text(f"{text[:at]}memory: 4 GiB{text[at + 13 :]}", encoding="utf-8")


def held(desk: FlowDesk) -> None:
    run(desk, "hold", "production", "--reason", "a load test")


@dataclass(frozen=True, slots=True)
class Step:
    """What is there before, the command that pushes, and what is done when the remote is well."""

    before: Callable[[FlowDesk], object]
    command: tuple[str, ...]
    again: tuple[tuple[str, ...], ...] = ()

    def after(self, desk: FlowDesk) -> None:
        """The remote is well: the same again, and then a turn."""
        for command in self.again or (self.command,):
            desk.run(*command)
        desk.run("sync", "--environment", "production")


SYNC = ("sync", "--environment", "production")
ROLLBACK = ("rollback", "production", "--reason", "it swaps")
STEPS = {
    "promote": Step(ready_below, ("promote", "development", "staging", "--release", "v1.1.0")),
    "promote --direct": Step(ready_in_staging, ("promote", "staging", "production", "--direct")),
    "tag and merge back": Step(merged, SYNC),
    "roll back": Step(in_production, ROLLBACK, (SYNC, ROLLBACK)),  # if nothing was decided, again
    "accept": Step(changed_by_hand, ("accept", "domain/hello", "memory", "-e", "production")),
    "hold": Step(lambda _desk: None, ("hold", "production", "--reason", "a test"), (SYNC,)),
    "release": Step(held, ("release", "production"), (SYNC,)),
    "hotfix": Step(lambda _desk: None, ("hotfix", "start", "v1.0.1")),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release v1.0.0 is out, and merged back."""
    desk = FlowDesk.of(tmp_path_factory.mktemp("begun"))
    desk.sync_all()
    desk.grow("develop", 2)
    desk.sync("development")
    run(desk, "promote", "development", "staging", "--release", "v1.0.0")
    desk.sync("staging")
    desk.merge("release/v1.0.0", "master")
    desk.sync_all()
    desk.sync_all()
    return desk.root


@pytest.fixture(scope="module")
def prepared(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """What is there right before each step."""
    known: dict[str, Path] = {}

    def made(name: str) -> Path:
        if name not in known:
            desk = copied(begun, tmp_path_factory.mktemp("prepared"))
            STEPS[name].before(desk)
            known[name] = desk.root
        return known[name]

    return made


@pytest.fixture(scope="module")
def healthy(
    prepared: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], object]:
    """What each step leaves if nothing fails."""
    known: dict[str, object] = {}

    def left(name: str) -> object:
        if name not in known:
            desk = copied(prepared(name), tmp_path_factory.mktemp("healthy"))
            desk.run(*STEPS[name].command)
            STEPS[name].after(desk)
            known[name] = (standing(desk), told_once(desk))
        return known[name]

    return left


def copied(of: Path, root: Path, deadline: str = "1m") -> FlowDesk:
    """The remote and the farm of a desk, at another one that has asked the remote once."""
    shutil.copytree(of / "origin.git", root / "origin.git")
    shutil.copy(of / "world.yaml", root)
    desk = FlowDesk(root)
    desk.settings.write_text(SETTINGS.format(url=desk.remote, deadline=deadline), encoding="utf-8")
    desk.run("status")
    return desk


def standing(desk: FlowDesk) -> Mapping[str, tuple[str, str]]:
    """Each branch and tag of people with its tree and how many commits it has."""
    found = desk.git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags").split()
    ours = "refs/heads/reconciler/"
    return {
        ref: (desk.tree(ref), desk.git("rev-list", "--count", ref))
        for ref in found
        if not ref.startswith(ours)
    }


def told_once(desk: FlowDesk) -> list[str]:
    """What people and rollbacks decided, as production's journal has it at the remote."""
    told = desk.git("log", "--reverse", "--format=%s", "reconciler/production").splitlines()
    return [decided for subject in told for decided in DECIDED if decided in subject]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_failed_is_done_once_when_the_remote_is_well(
    tmp_path: Path,
    prepared: Callable[[str], Path],
    healthy: Callable[[str], object],
    name: str,
    kind: str,
) -> None:
    desk = copied(prepared(name), tmp_path, deadline="2s" if kind == "hangs" else "1m")
    before = standing(desk)
    with failing(desk.remote, kind):
        failed = desk.run(*STEPS[name].command)
    assert failed.exception is None or isinstance(failed.exception, SystemExit), failed.output
    if kind != "breaks off after":
        assert standing(desk) == before
    STEPS[name].after(desk)
    assert (standing(desk), told_once(desk)) == healthy(name)
    desk.git("fsck", "--no-dangling")
    assert desk.json("status", "-e", "production")["environments"][0]["not_pushed"] == 0


@pytest.mark.timeout(300)
def test_of_a_thousand_records_none_is_lost_and_none_is_there_twice(tmp_path: Path) -> None:
    """Each push meets another failure, then none; the process begins anew now and then."""
    origin = Origin(tmp_path / "origin.git")
    head = origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    kinds = [kind for kind in KINDS if kind != "hangs"]
    states = set[Push]()
    for batch in range(RECORDS // 50):
        with mirror_of(origin, tmp_path / "state", fetched=batch == 0) as mirror:
            journal, notes = journal_of(mirror), notes_of(mirror)
            for number in range(50 * batch, 50 * batch + 50):
                journal.append(event(f"record {number}"))
                notes.write(head, f"outcome {number}")
            with failing(origin.path, kinds[batch % len(kinds)]):
                states |= {journal.flush().state, notes.flush().state}
    with mirror_of(origin, tmp_path / "state") as mirror:
        last = journal_of(mirror).flush(), notes_of(mirror).flush()
    assert {each.waiting for each in last} == {0}
    assert states >= {Push.SPOOLED, Push.REFUSED}
    told = origin.messages("refs/heads/reconciler/production")
    assert told == [f"drift(production): record {number}" for number in range(RECORDS)]
    assert "outcome 999" in origin.git("notes", "--ref=reconciler/production", "show", head)
