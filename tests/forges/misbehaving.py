"""How a forge, or what answers in its place, misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.forges.fake import Fault, Reply, write

PIECE = b"x" * 65536


@dataclass
class Holding:
    """Takes a call and answers it only when told to, with a connection that ends."""

    released: threading.Event = field(default_factory=threading.Event)

    def fault(self, handler: BaseHTTPRequestHandler) -> None:
        self.released.wait(60)
        handler.close_connection = True


def holding() -> Holding:
    return Holding()


def answering(status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Fault:
    """The same answer to every call."""

    def fault(handler: BaseHTTPRequestHandler) -> None:
        write(handler, Reply(status, body, headers or {}))

    return fault


def page(handler: BaseHTTPRequestHandler) -> None:
    """A page for people, as proxies and login walls give, instead of JSON."""
    content = b"<!doctype html><title>Sign in</title>"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def endless(sent: list[int]) -> Fault:
    """A body without end; `sent` counts its bytes."""

    def fault(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(PIECE)
                sent.append(len(PIECE))

    return fault


def dripping(over: threading.Event) -> Fault:
    """A byte now and then, so that no read ever times out."""

    def fault(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while not over.wait(0.02):
                handler.wfile.write(b" ")

    return fault


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    """The connection ends without an answer."""
    handler.connection.close()


def first(fault: Fault, then: Callable[[], None]) -> Fault:
    """Misbehave once; `then` is called to set what follows."""

    def once(handler: BaseHTTPRequestHandler) -> None:
        then()
        fault(handler)

    return once
