"""How each forge signs and names its deliveries, as it documents them. Pure.

A delivery is only ever judged by the form that the settings name for it, never by its looks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from reconciler.config.hook_settings import HookKind

OLDEST = timedelta(minutes=5)
_TOKEN_PREFIX = "whsec_"  # noqa: S105 - what a signing token begins with
_TIMESTAMP = re.compile(r"\A[0-9]{1,12}\Z")
_PLAIN_WORD = re.compile(r"\A[ -~]{1,200}\Z")


class Headers(Protocol):
    """The headers of a request; names in lower case."""

    def getlist(self, key: str) -> list[str]:
        """Every value of a header."""
        ...


Verify = Callable[[bytes, Headers, bytes, datetime], bool]
"""Whether a secret signed the raw body, told from the headers, at the given time."""


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of sender speaks: the headers it uses, and where it names the repository."""

    signature: str
    verify: Verify
    event: str
    delivery: str
    pushes: frozenset[str]
    approvals: frozenset[str] = frozenset()
    pings: frozenset[str] = frozenset()
    repository: Callable[[Mapping[str, Any]], str] = lambda payload: _text(
        payload, "repository", "full_name"
    )
    key: Callable[[str], bytes] = str.encode
    event_if_missing: str = ""
    bodies_differ: bool = True


def only(headers: Headers, name: str) -> str:
    """The value of a header that is there exactly once; empty if it is not."""
    values = headers.getlist(name)
    return values[0].strip() if len(values) == 1 else ""


def word(headers: Headers, name: str) -> str:
    """The same, if it is short and plain enough to be kept and shown."""
    value = only(headers, name)
    return value if _PLAIN_WORD.match(value) else ""


def _text(payload: Mapping[str, Any], *path: str) -> str:
    """The text at a path of a payload; empty if there is none."""
    found: Any = payload
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _equal(expected: str, given: str) -> bool:
    # As bytes, because comparing texts fails for letters beyond ASCII.
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def _hex_of_body(header: str, prefix: str = "") -> Verify:
    """The HMAC-SHA256 of the body in hexadecimal."""

    def verify(key: bytes, headers: Headers, body: bytes, _now: datetime) -> bool:
        expected = prefix + hmac.new(key, body, hashlib.sha256).hexdigest()
        return _equal(expected, only(headers, header))

    return verify


def _token(header: str) -> Verify:
    """The secret itself: all that GitLab's older form gives."""

    def verify(key: bytes, headers: Headers, _body: bytes, _now: datetime) -> bool:
        given = only(headers, header).encode("utf-8", "surrogateescape")
        # Digests, so that not even the length of the secret can be measured.
        return hmac.compare_digest(hashlib.sha256(key).digest(), hashlib.sha256(given).digest())

    return verify


def _standard(key: bytes, headers: Headers, body: bytes, now: datetime) -> bool:
    """Standard Webhooks: `id.timestamp.body`, signatures as a list of `v1,BASE64`."""
    name, timestamp = only(headers, "webhook-id"), only(headers, "webhook-timestamp")
    if not name or not _TIMESTAMP.match(timestamp):
        return False
    signed = f"{name}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    given = only(headers, "webhook-signature").split(" ")
    matches = [_equal(expected, each) for each in given]
    is_fresh = abs(now.timestamp() - int(timestamp)) <= OLDEST.total_seconds()
    return any(matches) and is_fresh


