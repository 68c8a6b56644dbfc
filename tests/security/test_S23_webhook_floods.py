"""S23: large, slow, malformed and very many requests do not stop a good one."""

from __future__ import annotations

import contextlib
import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.web.body import MOST_BYTES, Bodies
from reconciler.web.connections import Bounds
from tests.webhooks.lines import answer, connect, delivery, exchange, head, status, status_of
from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import Sample, hexadecimal, push_of, signed

SLOW_ONES = 200
PUSH = delivery(signed(push_of("github")), "github")
SIGNED = {"X-Hub-Signature-256": "sha256=" + "0" * 64, "X-GitHub-Event": "push"}
HASTY = Bounds(headers_within=timedelta(seconds=0.3), answer_within=timedelta(seconds=3))


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(settings_of(tmp_path))


@contextlib.contextmanager
def dawdling(where: str, request: bytes) -> Iterator[list[socket.socket]]:
    """Two hundred senders that never come to an end."""
    lines = [connect(where) for _ in range(SLOW_ONES)]
    for line in lines:
        with contextlib.suppress(ConnectionError):  # of those that had to make room already
            line.sendall(request)
    try:
        yield lines
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize(
    "request_part",
    [
        b"",
        b"POST /hooks/github HTTP/1.1\r\nHost: a\r\nX-Half: ",
        PUSH[:-1],
        PUSH.replace(b"Content-Length", b"X-Length").replace(
            b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", 1
        )[:600],
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk"],
)
def test_slow_senders_do_not_stop_a_good_one(request_part: bytes, receiver: Receiver) -> None:
    with receiver.listening() as where, dawdling(where, request_part):
        assert status(where, PUSH) == 202
        assert receiver.asked == 1


def test_slow_heads_are_hung_up_on(receiver: Receiver) -> None:
    with receiver.listening(bounds=HASTY) as where, dawdling(where, b"POST /hooks") as lines:
        assert {answer(line) for line in lines} == {b""}


def test_slow_bodies_are_told_so(tmp_path: Path) -> None:
    bodies = Bodies(within=timedelta(seconds=0.3))
    receiver = Receiver(settings_of(tmp_path), bodies)
    with receiver.listening() as where, dawdling(where, PUSH[:-1]) as lines:
        assert {status_of(answer(line)) for line in lines} == {408}
    assert receiver.asked == 0


def test_a_body_that_comes_byte_by_byte_has_the_same_deadline(tmp_path: Path) -> None:
    receiver = Receiver(settings_of(tmp_path), Bodies(within=timedelta(seconds=0.2)))
    with receiver.listening() as where, connect(where) as line:
        line.sendall(head("POST", "/hooks/github", {**SIGNED, "Content-Length": "100000"}))
        line.settimeout(0.01)
        seen = b""
        for _ in range(1000):
            line.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                seen = line.recv(4096)
                break
    assert status_of(seen) == 408


def test_more_connections_than_there_may_be_do_not_stop_a_good_one(receiver: Receiver) -> None:
    bounds = Bounds(most_connections=50)
    with receiver.listening(bounds=bounds) as where, dawdling(where, PUSH[:-1]):
        for _ in range(20):
            assert status(where, PUSH) == 202


def test_a_body_that_says_it_is_too_large_is_not_waited_for(receiver: Receiver) -> None:
    size = {"Content-Length": str(MOST_BYTES + 1)}
    with receiver.listening() as where:
        assert status(where, head("POST", "/hooks/github", {**SIGNED, **size})) == 413


@pytest.mark.parametrize("announced", [str(MOST_BYTES + 1), "9" * 30, "9" * 15])
def test_the_announced_size_is_looked_at_before_anything_is_read(
    announced: str, receiver: Receiver
) -> None:
    headers = {**SIGNED, "Content-Length": announced}
    reply = receiver.request("POST", "/hooks/github", headers, (b"x",))
    assert reply.status == 413


def test_a_body_that_does_not_say_its_size_is_counted(receiver: Receiver) -> None:
    part = b"x" * 65536
    reply = receiver.request("POST", "/hooks/github", SIGNED, [part] * 100)
    assert reply.status == 413


def test_the_largest_body_is_read(receiver: Receiver) -> None:
    body = b'{"a": "' + b"x" * (MOST_BYTES - 9) + b'"}'
    headers = {**SIGNED, "X-Hub-Signature-256": f"sha256={hexadecimal(body)}"}
    assert len(body) == MOST_BYTES
    assert receiver.request("POST", "/hooks/github", headers, (body,)).status == 202
    assert receiver.request("POST", "/hooks/github", headers, (body, b" ")).status == 413


@pytest.mark.parametrize(("name", "told"), [("github", 413), ("nobody", 404)])
def test_who_sends_too_much_can_finish(name: str, told: int, receiver: Receiver) -> None:
    """Hanging up at once would reset the connection, perhaps before the answer is read."""
    size = {"Content-Length": str(3 * MOST_BYTES)}
    with receiver.listening() as where, connect(where) as line:
        line.sendall(head("POST", f"/hooks/{name}", {**SIGNED, **size}))
        assert status_of(answer(line)) == told
        for _ in range(3 * 16):
            line.sendall(b"x" * (MOST_BYTES // 16))


def test_large_bodies_at_once_take_no_more_memory_than_is_allowed(tmp_path: Path) -> None:
    bodies = Bodies(most_bytes_of_all=4 * MOST_BYTES)
    receiver = Receiver(settings_of(tmp_path), bodies)
    most = head("POST", "/hooks/github", {**SIGNED, "Content-Length": str(MOST_BYTES)})
    with receiver.listening() as where:
        tracemalloc.start()
        with ThreadPoolExecutor(20) as pool:
            lines = [connect(where) for _ in range(20)]
            list(pool.map(lambda line: line.sendall(most + b"x" * (MOST_BYTES - 1)), lines))
            assert status(where, PUSH) == 202
            told = [status_of(answer(line)) for line in lines[:10]]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for line in lines:
            line.close()
    assert 408 in told
    assert peak < 20 * MOST_BYTES


def test_signed_floods_are_slowed_down(receiver: Receiver) -> None:
    seen = [receiver.send(Sample("gitea", "push", {"n": n}), f"d-{n}") for n in range(1000)]
    assert set(seen) == {202, 429}


def test_nobody_is_read_who_brings_no_signature(receiver: Receiver) -> None:
    """The body is not even asked for: the sender is told before it has sent anything."""
    with receiver.listening() as where:
        wanted = {"Content-Length": "1000", "Expect": "100-continue"}
        seen = exchange(where, head("POST", "/hooks/github", wanted))
    assert status_of(seen) == 401
