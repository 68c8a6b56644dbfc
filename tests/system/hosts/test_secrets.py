"""S18 on a real host: secrets arrive in its files, and are nowhere else, whatever fails."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remotes.origin import Origin
from tests.sealed.canaries import CANARIES, directory_content, leaks, repository_content
from tests.sealed.sealing import Reader, seal
from tests.system.lab import CHECKOUT, Lab, LabHost, taken

pytestmark = pytest.mark.timeout(600)  # the host may be another test's for a while

PROGRAM = CHECKOUT / ".venv/bin/reconciler"
HERE = ("-e", "production")
ROOM, STATE = "/srv/secrets", "/var/lib/reconciler"
SETTINGS = """\
repository: {{url: {origin}}}
environments: [production]
state_directory: {root}/state
hosts: {{ssh_key: {lab.ssh_key}, known_hosts: {lab.known_hosts}, deadline: 20s}}
secrets: {{identity: {root}/age.txt}}
"""
FARM = {
    "farm.yaml": "kind: Farm\nname: lab\ndomain: lab.internal\ncontact: hostmaster@lab.internal\n",
    "environments/production/environment.yaml": (
        "kind: Environment\nname: production\ndomain: lab.internal\n"
    ),
}
# Shows what it is given, and leaves behind what every process of the host could be seen to be.
CHECKER = f"""#!/bin/sh
for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do cat "$file"; done >>{ROOM}.seen 2>&1
cat "$1" >&2; base64 -w 0 "$1" >&2; od -An -tx1 "$1" >&2; cat "$1"
test ! -e {ROOM}.refuse
"""


class Desk:
    """A repository that uses sixty secrets on one host, and the program that follows it."""

    def __init__(self, root: Path, lab: Lab, host: LabHost) -> None:
        self.root, self.host, self.said = root, host, ""
        self.origin, self.reader = Origin(root / "origin.git"), Reader()
        self.reader.write(root / "age.txt")
        self.settings = root / "reconciler.yaml"
        self.settings.write_text(SETTINGS.format(origin=self.origin.url, root=root, lab=lab))
        self.describe()

    def describe(self, comment: str = "first") -> None:
        lines = "\n".join(f"      {name} = secret://canaries/{name}" for name in CANARIES)
        document = f"""kind: Host
name: {self.host.name}
environment: production
address: {self.host.address}
memory: 1 GiB
files:
  - {{path: {ROOM}, type: directory}}
  - path: {ROOM}/app.conf
    mode: "0600"
    check: [{ROOM}.check, "{{}}"]
    content: |
      # {comment}
{lines}
"""
        files = {path: text.encode() for path, text in FARM.items()}
        files[f"hosts/{self.host.name}.yaml"] = document.encode()
        files["secrets/canaries.sops.yaml"] = seal(CANARIES, [self.reader.recipient]).encode()
        self.origin.commit("production", files)

    def run(self, *arguments: str) -> int:
        """Run the program, and remember all it says."""
        done = subprocess.run(
            [PROGRAM, "--config", self.settings, "-v", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.said += done.stdout + done.stderr
        return done.returncode

    def look_around(self) -> None:
        for form in ("text", "json", "markdown", "junit", "sarif"):
            self.run("plan", *HERE, "--format", form)
            self.run("drift", *HERE, "--format", form)
        self.run("status", *HERE, "--format", "json")
        self.run("history", *HERE)

    def find_leaks(self) -> list[str]:
        """In what was said and kept here, and in what the host shows, keeps and logs elsewhere."""
        kept = directory_content(self.root / "state") + repository_content(self.origin.path)
        there = self.host.run("cat", f"{ROOM}.seen", f"{STATE}/base.json")
        log = self.host.attempt("journalctl", "--no-pager", "--lines=5000").stdout
        return leaks(kept) + leaks(self.said) + leaks(there) + leaks(log)


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Iterator[Desk]:
    host = lab.hosts["virt3"]
    with taken(lab.directory, host.name):
        clean(host)
        host.write_file(f"{ROOM}.check", CHECKER.encode())
        host.run("chmod", "755", f"{ROOM}.check")
        yield Desk(tmp_path, lab, host)
        clean(host)


def clean(host: LabHost) -> None:
    host.run("rm", "-rf", ROOM, STATE, *(f"{ROOM}.{each}" for each in ("check", "seen", "refuse")))


def test_secrets_are_in_the_file_and_nowhere_else(desk: Desk) -> None:
    desk.look_around()
    assert desk.run("sync", *HERE) == 0, desk.said
    written = desk.host.run("cat", f"{ROOM}/app.conf")
    assert all(f"{name} = {value}\n" in written for name, value in CANARIES.items())
    assert desk.run("plan", *HERE) == 0, desk.said
    assert desk.find_leaks() == []
    desk.host.write_file(f"{ROOM}/app.conf", (written + "by hand\n").encode())
    desk.look_around()
    assert "changed by hand (fingerprint" in desk.said
    assert desk.run("sync", *HERE) == 0, desk.said
    assert "by hand\n" not in desk.host.run("cat", f"{ROOM}/app.conf")
    assert desk.find_leaks() == []


def test_what_fails_gives_no_secret_away(desk: Desk) -> None:
    assert desk.run("sync", *HERE) == 0, desk.said
    desk.host.run("touch", f"{ROOM}.refuse")
    desk.describe("refused by its checker")
    assert desk.run("sync", *HERE) == 1, desk.said
    assert "# first\n" in desk.host.run("cat", f"{ROOM}/app.conf")
    desk.look_around()
    desk.host.run("rm", f"{ROOM}.refuse")
    desk.host.run("chattr", "+i", ROOM)
    try:
        assert desk.run("sync", *HERE) == 1, desk.said
    finally:
        desk.host.run("chattr", "-i", ROOM)
    Reader().write(desk.root / "age.txt")
    assert desk.run("sync", *HERE) == 1, desk.said
    assert "is one of its readers" in desk.said
    assert desk.find_leaks() == []
