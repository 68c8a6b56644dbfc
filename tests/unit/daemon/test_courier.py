"""Errands: in their order, the newest of a key, and nobody waits for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from reconciler.daemon.courier import MOST_WAITING, Courier
from reconciler.errors import Unreachable

LONG = 30.0


@pytest.fixture
def courier() -> Iterator[Courier]:
    made = Courier("telling")
    yield made
    made.close()


class Door:
    """Holds the courier up until it is opened."""

    def __init__(self, courier: Courier) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        courier.put("x", "door", self)
        assert self.reached.wait(LONG)

    def __call__(self) -> None:
        self.reached.set()
        assert self.opened.wait(LONG)


def noting(done: list[object], what: object) -> Callable[[], None]:
    return lambda: done.append(what)


def failing(message: str) -> Callable[[], None]:
    def errand() -> None:
        raise Unreachable("forge", "commit status", message)

    return errand


def test_errands_are_done_in_their_order(courier: Courier) -> None:
    done: list[object] = []
    for number in range(5):
        courier.put("x", number, noting(done, number))
    assert courier.finish(LONG)
    assert done == [0, 1, 2, 3, 4]


def test_of_what_waits_under_a_key_the_newest_is_done(courier: Courier) -> None:
    done: list[object] = []
    door = Door(courier)
    for number in range(3):
        courier.put("x", "a", noting(done, f"a{number}"))
        courier.put("x", "b", noting(done, f"b{number}"))
    door.opened.set()
    assert courier.finish(LONG)
    assert done == ["a2", "b2"]


def test_no_more_wait_than_there_is_room_for(courier: Courier) -> None:
    done: list[object] = []
    door = Door(courier)
    for number in range(MOST_WAITING + 50):
        courier.put("x", number, noting(done, number))
    door.opened.set()
    assert courier.finish(LONG)
    assert done == list(range(50, MOST_WAITING + 50))


def test_who_puts_does_not_wait_and_who_closes_has_patience_only(
    courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[object] = []
    door = Door(courier)
    courier.put("x", "a", noting(done, "a"))
    courier.close(0.01)
    courier.put("x", "b", noting(done, "b"))
    door.opened.set()
    assert courier.finish(LONG)
    assert done == []
    assert "telling: 1 were left undone" in caplog.messages


def test_what_fails_in_the_same_way_is_said_once(
    courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for number in range(5):
        courier.put("x", number, failing("away"))
    assert courier.finish(LONG)
    courier.put("x", "well", lambda: None)
    courier.put("x", "again", failing("away"))
    assert courier.finish(LONG)
    away = "telling: x: forge: commit status: away"
    assert caplog.messages == [away, "telling: x: all is well again", away]


def broken() -> None:
    raise LookupError


def test_what_nobody_foresaw_does_not_end_the_thread(
    courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[object] = []
    courier.put("x", "bad", broken)
    courier.put("x", "good", noting(done, "good"))
    assert courier.finish(LONG)
    assert done == ["good"]
    assert "it failed in an unforeseen way" in caplog.text
