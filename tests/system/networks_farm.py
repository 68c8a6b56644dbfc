"""A repository whose hosts are some of the lab, for tests of networks, and the program.

The hosts declare nothing but themselves: whatever a test wants of them is in its own documents.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.remotes.origin import Origin
from tests.system.lab import CHECKOUT, Lab, LabHost

PROGRAM = CHECKOUT / ".venv/bin/reconciler"
SETTINGS = """\
repository: {{url: {url}}}
environments: [production]
state_directory: {state}
hosts: {{ssh_key: {lab.ssh_key}, known_hosts: {lab.known_hosts}, deadline: 20s}}
images: {{directories: [{lab.directory}/images]}}
"""
Document = Mapping[str, Any]


class NetworksFarm:
    """The repository, the hosts it is about, and the program."""

    def __init__(
        self, root: Path, lab: Lab, hosts: Sequence[LabHost], more_settings: str = ""
    ) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.origin = Origin(root / "origin.git")
        self.settings = root / "reconciler.yaml"
        text = SETTINGS.format(url=self.origin.url, state=root / "state", lab=lab)
        self.settings.write_text(text + more_settings)
        farm = {
            "kind": "Farm",
            "name": "lab",
            "domain": "lab.internal",
            "contact": "a@lab.internal",
        }
        policy = {"name": "production", "domain": "lab.internal", "drift": "heal"}
        documents = {
            "farm.yaml": farm,
            "environments/production/environment.yaml": {"kind": "Environment", **policy},
            **{f"hosts/{host.name}.yaml": self.host(host.name) for host in hosts},
        }
        self.declare(documents, "Describe the lab")

    def host(self, name: str, **fields: Any) -> Document:
        """The document of a host, with these fields besides."""
        address = self.hosts[name].address
        head = {"kind": "Host", "name": name, "environment": "production", "address": address}
        return {**head, "memory": "2 GiB", **fields}

    def declare(self, documents: Mapping[str, Document | None], message: str = "Change") -> str:
        """Commit documents by their paths, besides those that are there; None takes one away."""
        files = {
            path: None if each is None else json.dumps(each).encode()
            for path, each in documents.items()
        }
        return self.origin.commit("production", files, message=message)

    def run(self, *arguments: str, within: float = 200) -> subprocess.CompletedProcess[str]:
        """Run the program to its end, whatever that is."""
        return subprocess.run(
            [PROGRAM, "--config", self.settings, *arguments],
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def sync(self, *, expects: int = 0) -> str:
        """Sync production, which must end so; what it said."""
        done = self.run("sync", "-e", "production")
        said = done.stdout + done.stderr
        assert done.returncode == expects, said
        return said

    def plan(self) -> dict[str, Any]:
        """The changes that a sync would make, by address."""
        done = self.run("plan", "-e", "production", "--format", "json")
        assert done.returncode in {0, 2}, done.stdout + done.stderr
        return {each["address"]: each for each in json.loads(done.stdout)["changes"]}
