"""The one kept connection to a host's libvirt, and the one table from its errors to ours.

libvirt calls block, and nothing can interrupt one that hangs. So they run on a thread of the
connection, and whoever asked stops waiting at the deadline; a thread that hangs is left behind
with its connection, and the next call gets new ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, TypeVar

import libvirt

from reconciler.drivers.refusal import Missing, Refused
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable

DEADLINE = timedelta(seconds=60)
T = TypeVar("T")

_ERRORS: dict[int, type[DriverError]] = {
    libvirt.VIR_ERR_NO_DOMAIN: NotFound,
    libvirt.VIR_ERR_NO_STORAGE_POOL: NotFound,
    libvirt.VIR_ERR_NO_STORAGE_VOL: NotFound,
    libvirt.VIR_ERR_NO_NETWORK: NotFound,
    libvirt.VIR_ERR_AUTH_FAILED: Denied,
    libvirt.VIR_ERR_AUTH_CANCELLED: Denied,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: Denied,
    libvirt.VIR_ERR_ACCESS_DENIED: Denied,
    libvirt.VIR_ERR_OPERATION_DENIED: Denied,
    libvirt.VIR_ERR_NO_CONNECT: Unreachable,
    libvirt.VIR_ERR_INVALID_CONN: Unreachable,
    libvirt.VIR_ERR_RPC: Unreachable,
    libvirt.VIR_ERR_OPERATION_TIMEOUT: Unreachable,
}
# What the transport itself says; errors that the daemon only relays have another origin.
_TRANSPORT = frozenset({libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE})
_TRANSPORT_ERRORS = frozenset({libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_INTERNAL_ERROR})


def translated(host: str, operation: str, error: Exception) -> DriverError:
    """The error in the words of `reconciler.errors`; what is in no table is a `Conflict`."""
    if isinstance(error, Missing):
        return NotFound(host, operation, str(error))
    if not isinstance(error, libvirt.libvirtError):
        return Conflict(host, operation, str(error))
    code, cause = error.get_error_code(), error.get_error_message() or str(error)
    if error.get_error_domain() in _TRANSPORT and code in _TRANSPORT_ERRORS:
        return Unreachable(host, operation, cause)
    return _ERRORS.get(code, Conflict)(host, operation, cause)


def is_outcome_unknown(error: libvirt.libvirtError) -> bool:
    """Whether what failed with this error may have taken effect all the same."""
    return isinstance(translated("", "", error), Unreachable)


class LibvirtConnection:
    """A connection to one host, opened when first used, and anew when it was lost."""

    def __init__(
        self,
        host: str,
        uri: str,
        *,
        deadline: timedelta = DEADLINE,
        opener: Callable[[str], Any] = libvirt.open,
    ) -> None:
        """`host` is how errors call it; `deadline` holds for each call, opening included."""
        # Without this libvirt prints each error to the standard error output.
        libvirt.registerErrorHandler(_quietly, None)
        self.host = host
        self._uri = uri
        self._deadline = deadline
        self._opener = opener
        self._lock = threading.Lock()
        self._line: _Line | None = None

    def run(self, operation: str, work: Callable[[Any], T]) -> T:
        """What `work` gives for the open libvirt connection. One work at a time.

        Raises:
            DriverError: libvirt or `work` refused, or there was no answer by the deadline.
        """
        line = self._open_line()
        future = line.submit(work)
        try:
            return future.result(self._deadline.total_seconds())
        except TimeoutError:
            future.cancel()
            self._hang_up(line)
            cause = f"no answer within {self._deadline.total_seconds():g} s"
            raise Unreachable(self.host, operation, cause) from None
        except (libvirt.libvirtError, Refused, Missing, ValueError) as error:
            # ValueError: libvirt-python takes no text with NUL or half a character in it.
            ours = translated(self.host, operation, error)
            if isinstance(ours, Unreachable):
                self._hang_up(line)
            raise ours from error

    def close(self) -> None:
        """Let go of the connection; a later call opens a new one."""
        with self._lock:
            line = self._line
        if line is not None:
            self._hang_up(line)

    def _open_line(self) -> _Line:
        with self._lock:
            if self._line is None:
                self._line = _Line(self.host, lambda: self._opener(self._uri))
            return self._line

    def _hang_up(self, line: _Line) -> None:
        with self._lock:
            if self._line is line:
                self._line = None
        line.finish()


class _Line:
    """A thread with a libvirt connection of its own. It never keeps the process from ending."""

    def __init__(self, host: str, opener: Callable[[], Any]) -> None:
        self._opener = opener
        self._works: SimpleQueue[tuple[Callable[[Any], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._serve, name=f"libvirt-{host}", daemon=True).start()

    def submit(self, work: Callable[[Any], T]) -> Future[T]:
        future: Future[T] = Future()
        self._works.put((work, future))
        return future

    def finish(self) -> None:
        """End after the work at hand, if that ever ends."""
        self._works.put(None)

    def _serve(self) -> None:
        connection = None
        while (item := self._works.get()) is not None:
            work, future = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if connection is None:
                    connection = self._opener()
                future.set_result(work(connection))
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                future.set_exception(error)
            del work, future, item
        if connection is not None:
            _close(connection)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except libvirt.libvirtError:
        return  # it was lost already


def _quietly(context: object, error: object) -> None:
    del context, error
