"""Who signed a commit or a tag, by the keys that the operator allows and by nothing else.

Git does the checking, with a configuration of ours: the repository, the user and the system have no
say. The keys are copied into the state directory under a name made from their content, so what is
checked with is what was read, and an answer holds as long as the content is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.errors import SourceUnavailable, Stalled
from reconciler.gitops.environment import with_settings
from reconciler.gitops.gates.keyring import Keyring, Keys, keyring_of
from reconciler.gitops.git import Git
from reconciler.gitops.objects import read_commits, read_tags
from reconciler.gitops.refs import check_object_id, short
from reconciler.plan.evidence import Lack

DEADLINE = timedelta(seconds=30)
_REMEMBERED = 4096
_SSH_GOOD = re.compile(
    r'^Good "git" signature for (?P<who>.+) with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE
)
_SSH_NOBODYS = re.compile(r'^Good "git" signature with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_GPG_STATUS = re.compile(r"^\[GNUPG:\] (?P<word>[A-Z_]+) ?(?P<rest>.*)$", re.MULTILINE)
_GPG_BAD: Mapping[str, tuple[str, str]] = {
    "BADSIG": ("was changed after it was signed", "sign it again"),
    "REVKEYSIG": ("is signed by a key that is revoked", "sign it with another key"),
    "EXPKEYSIG": ("is signed by a key that has expired", "prolong the key, or sign with another"),
    "EXPSIG": ("has a signature that has expired", "sign it again"),
    "NO_PUBKEY": ("is signed by a key that is not allowed", "sign it with an allowed key"),
}
_FORMS = {
    b"-----BEGIN PGP SIGNATURE-----": "gpg",
    b"-----BEGIN PGP MESSAGE-----": "gpg",
    b"-----BEGIN SSH SIGNATURE-----": "ssh",
}


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose key it was. `names` are all that are known of the person and the key, in lower case.

    `until` is when the key stops to count, if it does.
    """

    person: str
    key: str
    names: frozenset[str]
    until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.person} ({self.key})"


@dataclass
class Signatures:
    """Checks signatures. `git` gives the repository, `keys` what the operator allows now."""

    git: Callable[[], Git]
    keys: Callable[[], Keys]
    directory: Path
    _known: dict[tuple[str, str], Signer | Lack] = field(default_factory=dict)

    def of_commit(self, commit: str, now: datetime) -> Signer | Lack:
        """Who signed a commit, or why nobody did that counts.

        Raises:
            SourceError: the commit is not here, or git failed.
        """
        return self._of("commit", commit, now)

    def of_tag(self, tag: str, now: datetime) -> Signer | Lack:
        """Who signed a tag object, by its id, or why nobody did that counts.

        Raises:
            SourceError: the tag is not here, or git failed.
        """
        return self._of("tag", tag, now)

    def _of(self, what: str, object_id: str, now: datetime) -> Signer | Lack:
        keys, name = self.keys(), f"{what} {short(check_object_id(object_id))}"
        at = (object_id, keys.digest)
        found = self._known.get(at)
        if found is None:
            form = _form(_content(self.git(), what, object_id))
            if isinstance(form, Lack):
                return _about(name, form)
            found = self._ask(what, object_id, form, keys)
            if isinstance(found, Signer) or not found.message.startswith(_UNKNOWN):
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[at] = found
        if isinstance(found, Signer) and found.until is not None and found.until <= now:
            found = Lack(
                f"is signed by {found}, whose key has expired", "sign it with a key that is valid"
            )
        return _about(name, found) if isinstance(found, Lack) else found

    def _ask(self, what: str, object_id: str, form: str, keys: Keys) -> Signer | Lack:
        if (keys.ssh if form == "ssh" else keys.gpg) is None:
            return _nobody_allowed(form)
        try:
            ring = keyring_of(keys, self.directory)
        except FileNotFoundError:
            return _NO_GPG
        except (OSError, Stalled) as error:
            return Lack(
                f"{_UNKNOWN}the keys cannot be used: {error}",
                "mend the files that `signers` of the settings names",
            )
        git = _confined(self.git(), ring)
        finished = git.attempt(f"verify-{what}", "--raw", object_id)
        if finished.cut is not None:
            raise SourceUnavailable(f"checking the signature of {object_id} took too long")
        if form == "ssh":
            return _by_ssh(finished.returncode, finished.remarks, keys)
        return _by_gpg(finished.returncode, finished.remarks)


_UNKNOWN = "cannot be checked: "  # for now: what is missing may come
_NO_GPG = Lack(f"{_UNKNOWN}gpg is not installed", "apt-get install gnupg")
_NO_SSH = Lack(f"{_UNKNOWN}ssh-keygen is not installed", "apt-get install openssh-client")


