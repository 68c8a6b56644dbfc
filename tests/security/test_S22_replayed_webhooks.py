"""S22: a delivery that is sent again does nothing, and none of its values is ever used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_type_hints

import pytest

from reconciler.web.app import Web
from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import KINDS, START, Sample, push_of, signed

UNSIGNED_NAMES = {
    "github": "X-GitHub-Delivery",
    "gitea": "X-Gitea-Delivery",
    "forgejo": "X-Forgejo-Delivery",
    "bitbucket-cloud": "X-Request-UUID",
    "bitbucket-server": "X-Request-Id",
}


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(settings_of(tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_sent_a_thousand_times_asks_once(kind: str, receiver: Receiver) -> None:
    post = signed(push_of(kind))
    assert {receiver.post(post, kind) for _ in range(1000)} == {202}
    assert receiver.asked == 1


@pytest.mark.parametrize("kind", UNSIGNED_NAMES)
def test_a_recorded_body_under_other_names_asks_once(kind: str, receiver: Receiver) -> None:
    """Nothing but the body is signed, so whoever recorded one delivery can name it anew."""
    post = signed(push_of(kind))
    for number in range(100):
        headers = {**post.headers, UNSIGNED_NAMES[kind]: f"new-{number}"}
        assert receiver.post(replace(post, headers=headers), kind) == 202
    assert receiver.asked == 1


def test_what_carries_a_time_is_refused_when_it_is_old(receiver: Receiver) -> None:
    post = signed(push_of("gitlab-signed"), at=START)
    receiver.clock.advance(timedelta(minutes=5, seconds=1))
    assert receiver.post(post, "gitlab-signed") == 401
    assert receiver.asked == 0


def test_pushes_to_the_same_branch_are_told_apart(receiver: Receiver) -> None:
    for number in range(10):
        payload = {"ref": "refs/heads/production", "after": f"{number:040}"}
        assert receiver.send(Sample("github", "push", payload), f"d-{number}") == 202
    assert receiver.asked == 10


def test_memory_of_deliveries_is_bounded(receiver: Receiver) -> None:
    for number in range(3000):
        receiver.send(Sample("gitea", "push", {"number": number}), f"d-{number}")
    assert len(receiver.web.hooks["gitea"].remembered) == 1024


def test_no_value_of_a_payload_comes_any_further(receiver: Receiver) -> None:
    """What is called takes one bit, whether a tag moved, and nothing that could carry a value."""
    receiver.send(Sample("github", "push", {"ref": "refs/heads/x; rm -rf /", "after": "../../x"}))
    assert receiver.asked == 1
    assert get_type_hints(Web)["ask"] == Callable[[bool], None]
