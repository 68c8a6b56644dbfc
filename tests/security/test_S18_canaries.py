"""S18: a distinct secret in each place that may hold one; what all commands leave is searched."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.private_edit import MEMORY, PREFIX
from tests.remotes.origin import git
from tests.sealed.canaries import directory_content, leaks
from tests.sealed.planted import ENVIRONMENTS, Planted, planted
from tests.sealed.sealing import Reader
from tests.sealed.seen import Seen, watched
from tests.sealed.spoken import TABLE, commands, lines, looks

ROOT = Path(__file__).parents[2]
SPEAK = ROOT / "tests" / "sealed" / "speak.py"
DEADLINE_SECONDS = 400
KEPT = ("state", "state-real", "tmp", "home", "tree", "out", "new", "served", "journals")

pytestmark = pytest.mark.timeout(DEADLINE_SECONDS + 200)


class Talk:
    """The site, with all that was said and seen so far."""

    def __init__(self, site: Planted) -> None:
        self.site, self.said, self.seen = site, b"", Seen(site.root / "called")

    def say(self, lines: list[list[str]], code: Path = ROOT) -> str:
        """Run command lines in a process of their own; `code` is where the program is."""
        given = "".join(f"{json.dumps(words)}\n" for words in lines)
        return self.run([sys.executable, str(SPEAK)], given, code=code)

    def command(self, *words: str, given: str = "") -> str:
        program = [sys.executable, "-m", "reconciler", "--config", str(self.site.settings), "-v"]
        return self.run([*program, *words], given)

    def run(self, command: list[str], given: str, code: Path = ROOT) -> str:
        with self.started(command, code) as process:
            said, _ = process.communicate(given.encode(), timeout=DEADLINE_SECONDS)
        self.said += said
        return said.decode(errors="replace")

    def started(self, command: list[str], code: Path = ROOT) -> _Running:
        more = {"PYTHONPATH": str(code), "EDITOR": str(self.site.op / "editor")}
        return _Running(command, self.site.environment | more, self.seen)

    def found(self) -> list[str]:
        """Which secrets are anywhere but where they were planted."""
        site = self.site
        asked = [
            repr((each.path, each.query, each.body, _without_login(dict(each.headers))))
            for each in site.forge.asked
        ]
        parts = [self.said, self.seen.content(), "\n".join(asked).encode()]
        parts += [directory_content(site.root / name) for name in KEPT]
        parts += [file.read_bytes() for file in site.root.glob("*.yaml")]
        parts += [directory_content(each) for each in MEMORY.glob(f"{PREFIX}*")]
        content = b"\n".join(parts)
        return [place for place, value in site.secrets.items() if leaks(content, [value])]


class _Running:
    """A process that is watched until it ends."""

    def __init__(self, command: list[str], environment: dict[str, str], seen: Seen) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=environment["HOME"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._watched = watched(self.process.pid, seen)

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._watched.__enter__()
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()
        self._watched.__exit__(None, None, None)


def _without_login(headers: dict[str, str]) -> dict[str, str]:
    return {name: each for name, each in headers.items() if name.lower() != "authorization"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Planted]:
    with planted(tmp_path / "site") as site:
        yield site


@pytest.fixture
def talk(site: Planted) -> Talk:
    return Talk(site)


@pytest.fixture
def synced(talk: Talk) -> Talk:
    """The farm is what the branches say."""
    said = talk.say([words for words in lines(talk.site) if words[3:] == ["sync", "--all"]])
    assert said.count("4 created") + said.count("3 created") == len(ENVIRONMENTS), said[-4000:]
    return talk


def test_every_command_is_in_the_table() -> None:
    assert set(commands()) == set(TABLE)


def test_the_secrets_are_many_and_are_found_where_they_are_planted(talk: Talk) -> None:
    site = talk.site
    assert len(site.secrets) >= 50
    assert len(set(site.values)) == len(site.secrets)
    planted_in_files = directory_content(site.op)
    places = [place for place, value in site.secrets.items() if leaks(planted_in_files, [value])]
    files = [each for each in site.secrets if each.split()[0] in {"age", "forge", "hook", "token"}]
    assert set(files) <= set(places)
    for place, value in site.secrets.items():
        talk.said = b"x " + value.encode() + b" y"
        assert talk.found() == [place]


def test_no_command_in_any_format_tells_a_secret_before_or_after_a_sync(talk: Talk) -> None:
    every = lines(talk.site)
    again = [words for words in every if words[-1] not in {"markdown", "junit", "sarif"}]
    said = talk.say([*every, *again])
    assert said.count("=== ended with") == len(every) + len(again)
    assert "=== ended with 0" in said
    assert "••••" in said
    assert talk.site.forge.asked
    assert len(talk.seen.arguments) > 10
    assert talk.found() == []


def test_what_is_set_and_edited_is_nowhere_but_encrypted(talk: Talk) -> None:
    site = talk.site
    typed = site.secrets["typed in an editor"]
    script = site.op / "editor"
    script.write_text(f'#!/bin/sh\necho "typed: {typed} # {typed}" >> "$1"\n', "utf-8")
    script.chmod(0o700)
    own = ("--into", str(site.tree), "--identity", str(site.op / "age-production"))
    by_hand = f"{site.secrets['set by hand']}\n"
    for key in ("by.hand", "s0", "s0.below", "..", "x" * 80):
        talk.command("secret", "set", "production", key, *own, given=by_hand)
    talk.command("secret", "set", "fresh", "by.hand", "--into", str(site.tree), given=by_hand)
    talk.command("secret", "edit", "production", *own)
    talk.command("secret", "edit", "fresh", "--into", str(site.tree))
    said = talk.command("secret", "list", "--into", str(site.tree))
    assert "secret://production/by.hand" in said
    assert "secret://production/typed" in said
    assert "secret://fresh/by.hand" in said
    assert talk.found() == []


def wrong_keys(site: Planted) -> None:
    for name in (*ENVIRONMENTS, "identity"):
        Reader().write(site.op / f"age-{name}")


def no_keys(site: Planted) -> None:
    for name in (*ENVIRONMENTS, "identity"):
        (site.op / f"age-{name}").write_text("AGE-SECRET-KEY-1BROKEN\n", "utf-8")


def keys_for_everybody(site: Planted) -> None:
    for file in site.op.iterdir():
        file.chmod(0o644)


def tampered_files(site: Planted) -> None:
    for name in ENVIRONMENTS:
        path = f"secrets/{name}.sops.yaml"
        text = git(site.origin.path, "show", f"{name}:{path}") + "\n"
        kept = [line for line in text.splitlines() if not line.startswith("spare: ")]
        site.origin.commit(name, {path: ("\n".join(kept) + "\n").encode()})


def values_in_the_open(site: Planted) -> None:
    path = "secrets/production.sops.yaml"
    text = json.dumps({"sops": {"mac": "x"}, "s0": "in the open"})
    site.origin.commit("production", {path: text.encode()}, message="Decrypt")


def login_refused(site: Planted) -> None:
    site.config.login = site.journal.login = "reconciler:another"


def remote_fails(site: Planted) -> None:
    site.config.failure = site.journal.failure = 500


def pushes_refused(site: Planted) -> None:
    for path in (site.origin.path, site.root / "journals" / "journal.git"):
        hook = path / "hooks" / "pre-receive"
        hook.write_text("#!/bin/sh\necho you may not >&2; exit 1\n", "utf-8")
        hook.chmod(0o755)


def remote_away(site: Planted) -> None:
    site.config.stop()
    site.journal.stop()


def address_broken(site: Planted) -> None:
    text = site.settings.read_text("utf-8")
    site.settings.write_text(text.replace("https://", "htps://"), "utf-8")


def settings_broken(site: Planted) -> None:
    text = site.settings.read_text("utf-8")
    site.settings.write_text(text.replace('"listen"', '"lissen"'), "utf-8")


def settings_not_yaml(site: Planted) -> None:
    site.settings.write_text(site.settings.read_text("utf-8") + "]", "utf-8")


def forge_refuses(site: Planted) -> None:
    (site.op / "token").write_text(site.secrets["token of CI"], "utf-8")


def checker_refuses(site: Planted) -> None:
    host = json.loads(git(site.origin.path, "show", "production:hosts/virt2.yaml"))
    host["files"][0]["check"] = ["false", "{}"]
    site.origin.commit("production", {"hosts/virt2.yaml": json.dumps(host).encode()})


TROUBLES = {
    each.__name__: each
    for each in (
        wrong_keys, no_keys, keys_for_everybody, tampered_files, values_in_the_open,
        login_refused, remote_fails, pushes_refused, remote_away, address_broken,
        settings_broken, settings_not_yaml, forge_refuses, checker_refuses,
    )
}  # fmt: skip
SAYS = {
    "wrong_keys": "is one of its readers",
    "no_keys": "damaged age key",
    "keys_for_everybody": "chmod 600",
    "tampered_files": "the file is not whole",
    "values_in_the_open": "is not",
    "login_refused": "Authentication failed",
    "remote_fails": "500",
    "pushes_refused": "could not be pushed",
    "checker_refuses": "etc-app.conf",
    "settings_broken": "lissen",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_failure_tells_a_secret(trouble: str, talk: Talk) -> None:
    TROUBLES[trouble](talk.site)
    said = talk.say(looks(talk.site))
    assert SAYS.get(trouble, "") in said, said[-4000:]
    assert talk.found() == []


def test_hosts_that_refuse_are_told_of_without_secrets(synced: Talk) -> None:
    said = synced.say(looks(synced.site, "real.yaml"))
    assert "127.0.0.13" in said
    assert synced.found() == []


def deliver(site: Planted, kind: str, secret: str) -> bytes:
    """Post something signed with a secret, and give the answer."""
    body = json.dumps({"ref": "refs/heads/production"}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /hooks/{kind} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-GitHub-Event: push\r\nX-GitHub-Delivery: {signature[:8]}\r\nX-Gitea-Event: push\r\n"
        f"X-Gitea-Signature: {signature}\r\nX-Forgejo-Signature: {signature}\r\n"
        f"X-Gitlab-Token: {secret}\r\nX-Gitlab-Event: Push Hook\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nX-Hub-Signature: sha256={signature}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(site.root / "web.sock"))
        connection.sendall(head.encode() + body)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_the_loop_tells_no_secret_whoever_calls_and_however_it_is_stopped(talk: Talk) -> None:
    site = talk.site
    command = [sys.executable, "-m", "reconciler", "--config", str(site.settings), "-v", "run"]
    with talk.started(command) as process:
        assert process.stdout is not None
        waited_for = set(ENVIRONMENTS)
        for line in process.stdout:
            talk.said += line
            waited_for -= {name for name in waited_for if f"{name} at ".encode() in line}
            if not waited_for:
                break
        asked = [
            deliver(site, kind, secret)
            for kind in ("github", "gitlab", "gitea", "forgejo", "bitbucket-cloud", "generic")
            for secret in (site.secrets[f"hook {kind}"], "wrong")
        ]
        process.send_signal(signal.SIGTERM)
        talk.said += process.stdout.read() + b"".join(asked)
        process.wait(DEADLINE_SECONDS)
    assert process.returncode == 0, talk.said[-4000:]
    assert {each.split()[1] for each in asked} >= {b"202", b"401"}, asked
    assert talk.found() == []


def test_a_sync_that_is_ended_leaves_no_secret(talk: Talk) -> None:
    talk.site.config.delay_seconds = 0.3
    command = [sys.executable, "-m", "reconciler", "--config", str(talk.site.settings), "-v"]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        with talk.started([*command, "sync", "--all"]) as process:
            threading.Event().wait(4)
            os.kill(process.pid, number)
            said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        talk.said += said
    assert talk.found() == []


GIVEN = "        return _WORDS.get(plain.text"
LOGIN = '            yield "http.extraHeader", header'
HEX = "os.write(made, plain.text.encode().hex().encode())"
MUTATIONS = {
    "a value in a log": (
        "drivers/secrets.py",
        GIVEN,
        f"        import logging; logging.getLogger().debug('%s', plain.text)\n{GIVEN}",
    ),
    "a login among arguments": (
        "gitops/environment.py",
        LOGIN,
        f"            import subprocess; subprocess.run(['sleep', '0.2', '--', header])\n{LOGIN}",
    ),
    "a value in a temporary file": (
        "drivers/secrets.py",
        GIVEN,
        f"        import tempfile, os; made, _ = tempfile.mkstemp()\n        {HEX}\n{GIVEN}",
    ),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_search_finds_what_a_careless_program_leaves(
    mutation: str, talk: Talk, tmp_path: Path
) -> None:
    file, old, new = MUTATIONS[mutation]
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "reconciler", tmp_path / "code" / "reconciler", ignore=skip)
    path = tmp_path / "code" / "reconciler" / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    wanted = [words for words in lines(talk.site) if words[3:] == ["sync", "--all"]]
    talk.say(wanted, code=tmp_path / "code")
    assert talk.found() != []