def _about(name: str, lack: Lack) -> Lack:
    return replace(lack, message=f"{name} {lack.message}")


def _nobody_allowed(form: str) -> Lack:
    return Lack(
        f"is signed by {form}, and the operator allows no {form} key",
        f"sign it in another way, or let the operator name a file in signers.{form}",
    )


def _confined(git: Git, ring: Keyring) -> Git:
    """Git that finds these keys, and nobody else's."""
    settings = {
        "gpg.program": "gpg",
        "gpg.openpgp.program": "gpg",
        "gpg.ssh.program": "ssh-keygen",
        "gpg.x509.program": "/bin/false",
        "gpg.minTrustLevel": "undefined",
        "gpg.ssh.allowedSignersFile": str(ring.allowed_signers),
        "gpg.ssh.defaultKeyCommand": "",
    }
    if ring.revoked is not None:
        settings["gpg.ssh.revocationFile"] = str(ring.revoked)
    home = {"GNUPGHOME": str(ring.gnupg), "HOME": str(ring.directory)}
    environment = with_settings({**git.environment, **home}, settings.items())
    return replace(git, environment=environment).within(DEADLINE)


def _content(git: Git, what: str, object_id: str) -> bytes:
    read = read_commits if what == "commit" else read_tags
    return read(git, (object_id,))[object_id]


def _form(content: bytes) -> str | Lack:
    """How a commit or tag is signed."""
    head, _, body = content.partition(b"\n\n")
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        if name == b"gpgsig":
            return _FORMS.get(value, _STRANGE)
    if head.startswith(b"object "):  # a tag: its signature stands below its message
        begins = [line for line in body.split(b"\n") if line.startswith(b"-----BEGIN ")]
        if begins:
            return _FORMS.get(begins[-1], _STRANGE)
    return Lack("is not signed", "sign it with an allowed key: `git commit -S`, or `git tag -s`")


_UNREADABLE = Lack("has a signature that cannot be read", "sign it again")
_REVOKED = Lack("is signed by a key that is revoked", "sign it with another key")
_SSH_BAD: tuple[tuple[str, Lack], ...] = (
    (r"cannot run ssh-keygen|ssh-keygen -Y .* is needed", _NO_SSH),
    (r"incorrect signature", Lack("was changed after it was signed", "sign it again")),
    (
        r"key (?:has expired|is not yet valid)",
        Lack("is signed by a key that was not valid then", "sign it with a key that is valid"),
    ),
    (
        r"not permitted for use",
        Lack(
            "is signed by a key that is allowed for other things than git",
            "sign it with another key, or let the operator mend `namespaces` in signers.ssh",
        ),
    ),
)
_STRANGE = Lack("is signed in a way that is not known here", "sign it by ssh or gpg")


def _by_ssh(returncode: int, remarks: str, keys: Keys) -> Signer | Lack:
    good = _SSH_GOOD.search(remarks)
    if returncode == 0 and good is not None:
        return _person(good["who"], good["key"], keys)
    for pattern, lack in _SSH_BAD:
        if re.search(pattern, remarks):
            return lack
    if nobodys := _SSH_NOBODYS.search(remarks):
        return Lack(
            f"is signed by the key {nobodys['key']}, which is not allowed",
            "sign it with an allowed key, or let the operator add this one to signers.ssh",
        )
    # Of a revoked key ssh-keygen does not say that it is.
    return _UNREADABLE if keys.revoked is None else _REVOKED


def _person(who: str, key: str, keys: Keys) -> Signer | Lack:
    if re.search(r"[*?!]", who):
        return Lack(
            f"is signed by the key {key}, which the allowed signers give to {who}: that is nobody",
            "let the operator name one person in that line of signers.ssh",
        )
    names = frozenset(each.casefold() for each in (*who.split(","), key))
    return Signer(who, key, names, keys.valid_until(key))


def _by_gpg(returncode: int, remarks: str) -> Signer | Lack:
    said = [(found["word"], found["rest"]) for found in _GPG_STATUS.finditer(remarks)]
    words = [word for word, _ in said]
    for word, (message, remedy) in _GPG_BAD.items():
        if word in words:
            return Lack(message, remedy)
    one_good = words.count("GOODSIG") == words.count("VALIDSIG") == 1
    if returncode == 0 and one_good and "ERRSIG" not in words:
        told = dict(said)
        key = told["VALIDSIG"].split()[-1]
        who = told["GOODSIG"].partition(" ")[2]
        mail = re.search(r"<([^<>]+)>\s*$", who)
        person = mail[1] if mail else who
        return Signer(person, key, frozenset({person.casefold(), who.casefold(), key.casefold()}))
    if not words and re.search(r"cannot run gpg|gpg.*No such file", remarks):
        return _NO_GPG
    return _UNREADABLE
