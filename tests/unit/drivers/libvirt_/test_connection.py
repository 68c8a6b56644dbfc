"""The connection to libvirt: kept, made anew, never waited for beyond the deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection, is_outcome_unknown, translated
from reconciler.drivers.refusal import Missing, Refused
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable

URI = "test:///default"
SHORT = timedelta(milliseconds=50)


class FarEnd:
    """What an opener gives; counts how often it was opened and closed."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = threading.Semaphore(0)

    def open(self, _uri: str) -> FarEnd:
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed.release()


@pytest.fixture
def hang() -> Iterator[Callable[[Any], None]]:
    """A work that hangs until the test is over."""
    over = threading.Event()

    def work(_raw: Any) -> None:
        over.wait(30)

    yield work
    over.set()


def libvirt_error(code: int, domain: int = libvirt.VIR_FROM_QEMU) -> libvirt.libvirtError:
    error = libvirt.libvirtError("it failed")
    error.err = (code, domain, "it failed", 2, None, None, None, -1, -1)
    return error


def failing(error: Exception) -> Callable[[Any], None]:
    def work(_raw: Any) -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (libvirt.VIR_ERR_NO_DOMAIN, NotFound),
        (libvirt.VIR_ERR_NO_STORAGE_POOL, NotFound),
        (libvirt.VIR_ERR_NO_STORAGE_VOL, NotFound),
        (libvirt.VIR_ERR_AUTH_FAILED, Denied),
        (libvirt.VIR_ERR_ACCESS_DENIED, Denied),
        (libvirt.VIR_ERR_OPERATION_DENIED, Denied),
        (libvirt.VIR_ERR_NO_CONNECT, Unreachable),
        (libvirt.VIR_ERR_INVALID_CONN, Unreachable),
        (libvirt.VIR_ERR_RPC, Unreachable),
        (libvirt.VIR_ERR_OPERATION_TIMEOUT, Unreachable),
        (libvirt.VIR_ERR_OPERATION_INVALID, Conflict),
        (libvirt.VIR_ERR_OPERATION_FAILED, Conflict),
        (libvirt.VIR_ERR_NO_SUPPORT, Conflict),
        (libvirt.VIR_ERR_SYSTEM_ERROR, Conflict),
        (libvirt.VIR_ERR_INTERNAL_ERROR, Conflict),
    ],
)
def test_errors_of_libvirt_become_ours(code: int, expected: type[DriverError]) -> None:
    error = translated("virt1", "start domain web", libvirt_error(code))
    assert type(error) is expected
    assert str(error) == "virt1: start domain web: it failed"


@pytest.mark.parametrize("code", [libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR])
@pytest.mark.parametrize("origin", [libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE])
def test_an_error_of_the_transport_leaves_the_outcome_unknown(code: int, origin: int) -> None:
    error = libvirt_error(code, origin)
    assert isinstance(translated("virt1", "look", error), Unreachable)
    assert is_outcome_unknown(error)
    assert not is_outcome_unknown(libvirt_error(code))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Refused("it runs"), Conflict),
        (Missing("it is not there"), NotFound),
        (ValueError("embedded null character"), Conflict),
        (libvirt_error(libvirt.VIR_ERR_NO_DOMAIN), NotFound),
    ],
)
def test_what_a_work_refuses_is_told_with_where_and_what(
    error: Exception, expected: type[DriverError]
) -> None:
    far = FarEnd()
    connection = LibvirtConnection("virt1", URI, opener=far.open)
    with pytest.raises(expected) as caught:
        connection.run("start domain web", failing(error))
    assert (caught.value.where, caught.value.operation) == ("virt1", "start domain web")
    connection.run("look", lambda _raw: None)
    assert far.opened == 1
    connection.close()


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    connection = LibvirtConnection("virt1", URI, opener=FarEnd().open)
    with pytest.raises(ZeroDivisionError):
        connection.run("look", failing(ZeroDivisionError()))
    connection.close()


def test_one_connection_is_kept() -> None:
    far = FarEnd()
    connection = LibvirtConnection("virt1", URI, opener=far.open)
    assert far.opened == 0
    assert [connection.run("look", lambda raw: raw is far) for _ in range(3)] == [True] * 3
    assert far.opened == 1
    connection.close()
    assert far.closed.acquire(timeout=10)


def test_a_closed_connection_opens_again() -> None:
    far = FarEnd()
    connection = LibvirtConnection("virt1", URI, opener=far.open)
    connection.run("look", lambda _raw: None)
    connection.close()
    connection.close()
    connection.run("look", lambda _raw: None)
    assert far.opened == 2
    connection.close()


def test_a_lost_connection_is_made_anew() -> None:
    far = FarEnd()
    connection = LibvirtConnection("virt1", URI, opener=far.open)
    lost = libvirt_error(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC)
    with pytest.raises(Unreachable):
        connection.run("look", failing(lost))
    assert far.closed.acquire(timeout=10)
    connection.run("look", lambda _raw: None)
    assert far.opened == 2
    connection.close()


def test_a_host_that_cannot_be_opened_is_unreachable_until_it_can() -> None:
    far = FarEnd()
    errors = [libvirt_error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)]

    def opener(uri: str) -> FarEnd:
        if errors:
            raise errors.pop()
        return far.open(uri)

    connection = LibvirtConnection("virt1", URI, opener=opener)
    with pytest.raises(Unreachable):
        connection.run("look", lambda _raw: None)
    assert connection.run("look", lambda raw: raw is far)
    connection.close()


def test_a_call_that_hangs_ends_at_the_deadline_and_the_next_gets_a_new_connection(
    hang: Callable[[Any], None],
) -> None:
    far = FarEnd()
    connection = LibvirtConnection("virt1", URI, deadline=SHORT, opener=far.open)
    with pytest.raises(Unreachable, match=r"no answer within 0\.05 s"):
        connection.run("look", hang)
    assert connection.run("look", lambda _raw: "seen") == "seen"
    assert far.opened == 2
    connection.close()


def test_opening_is_within_the_deadline(hang: Callable[[Any], None]) -> None:
    connection = LibvirtConnection("virt1", URI, deadline=SHORT, opener=hang)
    with pytest.raises(Unreachable):
        connection.run("look", lambda _raw: None)
    connection.close()


def test_what_waited_behind_a_call_that_hangs_is_never_done() -> None:
    far, over = FarEnd(), threading.Event()
    connection = LibvirtConnection("virt1", URI, deadline=SHORT, opener=far.open)
    connection._open_line().submit(lambda _raw: over.wait(30))
    done: list[str] = []
    with pytest.raises(Unreachable):
        connection.run("define", lambda _raw: done.append("defined"))
    over.set()
    assert far.closed.acquire(timeout=10)
    assert done == []


def test_one_work_at_a_time() -> None:
    connection = LibvirtConnection("virt1", URI, opener=FarEnd().open)
    inside = []

    def work(_raw: Any) -> int:
        inside.append(1)
        most = len(inside)
        inside.pop()
        return most

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(connection.run("look", work)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 20
    connection.close()


@pytest.mark.libvirt
def test_libvirt_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    connection = LibvirtConnection("virt1", "test:///default")
    with pytest.raises(NotFound):
        connection.run("look", lambda raw: raw.lookupByName("nobody"))
    connection.close()
    assert capfd.readouterr() == ("", "")
