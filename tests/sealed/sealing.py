"""Files of secrets as sops makes them, and age keys, made here so that tests may choose the values.

That it is what sops does is shown by the specimens in tests/corpus/sops, which sops made.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha512
from io import StringIO
from pathlib import Path
from typing import Any

import pyrage
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

MODIFIED = "2026-01-01T00:00:00Z"
NONCE_BYTES = 32
TYPES = {bool: "bool", int: "int", float: "float", str: "str"}


class Reader:
    """Somebody who can decrypt: an age key."""

    def __init__(self) -> None:
        self._identity = pyrage.x25519.Identity.generate()

    @property
    def recipient(self) -> str:
        """The public key."""
        return str(self._identity.to_public())

    def write(self, path: Path) -> Path:
        """The private key as a file that age-keygen might have made."""
        text = (
            f"# created: 2026-01-01T00:00:00Z\n# public key: {self.recipient}\n{self._identity}\n"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path


def seal(tree: Mapping[str, Any], recipients: Iterable[str]) -> str:
    """The text of an encrypted file with these values for these public keys."""
    data_key = os.urandom(32)
    age = [{"recipient": each, "enc": wrapped(data_key, each)} for each in recipients]
    total = sha512("".join(map(str, _texts(tree))).encode()).hexdigest().upper()
    block = {
        "age": age,
        "lastmodified": MODIFIED,
        "mac": _encrypted(total, data_key, MODIFIED),
        "unencrypted_suffix": "_unencrypted",
        "version": "3.11.0",
    }
    return json.dumps({**_sealed(tree, data_key, ()), "sops": block}, indent=2)


def laid_out(sealed: str) -> str:
    """The text of an encrypted file as sops lays it out."""
    yaml, stream = YAML(), StringIO()
    yaml.width = 1 << 20
    yaml.indent(mapping=4, sequence=6, offset=4)
    tree = json.loads(sealed)
    for reader in tree["sops"]["age"]:
        reader["enc"] = LiteralScalarString(reader["enc"])
    yaml.dump(tree, stream)
    return stream.getvalue()


def wrapped(data_key: bytes, recipient: str) -> str:
    """A data key for one reader, in ASCII armor."""
    public = pyrage.x25519.Recipient.from_str(recipient)
    encrypted: bytes = pyrage.encrypt(data_key, [public], armored=True)
    return encrypted.decode()


def sealed_value(value: object, data_key: bytes, path: tuple[str, ...]) -> str:
    """One value as sops writes it, bound to its path."""
    return _encrypted(value, data_key, "".join(f"{step}:" for step in path))


def _encrypted(value: object, data_key: bytes, place: str) -> str:
    nonce = os.urandom(NONCE_BYTES)
    encrypted = AESGCM(data_key).encrypt(nonce, str(value).encode(), place.encode())
    data, iv, tag = (b64encode(part).decode() for part in (encrypted[:-16], nonce, encrypted[-16:]))
    return f"ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{TYPES[type(value)]}]"


def _sealed(value: Any, data_key: bytes, path: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {key: _sealed(item, data_key, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_sealed(item, data_key, path) for item in value]
    return value if value in {None, ""} else sealed_value(value, data_key, path)


def _texts(value: Any) -> Iterator[object]:
    """What the checksum is over."""
    if isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)
    elif value is not None:
        yield value
