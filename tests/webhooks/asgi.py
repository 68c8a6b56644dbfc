"""Requests to an application without a socket: quick enough for thousands of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(
    app: ASGIApp,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    parts: Iterable[bytes] = (b"",),
) -> Reply:
    """What an application answers. The parts of the body come one by one, the last one last.

    What the application raises comes out of here, as nothing is between.
    """
    raw = [
        (name.lower().encode(), value.encode("latin-1", "replace"))
        for name, value in (headers or {}).items()
    ]
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": b"",
        "headers": raw,
    }
    return asyncio.run(_exchange(app, scope, list(parts)))


async def _exchange(app: ASGIApp, scope: dict[str, Any], parts: list[bytes]) -> Reply:
    sent: list[Message] = []
    waiting = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]

    async def receive() -> Message:
        return waiting.pop(0) if waiting else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert not sent[-1].get("more_body", False)
    headers = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(each["body"] for each in sent[1:]))
