"""What is asked of a forge and what it answers, and an answer that is an error, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.plan.show.escape import shortened

SMALL_BYTES = 256 * 1024
LONGEST_REASON = 200
OK, REDIRECT, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, FAULT = 200, 300, 400, 401, 403, 500
MISSING = frozenset({404, 410})
LATER = frozenset({408, 425, 429})
_LETTERS = re.compile(r"[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: `operation` says it in words, `way` follows the base of the API.

    With `is_from_root`, `way` is the whole path.
    """

    method: str
    way: str
    operation: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    most_bytes: int = SMALL_BYTES
    is_from_root: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether asking twice is the same as asking once."""
        return self.method in {"GET", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: whole, and not larger than allowed."""

    status: int
    headers: httpx.Headers
    content: bytes
    has_more: bool = False


def trouble(host: str, call: Call, answer: Answer) -> DriverError | None:
    """The error that an answer is, or None. What the forge says of it is made harmless."""
    status = answer.status
    if OK <= status < REDIRECT:
        return None
    said = f"it answered {status}{_reason(answer.content)}"
    if status < BAD_REQUEST:
        hint = "set forge.url and forge.project to where they are now"
        return Denied(host, call.operation, f"{said}, a redirect that is not followed; {hint}")
    if status == UNAUTHORIZED:
        hint = "make a new one and write it to forge.token_file"
        return Denied(host, call.operation, f"{said}: the token is not accepted; {hint}")
    if status == FORBIDDEN:
        return Denied(host, call.operation, f"{said}; the token may not do that")
    if status in MISSING:
        hint = "it is not there, or the token may not see it"
        return NotFound(host, call.operation, f"{said}; {hint}")
    kind = Unreachable if status in LATER or status >= FAULT else Conflict
    return kind(host, call.operation, said)


def _reason(content: bytes) -> str:
    """What a forge says of an error: in `message` or `error`, of GitHub in `errors` as well."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(document, dict):
        return ""
    parts = [document.get("message") or document.get("error"), document.get("errors")]
    text = ", ".join(_flat(part) for part in parts if part)
    return f" ({shortened(text, LONGEST_REASON)})" if _LETTERS.search(text) else ""


def _flat(part: object) -> str:
    """GitLab's messages may be mappings of lists, GitHub's errors are lists of mappings."""
    if isinstance(part, dict):
        told = part.get("message")
        return _flat(told) if told else ", ".join(f"{k} {_flat(v)}" for k, v in part.items())
    if isinstance(part, list):
        return ", ".join(_flat(each) for each in part[:5])
    return str(part)
