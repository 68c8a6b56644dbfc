"""Each forge's form of signature, by vectors that we did not compute."""

from __future__ import annotations

import subprocess

import pytest
from starlette.datastructures import Headers

from reconciler.daemon.clock import ManualClock
from reconciler.web.forms import FORMS, only, word
from tests.webhooks.senders import KINDS, START, TOKEN, push_of, secret_of, signed

NOW = ManualClock().now()


def accepts(kind: str, headers: dict[str, str], body: bytes, key: str) -> bool:
    form = FORMS[kind]  # type: ignore[index]  # the kinds of tests are those of the settings
    return form.verify(form.key(key), Headers(headers), body, NOW)


def test_githubs_documented_example_holds() -> None:
    """From GitHub's page on validating deliveries."""
    given = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": given}
    assert accepts("github", headers, b"Hello, World!", "It's a Secret to Everybody")


def test_the_example_of_standard_webhooks_holds() -> None:
    """From the specification's own libraries: another time, so the clock is set to it."""
    headers = Headers(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
    )
    form = FORMS["gitlab-signed"]
    key = form.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    then = NOW.fromtimestamp(1614265330, tz=NOW.tzinfo)
    assert form.verify(key, headers, b'{"test": 2432232314}', then)


@pytest.mark.parametrize(
    ("kind", "header", "prefix"),
    [
        ("github", "X-Hub-Signature-256", "sha256="),
        ("gitea", "X-Gitea-Signature", ""),
        ("forgejo", "X-Forgejo-Signature", ""),
        ("bitbucket-cloud", "X-Hub-Signature", "sha256="),
        ("bitbucket-server", "X-Hub-Signature", "sha256="),
        ("generic", "X-Signature-256", "sha256="),
    ],
)
def test_openssl_signs_the_same(kind: str, header: str, prefix: str) -> None:
    body, key = push_of(kind).body, "a secret for the tests only"
    command = ["openssl", "dgst", "-sha256", "-hmac", key, "-r"]
    done = subprocess.run(command, input=body, capture_output=True, check=True, timeout=30)
    headers = {header: prefix + done.stdout.decode().split()[0]}
    assert accepts(kind, headers, body, key)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_own_form_counts(kind: str) -> None:
    """A delivery that is genuine for one kind is none for any kind of another form."""
    post = signed(push_of(kind))
    for other in set(KINDS) - {kind}:
        alike = FORMS[other].signature in {name.lower() for name in post.headers}  # type: ignore[index]
        if not alike:
            assert not accepts(other, dict(post.headers), post.body, secret_of(other))


def signed_at(age_seconds: int) -> bool:
    post = signed(push_of("gitlab-signed"), at=START - age_seconds)
    return accepts("gitlab-signed", dict(post.headers), post.body, TOKEN)


def test_a_signature_with_a_time_holds_for_five_minutes() -> None:
    assert signed_at(300)
    assert signed_at(-300)
    assert not signed_at(301)
    assert not signed_at(-301)


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "-1", "²", "9" * 40, " "])
def test_a_time_that_is_none_is_no_error(timestamp: str) -> None:
    post = signed(push_of("gitlab-signed"))
    raw = [
        (name.lower().encode(), value.encode())
        for name, value in {**post.headers, "webhook-timestamp": timestamp}.items()
    ]
    form = FORMS["gitlab-signed"]
    assert not form.verify(form.key(TOKEN), Headers(raw=raw), post.body, NOW)


def test_one_good_signature_of_several_is_enough() -> None:
    """Senders that change their key sign with both for a while."""
    post = signed(push_of("gitlab-signed"))
    old = "v1," + "A" * 43 + "="
    both = {**post.headers, "webhook-signature": f"{old} {post.headers['webhook-signature']} v2,x"}
    assert accepts("gitlab-signed", both, post.body, TOKEN)


@pytest.mark.parametrize("token", ["secret of sixteen", "whsec_", "whsec_***", "whsec_a"])
def test_what_is_no_signing_token_is_said_so(token: str) -> None:
    with pytest.raises(ValueError, match="is no signing token"):
        FORMS["gitlab-signed"].key(token)


def test_a_header_that_comes_twice_does_not_count() -> None:
    headers = Headers(raw=[(b"x-a", b"1"), (b"x-a", b"1"), (b"x-b", b" 2 ")])
    assert (only(headers, "x-a"), only(headers, "x-b"), only(headers, "x-c")) == ("", "2", "")


def test_only_plain_words_are_kept() -> None:
    headers = Headers(
        raw=[(b"a", b"\x1b[31mred"), (b"b", b"x" * 201), (b"c", b"ok-1"), (b"d", b"\xff")]
    )
    assert [word(headers, each) for each in "abcd"] == ["", "", "ok-1", ""]
