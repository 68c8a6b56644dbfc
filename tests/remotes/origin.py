"""A real remote for tests: a bare repository, filled and broken by git itself."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

NOON = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Special:
    """An entry that is no plain file: a mode and what it points at."""

    mode: str
    content: bytes


def link(target: str) -> Special:
    """A symbolic link."""
    return Special("120000", target.encode())


def submodule(commit: str = "1" * 40) -> Special:
    """A commit of another repository."""
    return Special("160000", commit.encode())


def git(directory: Path, *arguments: str, given: bytes = b"") -> str:
    """What git says in a repository.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        input=given,
        env=_ENVIRONMENT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return done.stdout.decode("utf-8", "backslashreplace").strip()


class Origin:
    """A bare repository that people push to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ticks = 0
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", "--initial-branch=production")

    @property
    def url(self) -> str:
        return str(self.path)

    def git(self, *arguments: str, given: bytes = b"") -> str:
        return git(self.path, *arguments, given=given)

    def head(self, branch: str) -> str | None:
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
        except subprocess.CalledProcessError:
            return None

    def commit(
        self,
        branch: str,
        files: Mapping[str, bytes | Special | None],
        *,
        message: str = "Change",
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """Commit files to a branch, on its head or on other parents; the branch always moves."""
        if parents is None:
            head = self.head(branch)
            parents = (head,) if head else ()
        stream = self._stream(branch, files, message.encode(), parents)
        return self.git("fast-import", "--quiet", "--force", "--done", given=stream)

    def hook(self, name: str, script: str) -> None:
        path = self.path / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)

    def messages(self, ref: str) -> list[str]:
        """The subjects below a ref, oldest first; none if it does not exist."""
        try:
            return self.git("log", "--reverse", "--format=%s", ref).splitlines()
        except subprocess.CalledProcessError:
            return []

    def _stream(
        self,
        branch: str,
        files: Mapping[str, bytes | Special | None],
        message: bytes,
        parents: tuple[str, ...],
    ) -> bytes:
        self._ticks += 1
        seconds = int((NOON + timedelta(seconds=self._ticks)).timestamp())
        person = f"Person <person@farm.internal> {seconds} +0000"
        parts = [f"reset refs/heads/{branch}\n"] if not parents else []
        parts.append(f"commit refs/heads/{branch}\nmark :1\nauthor {person}\ncommitter {person}\n")
        out = "".join(parts).encode() + b"data %d\n%s\n" % (len(message), message)
        for number, parent in enumerate(parents):
            out += f"{'merge' if number else 'from'} {parent}\n".encode()
        out += b"".join(_change(path, content) for path, content in files.items())
        return out + b"\nget-mark :1\ndone\n"


def _change(path: str, content: bytes | Special | None) -> bytes:
    quoted = b'"' + b"".join(b"\\%03o" % byte for byte in path.encode("utf-8", "surrogateescape"))
    quoted += b'"\n'
    if content is None:
        return b"D " + quoted
    if isinstance(content, Special) and content.mode == "160000":
        return b"M 160000 " + content.content + b" " + quoted
    mode, data = (
        ("100644", content) if isinstance(content, bytes) else (content.mode, content.content)
    )
    return b"M " + mode.encode() + b" inline " + quoted + b"data %d\n%s\n" % (len(data), data)
