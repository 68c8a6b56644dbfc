"""A line to one host's libvirt: a connection with threads of its own, which may be abandoned.

libvirt calls block, and nothing can interrupt one that hangs. So they run on threads of the line,
and whoever asked stops waiting at the deadline. Who gives up cuts the line: what carries it is
ended, so that the hanging calls come back and the threads end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import libvirt

T = TypeVar("T")
_Works = SimpleQueue[tuple[Callable[[Any], Any], Future[Any]] | None]


class Dial(Protocol):
    """One attempt at a connection."""

    def open(self) -> Any:
        """The open libvirt connection."""
        ...

    def cut(self) -> None:
        """End what carries it, from another thread, while it is being opened as well as later."""
        ...

    def clear(self) -> None:
        """The connection is closed: remove what it needed."""
        ...


@dataclass(frozen=True, slots=True)
class Direct:
    """A connection that nothing of ours carries."""

    uri: str
    opener: Callable[[str], Any] = libvirt.open

    def open(self) -> Any:
        """Open it."""
        return self.opener(self.uri)

    def cut(self) -> None:
        """There is nothing to end: its keepalive finds out, or its own end does."""

    def clear(self) -> None:
        """There is nothing to remove."""


@dataclass(slots=True)
class _Opened:
    """The connection of a line, opened by the first thread that needs it."""

    dial: Dial
    connection: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self) -> Any:
        with self.lock:
            if self.connection is None:
                self.connection = self.dial.open()
            return self.connection


class Line:
    """Works one at a time on a thread, and others beside it. It keeps no process from ending."""

    def __init__(self, host: str, dial: Dial) -> None:
        """Nothing is opened before the first work."""
        self._name = f"libvirt-{host}"
        self._dial = dial
        self._opened = _Opened(dial)
        self._works: _Works = SimpleQueue()
        self._side_works: _Works = SimpleQueue()
        self._side_threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._thread(self._serve_and_close).start()

    def submit(self, work: Callable[[Any], T]) -> Future[T]:
        """Do it after the works before it."""
        return _put(self._works, work)

    def submit_beside(self, work: Callable[[Any], T], threads: int) -> Future[T]:
        """Do it at once, as soon as one of so many further threads is free."""
        with self._lock:
            if len(self._side_threads) < threads:
                thread = self._thread(lambda: self._serve(self._side_works))
                self._side_threads.append(thread)
                thread.start()
        return _put(self._side_works, work)

    def finish(self) -> None:
        """End after the works at hand."""
        self._works.put(None)

    def abandon(self) -> None:
        """End now: the works at hand hang, and come back with an error."""
        self.finish()
        self._dial.cut()

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        return threading.Thread(target=target, name=self._name, daemon=True)

    def _serve_and_close(self) -> None:
        self._serve(self._works)
        with self._lock:
            threads = tuple(self._side_threads)
        for _ in threads:
            self._side_works.put(None)
        for thread in threads:
            thread.join()
        if self._opened.connection is not None:
            _close(self._opened.connection)
        self._dial.clear()

    def _serve(self, works: _Works) -> None:
        while (item := works.get()) is not None:
            work, future = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work(self._opened.get()))
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                future.set_exception(error)
            del work, future, item


def _put(works: _Works, work: Callable[[Any], T]) -> Future[T]:
    future: Future[T] = Future()
    works.put((work, future))
    return future


def _close(connection: Any) -> None:
    try:
        connection.close()
    except libvirt.libvirtError:
        return  # it was lost already
