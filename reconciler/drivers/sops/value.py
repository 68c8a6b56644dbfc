"""One value as sops encrypts it: AES-256-GCM under the key of the file, bound to its place."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass

TAG_BYTES = 16
KEY_BYTES = 32
NONCE_BYTES = 32
_ENCRYPTED = re.compile(
    r"\AENC\[AES256_GCM,data:(?P<data>[^,]*),iv:(?P<iv>[^,]*),tag:(?P<tag>[^,]*),type:(?P<type>[a-z]+)\]\Z"
)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Plain:
    """A value in the open. `text` is as sops encrypts it, `type` is its word for what it is."""

    text: str
    type: str = "str"

    def __repr__(self) -> str:
        """Without the value."""
        return f"Plain(type={self.type!r})"

    @property
    def summed(self) -> bytes:
        """What of it is in the checksum: the text, a boolean as `True` or `False`."""
        if self.type != "bool":
            return self.text.encode()
        return b"True" if self.text in _TRUE else b"False"


def place_of(path: tuple[str, ...]) -> str:
    """What a value is bound to: the keys above it. Items of a list share their list's."""
    return ":".join(path) + ":"


def open_value(ciphertext: str, data_key: bytes, place: str) -> Plain:
    """Decrypt a value.

    Raises:
        ValueError: it was not encrypted with this key for this place; the message names no value.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    match = _ENCRYPTED.match(ciphertext)
    if match is None or len(data_key) != KEY_BYTES:
        raise ValueError("it is not encrypted in a way that is known here")
    data, nonce, tag = (b64decode(match[part], validate=True) for part in ("data", "iv", "tag"))
    if len(tag) != TAG_BYTES:
        raise ValueError("its tag is too short")
    try:
        text = AESGCM(data_key).decrypt(nonce, data + tag, place.encode()).decode()
    except InvalidTag:
        cause = "it was changed, or moved from another place, after it was encrypted"
        raise ValueError(cause) from None
    except UnicodeDecodeError:
        raise ValueError("it is not text") from None
    return Plain(text, match["type"])


def seal_value(plain: Plain, data_key: bytes, place: str, random_bytes: RandomBytes) -> str:
    """Encrypt a value as sops does. What is empty stays so."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not plain.text:
        return ""
    nonce = random_bytes(NONCE_BYTES)
    made = AESGCM(data_key).encrypt(nonce, plain.text.encode(), place.encode())
    parts = (made[:-TAG_BYTES], nonce, made[-TAG_BYTES:])
    data, iv, tag = (b64encode(part).decode() for part in parts)
    return f"ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{plain.type}]"
