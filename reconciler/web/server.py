"""Serving beside the loop: a socket, and uvicorn in a thread of its own that leaves signals alone.

The socket is bound before the thread starts, so that what stands in the way is said at the start.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from reconciler.config.hook_settings import TcpAddress, parse_listen
from reconciler.errors import SettingsError
from reconciler.web.connections import USUAL, BoundedProtocol, Bounds

_log = logging.getLogger(__name__)
_BACKLOG = 512
_MOST_HEADER_BYTES = 16 * 1024
_IDLE_SECONDS = 5
_STOP_SECONDS = 2
_JOIN_SECONDS = 5.0
_FOR_THE_PROXY = 0o660
_MEANINGS: Mapping[int, str] = {
    errno.EADDRINUSE: "another program listens there; stop it (ss -ltnp), or choose another",
    errno.EADDRNOTAVAIL: "this machine has no such address; ip address shows those it has",
    errno.EACCES: "we may not listen there; choose a port from 1024 on, or another directory",
    errno.ENOENT: "its directory does not exist; create it, or choose another",
}


@contextmanager
def serving(listen: str, app: ASGIApp, bounds: Bounds = USUAL) -> Iterator[str]:
    """While inside, the application answers at the address; gives the address as it came to be.

    Raises:
        SettingsError: nobody can listen there, and why.
    """
    with _bound(listen) as bound:
        server = uvicorn.Server(_configuration(app, bounds))
        thread = threading.Thread(target=_serve, args=(server, bound), name="web", daemon=True)
        thread.start()
        try:
            yield _shown(bound)
        finally:
            server.should_exit = True
            thread.join(_JOIN_SECONDS)
            if thread.is_alive():
                _log.warning("the web server did not stop in time and is left")


def _configuration(app: ASGIApp, bounds: Bounds) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=partial(BoundedProtocol, bounds=bounds),  # type: ignore[arg-type]  # it is only called
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # an invalid request is not worth a line: anybody can send thousands
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
    )


def _serve(server: uvicorn.Server, bound: socket.socket) -> None:
    try:
        server.run([bound])
    except BaseException:  # noqa: BLE001 - uvicorn leaves by SystemExit, too
        _log.exception("the web server broke off")
    if not server.should_exit:
        _log.error("nothing is served any more until a restart; the repository is still polled")


@contextmanager
def _bound(listen: str) -> Iterator[socket.socket]:
    where = parse_listen(listen)
    try:
        bound = _tcp(where) if isinstance(where, TcpAddress) else _unix(where)
    except OSError as error:
        reason = _MEANINGS.get(error.errno or 0, error.strerror or str(error))
        raise SettingsError("settings", [f"listen: {listen}: {reason}"]) from error
    with closing(bound):
        if isinstance(where, TcpAddress):
            yield bound
            return
        ours = _inode(where)
        try:
            yield bound
        finally:
            if _inode(where) == ours:
                where.unlink(missing_ok=True)


def _tcp(where: TcpAddress) -> socket.socket:
    family = socket.AF_INET6 if isinstance(where.address, IPv6Address) else socket.AF_INET
    # Only if the protocol is named does asyncio send small answers at once (TCP_NODELAY).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((str(where.address), where.port))
        bound.listen(_BACKLOG)
    except BaseException:
        bound.close()
        raise
    if not where.address.is_loopback:
        _log.warning("%s is reached without TLS; put a proxy in front of it", _shown(bound))
    return bound


def _unix(path: Path) -> socket.socket:
    """A socket for us and our group, in place of one that a killed process left behind."""
    _make_way(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # On Linux the file gets the mode of the socket: at no moment is it open to others.
        os.fchmod(bound.fileno(), _FOR_THE_PROXY)
        bound.bind(str(path))
        path.chmod(_FOR_THE_PROXY)
        bound.listen(_BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


def _make_way(path: Path) -> None:
    """Remove a socket that nobody answers at; anything else stays, and is in the way."""
    if _inode(path) is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)


def _inode(path: Path) -> int | None:
    """Which socket is at a path; None if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino if stat.S_ISSOCK(found.st_mode) else None


def _shown(bound: socket.socket) -> str:
    name = bound.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host, port = name[0], name[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
