"""The webhooks by name: which deliveries are genuine, and what they ask for. No I/O but secrets.

A payload is a hint and nothing else: whatever it says, what follows is a question to the
repository, and a look at the environments if it tells of a tag or an approval, which may be what
a commit waits for. It is read for that, and to leave out what is about another repository.
"""

from __future__ import annotations

import enum
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from reconciler.config.hook_settings import HookSettings
from reconciler.errors import SettingsError
from reconciler.web.forms import FORMS, Form, Headers, approves, moves_tag, only, word
from reconciler.web.limits import Bucket, Remembered
from reconciler.web.secrets import read_keys

_log = logging.getLogger(__name__)
BURST = 300.0
PER_SECOND = 30.0


class Answer(enum.Enum):
    """What a delivery comes to."""

    ACCEPTED = "accepted"
    AGAIN = "seen before"
    PING = "ping"
    IGNORED = "ignored"
    MALFORMED = "malformed"
    FLOOD = "too many"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a genuine delivery comes to, with plain words for the log."""

    answer: Answer
    event: str = ""
    delivery: str = ""
    may_open_gates: bool = False

    @property
    def asks(self) -> bool:
        """Whether the repository should be asked. A flood of genuine deliveries is news, too."""
        return self.answer in {Answer.ACCEPTED, Answer.FLOOD}


@dataclass(slots=True)
class Hook:
    """One webhook that is there: it has at least one key."""

    name: str
    settings: HookSettings
    keys: tuple[bytes, ...] = field(repr=False)
    remembered: Remembered = field(default_factory=Remembered)
    bucket: Bucket = field(default_factory=lambda: Bucket(BURST, PER_SECOND))

    @property
    def form(self) -> Form:
        """How its deliveries look."""
        return FORMS[self.settings.kind]

    def may_be_genuine(self, headers: Headers) -> bool:
        """Whether there is a signature at all; else the body need not be read."""
        return bool(only(headers, self.form.signature))

    def is_genuine(self, headers: Headers, body: bytes, now: datetime) -> bool:
        """Whether one of the keys signed it. All are tried, so that time tells nothing."""
        signed = [self.form.verify(key, headers, body, now) for key in self.keys]
        return any(signed)

    def judge(self, headers: Headers, body: bytes, monotonic: float) -> Verdict:
        """What a genuine delivery comes to."""
        form = self.form
        event = word(headers, form.event) or self._event_if_missing(headers)
        delivery = word(headers, form.delivery)
        payload = _payload(body)
        if payload is None:
            return Verdict(Answer.MALFORMED, event, delivery)
        if event in form.pings:
            return Verdict(Answer.PING, event, delivery)
        if not self._concerns(event, payload):
            return Verdict(Answer.IGNORED, event, delivery)
        if not self.remembered.is_new(*self._keys_of(delivery, body)):
            return Verdict(Answer.AGAIN, event, delivery)
        if not self.bucket.take(monotonic):
            return Verdict(Answer.FLOOD, event, delivery)
        opens = event in form.approvals or moves_tag(payload)
        return Verdict(Answer.ACCEPTED, event, delivery, opens)

    def _event_if_missing(self, headers: Headers) -> str:
        return "" if headers.getlist(self.form.event) else self.form.event_if_missing

    def _concerns(self, event: str, payload: Mapping[str, Any]) -> bool:
        form, wanted = self.form, self.settings.repository
        is_news = event in form.pushes or (event in form.approvals and approves(payload))
        return is_news and (wanted is None or form.repository(payload) == wanted)

    def _keys_of(self, delivery: str, body: bytes) -> tuple[bytes, ...]:
        """By its name, and by the body: nothing but the body is signed by most senders."""
        named = (hashlib.sha256(delivery.encode()).digest(),) if delivery else ()
        return (*named, hashlib.sha256(body).digest()) if self.form.bodies_differ else named


def hooks_of(
    settings: Mapping[str, HookSettings], before: Mapping[str, Hook] | None = None
) -> dict[str, Hook]:
    """The webhooks that are there, with what those of before remember.

    One without a good secret is not there at all, and the log says why.
    """
    found = {}
    for name, each in settings.items():
        try:
            keys = read_keys(each)
        except SettingsError as error:
            _log.error("webhook %s is off: %s", name, error)
            continue
        same = (before or {}).get(name)
        if same is not None and same.settings.kind == each.kind:
            found[name] = replace(same, settings=each, keys=keys)
        else:
            found[name] = Hook(name, each, keys)
    return found


def _payload(body: bytes) -> Mapping[str, Any] | None:
    """The JSON object that a body holds; None if it holds none."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
