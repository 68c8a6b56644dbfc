"""A forge that is away, slow, refusing or hostile: bounded calls, and words for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.gitops.forges.open import open_forge
from reconciler.gitops.forges.port import CommitStatus, Forge, State
from tests.forges.bench import KINDS, opened, serving, settings_for, token_file
from tests.forges.fake import FakeForge, Reply, write
from tests.forges.misbehaving import (
    answering,
    dripping,
    endless,
    hanging_up,
    holding,
    page,
)
from tests.forges.project import TOKEN, Project

COMMIT = "1" * 40
STATUS = CommitStatus("reconciler/production", State.SUCCESS, "Ready")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=KINDS)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    with serving(request.param, Project(any_commit=True)) as forge:
        yield forge


@pytest.fixture
def github() -> Iterator[FakeForge]:
    with serving("github", Project(any_commit=True)) as forge:
        yield forge


def say(forge: Forge) -> None:
    forge.set_status(COMMIT, STATUS)


def read(forge: Forge) -> None:
    forge.pull_requests(COMMIT)


def test_a_forge_that_is_away_is_unreachable_and_then_left_alone(tmp_path: Path) -> None:
    clock = Clock()
    with serving("github") as fake:
        forge = opened(fake, tmp_path, monotonic=clock)
    for _ in range(2):
        with pytest.raises(Unreachable, match="commit status: ConnectError"):
            say(forge)
    with pytest.raises(Unreachable, match="it is left alone for 5s, after it failed"):
        say(forge)
    clock.seconds += 5
    with pytest.raises(Unreachable, match="ConnectError"):
        say(forge)


@pytest.mark.parametrize("act", [say, read])
def test_a_hundred_tries_in_an_hour_are_few_calls(
    fake: FakeForge, tmp_path: Path, act: Callable[[Forge], None]
) -> None:
    clock = Clock()
    forge = opened(fake, tmp_path, monotonic=clock, deadline="10h")
    fake.fault = answering(500, {"message": "Server Error"})
    for _ in range(100):
        with pytest.raises(Unreachable):
            act(forge)
        clock.seconds += 36
    assert len(fake.asked) <= 40
    fake.fault = None
    clock.seconds += 600
    act(forge)
    act(forge)


def test_a_token_that_is_not_accepted_is_not_tried_without_end(
    fake: FakeForge, tmp_path: Path
) -> None:
    clock = Clock()
    forge = opened(fake, tmp_path, monotonic=clock)
    token_file(tmp_path, "tok-revoked")
    for _ in range(100):
        with pytest.raises((Denied, Unreachable)):
            say(forge)
        clock.seconds += 36
    assert len(fake.asked) <= 20
    token_file(tmp_path)  # a new one is written while we run
    clock.seconds += 600
    say(forge)
    assert fake.project.statuses


def test_a_forge_that_holds_its_connections_is_given_up(fake: FakeForge, tmp_path: Path) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic, deadline="1s")
    holds = holding()
    fake.fault = holds.fault
    with pytest.raises(Unreachable, match="no whole answer within 1s"):
        say(forge)
    holds.released.set()


def test_a_byte_now_and_then_does_not_hold_us(github: FakeForge, tmp_path: Path) -> None:
    forge = opened(github, tmp_path, monotonic=time.monotonic, deadline="1s")
    over = threading.Event()
    github.fault = dripping(over)
    with pytest.raises(Unreachable, match="no whole answer within 1s"):
        read(forge)
    over.set()


@pytest.mark.parametrize("act", [say, read])
def test_a_body_without_end_is_cut_off(
    fake: FakeForge, tmp_path: Path, act: Callable[[Forge], None]
) -> None:
    sent: list[int] = []
    forge = opened(fake, tmp_path, monotonic=time.monotonic, deadline="60s")
    fake.fault = endless(sent)
    with pytest.raises(Unreachable, match=r"the answer has more than \d+ bytes"):
        act(forge)
    assert sum(sent) < 64 * 1024 * 1024


def test_a_page_for_people_is_no_answer(fake: FakeForge, tmp_path: Path) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic)
    fake.fault = page
    with pytest.raises(Unreachable, match=r"is forge\.url the address of its API\?"):
        read(forge)


def test_a_connection_that_ends_is_unreachable(fake: FakeForge, tmp_path: Path) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic)
    fake.fault = hanging_up
    with pytest.raises(Unreachable):
        say(forge)
    assert len(fake.asked) == 1  # a status may have been taken: it is not sent twice
    with pytest.raises(Unreachable):
        read(forge)
    assert len(fake.asked) == 3


def test_reading_is_tried_once_more(fake: FakeForge, tmp_path: Path) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic)

    def once(handler: object) -> None:
        fake.fault = None
        answering(502)(handler)  # type: ignore[arg-type] # it is given on as it came

    fake.fault = once
    assert forge.pull_requests(COMMIT) == ()
    assert [each.path for each in fake.asked[:2]] == [fake.asked[0].path] * 2


def test_a_redirect_to_another_host_never_gets_the_token(fake: FakeForge, tmp_path: Path) -> None:
    with serving("github") as other:
        forge = opened(fake, tmp_path, monotonic=time.monotonic)
        for status in (301, 302, 303, 307, 308):
            place = f"{other.origin}/user"
            fake.fault = answering(status, {"message": "moved"}, {"Location": place})
            for act in (say, read):
                with pytest.raises(Denied, match="a redirect that is not followed"):
                    act(forge)
        assert other.asked == []


def test_a_renamed_project_on_the_same_host_is_followed(github: FakeForge, tmp_path: Path) -> None:
    settings = settings_for(github, token_file(tmp_path), project="acme/old-name")
    forge = open_forge(settings, time.monotonic)
    assert forge is not None

    def moved(handler: object) -> None:
        asked = github.asked[-1]
        new = asked.path.replace("old-name", "farm")
        reply = Reply(307, {"message": "Moved"}, {"Location": new})
        write(handler, reply if new != asked.path else github.answer(asked))  # type: ignore[arg-type] # as it came

    github.fault = moved
    say(forge)
    assert github.project.standing(COMMIT, STATUS.context) is not None


@pytest.mark.parametrize("status", [301, 302, 303])
def test_what_was_to_be_written_is_not_written_elsewhere(
    github: FakeForge, tmp_path: Path, status: int
) -> None:
    forge = opened(github, tmp_path, monotonic=time.monotonic)
    github.fault = answering(status, None, {"Location": "/elsewhere"})
    with pytest.raises(Denied, match="a redirect that is not followed"):
        say(forge)
    assert len(github.asked) == 1


def test_redirects_in_a_circle_end(github: FakeForge, tmp_path: Path) -> None:
    forge = opened(github, tmp_path, monotonic=time.monotonic)
    github.fault = answering(302, None, {"Location": "/user"})
    with pytest.raises(Denied):
        read(forge)
    assert len(github.asked) <= 6


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "120"}, 120),
        (403, {"Retry-After": "90"}, 90),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"}, 3600),
        (429, {}, 60),
        (429, {"Retry-After": "99999999"}, 3600),
        (429, {"Retry-After": "-5"}, 60),
        (429, {"Retry-After": "soon", "X-RateLimit-Reset": "x" * 100}, 60),
    ],
)
def test_a_forge_that_says_it_is_too_much_is_left_alone(
    fake: FakeForge, tmp_path: Path, status: int, headers: dict[str, str], seconds: int
) -> None:
    clock = Clock()
    forge = opened(fake, tmp_path, monotonic=clock)
    fake.fault = answering(status, {"message": "rate limit exceeded"}, headers)
    with pytest.raises(Unreachable, match="we ask too much"):
        say(forge)
    fake.fault = None
    clock.seconds += seconds - 1
    with pytest.raises(Unreachable, match="it is left alone"):
        say(forge)
    assert len(fake.asked) == 1
    clock.seconds += 2
    say(forge)


def test_a_list_without_end_is_not_read_to_its_end(fake: FakeForge, tmp_path: Path) -> None:
    fake.project.page_size = 1
    for at in range(50):
        fake.project.pull(f"topic-{at}", "main", COMMIT)
    forge = opened(fake, tmp_path, monotonic=time.monotonic)
    with pytest.raises(Conflict, match="the list has more than 20 pages"):
        read(forge)
    assert len(fake.asked) <= 21


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Denied), (403, Denied), (404, NotFound), (422, Conflict), (503, Unreachable)],
)
def test_an_error_says_what_the_forge_said(
    fake: FakeForge, tmp_path: Path, status: int, kind: type[DriverError]
) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic)
    fake.fault = answering(status, {"message": "no \x1b[31mway\n::error::"})
    with pytest.raises(kind) as caught:
        say(forge)
    assert type(caught.value) is kind
    assert f"it answered {status} (no \\x1b[31mway\\n::error::)" in str(caught.value)
    assert str(caught.value).startswith("127.0.0.1: commit status: ")


@pytest.mark.parametrize(
    "body",
    [[], {}, {"message": None}, {"message": {"a": ["b"]}}, {"errors": [[[[1]]]]}, "x", 7, None],
)
def test_no_form_of_an_error_breaks_us(fake: FakeForge, tmp_path: Path, body: object) -> None:
    forge = opened(fake, tmp_path, monotonic=time.monotonic)
    fake.fault = answering(422, body)
    with pytest.raises(Conflict, match="it answered 422"):
        say(forge)


@pytest.mark.parametrize(
    "body", [{}, [], [{}], [[]], {"a": 1}, [None], "x", 7, None, [{"id": "x"}]]
)
def test_no_form_of_an_answer_breaks_us(fake: FakeForge, tmp_path: Path, body: object) -> None:
    acts: tuple[Callable[[Forge], object], ...] = (
        read,
        lambda f: f.approvals(1),
        lambda f: f.comment(1, "reconciler/review", "x"),
        lambda f: f.open_pull_request("promote/a-b", "main", "t", "b"),
        lambda f: f.release("v1.0.0", "t", "b"),
    )
    for act in acts:
        fake.fault = None
        forge = opened(fake, tmp_path, monotonic=time.monotonic)
        fake.fault = answering(200, body)
        try:
            act(forge)
        except DriverError as error:
            assert TOKEN not in str(error)  # noqa: PT017 - that it may do well is part of it
