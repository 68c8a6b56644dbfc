"""What answers requests: `POST /hooks/NAME`, `GET /healthz` and `GET /readyz`, nothing else.

A refusal never says what was wrong with a signature, and no answer shows anything of the farm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.daemon.clock import Clock
from reconciler.web.body import Bodies, NotRead, linger
from reconciler.web.complaints import Complaints
from reconciler.web.hooks import Answer, Hook, Verdict

_log = logging.getLogger(__name__)
_CLOSE = {"Connection": "close"}
_DIGITS = 12
_SECURITY = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_STATUS: Mapping[Answer, tuple[int, str]] = {
    Answer.ACCEPTED: (202, "accepted"),
    Answer.AGAIN: (202, "accepted"),
    Answer.PING: (200, "pong"),
    Answer.IGNORED: (204, ""),
    Answer.MALFORMED: (400, "the body is no JSON object; let the sender use application/json"),
    Answer.FLOOD: (429, "too many deliveries"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the loop is well, and whether it has looked at everything once."""

    is_well: Callable[[], bool]
    is_ready: Callable[[], bool]


@dataclass(slots=True)
class Web:
    """Everything that requests are answered from. `hooks` may be exchanged at any time.

    `ask` asks the repository; it is told whether a commit that waits at a gate may go on now.
    """

    hooks: Mapping[str, Hook]
    ask: Callable[[bool], None]
    standing: Standing
    clock: Clock
    bodies: Bodies = field(default_factory=Bodies)
    complaints: Complaints = field(default_factory=Complaints)

    def app(self) -> ASGIApp:
        """The application to serve."""
        return _Guarded(
            Router(
                [
                    Route("/hooks/{name}", _Hooks(self)),
                    Route("/healthz", self._health, methods=["GET"]),
                    Route("/readyz", self._readiness, methods=["GET"]),
                ],
                redirect_slashes=False,
            )
        )

    async def _health(self, _request: Request) -> Response:
        is_well = self.standing.is_well()
        return PlainTextResponse("well" if is_well else "stalled", 200 if is_well else 503)

    async def _readiness(self, _request: Request) -> Response:
        is_ready = self.standing.is_ready()
        return PlainTextResponse("ready" if is_ready else "not ready", 200 if is_ready else 503)

    async def deliver(self, hook: Hook, headers: Headers, receive: Receive) -> Response:
        """Take a delivery; cheap checks come first, and the body is read only for a signature."""
        if not hook.may_be_genuine(headers):
            return self._refuse(hook, 401, "no signature")
        try:
            body = await self.bodies.read(receive, _announced(headers))
        except NotRead as reason:
            return self._refuse(hook, reason.status, reason.why)
        if not hook.is_genuine(headers, body, self.clock.now()):
            return self._refuse(hook, 401, "bad signature")
        return self._settle(hook, hook.judge(headers, body, self.clock.monotonic()))

    def _settle(self, hook: Hook, verdict: Verdict) -> Response:
        if verdict.asks:
            self.ask(verdict.may_open_gates)
        if verdict.answer in {Answer.MALFORMED, Answer.FLOOD}:
            self._complain(hook, verdict.answer.value)
        else:
            _log.info(
                "webhook %s: %s %s: %s",
                hook.name,
                verdict.event or "no event",
                verdict.delivery or "without a name",
                verdict.answer.value,
            )
        status, text = _STATUS[verdict.answer]
        headers = {"Retry-After": "60"} if verdict.answer is Answer.FLOOD else None
        return PlainTextResponse(text, status, headers) if text else Response(status_code=status)

    def _refuse(self, hook: Hook, status: int, why: str) -> Response:
        self._complain(hook, why)
        text = {401: "refused", 413: "too large"}.get(status, "not received")
        return PlainTextResponse(text, status, _CLOSE)

    def _complain(self, hook: Hook, why: str) -> None:
        if line := self.complaints.about(hook.name, why, self.clock.monotonic()):
            _log.warning("%s", line)


class _Incoming:
    """What arrives of a request, and whether all of it has."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_whole = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self.is_whole = not message.get("more_body", False)
        return message


class _Hooks:
    """The webhooks, as an application of its own: whether a name is known comes first."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = _Incoming(receive)
        hook = self._web.hooks.get(scope["path_params"]["name"])
        if hook is None:
            response: Response = PlainTextResponse("Not Found", 404, _CLOSE)
        elif scope["method"] != "POST":
            response = PlainTextResponse("Method Not Allowed", 405, {"Allow": "POST", **_CLOSE})
        else:
            response = await self._web.deliver(hook, Headers(scope=scope), incoming)
        await _answer(response, scope, incoming, send)


class _Guarded:
    """Adds to every answer what keeps browsers from making anything of it."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SECURITY]
            await send(message)

        await self._inner(scope, receive, guarded)


def _announced(headers: Headers) -> int:
    """How large a body says it is; a server has checked that it is a number."""
    text = headers.get("content-length", "").lstrip("0")
    # Some digits are enough to see that it is too large; all of them could be very many.
    return int(text[:_DIGITS]) if text.isascii() and text.isdigit() else 0


async def _answer(response: Response, scope: Scope, incoming: _Incoming, send: Send) -> None:
    """Send the answer, and hold the connection a little for what a refused sender still sends."""

    async def held(message: Message) -> None:
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and not incoming.is_whole:
            await send({**message, "more_body": True})
            await linger(incoming)
            message = {**message, "body": b""}
        await send(message)

    await response(scope, incoming, held)
