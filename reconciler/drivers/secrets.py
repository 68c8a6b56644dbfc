"""Decrypts what sops sealed, with the operator's age keys, at the moment it is sent to a host.

sops encrypts each value with AES-256-GCM under a key of the file, bound to the value's path, and
that key to each reader with age.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.config.secrets import path_of
from reconciler.config.settings_file import check_private
from reconciler.errors import Denied, NotFound
from reconciler.model.secret import SealedSecret

OPERATION = "decrypt"
TAG_BYTES = 16
KEY_BYTES = 32
_VALUE = re.compile(
    r"\AENC\[AES256_GCM,data:(?P<data>[^,]*),iv:(?P<iv>[^,]*),tag:(?P<tag>[^,]*),type:(?P<type>[a-z]+)\]\Z"
)
_IDENTITY = re.compile(r"\AAGE-SECRET-KEY-1[A-Z0-9]+\Z")
_WORDS = {"True": "true", "False": "false"}

Reveal = Callable[[str, SealedSecret], str]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The files of age keys by the environment whose hosts get what they decrypt.

    A file is read each time, so that a key is replaced without a restart.
    """

    files: Mapping[str, Path]

    def reveal(self, environment: str, sealed: SealedSecret) -> str:
        """The value of a secret for a host of an environment.

        Raises:
            NotFound: the settings name no key for the environment, or the file is not there.
            Denied: the file of keys is no such file, or none of its keys can decrypt the secret,
                or what is encrypted was tampered with. The message names no value.
        """
        data_key = self._data_key(environment, sealed)
        try:
            return _opened(sealed, data_key)
        except ValueError as error:
            raise _denied(sealed, str(error)) from None

    def _data_key(self, environment: str, sealed: SealedSecret) -> bytes:
        """The key of the file that the secret is in."""
        file = self.files.get(environment)
        if file is None:
            cause = f"the settings name no age key for {environment}; set secrets.identity"
            raise NotFound(path_of(sealed.reference.file), _operation(sealed), cause)
        identities = _identities(file, sealed)
        import pyrage

        for encrypted in sealed.data_keys:
            try:
                data_key: bytes = pyrage.decrypt(encrypted.encode(), identities)
            except pyrage.DecryptError:
                continue  # it is somebody else's
            return data_key
        cause = (
            f"no key in {file} is one of its readers; add its public key, and run sops updatekeys"
        )
        raise _denied(sealed, cause)


def _identities(file: Path, sealed: SealedSecret) -> list[Any]:
    """The age keys in a file."""
    try:
        import pyrage
    except ImportError:
        cause = "this installation has no age; install kvm-reconciler[secrets]"
        raise _denied(sealed, cause) from None
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        cause = f"{file}, named by secrets.identity, is not there"
        raise NotFound(path_of(sealed.reference.file), _operation(sealed), cause) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise _denied(sealed, f"{file} cannot be read: {reason}") from None
    if problem := check_private(file):
        raise _denied(sealed, f"{file}: {problem}")
    keys = [line.strip() for line in lines if _IDENTITY.match(line.strip())]
    if not keys:
        cause = f"{file} holds no age key; make one with age-keygen -o {file}"
        raise _denied(sealed, cause)
    try:
        return [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        raise _denied(sealed, f"{file} holds a line that is a damaged age key") from None


def _opened(sealed: SealedSecret, data_key: bytes) -> str:
    """The value as text: numbers as sops writes them, `true` and `false`.

    Raises:
        ValueError: it was not encrypted with this key for this place; the message names no value.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    match = _VALUE.match(sealed.ciphertext)
    if match is None or len(data_key) != KEY_BYTES:
        raise ValueError("it is not encrypted in a way that is known here")
    data, nonce, tag = (b64decode(match[part], validate=True) for part in ("data", "iv", "tag"))
    if len(tag) != TAG_BYTES:
        raise ValueError("its tag is too short")
    place = "".join(f"{step}:" for step in sealed.path).encode()
    try:
        text = AESGCM(data_key).decrypt(nonce, data + tag, place).decode()
    except InvalidTag:
        cause = "it was changed, or moved from another place, after it was encrypted"
        raise ValueError(cause) from None
    except UnicodeDecodeError:
        raise ValueError("it is not text") from None
    return _WORDS.get(text, text) if match["type"] == "bool" else text


def _operation(sealed: SealedSecret) -> str:
    return f"{OPERATION} {sealed.reference.key}"


def _denied(sealed: SealedSecret, cause: str) -> Denied:
    return Denied(path_of(sealed.reference.file), _operation(sealed), cause)
