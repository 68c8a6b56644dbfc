"""S21: a delivery counts if its secret signed exactly this body, and in no other case."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.web import forms
from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import KINDS, Post, Sample, github_samples, push_of, signed

NEWS = {"push", "create", "delete", "pull_request_review"}
SIGNATURES = {
    "github": "X-Hub-Signature-256",
    "gitlab": "X-Gitlab-Token",
    "gitlab-signed": "webhook-signature",
    "gitea": "X-Gitea-Signature",
    "forgejo": "X-Forgejo-Signature",
    "bitbucket-cloud": "X-Hub-Signature",
    "bitbucket-server": "X-Hub-Signature",
    "generic": "X-Signature-256",
}
SIGNED_BODY = [kind for kind in KINDS if kind != "gitlab"]


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(settings_of(tmp_path))


def expected(sample: Sample) -> int:
    return 202 if sample.event in NEWS else 200 if sample.event == "ping" else 204


def samples() -> Iterator[tuple[int, Sample]]:
    yield from enumerate(github_samples())


def flipped(body: bytes, chance: random.Random) -> bytes:
    """The same with one bit changed."""
    at, bit = chance.randrange(len(body)), 1 << chance.randrange(8)
    return body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :]


def test_githubs_own_examples_pass_when_signed(receiver: Receiver) -> None:
    for number, sample in samples():
        assert receiver.send(sample, f"d-{number}") == expected(sample), sample.event
    assert receiver.asked == sum(each.event in NEWS for each in github_samples())
    assert {"push", "ping"} <= {each.event for each in github_samples()}


def test_githubs_own_examples_fail_with_one_bit_of_the_body_changed(receiver: Receiver) -> None:
    chance = random.Random(21)
    for _, sample in samples():
        post = signed(sample)
        for _ in range(3):
            assert receiver.post(replace(post, body=flipped(post.body, chance)), "github") == 401
    assert receiver.asked == 0


def test_githubs_own_examples_fail_with_another_signature(receiver: Receiver) -> None:
    for _, sample in samples():
        for post in forgeries(signed(sample), "github", bits=(1,)):
            assert receiver.post(post, "github") == 401
    assert receiver.asked == 0


def forgeries(post: Post, kind: str, bits: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Iterator[Post]:
    """The same with single bits of each letter of the signature changed, without it, and cut."""
    name = SIGNATURES[kind]
    value = post.headers[name]
    for at in range(len(value)):
        for bit in bits:
            other = chr(ord(value[at]) ^ bit)
            if other.isprintable() and not other.isspace() and other.strip():
                wrong = value[:at] + other + value[at + 1 :]
                yield replace(post, headers={**post.headers, name: wrong})
    without = {key: given for key, given in post.headers.items() if key != name}
    yield replace(post, headers=without)
    for wrong in (
        "",
        value[:-1],
        value + "0",
        value.split("=")[-1][:8],
        "sha256=",
        "é" * 64,
        "\xff",
    ):
        yield replace(post, headers={**post.headers, name: wrong})


@pytest.mark.parametrize("kind", KINDS)
def test_a_push_of_any_forge_fails_with_another_signature(kind: str, receiver: Receiver) -> None:
    post = signed(push_of(kind))
    for forged in forgeries(post, kind):
        if forged.headers.get(SIGNATURES[kind], "").lower() != post.headers[SIGNATURES[kind]]:
            assert receiver.post(forged, kind) == 401
    assert receiver.asked == 0
    assert receiver.post(post, kind) == 202


@pytest.mark.parametrize("kind", SIGNED_BODY)
def test_any_bit_of_the_body_counts(kind: str, receiver: Receiver) -> None:
    post, chance = signed(push_of(kind)), random.Random(kind)
    for _ in range(50):
        assert receiver.post(replace(post, body=flipped(post.body, chance)), kind) == 401
    for other in (post.body[:-1], post.body + b" ", b"", post.body + b"\0"):
        assert receiver.post(replace(post, body=other), kind) == 401
    assert receiver.asked == 0


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_what_is_signed_along_counts_too(name: str, receiver: Receiver) -> None:
    post = signed(push_of("gitlab-signed"))
    for value in (post.headers[name] + "1", "1893456001", ""):
        forged = replace(post, headers={**post.headers, name: value})
        assert receiver.post(forged, "gitlab-signed") == 401


@pytest.mark.parametrize("kind", KINDS)
def test_the_secret_of_another_webhook_does_not_count(kind: str, receiver: Receiver) -> None:
    other = "whsec_" + "b" * 40 if kind == "gitlab-signed" else "the secret of somebody else"
    assert receiver.send(push_of(kind), secret=other) == 401


def test_the_sender_is_never_guessed(receiver: Receiver) -> None:
    """GitHub's delivery at the webhook of another forge, with whatever headers help it there."""
    post = signed(push_of("github"))
    for kind in set(KINDS) - {"github"}:
        assert receiver.post(post, kind) == 401
        event = dict(signed(push_of(kind)).headers)
        del event[SIGNATURES[kind]]
        assert receiver.post(replace(post, headers={**event, **post.headers}), kind) == 401


def test_githubs_old_signature_does_not_count(receiver: Receiver) -> None:
    """X-Hub-Signature is made with SHA-1 by GitHub."""
    post = signed(push_of("github"))
    headers = dict(post.headers)
    headers["X-Hub-Signature"] = headers.pop("X-Hub-Signature-256")
    assert receiver.post(replace(post, headers=headers), "github") == 401


def test_a_refusal_does_not_say_why(receiver: Receiver) -> None:
    post = signed(push_of("github"))
    unsigned = {name: value for name, value in post.headers.items() if "Signature" not in name}
    replies = [
        receiver.request("POST", "/hooks/github", headers, (body,))
        for headers, body in ((post.headers, b"{}"), (unsigned, post.body))
    ]
    assert replies[0] == replies[1]


def test_signatures_are_compared_in_constant_time() -> None:
    """A timing measurement would be flaky; that nothing else compares is not."""
    source = inspect.getsource(forms)
    assert "hmac.compare_digest" in source
    assert not any(each in source for each in ("== expected", "expected ==", "== given", "key =="))
