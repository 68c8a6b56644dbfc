"""Works side by side, works of their own, and lines that are cut."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.drivers.libvirt_.connection import SIDE_THREADS, LibvirtConnection
from reconciler.errors import Conflict, NotFound, Unreachable

SHORT = timedelta(milliseconds=100)
LONG = timedelta(seconds=30)


class Lost(Exception):
    """What a hanging call raises when its line is cut."""


class Carrier:
    """A dial whose calls hang until it is cut; remembers what became of it."""

    def __init__(self) -> None:
        self.was_cut = threading.Event()
        self.was_closed = threading.Event()
        self.was_cleared = threading.Event()

    def open(self) -> Carrier:
        return self

    def cut(self) -> None:
        self.was_cut.set()

    def clear(self) -> None:
        self.was_cleared.set()

    def close(self) -> None:
        self.was_closed.set()

    def hang(self) -> None:
        assert self.was_cut.wait(30)
        raise Lost


class Host:
    """Makes carriers, and a connection that uses them."""

    def __init__(self, deadline: timedelta = LONG) -> None:
        self.carriers: list[Carrier] = []
        self.connection = LibvirtConnection("line-1", "", deadline=deadline, dial=self._dial)

    def _dial(self) -> Carrier:
        self.carriers.append(Carrier())
        return self.carriers[-1]


def refuse(_raw: Any) -> int:
    from reconciler.drivers.refusal import Missing

    raise Missing("it is not there")


def hang(raw: Carrier) -> None:
    raw.hang()


def give(value: int) -> Callable[[Any], int]:
    return lambda _raw: value


def no_lines_left() -> bool:
    return not [each for each in threading.enumerate() if each.name == "libvirt-line-1"]


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)  # noqa: TID251 - bounded polling of threads


def test_many_works_give_their_answers_in_order() -> None:
    host = Host()
    assert host.connection.gather("look", [give(each) for each in range(500)]) == list(range(500))
    assert host.connection.gather("look", []) == []
    assert len(host.carriers) == 1
    host.connection.close()


def test_gathered_works_are_done_side_by_side() -> None:
    host, together = Host(), threading.Barrier(SIDE_THREADS, timeout=20)
    host.connection.gather("look", [lambda _raw: together.wait()] * SIDE_THREADS)
    host.connection.close()


def test_gathered_works_do_not_wait_for_a_single_one() -> None:
    host, over = Host(), threading.Event()
    slow = threading.Thread(target=host.connection.run, args=("slow", lambda _raw: over.wait(20)))
    slow.start()
    assert host.connection.gather("look", [give(1)]) == [1]
    over.set()
    slow.join()
    host.connection.close()


def test_one_refusal_ends_the_gathering() -> None:
    host = Host()
    with pytest.raises(NotFound, match="line-1: look: it is not there"):
        host.connection.gather("look", [give(1), refuse, give(2)])
    assert host.connection.gather("look", [give(3)]) == [3]
    assert len(host.carriers) == 1
    host.connection.close()


def test_a_refusal_is_told_at_once_although_another_work_hangs() -> None:
    host = Host()
    with pytest.raises(NotFound):
        host.connection.gather("look", [hang, refuse])
    host.carriers[0].cut()
    host.connection.close()


def test_one_deadline_holds_for_all_that_is_gathered() -> None:
    host, begun = Host(SHORT), time.monotonic()
    with pytest.raises(Unreachable, match=r"line-1: look: no answer within 0\.1 s"):
        host.connection.gather("look", [hang] * 3 * SIDE_THREADS)
    assert time.monotonic() - begun < 5
    assert host.carriers[0].was_cut.is_set()
    until(no_lines_left)


def test_a_work_with_its_own_deadline_gets_a_line_of_its_own_and_gives_it_back() -> None:
    host = Host(SHORT)
    over = threading.Event()
    answers: list[str] = []

    def move(_raw: Any) -> str:
        over.wait(20)
        return "moved"

    slow = threading.Thread(
        target=lambda: answers.append(host.connection.run("move", move, deadline=LONG))
    )
    slow.start()
    until(lambda: len(host.carriers) == 1)
    assert host.connection.run("look", give(1)) == 1  # although the other is under way
    time.sleep(0.2)  # noqa: TID251 - longer than the deadline of the others
    over.set()
    slow.join()
    assert answers == ["moved"]
    assert len(host.carriers) == 2
    assert host.carriers[0].was_closed.wait(20)
    assert host.carriers[0].was_cleared.wait(20)
    assert not host.carriers[1].was_closed.is_set()
    host.connection.close()


def test_a_work_beyond_its_own_deadline_is_cut_alone() -> None:
    host = Host()
    assert host.connection.run("look", give(1)) == 1
    with pytest.raises(Unreachable, match=r"line-1: move: no answer within 0\.1 s"):
        host.connection.run("move", hang, deadline=SHORT)
    assert host.carriers[1].was_cut.is_set()
    assert not host.carriers[0].was_cut.is_set()
    assert host.connection.run("look", give(2)) == 2
    host.connection.close()
    until(no_lines_left)


def test_what_hangs_is_cut_and_its_thread_ends() -> None:
    host = Host(SHORT)
    for _ in range(20):
        with pytest.raises(Unreachable):
            host.connection.run("look", hang)
    until(no_lines_left)
    assert all(each.was_cleared.is_set() for each in host.carriers)
    assert len(host.carriers) == 20


def test_a_dial_that_is_refused_is_told_as_it_is() -> None:
    class Closed(Carrier):
        def open(self) -> Carrier:
            raise Conflict("line-1", "open", "not today")

    connection = LibvirtConnection("line-1", "", dial=Closed)
    with pytest.raises(Conflict, match="not today"):
        connection.run("look", give(1))
    connection.close()
    until(no_lines_left)
