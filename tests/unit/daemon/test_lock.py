"""One process per state directory, and nobody else looks into it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler
from reconciler.daemon.lock import state_lock
from reconciler.errors import Conflict, Denied

CHECKOUT = str(Path(reconciler.__file__).parents[1])
HOLDER = """
import sys
from pathlib import Path
from reconciler.daemon.lock import state_lock
with state_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    with state_lock(state):
        assert state.stat().st_mode & 0o777 == 0o700
        assert (state / "lock").stat().st_mode & 0o777 == 0o600
        assert (state / "lock").read_text("ascii").strip() == str(os.getpid())


def test_the_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with state_lock(tmp_path / "state"):
            pass


def test_a_second_process_is_told_who_holds_it_and_kill_9_sets_it_free(tmp_path: Path) -> None:
    state = tmp_path / "state"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": CHECKOUT},
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Conflict, match=f"process {holder.pid} holds it; stop that"),
            state_lock(state),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
    with state_lock(state):
        pass


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o704, 0o750, 0o755, 0o770, 0o777])
def test_a_directory_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    with pytest.raises(Denied, match=rf"mode {mode:04o}\); chmod 700 {state}"), state_lock(state):
        pass
    assert not (state / "lock").exists()


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (state / "lock").symlink_to(victim)
    with pytest.raises(Denied, match="symbolic links"), state_lock(state):
        pass
    assert victim.read_text() == "precious"


def test_a_state_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("")
    with pytest.raises(Denied, match="choose another state_directory"), state_lock(state):
        pass
