"""Hosts of the lab whose bases are declared in git, and the program that follows it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.remotes.origin import Origin
from tests.sealed.canaries import directory_content, leaks, repository_content
from tests.sealed.sealing import Reader, seal
from tests.system.lab import CHECKOUT, Lab, LabHost, eventually, taken
from tests.system.mirror import PORT, to_the_mirror

PROGRAM = CHECKOUT / ".venv/bin/reconciler"
CLEANUP = Path(__file__).with_name("clean-story")
JOURNAL = "refs/heads/reconciler/production"
HOSTS = ("virt3", "virt4", "virt5")
LONG = timedelta(seconds=90)
SECRET = "tell-nobody-93bTqX7fLw"
REST_SECONDS = 1.0
SETTINGS = """\
repository: {{url: {url}}}
environments: [production, staging]
state_directory: {state}
hosts: {{ssh_key: {lab.ssh_key}, known_hosts: {lab.known_hosts}, deadline: 20s}}
secrets: {{identity: {identity}}}
"""
FARM = {
    "farm.yaml": "kind: Farm\nname: lab\ndomain: lab.internal\ncontact: hostmaster@lab.internal\n",
    "environments/staging/environment.yaml": (
        "kind: Environment\nname: staging\ndomain: stage.lab.internal\n"
    ),
}
UNIT = """\
[Service]
ExecStart=/usr/local/sbin/story

