"""S18: what is encrypted in the repository is told nowhere, whatever is done and whatever fails."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.remotes.origin import Origin
from tests.sealed.canaries import CANARIES, directory_content, leaks, repository_content
from tests.sealed.sealing import Reader, seal
from tests.story.desk import SETTINGS, Desk

CONF, PASSWORDS = "/etc/app.conf", "/etc/passwords"
ALL = ("text", "json", "markdown", "junit", "sarif")
HERE = ("--environment", "production")
IN_THE_CLEAR = "in-the-clear-canary-1234567890"


FARM = b"""kind: Farm
name: farm
domain: farm.internal
contact: hostmaster@farm.internal
---
kind: Environment
name: production
domain: farm.internal
"""


def host_document(check: str) -> str:
    """A host with two files, of which one says every secret, and a service that reads both."""
    lines = "\n".join(f"      {name} = secret://canaries/{name}" for name in CANARIES)
    return f"""kind: Host
name: virt1
environment: production
address: 192.168.1.1
memory: 8 GiB
pools: [{{name: default, size: 1 TiB, type: directory, target: /srv/pool}}]
packages: [{{name: app}}]
services: [{{name: app, reads: [{CONF}, {PASSWORDS}]}}]
files:
  - path: {PASSWORDS}
    content: |
      root:secret://canaries/password-0:0
  - path: {CONF}
    check: {check}
    content: |
      # of the application
{lines}
"""


def farm_files(reader: Reader, check: str = "[]") -> dict[str, bytes]:
    farm, _, policy = FARM.partition(b"---\n")
    return {
        "farm.yaml": farm,
        "environments/production/environment.yaml": policy,
        "hosts/virt1.yaml": host_document(check).encode(),
        "secrets/canaries.sops.yaml": seal(CANARIES, [reader.recipient]).encode(),
    }


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path / "origin.git")


@pytest.fixture
def desk(tmp_path: Path, origin: Origin) -> Desk:
    """A desk whose branch uses sixty secrets, with the key that decrypts them."""
    reader, desk = Reader(), Desk(tmp_path)
    desk.settings.write_text(
        SETTINGS.format(url=desk.remote) + "secrets: {identity: age.txt}\n", encoding="utf-8"
    )
    reader.write(tmp_path / "age.txt")
    origin.commit("production", farm_files(reader), message="Describe the farm")
    return desk


def everything_said(desk: Desk) -> str:
    """What all commands that look say, in all formats, and how they fail."""
    words = [
        *(("validate", *HERE, "--branch", "production", "--format", form) for form in ALL),
        *(("plan", *HERE, "--format", form) for form in ALL),
        *(("-v", "drift", *HERE, "--format", form) for form in ALL),
        *(("status", *HERE, "--format", form) for form in ("text", "json")),
        ("history", *HERE),
        ("trash",),
        *(("plan", *HERE, "--world", world) for world in ("journal", "empty")),
    ]
    return "\n".join(desk.run(*each).output for each in words)


def by_hand(desk: Desk, path: str, content: str) -> None:
    farm = desk.farm
    host = farm.state.hosts["virt1"]
    file = replace(host.base.files[path], content=content, changed=host.base.tick + 1)
    base = replace(host.base, files={**host.base.files, path: file}, tick=host.base.tick + 1)
    hosts = {**farm.state.hosts, "virt1": replace(host, base=base)}
    farm.change(lambda state: replace(state, hosts=hosts))


def no_leak(desk: Desk, said: str, *more: str) -> None:
    """Nothing was said, and nothing is in the state directory, the journal and the farm's file."""
    values = (*CANARIES.values(), *more)
    assert leaks(said, values) == []
    kept = directory_content(desk.root / "state") + repository_content(desk.remote)
    assert leaks(kept + desk.world.read_bytes(), CANARIES.values()) == []


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    value = CANARIES["phrase-3"]
    assert leaks(f"x {value} y")
    assert leaks(b64encode(b"?" + value.encode() + b"?"))
    assert leaks(value.encode().hex())
    assert leaks(quote_plus(value))
    assert leaks(json.dumps({"a": value}))
    assert leaks(CANARIES["pem-2"].splitlines()[2])
    origin = Origin(tmp_path / "repository.git")
    origin.commit("production", {"file": value.encode()})
    assert leaks(directory_content(tmp_path))
    assert len(CANARIES) >= 50