def _token_key(secret: str) -> bytes:
    """The key inside a signing token.

    Raises:
        ValueError: it is no signing token.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_TOKEN_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_TOKEN_PREFIX) or not key:
        message = f"is no signing token ({_TOKEN_PREFIX} and base64), as GitLab shows it"
        raise ValueError(message)
    return key


def _bitbucket_server_repository(payload: Mapping[str, Any]) -> str:
    project, slug = (
        _text(payload, "repository", "project", "key"),
        _text(payload, "repository", "slug"),
    )
    return f"{project}/{slug}" if project and slug else ""


def moves_tag(payload: Mapping[str, Any]) -> bool:
    """Whether a push, of whatever forge, is about a tag; wrong payloads are about none."""
    push = payload.get("push")
    changes = (push if isinstance(push, Mapping) else payload).get("changes")
    found = changes if isinstance(changes, list) else []
    return _is_tag(payload) or any(_is_tag(each) for each in found if isinstance(each, Mapping))


def _is_tag(change: Mapping[str, Any]) -> bool:
    refs = (_text(change, "ref"), _text(change, "refId"))
    kinds = {_text(change, "ref_type"), _text(change, "new", "type"), _text(change, "old", "type")}
    return any(each.startswith("refs/tags/") for each in refs) or not _TAGS.isdisjoint(kinds)


def approves(payload: Mapping[str, Any]) -> bool:
    """Whether news of a review may be an approval; only GitLab's tells of much else besides."""
    return _text(payload, "object_attributes", "action") in {"", "approved", "approval"}


_TAGS = frozenset({"tag", "annotated_tag"})
_REFS = frozenset({"push", "create", "delete"})
_GITEA_APPROVALS = frozenset({"pull_request_approved"})
_GITLAB = Form(
    signature="x-gitlab-token",
    verify=_token("x-gitlab-token"),
    event="x-gitlab-event",
    # Not X-Gitlab-Event-UUID: webhooks that follow from one another share it.
    delivery="idempotency-key",
    pushes=frozenset({"Push Hook", "Tag Push Hook", "System Hook"}),
    approvals=frozenset({"Merge Request Hook"}),
    repository=lambda payload: _text(payload, "project", "path_with_namespace"),
)
FORMS: Mapping[HookKind, Form] = {
    "github": Form(
        signature="x-hub-signature-256",
        verify=_hex_of_body("x-hub-signature-256", "sha256="),
        event="x-github-event",
        delivery="x-github-delivery",
        pushes=_REFS,
        approvals=frozenset({"pull_request_review"}),
        pings=frozenset({"ping"}),
    ),
    "gitlab": _GITLAB,
    "gitlab-signed": Form(
        signature="webhook-signature",
        verify=_standard,
        event=_GITLAB.event,
        delivery="webhook-id",
        pushes=_GITLAB.pushes,
        approvals=_GITLAB.approvals,
        repository=_GITLAB.repository,
        key=_token_key,
    ),
    "gitea": Form(
        signature="x-gitea-signature",
        verify=_hex_of_body("x-gitea-signature"),
        event="x-gitea-event",
        delivery="x-gitea-delivery",
        pushes=_REFS,
        approvals=_GITEA_APPROVALS,
    ),
    "forgejo": Form(
        signature="x-forgejo-signature",
        verify=_hex_of_body("x-forgejo-signature"),
        event="x-forgejo-event",
        delivery="x-forgejo-delivery",
        pushes=_REFS,
        approvals=_GITEA_APPROVALS,
    ),
    "bitbucket-cloud": Form(
        signature="x-hub-signature",
        verify=_hex_of_body("x-hub-signature", "sha256="),
        event="x-event-key",
        delivery="x-request-uuid",
        pushes=frozenset({"repo:push"}),
        approvals=frozenset({"pullrequest:approved"}),
    ),
    "bitbucket-server": Form(
        signature="x-hub-signature",
        verify=_hex_of_body("x-hub-signature", "sha256="),
        event="x-event-key",
        delivery="x-request-id",
        pushes=frozenset({"repo:refs_changed", "mirror:repo_synchronized"}),
        approvals=frozenset({"pr:reviewer:approved"}),
        pings=frozenset({"diagnostics:ping"}),
        repository=_bitbucket_server_repository,
    ),
    "generic": Form(
        signature="x-signature-256",
        verify=_hex_of_body("x-signature-256", "sha256="),
        event="x-event",
        delivery="x-delivery",
        pushes=frozenset({"push"}),
        pings=frozenset({"ping"}),
        repository=lambda payload: _text(payload, "repository"),
        event_if_missing="push",
        bodies_differ=False,
    ),
}
