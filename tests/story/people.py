"""People with clones, and a forge that merges as forges do: by git itself, in the remote's name."""

from __future__ import annotations

from pathlib import Path

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host, Pool
from tests.remotes.origin import Origin, git
from tests.scenes.scene import GIB
from tests.story.desk import SETTINGS, Desk, program

ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
FORGE = ("-c", "user.name=Forge", "-c", "user.email=forge@farm.internal")
GIT_FLOW = ("develop", "master")
POOL = Pool(1 << 42, target="/var/lib/libvirt/images")
LINUX = "stacks/linux.yaml"  # which gives the one machine its memory, 1 GiB


class FlowDesk(Desk):
    """A desk whose people use the names of git-flow; the farm is what the branches say."""

    @classmethod
    def of(
        cls, root: Path, branches: tuple[str, ...] = GIT_FLOW, url: str | None = None
    ) -> FlowDesk:
        """The branches begin at one commit, which describes one host and one machine."""
        desk = cls(root)
        origin = Origin(desk.remote)
        first = origin.commit(branches[-1], _small_farm(root / "new"), message="Describe the farm")
        for branch in branches[:-1]:
            origin.git("branch", branch, first)
        host = Host(memory_bytes=64 * GIB, cpus=64, pools={"default": POOL})
        farm = FarmState(hosts={"virt1": host})
        SimulatedFarm.create(desk.world, farm, sleep=lambda _seconds: None)
        if url is not None:
            desk.settings.write_text(SETTINGS.format(url=url), encoding="utf-8")
        return desk

    def merge(self, source: str, into: str, *how: str) -> str:
        """The button of a forge: a merge commit, unless told how else; gives the new head."""
        clone = self._clone(into)
        how = how or ("--no-ff", f"--message=Merge branch '{source}' into '{into}'")
        git(clone, *FORGE, "merge", "--quiet", *how, f"origin/{source}")
        git(clone, "push", "--quiet", "origin", into)
        return git(clone, "rev-parse", "HEAD")

    def squash(self, source: str, into: str, subject: str) -> str:
        """Another button: all in one commit of one parent."""
        clone = self._clone(into)
        git(clone, *FORGE, "merge", "--quiet", "--squash", f"origin/{source}")
        git(clone, *FORGE, "commit", "--quiet", f"--message={subject}")
        git(clone, "push", "--quiet", "origin", into)
        return git(clone, "rev-parse", "HEAD")

    def rebase(self, source: str, into: str) -> str:
        """The third one: the commits again on top of the other branch, with new ids."""
        clone = self._clone(source)
        git(clone, *FORGE, "rebase", "--quiet", "--no-ff", f"origin/{into}")
        git(clone, "push", "--quiet", "origin", f"HEAD:{into}")
        return git(clone, "rev-parse", "HEAD")

    def revert(self, branch: str, commit: str, *how: str) -> str:
        """A person takes a commit back."""
        clone = self._clone(branch)
        git(clone, *ADA, "revert", "--no-edit", *how, commit)
        git(clone, "push", "--quiet", "origin", branch)
        return git(clone, "rev-parse", "HEAD")

    def branch(self, name: str, at: str) -> str:
        """A new branch; gives its head."""
        self.git("branch", name, at)
        return self.head(name)

    def force(self, branch: str, commit: str) -> None:
        """Move a branch wherever somebody wants it."""
        self.git("update-ref", f"refs/heads/{branch}", commit)

    def delete(self, branch: str) -> None:
        """Take a branch away."""
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def sync(self, environment: str, exit_code: int = 0) -> str:
        """A turn, which is to end so; gives what was said."""
        done = self.run("sync", "--environment", environment)
        assert done.exit_code == exit_code, done.output
        return done.output

    def sync_all(self) -> None:
        """A turn of each environment."""
        done = self.run("sync", "--all")
        assert done.exit_code == 0, done.output

    def events(self, environment: str) -> list[str]:
        """The words of the journal, oldest first."""
        found = self.git("log", "--reverse", "--format=%s", f"reconciler/{environment}")
        return [line.partition("(")[0] for line in found.splitlines()]

    def condition(self, environment: str, name: str) -> tuple[str, str]:
        """A condition's status and reason."""
        [told] = self.json("status", "--environment", environment)["environments"]
        [found] = [each for each in told["conditions"] if each["type"] == name]
        return found["status"], found["reason"]

    def in_force(self, environment: str) -> str:
        """The commit that was applied last."""
        [told] = self.json("status", "--environment", environment)["environments"]
        return str(told["revision"])

    def tree(self, name: str) -> str:
        return self.git("rev-parse", f"{name}^{{tree}}")

    def branches(self) -> set[str]:
        """The branches of the remote but the journals."""
        found = self.git("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
        return {name for name in found if not name.startswith("reconciler/")}

    def tags(self) -> list[str]:
        return self.git("tag", "--list").split()

    def grow(self, branch: str, to: int) -> str:
        """Give the machine so many GiB of memory, on a branch; gives the commit."""
        found = (self._clone(branch) / LINUX).read_text(encoding="utf-8")
        lines = (f"memory: {to} GiB" if "memory" in each else each for each in found.splitlines())
        return self.put({LINUX: "\n".join(lines) + "\n"}, branch)


def _small_farm(directory: Path) -> dict[str, bytes]:
    """What a newcomer begins with, by path."""
    assert program("init", "--name", "farm", str(directory)).exit_code == 0
    files = (path for path in directory.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}
