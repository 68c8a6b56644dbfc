"""S23: whatever comes, signed or not, nothing is answered with a server error."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.lines import connect, delivery, status
from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import (
    KINDS,
    Sample,
    github_samples,
    hexadecimal,
    other_samples,
    push_of,
    signed,
)

HUNDRED = 100
REPOSITORIES = {"bitbucket-server": "INFRA/farm", "github": "Codertocat/Hello-World"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(["repository", "project", "full_name", "key", "slug", "path_with_namespace"])
NEAR_MISSES = st.dictionaries(KEYS, st.dictionaries(KEYS, JSON, max_size=3) | JSON, max_size=3)
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=80)


def listening_for(directory: Path) -> Receiver:
    """Only deliveries about one repository count, so that payloads are looked into."""
    settings = settings_of(directory)
    for kind, hook in settings.items():
        wanted = REPOSITORIES.get(kind, "infra/farm")
        settings[kind] = hook.model_copy(update={"repository": wanted})
    return Receiver(settings)


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return listening_for(tmp_path)


@pytest.fixture(scope="module")
def kept() -> Iterator[Receiver]:
    with tempfile.TemporaryDirectory() as directory:
        yield listening_for(Path(directory))


def damaged(value: Any) -> Iterator[Any]:
    """The value with each field of it, however deep, left out, emptied, or of another type."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: each for name, each in value.items() if name != key}
            others: list[Any] = [None, [], {}, 0, "", [inner]]
            for other in others:
                yield {**value, key: other}
            for each in damaged(inner):
                yield {**value, key: each}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for each in damaged(inner):
                changed = copy.copy(value)
                changed[number] = each
                yield changed


def representative() -> list[Sample]:
    """One GitHub push and ping of each shape, and every delivery of the others."""
    seen: dict[Any, Sample] = {}
    for sample in github_samples():
        if sample.event in {"push", "ping"}:
            seen.setdefault((sample.event, frozenset(sample.payload)), sample)
    return [*seen.values(), *other_samples()]


@pytest.mark.parametrize("sample", representative(), ids=lambda each: f"{each.kind}-{each.event}")
def test_each_field_may_be_missing_or_wrong(sample: Sample, receiver: Receiver) -> None:
    hook = receiver.web.hooks[sample.kind]
    count = 0
    for number, payload in enumerate(damaged(sample.payload)):
        count += 1
        changed = Sample(sample.kind, sample.event, payload)
        if number % 10 and number > HUNDRED:  # the rest below HTTP, which makes no difference
            post = signed(changed, f"d-{number}")
            headers = _Plain({name.lower(): value for name, value in post.headers.items()})
            assert hook.is_genuine(headers, post.body, receiver.clock.now())
            hook.judge(headers, post.body, float(number))
        else:
            assert receiver.send(changed, f"d-{number}") in {200, 202, 204, 429}
    assert count


class _Plain:
    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def getlist(self, key: str) -> list[str]:
        return [self._values[key]] if key in self._values else []


@pytest.mark.parametrize("kind", KINDS)
def test_each_header_may_be_missing_or_empty(kind: str, receiver: Receiver) -> None:
    post = signed(push_of(kind))
    for name in post.headers:
        for value in (None, "", "\xff", "x" * 5000):
            headers = {**post.headers, name: value or ""}
            if value is None:
                del headers[name]
            reply = receiver.request("POST", f"/hooks/{kind}", headers, (post.body,))
            assert reply.status in {202, 204, 401}


@given(payload=NEAR_MISSES | JSON, kind=st.sampled_from(KINDS), event=LATIN)
def test_any_signed_payload_is_answered(
    payload: Any, kind: str, event: str, kept: Receiver
) -> None:
    names = {push_of(kind).event, event.strip()}
    for name in names:
        assert kept.send(Sample(kind, name, payload)) in {200, 202, 204, 400, 429}


@given(body=st.binary(max_size=300))
def test_any_signed_bytes_are_answered(body: bytes, kept: Receiver) -> None:
    headers = {"X-Gitea-Signature": hexadecimal(body), "X-Gitea-Event": "push"}
    assert kept.request("POST", "/hooks/gitea", headers, (body,)).status in {202, 204, 400, 429}


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH", "DELETE", "X"]),
    path=st.text(max_size=40) | st.sampled_from([f"hooks/{each}" for each in KINDS]),
    headers=st.dictionaries(
        st.sampled_from(sorted({name for each in KINDS for name in signed(push_of(each)).headers}))
        | st.from_regex(r"\A[A-Za-z-]{1,20}\Z"),
        LATIN,
        max_size=6,
    ),
    parts=st.lists(st.binary(max_size=100), min_size=1, max_size=4),
)
def test_any_request_is_answered(
    method: str, path: str, headers: dict[str, str], parts: list[bytes], kept: Receiver
) -> None:
    assert kept.request(method, f"/{path}", headers, parts).status < 500


def test_numbers_and_depths_beyond_reason_are_no_error(receiver: Receiver) -> None:
    for body in (
        b'{"a":' * 5000,
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"a":1e999999}',
        b'{"\\ud800":1}',
    ):
        headers = {"X-Gitea-Signature": hexadecimal(body), "X-Gitea-Event": "push"}
        reply = receiver.request("POST", "/hooks/gitea", headers, (body,))
        assert reply.status in {204, 400}


def test_a_sender_that_leaves_is_no_error(receiver: Receiver) -> None:
    whole = delivery(signed(push_of("gitea")), "gitea")
    with receiver.listening() as where:
        for part in (whole[:10], whole[:-10], whole):
            with connect(where) as line:
                line.sendall(part)
        assert status(where, whole) == 202
