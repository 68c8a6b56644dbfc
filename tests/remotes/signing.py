"""Real keys for tests, and commits and tags that are signed with them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.remotes.origin import NOON, Origin

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}


def said(*command: str, given: bytes = b"", **environment: str) -> str:
    """What a program says.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        command,
        input=given,
        env={**_ENVIRONMENT, "HOME": "/nonexistent", **environment},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return done.stdout.decode().strip()


class Key(Protocol):
    """A key that git can sign with."""

    @property
    def mail(self) -> str: ...

    @property
    def settings(self) -> Sequence[str]:
        """Options for git."""
        ...

    @property
    def environment(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class SshKey:
    """An ssh key in a file."""

    mail: str
    file: Path

    @classmethod
    def made(cls, directory: Path, mail: str) -> SshKey:
        file = directory / f"key-of-{mail}"
        said("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", mail, "-f", str(file))
        return cls(mail, file)

    @property
    def public(self) -> str:
        """The type and the key, without the comment."""
        return " ".join(self.file.with_name(self.file.name + ".pub").read_text().split()[:2])

    @property
    def fingerprint(self) -> str:
        return said("ssh-keygen", "-lf", f"{self.file}.pub").split()[1]

    @property
    def settings(self) -> Sequence[str]:
        return ("-c", "gpg.format=ssh", "-c", f"user.signingkey={self.file}")

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def allowed(self, principal: str | None = None, options: str = "") -> str:
        """Its line in a file of allowed signers."""
        return f"{principal or self.mail} {options}{' ' if options else ''}{self.public}\n"


@dataclass(frozen=True)
class GpgKey:
    """A GPG key in a home of its own."""

    mail: str
    home: Path

    @property
    def fingerprint(self) -> str:
        listed = self.gpg("--with-colons", "--list-keys", self.mail)
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    @property
    def settings(self) -> Sequence[str]:
        return ("-c", "gpg.format=openpgp", "-c", f"user.signingkey={self.fingerprint}")

    @property
    def environment(self) -> dict[str, str]:
        return {"GNUPGHOME": str(self.home)}

    def gpg(self, *arguments: str, given: bytes = b"") -> str:
        return said("gpg", "--batch", "--no-tty", *arguments, given=given, **self.environment)

    def exported(self) -> str:
        return self.gpg("--armor", "--export", self.mail)

    def revoke(self) -> None:
        """Take the key back, as its owner would."""
        prepared = self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev"
        certificate = prepared.read_text().replace(":-----BEGIN", "-----BEGIN")
        self.gpg("--import", given=certificate.encode())


@contextmanager
def gpg_key(mail: str, *, made: str = "", expires: str = "never") -> Iterator[GpgKey]:
    """A GPG key; `made` is a time in the past for one that has expired by now.

    Its agent listens in the home, whose path has to be short.
    """
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        key = GpgKey(mail, Path(home))
        past = [f"--faked-system-time={made}"] if made else []
        user = f"Person <{mail}>"
        try:
            key.gpg(
                "--pinentry-mode", "loopback", "--passphrase", "", *past,
                "--quick-generate-key", user, "ed25519", "sign", expires,
            )  # fmt: skip
            yield key
        finally:
            said("gpgconf", "--kill", "all", GNUPGHOME=home)


@dataclass
class Desk:
    """Somebody who commits and tags in a remote. Times are told, so ids are the same each time."""

    origin: Origin
    name: str
    mail: str
    key: Key | None = None
    seconds: int = 0

    def commit(
        self,
        branch: str,
        tree: str,
        *parents: str,
        message: str = "Change",
        time: str = "",
    ) -> str:
        """Commit a tree; without parents it follows the branch. The branch moves there."""
        follows = parents or tuple(filter(None, [self.origin.head(branch)]))
        given = [option for each in follows for option in ("-p", each)]
        commit = self.git("commit-tree", *given, *self._sign(), tree, given=message, time=time)
        self.origin.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def tag(self, name: str, target: str, *, message: str = "Tagged", signed: bool = True) -> str:
        """An annotated tag."""
        sign = ["-s" if signed and self.key else "-a"]
        self.git("tag", "-f", *sign, "-m", message, name, target)
        return self.origin.git("rev-parse", f"refs/tags/{name}")

    def git(self, *arguments: str, given: str = "", time: str = "") -> str:
        self.seconds += 1
        stamp = time or f"{int(NOON.timestamp()) + self.seconds} +0000"
        people = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", self.name), ("EMAIL", self.mail), ("DATE", stamp))
        }
        settings = self.key.settings if self.key else ()
        environment = self.key.environment if self.key else {}
        where = str(self.origin.path)
        command = ("git", "-C", where, *settings, *arguments)
        return said(*command, given=given.encode(), **people, **environment)

    def tree(self, commit: str) -> str:
        return self.origin.git("rev-parse", f"{commit}^{{tree}}")

    def _sign(self) -> list[str]:
        return ["-S"] if self.key else []


def is_signed(origin: Origin, commit: str) -> bool:
    return "\ngpgsig " in origin.git("cat-file", "commit", commit)


def private(file: Path, content: str) -> Path:
    """A file that only its owner may write."""
    file.write_text(content, "utf-8")
    os.chmod(file, 0o644)  # noqa: PTH101 - as the settings want it
    return file
