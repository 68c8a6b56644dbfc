"""One bare repository and the git program: every call has a deadline, checked arguments, no shell.

This is where arguments are put together. Ref names and object ids go through `refs`, everything
else is a constant of the code; contents travel through standard input.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from reconciler.errors import SourceError, SourceUnavailable
from reconciler.gitops.failures import source_error
from reconciler.gitops.process import OUTPUT_LIMIT_BYTES, Bounds, Finished, run
from reconciler.gitops.refs import NULL_ID, check_object_id, check_ref

_MOVED = re.compile(r"but expected|reference already exists|unable to resolve reference")


@dataclass(frozen=True, slots=True)
class Git:
    """The git program on one repository.

    `where` names the remote in messages, without a login. `file_bytes` limits each file that a
    fetch writes. `inherited` are descriptors that stay open for as long as a child lives.
    """

    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    deadline: timedelta
    where: str = ""
    file_bytes: int | None = None
    inherited: tuple[int, ...] = ()

    def within(self, deadline: timedelta) -> Git:
        """The same with another deadline."""
        return replace(self, deadline=deadline)

    def call(
        self,
        doing: str,
        *arguments: str,
        given: bytes = b"",
        good: Collection[int] = (0,),
        output_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Finished:
        """Run `git` with constant or checked arguments; `doing` says in words what for.

        Raises:
            SourceUnavailable: it took too long, said too much, or the other side refused.
            SourceCorrupt: objects are broken or missing.
        """
        finished = self.attempt(*arguments, given=given, output_bytes=output_bytes)
        if finished.cut is not None or finished.returncode not in good:
            raise self.error(doing, finished)
        return finished

    def attempt(
        self, *arguments: str, given: bytes = b"", output_bytes: int = OUTPUT_LIMIT_BYTES
    ) -> Finished:
        """Run `git` and give how it ended, whatever that was.

        Raises:
            SourceUnavailable: the program cannot be started.
        """
        bounds = Bounds(self.deadline, output_bytes, self.file_bytes, self.inherited)
        environment = {**self.environment, "GIT_DIR": str(self.directory)}
        try:
            return run(("git", "--no-pager", *arguments), environment, bounds, given)
        except OSError as error:
            raise SourceUnavailable(
                f"{self.directory}: git cannot be started: {error.strerror}; "
                "install git, or free memory and processes"
            ) from error

    def error(self, doing: str, finished: Finished) -> SourceError:
        """The error for a call that failed."""
        here = not self.where
        return source_error(doing, self.where or str(self.directory), finished, here=here)

    def init(self) -> None:
        """Make the repository, bare and empty."""
        self.call(
            "making the mirror", "init", "--quiet", "--bare", "--template=", "--initial-branch=none"
        )

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs below a prefix such as `refs/origin/heads/`, by full name."""
        check_ref(prefix + "x/x")
        finished = self.call(
            "reading refs", "for-each-ref", "--format=%(objectname) %(refname)", prefix
        )
        return dict(_refs(finished.output))

    def ref(self, name: str) -> str | None:
        """What a ref points at, or None if there is no such ref."""
        return self.values((name,)).get(name)

    def values(self, names: Collection[str]) -> dict[str, str]:
        """What refs point at, for those of the full names that exist."""
        checked = [check_ref(name) for name in names]
        finished = self.call(
            "reading refs", "for-each-ref", "--format=%(objectname) %(refname)", *checked
        )
        return {name: value for name, value in _refs(finished.output) if name in names}

    def set_ref(self, name: str, new: str, old: str | None) -> bool:
        """Move a ref from `old` (None: it must not exist) to `new`; False if it is elsewhere."""
        arguments = (check_ref(name), check_object_id(new), check_object_id(old or NULL_ID))
        finished = self.attempt("update-ref", "--no-deref", *arguments)
        if finished.returncode == 0:
            return True
        if _MOVED.search(finished.remarks):
            return False
        raise self.error(f"moving {name}", finished)

    def has_commit(self, object_id: str) -> bool:
        """Whether the commit is here."""
        given = check_object_id(object_id).encode() + b"\n"
        finished = self.call("looking for a commit", "cat-file", "--batch-check", given=given)
        return finished.output.split()[1:2] == [b"commit"]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` or descends from it; both must be here."""
        finished = self.call(
            "comparing histories",
            "merge-base",
            "--is-ancestor",
            check_object_id(old),
            check_object_id(new),
            good=(0, 1),
        )
        return finished.returncode == 0

    def commits_between(self, new: str, known: Collection[str]) -> tuple[str, ...]:
        """The commits that lead to `new` and to none of `known`, oldest first."""
        excluded = tuple("^" + check_object_id(each) for each in known)
        finished = self.call(
            "listing commits",
            "rev-list",
            "--reverse",
            "--topo-order",
            "--end-of-options",
            check_object_id(new),
            *excluded,
        )
        return tuple(finished.output.decode().split())

    def is_sound(self) -> bool:
        """Whether every object that a ref needs is here and unbroken."""
        finished = self.attempt("fsck", "--full", "--no-dangling", "--no-progress")
        return finished.cut is None and finished.returncode == 0

    def tidy(self) -> None:
        """Pack what has piled up, if it is worth it."""
        self.call("tidying the mirror", "-c", "gc.auto=2000", "gc", "--auto", "--quiet")


def _refs(output: bytes) -> Iterator[tuple[str, str]]:
    for line in output.decode("utf-8", "replace").splitlines():
        object_id, _, name = line.partition(" ")
        yield name, check_object_id(object_id)
