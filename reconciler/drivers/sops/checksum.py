"""The checksum (`mac`) of an encrypted file: none of its values was added, taken out or moved."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256, sha512

from reconciler.drivers.sops.value import Plain, RandomBytes, open_value, place_of, seal_value
from reconciler.model.secret import SealedFile

# sops starts so where only what is encrypted counts: the SHA-256 of its name.
MARK = sha256(b"sops").digest()


def checksum(values: Iterable[Plain], *, is_marked: bool = False) -> str:
    """The checksum over values in the order of their file."""
    total = sha512(MARK if is_marked else b"")
    for value in values:
        total.update(value.summed)
    return total.hexdigest().upper()


def seal_checksum(total: str, data_key: bytes, modified: str, random_bytes: RandomBytes) -> str:
    """The checksum as it stands in the file, bound to the time when that was changed."""
    return seal_value(Plain(total), data_key, modified, random_bytes)


def prove(file: SealedFile, data_key: bytes) -> None:
    """Make sure that a file is what somebody with its key has made, as a whole.

    Raises:
        ValueError: it is not; the message names places, and no value.
    """
    opened = [_opened(path, ciphertext, data_key) for path, ciphertext in file.values]
    try:
        told = open_value(file.mac, data_key, file.modified).text
    except ValueError:
        raise ValueError("its checksum (mac) is not one that was made for it") from None
    total = checksum(opened, is_marked=file.is_mac_marked)
    if not hmac.compare_digest(told, total):
        cause = "values were added, taken out, exchanged or put back after it was encrypted"
        raise ValueError(cause)


def _opened(path: tuple[str, ...], ciphertext: str, data_key: bytes) -> Plain:
    try:
        return open_value(ciphertext, data_key, place_of(path))
    except ValueError as error:
        raise ValueError(f"its value {'.'.join(path)}: {error}") from None


def fingerprint(file: SealedFile, data_key: bytes) -> bytes:
    """Names the very file under the very key, and tells nothing of either."""
    parts = (*(f"{place_of(path)} {text}" for path, text in file.values), file.modified, file.mac)
    text = "\n".join((*parts, str(file.is_mac_marked)))
    return hmac.digest(data_key, text.encode(), "sha256")
