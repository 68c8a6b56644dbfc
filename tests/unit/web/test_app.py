"""What is answered, in which order things are looked at, and what is told of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import (
    KINDS,
    SECRET,
    Post,
    Sample,
    github_samples,
    other_samples,
    push_of,
    signed,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_push_asks_the_repository(kind: str, receiver: Receiver) -> None:
    assert receiver.send(push_of(kind)) == 202
    assert receiver.asked == 1


@pytest.mark.parametrize("sample", other_samples(), ids=lambda each: f"{each.kind}-{each.event}")
def test_what_the_forges_document_is_accepted(sample: Sample, receiver: Receiver) -> None:
    assert receiver.send(sample) == 202
    assert receiver.asked == 1


@pytest.mark.parametrize(
    "payload",
    [
        {"ref": "refs/tags/approve/production/0a1b"},
        {"ref": "approve/production/0a1b", "ref_type": "tag"},
        {"push": {"changes": [{"new": {"type": "branch"}}, {"new": {"type": "tag"}}]}},
        {"push": {"changes": [{"new": None, "old": {"type": "annotated_tag"}}]}},
        {"changes": [1, {"refId": "refs/tags/v1"}]},
    ],
)
def test_a_tag_may_be_what_a_commit_waits_for(payload: object, receiver: Receiver) -> None:
    assert receiver.send(Sample("generic", "push", payload)) == 202
    assert (receiver.asked, receiver.opening) == (1, 1)


@pytest.mark.parametrize(
    "sample",
    [
        Sample("github", "pull_request_review", {"action": "submitted"}),
        Sample("gitlab", "Merge Request Hook", {"object_attributes": {"action": "approved"}}),
        Sample("gitea", "pull_request_approved", {}),
        Sample("forgejo", "pull_request_approved", {}),
        Sample("bitbucket-cloud", "pullrequest:approved", {}),
        Sample("bitbucket-server", "pr:reviewer:approved", {}),
    ],
    ids=lambda each: each.kind,
)
def test_an_approval_may_be_what_a_commit_waits_for(sample: Sample, receiver: Receiver) -> None:
    assert receiver.send(sample) == 202
    assert receiver.opening == 1


def test_what_happens_to_a_merge_request_besides_is_nothing_to_us(receiver: Receiver) -> None:
    opened = {"object_attributes": {"action": "open"}}
    assert receiver.send(Sample("gitlab", "Merge Request Hook", opened)) == 204


def test_a_branch_opens_no_gate(receiver: Receiver) -> None:
    for kind in ("gitlab", "gitea", "bitbucket-cloud", "bitbucket-server"):
        receiver.send(push_of(kind))
    assert (receiver.asked, receiver.opening) == (4, 0)


def test_a_ping_is_answered_and_asks_nothing(receiver: Receiver) -> None:
    ping = next(each for each in github_samples() if each.event == "ping")
    assert receiver.send(ping) == 200
    assert receiver.send(Sample("bitbucket-server", "diagnostics:ping", {"test": True})) == 200
    assert receiver.asked == 0


def test_other_events_are_nothing_to_us(receiver: Receiver) -> None:
    assert receiver.send(Sample("github", "issues", {})) == 204
    assert receiver.send(Sample("github", "", {})) == 204
    assert receiver.send(Sample("gitlab", "Job Hook", {})) == 204
    assert receiver.asked == 0


def test_a_generic_delivery_without_an_event_is_a_push(receiver: Receiver) -> None:
    post = signed(push_of("generic"))
    headers = {name: value for name, value in post.headers.items() if name != "X-Event"}
    assert receiver.post(Post(headers, post.body), "generic") == 202


def test_only_the_repository_that_was_asked_for_counts(tmp_path: Path) -> None:
    for sample in other_samples():
        ours = Receiver(settings_of(tmp_path, repository=sample.repository))
        others = Receiver(settings_of(tmp_path, repository="infra/other"))
        assert (ours.send(sample), ours.asked) == (202, 1)
        assert (others.send(sample), others.asked) == (204, 0)


def test_a_repository_that_is_not_named_is_not_ours(tmp_path: Path) -> None:
    receiver = Receiver(settings_of(tmp_path, repository="infra/farm"))
    for payload in ({}, {"repository": None}, {"repository": "infra/farm"}, {"repository": [1]}):
        assert receiver.send(Sample("github", "push", payload)) == 204


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"null", b"\xff", b"payload=%7B%7D", b"[" * 9999]
)
def test_a_signed_body_that_is_no_object_is_said_so(body: bytes, receiver: Receiver) -> None:
    from tests.webhooks.senders import hexadecimal

    headers = {"X-Hub-Signature-256": f"sha256={hexadecimal(body)}", "X-GitHub-Event": "push"}
    reply = receiver.request("POST", "/hooks/github", headers, (body,))
    assert (reply.status, receiver.asked) == (400, 0)
    assert b"application/json" in reply.body


def test_an_unknown_name_is_told_nothing(receiver: Receiver) -> None:
    post = signed(push_of("github"))
    assert receiver.post(post, "nobody") == 404
    assert receiver.post(post, "GitHub") == 404
    assert receiver.post(post, "github/") == 404
    assert receiver.request("GET", "/hooks/nobody").status == 404


def test_only_post_delivers(receiver: Receiver) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        reply = receiver.request(method, "/hooks/github")
        assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_health_is_a_word(receiver: Receiver) -> None:
    assert receiver.request("GET", "/healthz").body == b"well"
    assert receiver.request("GET", "/readyz").body == b"ready"
    receiver.is_well = receiver.is_ready = False
    stalled, not_ready = (receiver.request("GET", each) for each in ("/healthz", "/readyz"))
    assert (stalled.status, stalled.body) == (503, b"stalled")
    assert (not_ready.status, not_ready.body) == (503, b"not ready")


def test_health_can_be_asked_for_and_nothing_else(receiver: Receiver) -> None:
    for path in ("/healthz", "/readyz"):
        assert receiver.request("HEAD", path).status == 200
        assert receiver.request("POST", path).status == 405
        assert receiver.request("OPTIONS", path).status == 405


def test_nothing_else_is_served(receiver: Receiver) -> None:
    for path in ("/", "/docs", "/openapi.json", "/hooks", "/hooks/", "/healthz/", "//healthz"):
        assert receiver.request("GET", path).status == 404


def test_every_answer_is_safe_in_a_browser(receiver: Receiver) -> None:
    for method, path in (("GET", "/healthz"), ("GET", "/nowhere"), ("POST", "/hooks/github")):
        headers = receiver.request(method, path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


def test_several_secrets_hold_at_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings["github"].secret_file.write_text(f"a newer, better secret\n\n  {SECRET}\n")
    receiver = Receiver(settings)
    assert receiver.send(push_of("github"), "d-1") == 202
    assert receiver.send(push_of("github"), "d-2", secret="a newer, better secret") == 202
    assert receiver.send(push_of("github"), "d-3", secret="a secret of nobody") == 401


def test_each_accepted_delivery_is_a_line(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.send(push_of("gitea"), "d-77")
    assert caplog.messages == ["webhook gitea: push d-77: accepted"]


def test_refusals_are_a_line_a_minute(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    from datetime import timedelta

    bad = replace(signed(push_of("github")), body=b"{}")
    for _ in range(1000):
        receiver.post(bad, "github")
    receiver.clock.advance(timedelta(minutes=1))
    receiver.post(bad, "github")
    told = [each for each in caplog.messages if "refused" in each]
    assert told == [
        "webhook github: refused deliveries: 1 bad signature",
        "webhook github: refused deliveries: 1000 bad signature",
    ]


def test_too_many_at_once_are_slowed_down_but_count(receiver: Receiver) -> None:
    statuses = [
        receiver.send(Sample("generic", "push", {"number": number}), f"d-{number}")
        for number in range(400)
    ]
    assert (statuses.count(202), statuses.count(429)) == (300, 100)
    assert receiver.asked == 400
