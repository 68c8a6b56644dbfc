"""`run` listens beside the loop: one process, one start, one stop."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

from tests.story.desk import Desk
from tests.webhooks.lines import delivery, head, status
from tests.webhooks.process import PROGRAM, ROOT, running
from tests.webhooks.senders import Sample, signed

HOOKS = "hooks: {farm: {kind: generic, secret_file: hook-secret}}\n"
FIRST, SECOND = "the first secret of the farm", "the second secret of the farm"


def describe(desk: Desk, listen: str) -> None:
    text = desk.settings.read_text("utf-8")
    desk.settings.write_text(f"{text}listen: {listen}\n{HOOKS}", "utf-8")
    secret = desk.root / "hook-secret"
    secret.write_text(FIRST + "\n", "utf-8")
    secret.chmod(0o600)


def push(number: int, secret: str) -> bytes:
    return delivery(signed(Sample("generic", "push", {}), f"d-{number}", secret), "farm")


def test_new_secrets_are_in_force_after_sighup(desk: Desk) -> None:
    describe(desk, f"unix:{desk.root / 'web.sock'}")
    with running(desk.settings) as run:
        where = run.until(r"listening at (unix:\S+), webhooks: farm")[1]
        assert status(where, head("GET", "/healthz", {})) == 200
        assert status(where, push(1, FIRST)) == 202
        (desk.root / "hook-secret").write_text(SECOND + "\n", "utf-8")
        run.until("production at ")
        run.process.send_signal(signal.SIGHUP)
        run.until("the new settings are in force")
        assert status(where, push(2, FIRST)) == 401
        assert status(where, push(3, SECOND)) == 202
    assert not (desk.root / "web.sock").exists()


def test_it_does_not_start_where_it_cannot_listen(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        describe(desk, listen)
        command = [sys.executable, "-c", PROGRAM, "--config", str(desk.settings), "run"]
        done = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert f"listen: {listen}: another program listens there" in done.stderr
    assert "Traceback" not in done.stderr
