"""The one kept connection to a host's libvirt, and the one table from its errors to ours."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import libvirt

from reconciler.drivers.libvirt_.line import Dial, Direct, Line
from reconciler.drivers.refusal import Missing, Refused
from reconciler.errors import Conflict, Denied, DriverError, NotFound, Unreachable
from reconciler.plan.show.escape import shortened, visible

DEADLINE = timedelta(seconds=60)
SIDE_THREADS = 8
LONGEST_CAUSE = 1000
LONGEST_SAID = 4000  # of ssh, whose warning about a changed key is long
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
_WRAPPED = ("Cannot recv data: ", ": Connection reset by peer")
_KEY_REFUSED = "Host key verification failed."
_STRICT = "you have requested strict checking."
_NOT_LET_IN = "Permission denied ("
_COMPARE = (
    "Compare the fingerprint on the host's console (ssh-keygen -lf "
    "/etc/ssh/ssh_host_ed25519_key.pub), then mend its line in the known_hosts file"
)
_AUTHORIZE = "add our public key to authorized_keys there"


def translated(host: str, operation: str, error: Exception) -> DriverError:
    """The error in the words of `reconciler.errors`; what is in no table is a `Conflict`.

    What the host says is cut short, and nothing in it acts on a terminal or a log.
    """
    if isinstance(error, Missing):
        return NotFound(host, operation, harmless(str(error)))
    if not isinstance(error, libvirt.libvirtError):
        return Conflict(host, operation, harmless(str(error)))
    code, cause = error.get_error_code(), error.get_error_message() or str(error)
    if error.get_error_domain() in _TRANSPORT and code in _TRANSPORT_ERRORS:
        return _of_transport(host, operation, cause[:LONGEST_SAID])
    return _ERRORS.get(code, Conflict)(host, operation, harmless(cause))


def harmless(cause: str) -> str:
    """What a host or its guest said, on one line that acts on no terminal, and cut short."""
    return shortened(" ".join(cause.split()), LONGEST_CAUSE)


def _of_transport(host: str, operation: str, cause: str) -> DriverError:
    """What the ssh program said reaches us inside of libvirt's words, on several lines."""
    said = cause.removeprefix(_WRAPPED[0]).removesuffix(_WRAPPED[1])
    lines = [visible(line.strip()) for line in said.splitlines() if line.strip()]
    if _KEY_REFUSED in cause:
        shown = next((line for line in lines if line.startswith("SHA256:")), "")
        reason = next((line for line in lines if _STRICT in line), _KEY_REFUSED)
        refusal = f"{reason} It shows {shown}." if shown else reason
        return Denied(host, operation, f"{refusal} {_COMPARE}")
    if _NOT_LET_IN in cause:
        return Denied(host, operation, f"{' '.join(lines)}; {_AUTHORIZE}")
    return Unreachable(host, operation, " ".join(lines))


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
        dial: Callable[[], Dial] | None = None,
    ) -> None:
        """`host` is how errors call it; `deadline` holds for each call, opening included.

        `dial` makes the connections where more than a URI is needed to open and to cut them.
        """
        # Without this libvirt prints each error to the standard error output.
        libvirt.registerErrorHandler(_quietly, None)
        self.host = host
        self._deadline = deadline
        self._dial: Callable[[], Dial] = dial or partial(Direct, uri, opener)
        self._lock = threading.Lock()
        self._line: Line | None = None

    def run(
        self, operation: str, work: Callable[[Any], T], *, deadline: timedelta | None = None
    ) -> T:
        """What `work` gives for the open libvirt connection. One work at a time.

        A work with a deadline of its own, such as a migration, gets a connection of its own, so
        that it does not hold up the others.

        Raises:
            DriverError: libvirt or `work` refused, or there was no answer by the deadline.
        """
        if deadline is None:
            line = self._open_line()
            return self._await(operation, line, [line.submit(work)], self._deadline)[0]
        line = Line(self.host, self._dial())
        try:
            return self._await(operation, line, [line.submit(work)], deadline)[0]
        finally:
            line.finish()

    def gather(
        self,
        operation: str,
        works: Iterable[Callable[[Any], T]],
        *,
        deadline: timedelta | None = None,
    ) -> list[T]:
        """What many small works give, in their order, done side by side on the kept connection.

        They must not change anything. One deadline holds for all of them together. Not for use
        inside of a work.

        Raises:
            DriverError: as for `run`; what the first failing work says.
        """
        line = self._open_line()
        futures = [line.submit_beside(work, SIDE_THREADS) for work in works]
        return self._await(operation, line, futures, deadline or self._deadline)

    def close(self) -> None:
        """Let go of the connection; a later call opens a new one."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.finish()

    def _open_line(self) -> Line:
        with self._lock:
            if self._line is None:
                self._line = Line(self.host, self._dial())
            return self._line

    def _await(
        self, operation: str, line: Line, futures: Sequence[Future[T]], deadline: timedelta
    ) -> list[T]:
        seconds = deadline.total_seconds()
        try:
            wait(futures, seconds, FIRST_EXCEPTION)
            for future in futures:
                if future.done():
                    future.result()  # the first error, before what it kept from being done
            return [future.result(0) for future in futures]
        except TimeoutError:
            self._abandon(line)
            raise Unreachable(self.host, operation, f"no answer within {seconds:g} s") from None
        except (libvirt.libvirtError, Refused, Missing, ValueError) as error:
            # ValueError: libvirt-python takes no text with NUL or half a character in it.
            ours = translated(self.host, operation, error)
            if isinstance(ours, Unreachable):
                self._abandon(line)
            raise ours from error
        finally:
            for future in futures:
                future.cancel()

    def _abandon(self, line: Line) -> None:
        with self._lock:
            if self._line is line:
                self._line = None
        line.abandon()


def _quietly(context: object, error: object) -> None:
    del context, error
