"""The hook for plain repositories: a real push tells the loop, and nothing ever hinders a push."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.remotes.origin import git
from tests.story.desk import WEB, Desk
from tests.webhooks.process import ROOT, running

HOOK = ROOT / "deploy/hooks/post-receive"
SECRET = "the secret of the farm's own hook"
TOOLS = (
    "cat",
    "curl",
    "cut",
    "git",
    "grep",
    "od",
    "openssl",
    "sed",
    "sha256sum",
    "tr",
    "wc",
    "logger",
)
PUSHED = b"%040d %040d refs/heads/main\n%040d %040d refs/tags/v1\n" % (0, 1, 0, 2)
AT_ONCE_SECONDS = 4  # less than the five that the hook gives a server
SERVED = "\nlisten: 127.0.0.1:0\nhooks: {farm: {kind: generic, secret_file: hook-secret}}\n"


def install(repository: Path, url: str, secret: Path) -> None:
    shutil.copy(HOOK, repository / "hooks/post-receive")
    git(repository, "config", "reconciler.hook", url)
    git(repository, "config", "reconciler.hookSecretFile", str(secret))


def private(path: Path, text: str = SECRET + "\n") -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_push_tells_the_loop(desk: Desk) -> None:
    secret = private(desk.root / "hook-secret")
    desk.settings.write_text(desk.settings.read_text("utf-8") + SERVED, "utf-8")
    with running(desk.settings) as run:
        where = run.until(r"listening at (http://[0-9.:]+), webhooks: farm")[1]
        install(desk.remote, f"{where}/hooks/farm", secret)
        commit = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
        run.until(r"webhook farm: push [0-9a-f]{32}: accepted")
        run.until(rf"production at {commit[:7]}")


def push(repository: Path, clone: Path) -> str:
    """Push a commit; what git showed of it."""
    if not clone.exists():
        git(clone.parent, "clone", "--quiet", str(repository), str(clone))
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    git(clone, *identity, "commit", "--quiet", "--allow-empty", "--message=More")
    done = subprocess.run(
        ["git", "-C", str(clone), "push", "--quiet", "origin", "HEAD:refs/heads/main"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(clone.parent)},
        check=True,
        capture_output=True,
        text=True,
        timeout=AT_ONCE_SECONDS,
    )
    return done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "farm.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
    return path


def test_a_server_that_hangs_holds_up_no_push(repository: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/hooks/farm"
        install(repository, url, private(tmp_path / "secret"))
        assert push(repository, tmp_path / "clone") == ""


def test_a_server_that_is_away_fails_no_push(repository: Path, tmp_path: Path) -> None:
    install(repository, "http://127.0.0.1:1/hooks/farm", private(tmp_path / "secret"))
    assert push(repository, tmp_path / "clone") == ""
    assert git(repository, "rev-parse", "main")


def test_a_repository_without_configuration_is_left_alone(repository: Path, tmp_path: Path) -> None:
    shutil.copy(HOOK, repository / "hooks/post-receive")
    assert push(repository, tmp_path / "clone") == ""


def test_a_secret_that_cannot_be_read_is_said_to_who_pushes(
    repository: Path, tmp_path: Path
) -> None:
    install(repository, "http://127.0.0.1:1/hooks/farm", tmp_path / "nowhere")
    assert "reconciler: not told" in push(repository, tmp_path / "clone")
    assert git(repository, "rev-parse", "main")


def shims(directory: Path) -> Path:
    """Every program the hook may call, each writing its arguments down; curl does no more."""
    directory.mkdir()
    log = directory / "log"
    for tool in TOOLS:
        real = shutil.which(tool)
        shim = directory / tool
        run = "" if tool == "curl" else f'exec {real} "$@"\n'
        show = f'for each in "{tool}" "$@"; do echo "$each"; done >>{log}\n'
        shim.write_text(f"#!/bin/sh\n{show}{run}", encoding="utf-8")
        shim.chmod(0o755)
    return log


def told(tmp_path: Path, secret: str) -> tuple[str, str]:
    """All arguments of all programs that the hook runs, and what curl is given to send."""
    repository = tmp_path / "farm.git"
    git(tmp_path, "init", "--quiet", "--bare", str(repository))
    install(repository, "http://127.0.0.1:1/x", private(tmp_path / "secret", f"\n {secret}\nold\n"))
    log = shims(tmp_path / "shims")
    # The part in the background, in the foreground.
    hook = tmp_path / "hook"
    text = HOOK.read_text("utf-8").replace(">/dev/null 2>&1 &\n", "\n")
    hook.write_text(text, encoding="utf-8")
    environment = {"PATH": f"{log.parent}:/usr/bin:/bin", "GIT_DIR": str(repository)}
    subprocess.run(
        ["sh", str(hook)], env=environment, input=PUSHED, cwd=repository, check=True, timeout=30
    )
    return log.read_text("utf-8"), log.read_text("utf-8").partition("--data-binary\n")[2]


@pytest.mark.parametrize(
    "secret", [SECRET, "x" * 64, "y" * 65, "long " * 30 + ".", "ä%d\\n'\"$(id)`id` *"]
)
def test_the_signature_is_right_and_the_secret_in_no_argument(secret: str, tmp_path: Path) -> None:
    arguments, sent = told(tmp_path, secret)
    body = sent.splitlines()[0]
    assert json.loads(body)["ref"] == "refs/tags/"
    expected = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    assert f"X-Signature-256: sha256={expected}\n" in arguments
    hidden = (secret, secret.encode().hex(" "), hashlib.sha256(secret.encode()).hexdigest())
    assert not any(each in arguments for each in hidden)


def test_the_hook_is_a_program() -> None:
    assert os.access(HOOK, os.X_OK)