def test_no_command_tells_a_secret_before_or_after_it_was_written(desk: Desk) -> None:
    said = everything_said(desk)
    done = desk.run("-v", "sync", *HERE)
    assert done.exit_code == 0, done.output
    assert CONF in desk.farm.state.hosts["virt1"].base.files
    said += done.output + everything_said(desk)
    assert "secrets" in said
    no_leak(desk, said)


def test_a_change_by_hand_of_a_file_with_secrets_is_told_without_its_content(desk: Desk) -> None:
    assert desk.run("sync", *HERE).exit_code == 0
    by_hand(desk, CONF, f"password = {IN_THE_CLEAR}\n")
    said = everything_said(desk)
    assert "changed by hand (fingerprint" in said
    healed = desk.run("-v", "sync", *HERE)
    assert healed.exit_code == 0, healed.output
    said += healed.output + everything_said(desk)
    no_leak(desk, said, IN_THE_CLEAR)
    kept = directory_content(desk.root / "state") + repository_content(desk.remote)
    assert leaks(kept, [IN_THE_CLEAR]) == []


def test_a_new_version_of_a_secret_is_told_by_its_version(desk: Desk, origin: Origin) -> None:
    assert desk.run("sync", *HERE).exit_code == 0
    reader = Reader()
    reader.write(desk.root / "age.txt")
    changed = seal({**CANARIES, "password-7": "another"}, [reader.recipient])
    origin.commit("production", {"secrets/canaries.sops.yaml": changed.encode()})
    said = everything_said(desk)
    assert "- canaries/password-7: version" in desk.run("plan", *HERE).output
    done = desk.run("sync", *HERE)
    assert done.exit_code == 0, done.output
    no_leak(desk, said + done.output + everything_said(desk))
    told = desk.git("log", "--format=%b", "reconciler/production")
    assert "canaries/password-0: version" in told
    assert "and 55 more" in told


def test_a_change_that_fails_is_told_without_secrets(tmp_path: Path, origin: Origin) -> None:
    reader, desk = Reader(), Desk(tmp_path)
    files = farm_files(reader, check='["false", "{}"]')
    origin.commit("production", files)
    done = desk.run("-v", "sync", *HERE)
    assert done.exit_code == 1
    assert "etc-app.conf" in done.output
    no_leak(desk, done.output + everything_said(desk))


@pytest.mark.parametrize("form", ALL)
def test_a_value_that_was_not_encrypted_is_told_by_its_place(
    desk: Desk, origin: Origin, form: str
) -> None:
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in CANARIES.items())
    broken = "\n".join((*lines, ""))
    for text in (broken, f"{broken}sops: {{mac: x, age: [{{enc: x}}]}}\n"):
        origin.commit("production", {"secrets/canaries.sops.yaml": text.encode()})
        done = desk.run("-v", "validate", *HERE, "--branch", "production", "--format", form)
        assert done.exit_code == 1, done.output
        assert "canaries.sops.yaml" in done.output
        assert "encrypted" in done.output
        refused = desk.run("-v", "sync", *HERE)
        assert refused.exit_code == 1
        assert leaks(done.output + refused.output + everything_said(desk)) == []


def test_what_reads_no_secrets_needs_no_key(tmp_path: Path, origin: Origin) -> None:
    """As in CI: load, render and plan without any key, and without asking for one."""
    desk = Desk(tmp_path)
    origin.commit("production", farm_files(Reader()))
    assert desk.run("validate", *HERE, "--branch", "production").exit_code == 0
    planned = desk.run("plan", *HERE, "--world", "empty")
    assert planned.exit_code == 2, planned.output
    assert "••••" in planned.output
