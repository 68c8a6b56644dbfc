"""Forges on loopback, which answer as the documentation of the three says, or misbehave.

They are stricter than the real ones: a field or a query that is not documented is refused, so that
a typing error is found here. The documentation is named in README.md beside this file.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.forges.project import Project


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.reply = Reply(status, body)


Answering = Callable[..., Reply]
Route = tuple[str, str, Answering]
Fault = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Api:
    """The shape of one kind of forge. `who` says whether a call bears the token."""

    base: str
    routes: Sequence[Route]
    is_known: Callable[[Mapping[str, str]], bool]
    sizes: str


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what many tests are about."""


class FakeForge:
    """A server. `fault` misbehaves instead of answering; `asked` is every call so far."""

    def __init__(
        self, kind: str, api: Api, project: Project, tls: ssl.SSLContext | None = None
    ) -> None:
        self.kind, self.api, self.project = kind, api, project
        self.asked: list[Asked] = []
        self.fault: Fault | None = None
        self.over = threading.Event()
        self.answered = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def origin(self) -> str:
        host = "127.0.0.1" if self._scheme == "http" else "localhost"
        return f"{self._scheme}://{host}:{self._server.server_port}"

    @property
    def url(self) -> str:
        return self.origin + self.api.base

    @contextmanager
    def serving(self) -> Iterator[FakeForge]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(10)

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Wait until something is so, looking after each answer."""
        with self.answered:
            return bool(self.answered.wait_for(condition, 30))

    def answer(self, asked: Asked) -> Reply:
        if not self.api.is_known(asked.headers):
            return Reply(401, {"message": "Bad credentials"})
        try:
            for method, pattern, answering in self.api.routes:
                match = re.fullmatch(pattern, asked.path)
                if match and method == asked.method:
                    reply = answering(self.project, asked, *match.groups())
                    return self._page(asked, reply)
        except Refused as refused:
            return refused.reply
        return Reply(404, {"message": "Not Found"})

    def _page(self, asked: Asked, reply: Reply) -> Reply:
        """Cut a list into pages, with the Link header that all three have."""
        if not isinstance(reply.body, list) or "X-No-Pages" in reply.headers:
            return reply
        most = min(int(asked.query.get(self.api.sizes, "30")), self.project.page_size)
        page = int(asked.query.get("page", "1"))
        rest = reply.body[(page - 1) * most :]
        link = f'<{self.origin}{asked.path}?page={page + 1}>; rel="next"'
        headers = {"Link": link} if len(rest) > most else {}
        return Reply(reply.status, rest[:most], {**headers, "X-Total": str(len(reply.body))})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                forge.asked.append(_asked(self))
                if forge.fault is not None:
                    forge.fault(self)
                    self.close_connection = True
                else:
                    write(self, forge.answer(forge.asked[-1]))
                with forge.answered:
                    forge.answered.notify_all()

            do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815 - the server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        return Handler


def _asked(handler: BaseHTTPRequestHandler) -> Asked:
    place = urlsplit(handler.path)
    query = {name: values[-1] for name, values in parse_qs(place.query).items()}
    length = int(handler.headers.get("Content-Length", "0"))
    content = handler.rfile.read(length) if length else b""
    body = json.loads(content) if content else None
    return Asked(handler.command, place.path, query, body, dict(handler.headers.items()))


def write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    content = b"" if reply.body is None else json.dumps(reply.body).encode()
    handler.send_response(reply.status)
    handler.send_header("Content-Type", "application/json; charset=utf-8")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def fields(
    asked: Asked, required: Mapping[str, type], optional: Mapping[str, type], status: int = 422
) -> Mapping[str, Any]:
    """The body of a call, of which each field must be documented and of its type."""
    body = asked.body or {}
    wrong = [name for name in required if name not in body]
    wrong += [n for n in body if not isinstance(body[n], {**required, **optional}.get(n, ()))]
    if wrong:
        raise Refused(status, {"message": "Validation Failed", "errors": [{"field": wrong[0]}]})
    return body


def queries(asked: Asked, *known: str) -> Mapping[str, str]:
    """The query of a call, all of it documented."""
    unknown = set(asked.query) - {*known, "page"}
    if unknown:
        raise Refused(422, {"message": f"unknown {sorted(unknown)}"})
    return asked.query


def not_found(found: object) -> None:
    if not found:
        raise Refused(404, {"message": "Not Found"})
