"""Field values as they may be shown: the one point of redaction, and values in words.

Secrets are references all the way, so there is nothing to hide; should a value ever get where only
a reference belongs, it stops here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.model.quantity import format_duration, format_size
from reconciler.model.secret import SecretReference
from reconciler.plan.show.escape import shortened

HIDDEN = "(hidden)"
NOTHING = "(none)"
TEXTS = frozenset({"content", "source"})  # fields that hold a whole file
_SECRET_NAME = re.compile(
    r"(?:\A|_)(?:password|passwd|passphrase|secret|token|credential|key)s?\Z", re.IGNORECASE
)
_PUBLIC_NAME = re.compile(r"(?:\A|_)(?:public|host|ssh|authorized|tunnel)_keys?\Z", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/@:\s]{0,256}:[^/@\s]{1,256}@")
_LABEL = re.compile(r"\A[a-z0-9-]{1,63}/[A-Za-z0-9_.-]{1,64}@[0-9a-f]{16}\Z")
_REFERENCE_PARTS = frozenset({"file", "key"})


def redacted(path: str, value: object) -> Any:
    """The plain value of the field at `path`, with every secret replaced.

    A reference stays, as `secret://file/key`. What a field named like a secret holds besides is
    hidden, and so is the login in a URL.
    """
    return _redacted(path.rpartition(".")[2], value)


def worded(path: str, value: object) -> str:
    """The value in one line for people: sizes and durations with their units."""
    return shortened(_worded(path.rpartition(".")[2], redacted(path, value)))


def items(path: str, value: object) -> tuple[str, ...]:
    """The items of a list of things, each in one line; empty when the value is no such list."""
    if not (isinstance(value, list) and value and all(isinstance(item, dict) for item in value)):
        return ()
    return tuple(worded(path, item) for item in value)


def _redacted(name: str, value: object) -> Any:
    if reference := _reference(value):
        return reference
    if isinstance(value, Mapping):
        return {str(key): _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(name, item) for item in value]
    if value is not None and _SECRET_NAME.search(name) and not _PUBLIC_NAME.search(name):
        return HIDDEN
    if isinstance(value, str) and "://" in value:
        return _LOGIN.sub(f"{HIDDEN}@", value)
    return value


def _reference(value: object) -> str | None:
    """The reference or the version of a secret that the value is; None if it is something else."""
    if isinstance(value, SecretReference):
        return str(value)
    if isinstance(value, str) and _LABEL.match(value):
        return value
    if isinstance(value, Mapping) and value.keys() == _REFERENCE_PARTS:
        value = f"secret://{value['file']}/{value['key']}"
    if not isinstance(value, str):
        return None
    try:
        return str(SecretReference.parse(value))
    except ValueError:
        return None


def _worded(name: str, value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_nested(key, item)}" for key, item in value.items()) or "{}"
    if isinstance(value, list):
        return ", ".join(_nested(name, item) for item in value) or "[]"
    if isinstance(value, str):
        if name in TEXTS and "\n" in value:
            return f"{len(value.splitlines())} lines"
        return value if value and value == value.strip() else f'"{value}"'
    return _number(name, value)


def _nested(name: str, value: object) -> str:
    text = _worded(name, value)
    return f"({text})" if isinstance(value, dict | list) and len(value) > 1 else text


def _number(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and name.endswith("_bytes"):
        return format_size(value)
    if isinstance(value, int) and name.endswith("_seconds") and abs(value) < 10**12:
        return format_duration(timedelta(seconds=value))
    return str(value)
