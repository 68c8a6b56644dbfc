"""Signatures of our own commits and tags: ssh's, as git makes them with `gpg.format ssh`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.errors import SourceUnavailable
from reconciler.gitops.environment import git_environment
from reconciler.gitops.failures import readable
from reconciler.gitops.process import Bounds, run

DEADLINE = timedelta(seconds=10)
_NAMESPACE = "git"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private ssh key without a passphrase, in a file that only its owner can read."""

    file: Path

    def sign(self, content: bytes) -> bytes:
        """The signature of a commit or tag, armoured, without a line feed at its end.

        Raises:
            SourceUnavailable: the key cannot be used, and why.
        """
        command = ("ssh-keygen", "-Y", "sign", "-q", "-n", _NAMESPACE, "-f", str(self.file))
        try:
            finished = run(command, git_environment(), Bounds(DEADLINE), content)
        except OSError as error:
            raise SourceUnavailable(
                f"ssh-keygen cannot be started: {error.strerror}; install OpenSSH's client"
            ) from error
        if finished.cut is not None or finished.returncode != 0 or not finished.output:
            said = readable(finished.remarks) or "no answer in time"
            raise SourceUnavailable(
                f"{self.file}: nothing can be signed with this key: {said}; "
                "give a private key without a passphrase that only its owner can read"
            )
        return finished.output.strip(b"\n")


def signed_commit(headers: bytes, message: bytes, key: SigningKey) -> bytes:
    """A commit object with its signature, in the form that git verifies."""
    signature = key.sign(headers + b"\n\n" + message)
    lines = signature.replace(b"\n", b"\n ")
    return headers + b"\ngpgsig " + lines + b"\n\n" + message
