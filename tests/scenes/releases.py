"""Branches as people and forges move them, over a whole site: releases, fixes, protection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.drivers.simulated.faults import Fault
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.report import Report
from tests.remotes.origin import git
from tests.scenes.scene import GIB, Scene

POLICY = "environments/production/environment.yaml"
WEB = "vms/web-1.yaml"
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")


class Releases(Scene):
    """Three environments, merges with `--no-ff` as a forge makes them, and a fault for the bad."""

    MEMORY = 2 * GIB

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.clone = root / "clone"
        git(root, "clone", "--quiet", str(self.origin.path), str(self.clone))
        policy = self.origin.git("show", f"development:{POLICY}")
        automatic = f"{policy}\nrollback: automatic\nrollback_after: 10m\n".encode()
        commit = self.origin.commit("development", {POLICY: automatic}, message="Roll back")
        for branch in ("staging", "production"):
            self.origin.git("update-ref", f"refs/heads/{branch}", commit)
        self.sync()

    def work(
        self, files: Mapping[str, str | None], message: str, branch: str = "development"
    ) -> str:
        """A commit of a person on a branch."""
        self.check_out(branch)
        for path, text in files.items():
            (self.clone / path).parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                (self.clone / path).unlink()
            else:
                (self.clone / path).write_text(text, encoding="utf-8")
        git(self.clone, "add", "--all")
        empty = () if files else ("--allow-empty",)
        git(self.clone, *PERSON, "commit", "--quiet", *empty, f"--message={message}")
        return self.push(branch)

    def merge(self, source: str, target: str, *options: str) -> str:
        """An ordinary merge as a forge makes it, and its push."""
        self.check_out(target)
        chosen = options or ("--no-ff",)
        message = f"--message=Merge branch '{source}' into {target}"
        theirs = source if len(source) == 40 else f"origin/{source}"
        squash = "--squash" in chosen
        git(
            self.clone,
            *PERSON,
            "merge",
            "--quiet",
            *chosen,
            *(() if squash else (message,)),
            theirs,
        )
        if squash:
            git(self.clone, *PERSON, "commit", "--quiet", f"--message=Squash {source}")
        return self.push(target)

    def check_out(self, branch: str) -> None:
        """Bring the clone to a branch of the remote."""
        git(self.clone, "fetch", "--quiet", "--prune")
        git(self.clone, "checkout", "--quiet", "--force", "-B", branch, f"origin/{branch}")

    def push(self, branch: str) -> str:
        git(self.clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return git(self.clone, "rev-parse", "HEAD")

    def release_bad(self) -> str:
        """Grow web-1 on development, merge it up, and let the host refuse it in production."""
        text = (self.clone / WEB).read_text("utf-8")
        self.work({WEB: text + "memory: 3 GiB\n"}, "Grow web-1")
        self.merge("development", "staging")
        merged = self.merge("staging", "production")
        self.refuse_changes()
        return merged

    def refuse_changes(self) -> None:
        """From now on no host takes another definition of production's web-1."""
        host, _ = self.domain("production-web-1")
        self.farm.add_fault(Fault(where=host, operation="define_domain", mode="fails-before"))

    def fail_for(self, seconds: float) -> Report:
        """Let time pass, then a turn."""
        self.clock.sleep(seconds)
        return self.sync()

    def parents(self, commit: str) -> list[str]:
        return self.origin.git("rev-parse", f"{commit}^@").split()

    def tree(self, commit: str | None) -> str:
        return self.origin.git("rev-parse", f"{commit}^{{tree}}")

    def memory(self) -> int:
        """What production's web-1 has."""
        return self.domain("production-web-1")[1].definition.memory_bytes

    def protect(self, *branches: str) -> None:
        """Branches that take nothing of which the reconciler is the author."""
        patterns = "|".join(f"refs/heads/{branch}" for branch in branches)
        self.origin.hook(
            "update",
            f"case $1 in {patterns}) ;; *) exit 0;; esac\n"
            '[ "$(git log -1 --format=%an "$3")" = reconciler ] || exit 0\n'
            'echo "GH006: protected branch"; exit 1',
        )

    def text(self, branch: str, path: str) -> str:
        """A file at the head of a branch."""
        return self.origin.git("show", f"refs/heads/{branch}:{path}")

    def contains(self, branch: str, commit: str | None) -> bool:
        """Whether a branch of the remote has a commit in its history."""
        return commit in self.origin.git("rev-list", f"refs/heads/{branch}").split()

    def pick(self, source: str, target: str) -> str:
        """What a forge's rebase does: the same change as another commit, without its trailers."""
        self.check_out(target)
        git(self.clone, *PERSON, "cherry-pick", "--no-commit", f"origin/{source}")
        git(self.clone, *PERSON, "commit", "--quiet", "--message=Go back")
        return self.push(target)

    def revert(self, commit: str, branch: str) -> str:
        """`git revert`, pushed."""
        self.check_out(branch)
        git(self.clone, *PERSON, "revert", "--no-edit", commit)
        return self.push(branch)

    def merge_back_merges(self) -> None:
        """What people do who read what they are told: merge what waits beside the branches."""
        refs = self.origin.git("for-each-ref", "--format=%(refname:short)", "refs/heads/back-merge")
        for beside in refs.split():
            self.merge(beside, beside.split("/")[1])

    def refuse_back_merges(self) -> None:
        """The remote takes no back-merge, wherever it is pushed."""
        self.origin.hook(
            "update",
            'git log -1 --format=%B "$3" | grep -q ^Reconciler-Back-Merge: && exit 1; exit 0',
        )

    def rollback_before(self, commit: str) -> str:
        """The newest commit below one by which the reconciler took something back."""
        return self.origin.git("rev-list", "-1", "--grep=^Reconciler-Reverts: ", commit)

    def use(self, rollbacks: BackMerges) -> None:
        """From now on rollbacks are made in this way."""
        self.site = replace(self.site, rollbacks=rollbacks)

    def release_unchecked(self) -> str:
        """A bad commit on production itself, past all hooks."""
        text = self.text("production", WEB)
        files = {WEB: f"{text}\nmemory: 3 GiB\n".encode()}
        commit = self.origin.commit("production", files, message="Grow web-1")
        self.refuse_changes()
        return commit
