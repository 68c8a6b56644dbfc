"""Secrets are references. A value is never part of a document, a spec or a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

VERSION_LENGTH = 16
SCHEME = "secret://"

_FORM = re.compile(r"\Asecret://(?P<file>[a-z0-9][a-z0-9-]{0,62})/(?P<key>[A-Za-z0-9_.-]{1,64})\Z")
# Within a text a key ends with a letter, a digit or _, so that a full stop may follow it.
_WITHIN = re.compile(
    r"secret://(?P<file>[a-z0-9][a-z0-9-]{0,62})"
    r"/(?P<key>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?)"
)


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """Points at one entry of one encrypted file: `secret://file/key`."""

    file: str
    key: str

    def __str__(self) -> str:
        return f"secret://{self.file}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> SecretReference:
        """Read a reference.

        Raises:
            ValueError: the text is not of the form; the message never repeats it, because
                it may be the secret itself.
        """
        match = _FORM.match(text)
        if match is None:
            message = "not a secret reference; write secret://file/key, never the value itself"
            raise ValueError(message)
        return cls(match["file"], match["key"])


@dataclass(frozen=True, slots=True)
class SealedFile:
    """All that is encrypted in one file, by which a value of it is known to be whole.

    `values` are the places of all values and what is encrypted there, in the order of the file.
    `mac` is the encrypted checksum of them, bound to the time when it was made, `modified`.
    `is_mac_marked` tells that the checksum starts with the mark of `mac_only_encrypted`.
    """

    values: tuple[tuple[tuple[str, ...], str], ...]
    mac: str
    modified: str
    is_mac_marked: bool = False


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A secret as it stands in the repository: encrypted, so that it may go anywhere.

    `ciphertext` is the value as sops writes it (`ENC[AES256_GCM,...]`), bound to its `path` in the
    file. `data_keys` is the key of the file, encrypted to each of those who may read it. `file` is
    all that is encrypted with it: a value is only opened of a file that is whole.
    """

    reference: SecretReference
    path: tuple[str, ...]
    ciphertext: str
    data_keys: tuple[str, ...]
    file: SealedFile | None = field(default=None, compare=False, repr=False)

    @property
    def version(self) -> str:
        """Names the encrypted value: it is another when the secret was changed."""
        return sha256(self.ciphertext.encode()).hexdigest()[:VERSION_LENGTH]

    @property
    def label(self) -> str:
        """The value and its version, as it may be shown: `file/key@version`."""
        return f"{self.reference.file}/{self.reference.key}@{self.version}"


def references_in(text: str) -> tuple[SecretReference, ...]:
    """The references in a text, each once, in the order of the text."""
    found = (SecretReference(match["file"], match["key"]) for match in _WITHIN.finditer(text))
    return tuple(dict.fromkeys(found))


def without_references(text: str, mask: str = "") -> str:
    """The text with each reference replaced by `mask`."""
    return _WITHIN.sub(lambda _: mask, text)


def filled(text: str, values: Mapping[SecretReference, str]) -> str:
    """The text with each reference replaced by its value. A value is never searched again.

    Raises:
        KeyError: a reference has no value.
    """
    return _WITHIN.sub(lambda match: values[SecretReference(match["file"], match["key"])], text)
