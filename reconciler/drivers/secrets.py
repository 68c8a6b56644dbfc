"""Decrypts what sops sealed, with the operator's age keys, at the moment it is sent to a host.

A value is given only if its whole file is as somebody who has its key made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.secrets import path_of
from reconciler.drivers.sops.age import identities, open_data_key
from reconciler.drivers.sops.checksum import fingerprint, prove
from reconciler.drivers.sops.value import open_value, place_of
from reconciler.errors import Denied, NotFound
from reconciler.model.secret import SealedSecret

OPERATION = "decrypt"
MOST_REMEMBERED = 1024
_WORDS = {"True": "true", "False": "false"}
_NOT_WHOLE = (
    "no value of this file is used, because the file is not whole: {}; "
    "restore it from git, then change it with `reconciler secret edit` or `sops edit`"
)

Reveal = Callable[[str, SealedSecret], str]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The files of age keys by the environment whose hosts get what they decrypt.

    A file of keys is read each time, so that a key is replaced without a restart. Of encrypted
    files only fingerprints are remembered, so that the same bytes are proven once.
    """

    files: Mapping[str, Path]
    _proven: set[bytes] = field(default_factory=set, init=False, repr=False, compare=False)

    def reveal(self, environment: str, sealed: SealedSecret) -> str:
        """The value of a secret for a host of an environment.

        Raises:
            NotFound: the settings name no key for the environment, or the file is not there.
            Denied: the file of keys is no such file, or none of its keys can decrypt the secret,
                or what is encrypted, or anything else in its file, was tampered with. The message
                names no value.
        """
        data_key = self._data_key(environment, sealed)
        self._expect_whole(sealed, data_key)
        try:
            plain = open_value(sealed.ciphertext, data_key, place_of(sealed.path))
        except ValueError as error:
            raise _denied(sealed, str(error)) from None
        return _WORDS.get(plain.text, plain.text) if plain.type == "bool" else plain.text

    def _expect_whole(self, sealed: SealedSecret, data_key: bytes) -> None:
        """Prove the file that a secret is in, unless these very bytes were proven before."""
        if sealed.file is None:
            raise _denied(sealed, _NOT_WHOLE.format("it has no checksum (mac)"))
        if (sealed.path, sealed.ciphertext) not in sealed.file.values:
            raise _denied(sealed, _NOT_WHOLE.format("this value was moved from another place"))
        known = fingerprint(sealed.file, data_key)
        if known in self._proven:
            return
        try:
            prove(sealed.file, data_key)
        except ValueError as error:
            raise _denied(sealed, _NOT_WHOLE.format(error)) from None
        if len(self._proven) >= MOST_REMEMBERED:
            self._proven.clear()
        self._proven.add(known)

    def _data_key(self, environment: str, sealed: SealedSecret) -> bytes:
        """The key of the file that the secret is in."""
        file = self.files.get(environment)
        if file is None:
            cause = f"the settings name no age key for {environment}; set secrets.identity"
            raise NotFound(path_of(sealed.reference.file), _operation(sealed), cause)
        try:
            found = open_data_key(sealed.data_keys, identities(file))
        except FileNotFoundError:
            cause = f"{file}, named by secrets.identity, is not there"
            raise NotFound(path_of(sealed.reference.file), _operation(sealed), cause) from None
        except ValueError as error:
            raise _denied(sealed, str(error)) from None
        if found is None:
            cause = (
                f"no key in {file} is one of its readers; "
                "add its public key, and run sops updatekeys"
            )
            raise _denied(sealed, cause)
        return found


def _operation(sealed: SealedSecret) -> str:
    return f"{OPERATION} {sealed.reference.key}"


def _denied(sealed: SealedSecret, cause: str) -> Denied:
    return Denied(path_of(sealed.reference.file), _operation(sealed), cause)
