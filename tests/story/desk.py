"""A person at the command line: a remote, settings, a simulated farm, and the real program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from reconciler.cli.main import main
from reconciler.cli.repository import pause
from reconciler.drivers.simulated.farm import SimulatedFarm
from tests.remotes.origin import Origin, git
from tests.scenes.scene import EXAMPLE, example_files

WEB = "vms/web-1.yaml"
STACK = "stacks/debian-web.yaml"  # which gives web-1 its memory
SETTINGS = """\
repository: {{url: {url}}}
state_directory: state
farm: {{kind: simulated, file: world.yaml}}
"""


def program(*arguments: str) -> Result:
    """The program, run in this process."""
    return CliRunner().invoke(main, arguments)


class Desk:
    """One directory with everything in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.world = root / "world.yaml"
        self.settings = root / "reconciler.yaml"
        self.remote = root / "origin.git"
        root.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(SETTINGS.format(url=self.remote), encoding="utf-8")

    @classmethod
    def new(cls, root: Path) -> Desk:
        """A desk whose three branches describe the example farm; nothing was ever applied."""
        desk = cls(root)
        origin = Origin(desk.remote)
        first = origin.commit("production", example_files(), message="Describe the farm")
        for branch in ("staging", "development"):
            origin.git("branch", branch, first)
        return desk

    def run(self, *arguments: str) -> Result:
        """A command with the settings of the desk."""
        return program("--config", str(self.settings), *arguments)

    def json(self, *arguments: str) -> Any:
        """What a command says as JSON."""
        return json.loads(self.run(*arguments, "--format", "json").stdout)

    def git(self, *arguments: str) -> str:
        """Git in the remote."""
        return git(self.remote, *arguments)

    def head(self, branch: str) -> str:
        """The commit at the head of a branch of the remote."""
        return self.git("rev-parse", "--verify", f"refs/heads/{branch}")

    def edit(self, path: str, old: str, new: str, branch: str = "production") -> str:
        """Change a file and push the commit; gives its id."""
        text = (self._clone(branch) / path).read_text(encoding="utf-8")
        assert old in text
        return self.put({path: text.replace(old, new)}, branch)

    def put(self, files: Mapping[str, str | None], branch: str = "production") -> str:
        """Write files, and take away those that are None, in a commit that is pushed; its id."""
        clone = self._clone(branch)
        for path, text in files.items():
            file = clone / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        git(clone, "add", "--all")
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
        git(clone, *identity, "commit", "--quiet", f"--message=Change {next(iter(files))}")
        git(clone, "push", "--quiet", "origin", branch)
        return git(clone, "rev-parse", "HEAD")

    def _clone(self, branch: str) -> Path:
        """A clone whose files are those of the branch."""
        clone = self.root / "clone"
        if not clone.exists():
            git(self.root, "clone", "--quiet", str(self.remote), str(clone))
        git(clone, "fetch", "--quiet")
        git(clone, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
        return clone

    @property
    def farm(self) -> SimulatedFarm:
        """The simulated farm, for hands that change it past the program."""
        return SimulatedFarm.open(self.world, sleep=pause)

    def host_of(self, domain: str) -> str:
        """The host that has a domain."""
        hosts = self.farm.state.hosts
        return next(name for name, each in hosts.items() if domain in each.domains)


__all__ = ["EXAMPLE", "STACK", "WEB", "Desk", "program"]
