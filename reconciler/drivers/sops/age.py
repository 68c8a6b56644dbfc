"""age: the key of a file, encrypted to each of those who may read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.config.settings_file import check_private

_IDENTITY = re.compile(r"\AAGE-SECRET-KEY-1[A-Z0-9]+\Z")
_NO_AGE = "this installation has no age; install kvm-reconciler[secrets]"


def identities(file: Path) -> list[Any]:
    """The age keys in a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no age key, or others may read it; the message says what to do.
    """
    try:
        import pyrage
    except ImportError:
        raise ValueError(_NO_AGE) from None
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValueError(f"{file} cannot be read: {reason}") from None
    if problem := check_private(file):
        raise ValueError(f"{file}: {problem}")
    keys = [line.strip() for line in lines if _IDENTITY.match(line.strip())]
    if not keys:
        raise ValueError(f"{file} holds no age key; make one with age-keygen -o {file}")
    try:
        return [pyrage.x25519.Identity.from_str(key) for key in keys]
    except pyrage.IdentityError:
        raise ValueError(f"{file} holds a line that is a damaged age key") from None


def open_data_key(encrypted: Iterable[str], keys: list[Any]) -> bytes | None:
    """The key of a file; None if it is encrypted to none of the keys."""
    import pyrage

    for each in encrypted:
        try:
            data_key: bytes = pyrage.decrypt(each.encode(), keys)
        except pyrage.DecryptError:
            continue  # it is somebody else's
        return data_key
    return None


def seal_data_key(data_key: bytes, recipient: str) -> str:
    """The key of a file for one reader, in ASCII armor.

    Raises:
        ValueError: the recipient is no public age key.
    """
    try:
        import pyrage
    except ImportError:
        raise ValueError(_NO_AGE) from None
    try:
        public = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise ValueError(f"{recipient!r} is no public age key (age1…)") from None
    made: bytes = pyrage.encrypt(data_key, [public], armored=True)
    return made.decode()
