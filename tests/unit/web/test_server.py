"""Real sockets: where it listens, what stands in the way, and that it stops."""

from __future__ import annotations

import logging
import signal
import socket
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.web import server
from reconciler.web.connections import Bounds
from tests.webhooks.lines import answer, connect, delivery, exchange, head, status, status_of
from tests.webhooks.receiver import Receiver
from tests.webhooks.senders import push_of, signed

PUSH = delivery(signed(push_of("github")), "github")
HASTY = Bounds(headers_within=timedelta(seconds=0.2), answer_within=timedelta(seconds=0.5))


def test_it_answers_at_an_address(receiver: Receiver) -> None:
    with receiver.listening() as where:
        assert status(where, PUSH) == 202
    assert receiver.asked == 1


def test_it_answers_at_an_address_of_ipv6(receiver: Receiver) -> None:
    with receiver.listening("[::1]:0") as where:
        assert where.startswith("http://[::1]:")
        assert status(where, PUSH) == 202


def test_small_answers_are_not_held_back() -> None:
    """TCP_NODELAY is set by asyncio if the protocol is named; else some answers wait for 40 ms."""
    for listen in ("127.0.0.1:0", "[::1]:0"):
        with server._bound(listen) as bound:
            assert bound.proto == socket.IPPROTO_TCP


def test_it_answers_at_a_unix_socket_for_us_and_our_group(
    receiver: Receiver, tmp_path: Path
) -> None:
    path = tmp_path / "web.sock"
    with receiver.listening(f"unix:{path}") as where:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert status(where, PUSH) == 202
    assert not path.exists()


def test_a_socket_that_a_killed_process_left_is_replaced(
    receiver: Receiver, tmp_path: Path
) -> None:
    path = tmp_path / "web.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with receiver.listening(f"unix:{path}") as where:
        assert status(where, PUSH) == 202


def test_a_socket_that_somebody_listens_at_is_left(receiver: Receiver, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path / 'web.sock'}"
    with receiver.listening(listen) as where:
        with (
            pytest.raises(SettingsError, match="another program listens"),
            receiver.listening(listen),
        ):
            pass
        assert status(where, PUSH) == 202


def test_a_file_in_the_way_is_left(receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    path.write_text("precious")
    with pytest.raises(SettingsError), receiver.listening(f"unix:{path}"):
        pass
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("192.0.2.1:8080", "this machine has no such address"),
        ("unix:/nonexistent/web.sock", "its directory does not exist"),
    ],
)
def test_what_stands_in_the_way_is_said(listen: str, why: str, receiver: Receiver) -> None:
    with pytest.raises(SettingsError, match=why), receiver.listening(listen):
        pass


def test_a_port_that_is_taken_is_said(receiver: Receiver) -> None:
    with receiver.listening() as where:
        listen = where.removeprefix("http://")
        with (
            pytest.raises(SettingsError, match="another program listens"),
            receiver.listening(listen),
        ):
            pass


def test_an_address_that_others_reach_is_said(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver.listening("0.0.0.0:0"):
        pass
    assert "without TLS" in caplog.text


def test_signals_are_left_to_others(receiver: Receiver) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(each) for each in numbers]
    with receiver.listening() as where:
        assert status(where, PUSH) == 202
        assert [signal.getsignal(each) for each in numbers] == before
    assert [signal.getsignal(each) for each in numbers] == before


def test_it_stops_with_connections_that_dawdle(receiver: Receiver) -> None:
    with receiver.listening() as where:
        idle, halfway = connect(where), connect(where)
        halfway.sendall(PUSH[:-10])
        assert status(where, PUSH) == 202
    names = {each.name for each in threading.enumerate()}
    assert "web" not in names
    for line in (idle, halfway):
        line.close()


def test_headers_that_do_not_come_are_not_waited_for(receiver: Receiver) -> None:
    with receiver.listening(bounds=HASTY) as where:
        for part in (b"", b"POST /hooks/github HTTP/1.1\r\nHost:"):
            with connect(where) as line:
                line.sendall(part)
                assert line.recv(1) == b""


def test_later_requests_of_a_connection_have_the_same_deadline(receiver: Receiver) -> None:
    with receiver.listening(bounds=HASTY) as where, connect(where) as line:
        line.sendall(PUSH)
        assert status_of(answer(line)) == 202
        line.sendall(b"POST /hooks")
        assert line.recv(1) == b""


def test_the_oldest_of_too_many_connections_makes_room(receiver: Receiver) -> None:
    bounds = Bounds(most_connections=5)
    with receiver.listening(bounds=bounds) as where:
        lines = [connect(where) for _ in range(5)]
        assert status(where, PUSH) == 202
        assert answer(lines[0]) == b""
        lines[-1].sendall(head("GET", "/healthz", {}))
        assert status_of(answer(lines[-1])) == 200
        for line in lines:
            line.close()


def test_a_burst_of_connections_is_cut_to_what_is_allowed(receiver: Receiver) -> None:
    with receiver.listening(bounds=Bounds(most_connections=20)) as where:
        lines = [connect(where) for _ in range(200)]
        assert all(answer(line) == b"" for line in lines[:180])
        lines[-1].sendall(head("GET", "/healthz", {}))
        assert status_of(answer(lines[-1])) == 200
        for line in lines:
            line.close()


def test_a_connection_that_is_used_is_not_old(receiver: Receiver) -> None:
    with receiver.listening(bounds=Bounds(most_connections=5)) as where:
        used = connect(where)
        idle = [connect(where) for _ in range(4)]
        used.sendall(head("GET", "/healthz", {}))
        assert status_of(answer(used)) == 200
        assert status(where, PUSH) == 202
        used.sendall(head("GET", "/healthz", {}))
        assert status_of(answer(used)) == 200
        assert answer(idle[0]) == b""
        for line in (used, *idle):
            line.close()


def test_endless_headers_are_refused(receiver: Receiver) -> None:
    with receiver.listening() as where:
        assert status(where, head("GET", "/healthz", {"X": "x" * 1_000_000})) in {0, 400}
        assert status(where, PUSH) == 202


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /hooks/%00%ff%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_garbage_is_answered_and_not_logged(
    garbage: bytes, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with receiver.listening(bounds=HASTY) as where:
        assert status(where, garbage) in {0, 400, 404}
        assert status(where, PUSH) == 202
    ours = ("webhook github: push", "webhook github: refused deliveries: 1 ")
    assert [each for each in caplog.messages if not each.startswith(ours)] == []


def test_the_server_is_not_named(receiver: Receiver) -> None:
    with receiver.listening() as where:
        seen = exchange(where, head("GET", "/healthz", {})).lower()
    assert b"server:" not in seen
    assert b"uvicorn" not in seen
