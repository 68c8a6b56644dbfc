"""A sender that speaks HTTP by hand, so that it can speak it badly."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.webhooks.senders import Post

PATIENCE_SECONDS = 10.0


def connect(where: str) -> socket.socket:
    """A connection to a served address, TCP or Unix."""
    if where.startswith("unix:"):
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(PATIENCE_SECONDS)
        line.connect(where.removeprefix("unix:"))
        return line
    parts = urlsplit(where)
    return socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS)


def head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def delivery(post: Post, name: str) -> bytes:
    """A whole request."""
    sized = {**post.headers, "Content-Length": str(len(post.body))}
    return head("POST", f"/hooks/{name}", sized) + post.body


def exchange(where: str, request: bytes) -> bytes:
    """Everything that comes back until the other side hangs up or has answered once."""
    with connect(where) as line:
        line.sendall(request)
        return answer(line)


def answer(line: socket.socket) -> bytes:
    """One answer; empty if the other side hung up without one."""
    seen = b""
    try:
        while part := line.recv(65536):
            seen += part
            top, _, body = seen.partition(b"\r\n\r\n")
            sizes = [
                int(each.split(b":")[1])
                for each in top.lower().split(b"\r\n")
                if each.startswith(b"content-length:")
            ]
            if b"\r\n\r\n" in seen and (not sizes or len(body) >= sizes[0]):
                break
    except ConnectionError:
        pass
    return seen


def status(where: str, request: bytes) -> int:
    """The status of the answer; 0 if there was none."""
    return status_of(exchange(where, request))


def status_of(seen: bytes) -> int:
    return int(seen.split(b" ", 2)[1]) if seen else 0
