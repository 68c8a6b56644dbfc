"""A host for the acts that is a directory, and programs that do nothing but remember."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.drivers.ssh.onhost.act import perform
from reconciler.drivers.ssh.onhost.host import Batch, Ran

Answer = Ran | Callable[[Sequence[str]], Ran]


@dataclass
class Programs:
    """Answers by the beginning of the command; what nobody speaks of succeeds and says nothing."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], *, seconds: float = 0) -> Ran:
        del seconds
        line = " ".join(argv)
        self.calls.append(line)
        for beginning in sorted(self.answers, key=len, reverse=True):
            if line.startswith(beginning):
                answer = self.answers[beginning]
                return answer if isinstance(answer, Ran) else answer(argv)
        return Ran(0)

    def called(self, beginning: str) -> list[str]:
        """The commands that begin so."""
        return [call for call in self.calls if call.startswith(beginning)]


@dataclass
class Ground:
    """A host: its root, its programs, and the time there."""

    root: Path
    programs: Programs = field(default_factory=Programs)
    now: float = 1_000_000.0

    def batch(self) -> Batch:
        """What begins with nothing done."""
        return Batch(
            root=str(self.root),
            directory=str(self.directory),
            run=self.programs,
            clock=lambda: self.now,
        )

    @property
    def directory(self) -> Path:
        """Where the host remembers things for us."""
        return self.root / "var/lib/reconciler"

    def path(self, path: str) -> Path:
        """A path of the host."""
        return self.root / path.lstrip("/")

    def do(self, *acts: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All that is told of the acts."""
        return list(perform(self.batch(), acts))

    def done(self, *acts: Mapping[str, Any]) -> None:
        """Do them; fails the test if one fails."""
        told = self.do(*acts)
        assert told == [{"act": number} for number in range(len(acts))]

    def refused(self, *acts: Mapping[str, Any]) -> str:
        """What is said of the last of them, which fails."""
        told = self.do(*acts)
        assert told[-1]["act"] == len(acts) - 1
        return str(told[-1]["error"])


def ground_in(root: Path) -> Ground:
    """A host on which we are root, whoever we are."""
    for name in ("etc", "srv", "home/alice", "proc/sys/net/ipv4", "proc/self", "var/lib"):
        (root / name).mkdir(parents=True)
    uid, gid = os.geteuid(), os.getegid()
    (root / "etc/passwd").write_text(
        f"root:x:{uid}:{gid}:root:/root:/bin/bash\nalice:x:{uid}:{gid}:Alice:/home/alice:/bin/sh\n"
    )
    (root / "etc/group").write_text(f"root:x:{gid}:\nops:x:1500:alice\nempty:x:1501:\n")
    return Ground(root)


def put_file(path: str = "/etc/a.conf", content: str = "new\n", **fields: Any) -> dict[str, Any]:
    """An act that writes a file."""
    plain = {"mode": "0644", "owner": "root", "group": "root", "check": [], "is_secret": False}
    return {"act": "put_file", "path": path, "content": content, **plain, **fields}


def remove(path: str = "/etc/a.conf", *, restores: bool = False) -> dict[str, Any]:
    """An act that takes a path away."""
    return {"act": "remove_path", "path": path, "restores": restores}


def question(about: str, name: str, *details: str) -> dict[str, Any]:
    """A question as it arrives on a host."""
    return {"about": about, "name": name, "details": list(details)}


def put_mark(about: str, name: str, *details: str, note: str = "") -> dict[str, Any]:
    """An act that marks a thing."""
    owner = {"environment": "production", "name": "x", "digest": "d"}
    asked = question(about, name, *details)
    return {"act": "put_mark", "mark": mark(about, owner, asked, note)}


def mark(kind: str, owner: dict[str, str], asked: dict[str, Any], note: str) -> dict[str, Any]:
    """A mark as it arrives on a host."""
    return {"kind": kind, "owner": owner, "question": asked, "note": note}


def forget(about: str, name: str) -> dict[str, Any]:
    """An act that takes the mark of a thing away."""
    return {"act": "forget", "kind": about, "question": question(about, name)}
