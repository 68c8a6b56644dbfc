"""The keys that the operator allows, laid out as ssh-keygen and gpg want to find them.

Made once for each content, in the state directory, for its owner only. Gpg gets a home of its own:
no agent, no network, no key but these.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from reconciler.errors import Stalled
from reconciler.gitops.environment import git_environment
from reconciler.gitops.process import Bounds, run

_DEADLINE = timedelta(seconds=30)
_NAME_LENGTH = 24
_KEY = re.compile(r"(?:^|\s)(?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+\s+(?P<key>[A-Za-z0-9+/]+={0,2})")
_TIME = r"(?P<time>[0-9]{8}(?:[0-9]{4}(?:[0-9]{2})?)?)(?P<utc>Z?)"
_END = re.compile(rf'valid-before="?{_TIME}', re.IGNORECASE)
_IMPORT = ("gpg", "--quiet", "--status-fd", "2", "--import")
_IMPORTED = re.compile(r"^\[GNUPG:\] IMPORT_OK ", re.MULTILINE)
_REASON = re.compile(r"^gpg: (?!.*agent)(.+)$", re.MULTILINE)
_GPG_SETTINGS = """\
batch
no-tty
no-autostart
no-auto-key-retrieve
no-auto-key-import
no-auto-key-locate
disable-dirmngr
trust-model always
"""


@dataclass(frozen=True)
class Keys:
    """The contents of the operator's files; None where there is none."""

    ssh: bytes | None = None
    gpg: bytes | None = None
    revoked: bytes | None = None

    @classmethod
    def read(cls, ssh: Path | None, gpg: Path | None, revoked: Path | None) -> Keys:
        """The files as they are now.

        Raises:
            Stalled: one cannot be read. Without it nobody can tell whose signature counts.
        """
        return cls(*(_read(file) if file else None for file in (ssh, gpg, revoked)))

    @cached_property
    def digest(self) -> str:
        """Names the content."""
        parts = (b"-" if each is None else b"%d:" % len(each) + each for each in self._all)
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_NAME_LENGTH]

    @property
    def _all(self) -> tuple[bytes | None, ...]:
        return self.ssh, self.gpg, self.revoked

    def valid_until(self, fingerprint: str) -> datetime | None:
        """When the allowed signers stop to allow an ssh key; None if they set no end.

        Git asks whether a key was valid when the commit says it was made, and anybody who has the
        key can write any time there.
        """
        ends = [
            _moment(end["time"], is_utc=bool(end["utc"]))
            for line in (self.ssh or b"").decode("utf-8", "replace").splitlines()
            if (key := _KEY.search(line)) and _fingerprint(key["key"]) == fingerprint
            for end in [_END.search(line[: key.start()])]
            if end
        ]
        return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Where the keys are: the directory, and what is in it."""

    directory: Path
    has_revoked: bool

    @property
    def allowed_signers(self) -> Path:
        """What ssh-keygen reads."""
        return self.directory / "allowed_signers"

    @property
    def revoked(self) -> Path | None:
        """The ssh keys that do not count any more."""
        return self.directory / "revoked" if self.has_revoked else None

    @property
    def gnupg(self) -> Path:
        """The home of gpg."""
        return self.directory / "gnupg"


def keyring_of(keys: Keys, parent: Path) -> Keyring:
    """The keyring of some keys, made below `parent` if it is not there yet.

    Raises:
        OSError: there is no room, or gpg is needed and is not there.
        Stalled: gpg does not take the keys.
    """
    ring = Keyring(parent / keys.digest, keys.revoked is not None)
    if not ring.directory.is_dir():
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
        try:
            _fill(Keyring(made, ring.has_revoked), keys)
            _put(made, ring.directory)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return ring


def _fill(ring: Keyring, keys: Keys) -> None:
    ring.gnupg.mkdir(mode=0o700)
    ring.allowed_signers.write_bytes(keys.ssh or b"")
    if ring.revoked is not None:
        ring.revoked.write_bytes(keys.revoked or b"")
    (ring.gnupg / "gpg.conf").write_text(_GPG_SETTINGS, "ascii")
    (ring.gnupg / "common.conf").write_bytes(b"")
    if keys.gpg is not None:
        environment = {**git_environment(), "GNUPGHOME": str(ring.gnupg)}
        finished = run(_IMPORT, environment, Bounds(_DEADLINE), keys.gpg)
        # It fails as well where it misses an agent, which public keys need not.
        if finished.cut is not None or not _IMPORTED.search(finished.remarks):
            said = _REASON.findall(finished.remarks) or ["no reason"]
            raise Stalled(
                f"gpg does not take the keys of signers.gpg: {said[0]}",
                "write them anew with `gpg --export`",
            )


def _put(made: Path, place: Path) -> None:
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():  # else somebody was quicker
            raise


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Stalled(
            f"{file}: {error.strerror or error}", "mend what `signers` of the settings names"
        ) from error


def _fingerprint(encoded: str) -> str:
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError:
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _moment(text: str, *, is_utc: bool) -> datetime:
    padded = text.ljust(len("YYYYMMDDhhmmss"), "0")
    moment = datetime.strptime(padded, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone follows
    return moment.replace(tzinfo=UTC) if is_utc else moment.astimezone()