[Install]
WantedBy=multi-user.target
"""
SCRIPT = "#!/bin/sh\necho begun >>/srv/story/begun\nexec sleep infinity\n"
# Takes some seconds, unless it is done already; two of them may be at work.
SLOW = """\
#!/bin/sh
touch /srv/story/slow-begun
sleep 6
cp /etc/story/slow /srv/story/slow-done
"""


STACK: dict[str, Any] = {
    "kind": "Stack",
    "name": "virthost",
    "timezone": "Europe/Helsinki",
    "packages": [
        {"name": "sudo"},
        {"name": "tree"},
        {"name": "hello", "held": True},
        {"name": "ntp", "state": "absent"},
    ],
    "files": [
        {
            "path": "/etc/apt/apt.conf.d/00story",
            "content": f'Acquire::http::Proxy "http://127.0.0.1:{PORT}";\n',
        },
        {"path": "/etc/systemd/system/story.service", "content": UNIT},
        {"path": "/usr/local/sbin/story", "content": SCRIPT, "mode": "0755"},
        {"path": "/usr/local/sbin/story-slow", "content": SLOW, "mode": "0755"},
        {"path": "/etc/story", "type": "directory", "mode": "0750"},
        {
            "path": "/etc/story/conf",
            "content": "first\n",
            "mode": "0640",
            "owner": "teller:tellers",
            "check": ["grep", "-vq", "broken", "{}"],
        },
        {"path": "/etc/story/more", "content": "first\n"},
        {"path": "/etc/story/slow", "content": "first\n"},
        {"path": "/etc/story/key", "content": "key = secret://story/key\n", "mode": "0600"},
        {"path": "/etc/story.theirs", "content": "ours\n"},
        {"path": "/etc/story.unwanted", "type": "absent"},
        {"path": "/srv/story", "type": "directory"},
        {"path": "/srv/story/pool", "type": "directory"},
        {"path": "/srv/story-link", "type": "link", "target": "/srv/story"},
    ],
    "services": [
        {
            "name": "story",
            "enabled": True,
            "running": True,
            "reads": ["/etc/story/conf", "/etc/story/more", "/usr/local/sbin/story"],
        }
    ],
    "groups": [{"name": "tellers", "gid": 1700}],
    "users": [
        {
            "name": "teller",
            "groups": ["tellers"],
            "shell": "/bin/sh",
            "sudo": True,
        }
    ],
    "sysctls": [{"name": "net.ipv4.ip_default_ttl", "value": "65"}],
    "mounts": [
        {"path": "/srv/story/ram", "source": "tmpfs", "type": "tmpfs", "options": "size=1m"}
    ],
    "commands": [
        {
            "name": "agent",
            "run": ["touch", "/srv/story/agent"],
            "check": ["test", "-e", "/srv/story/agent"],
        },
    ],
    "pools": [{"name": "story", "size": "1 GiB", "target": "/srv/story/pool"}],
}
Bases = Mapping[str, Mapping[str, Any]]
NOTHING_ELSE: Bases = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """A commit of the journal, and which detector saw the drift that it tells of."""

    commit: str
    subject: str
    detected: tuple[str, ...]


class HostsFarm:
    """The repository, the hosts it is about, and the program. Use it inside `told`."""

    def __init__(self, root: Path, lab: Lab, hosts: Mapping[str, LabHost]) -> None:
        self.root, self.lab, self.hosts, self.said = root, lab, hosts, ""
        self.log = root / "log"
        self._is_plain, self._is_settled = True, False
        self.origin = Origin(root / "origin.git")
        reader = Reader()
        identity = reader.write(root / "age.txt")
        self.settings = self._settings("state", identity)
        self.second = self._settings("state-of-the-second", identity)
        key = lab.ssh_key.with_suffix(".pub").read_text().strip()
        files = {
            **FARM,
            **self._documents(NOTHING_ELSE, "heal"),
            "stacks/virthost.yaml": json.dumps(
                {**STACK, "users": [{**STACK["users"][0], "ssh_keys": [key]}]}
            ),
            "secrets/story.sops.yaml": seal({"key": SECRET}, [reader.recipient]),
        }
        self.commit(files)
        self.origin.git("branch", "staging", "production")

    def commit(
        self, files: Mapping[str, str], branch: str = "production", message: str = "Change"
    ) -> None:
        """Commit files to a branch."""
        contents = {path: text.encode() for path, text in files.items()}
        self.origin.commit(branch, contents, message=message)

    def declare(
        self, bases: Bases = NOTHING_ELSE, drift: str = "heal", message: str = "Change"
    ) -> None:
        """Commit what hosts, by name, are to be besides their stack; the others just that."""
        self.commit(self._documents(bases, drift), message=message)
        self._is_plain, self._is_settled = not bases and drift == "heal", False

    def settle(self) -> None:
        """Make all hosts just what their stack says, unless the last sync has."""
        if not self._is_settled:
            self.declare()
            self.sync()

    def run(
        self, *arguments: str, settings: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, whatever that is."""
        done = subprocess.run(
            [PROGRAM, "--config", settings or self.settings, *arguments],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        self.said += done.stdout + done.stderr
        return done

    def sync(self, *, expects: int = 0) -> str:
        """Sync production, which must end so; what it said."""
        done = self.run("sync", "-e", "production")
        said = done.stdout + done.stderr
        self._is_settled = self._is_plain and done.returncode == 0
        assert done.returncode == expects, said
        return said

    def plan(self) -> dict[str, dict[str, Any]]:
        """The changes that a sync would make, by address."""
        done = self.run("plan", "-e", "production", "--format", "json")
        return {each["address"]: each for each in json.loads(done.stdout)["changes"]}

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The program while it runs, and it tells the log; at the end it is told to stop."""
        argv = [str(PROGRAM), "--config", str(self.settings), *arguments]
        self._is_settled = False
        with self.log.open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.wait(60)
                self.said += self.log.read_text()

    def await_rest(self) -> None:
        """Wait until the program that runs has followed the branch, and tells nothing more."""
        head = self.origin.head("production") or ""
        eventually(lambda: f"production at {head[:7]}" in self.log.read_text() or None)
        told, since = self.log.stat().st_size, time.monotonic()

        def rests() -> bool | None:
            nonlocal told, since
            if (now := self.log.stat().st_size) != told:
                told, since = now, time.monotonic()
            return time.monotonic() - since > REST_SECONDS or None

        eventually(rests)

    def journal(self) -> list[Entry]:
        """The journal, the newest last."""
        form = "--format=%x01%H%x02%s%x02%(trailers:key=Reconciler-Detected,valueonly)"
        if self.origin.head("reconciler/production") is None:
            return []
        entries = self.origin.git("log", "--reverse", form, JOURNAL).split("\x01")[1:]
        parts = (entry.split("\x02") for entry in entries)
        return [Entry(commit, subject, tuple(seen.split("\n"))) for commit, subject, seen in parts]

    def leaks(self) -> list[str]:
        """Where the secret is, besides its file: in what was said, kept, recorded and logged."""
        kept = directory_content(self.root / "state") + repository_content(self.origin.path)
        hosts = self.hosts.values()
        logs = [host.attempt("journalctl", "--no-pager", "--lines=3000").stdout for host in hosts]
        marks = [host.run("cat", "/var/lib/reconciler/base.json") for host in hosts]
        texts = (self.said, *logs, *marks)
        return [*leaks(kept, [SECRET]), *(form for text in texts for form in leaks(text, [SECRET]))]

    def _settings(self, state: str, identity: Path) -> Path:
        path = self.root / f"{state}.yaml"
        text = SETTINGS.format(
            url=self.origin.url, state=self.root / state, lab=self.lab, identity=identity
        )
        path.write_text(text)
        return path

    def _documents(self, bases: Bases, drift: str) -> dict[str, str]:
        policy = {"name": "production", "domain": "lab.internal", "drift": drift}
        documents = {
            f"hosts/{name}.yaml": json.dumps(self.host(name, bases.get(name, {})))
            for name in self.hosts
        }
        policy_file = json.dumps({"kind": "Environment", **policy})
        return {"environments/production/environment.yaml": policy_file, **documents}

    def host(self, name: str, base: Mapping[str, Any]) -> dict[str, Any]:
        """The document of a host."""
        document = {
            "kind": "Host",
            "name": name,
            "environment": "production",
            "address": self.hosts[name].address,
            "memory": "2 GiB",
            "hostname": name,
            "stack": "virthost",
            "share": {"staging": {"memory": "256 MiB", "cpus": 2}},
            **base,
        }
        return {key: value for key, value in document.items() if value is not None}


@contextmanager
def told(lab: Lab, root: Path) -> Iterator[HostsFarm]:
    """Bare hosts that reach Debian, for one module; bare again afterwards."""
    hosts = {name: lab.hosts[name] for name in HOSTS}
    with ExitStack() as stack:
        for name in hosts:
            stack.enter_context(taken(lab.directory, name))
        for host in hosts.values():
            clean(host)
            stack.callback(clean, host)
            stack.enter_context(to_the_mirror(host))
        yield HostsFarm(root, lab, hosts)


def clean(host: LabHost) -> None:
    """Leave nothing of all this on a host."""
    host.run("bash", "-s", stdin=CLEANUP.read_bytes(), within=LONG)


def answers(host: LabHost, *commands: str) -> list[str]:
    """What lines for a shell say, all asked at once; `no` for one that fails."""
    script = "".join(f"{{ {command}; }} || echo no; printf '\\036'\n" for command in commands)
    return [said.strip() for said in host.run("bash", "-s", stdin=script.encode()).split("\x1e")]
