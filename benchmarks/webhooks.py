"""Ten thousand signed deliveries in a minute: how long each waits, what is fetched, what it takes.

    python -m benchmarks.webhooks [--posts N] [--seconds N] [--senders N]

The receiver is `reconciler`'s own, in a process of its own, on loopback. Its question to the
repository takes a second. The deliveries come evenly over the time, each on a new connection.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import multiprocessing
import os
import platform
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.config.hook_settings import HookSettings
from reconciler.daemon.clock import SystemClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import SchedulerAlarms, Timing
from reconciler.daemon.slots import Next
from reconciler.web.app import Standing, Web
from reconciler.web.hooks import hooks_of
from reconciler.web.server import serving

SECRET = "a secret for measuring only"  # noqa: S105
FETCH_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
COMMITS = [{"id": f"{number:040}", "message": "x" * 200} for number in range(20)]


class Fetches:
    """The question to the repository: slow, and counted."""

    def __init__(self) -> None:
        self.count = self.most_at_once = self._at_once = 0

    def __call__(self) -> Iterable[str]:
        """Take a while."""
        self.count += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        threading.Event().wait(FETCH_SECONDS)
        self._at_once -= 1
        return ()


def receive(line: Connection) -> None:
    """The receiver; says where it listens, and at the end what it did."""
    fetches, clock = Fetches(), SystemClock()
    timing = Timing(clock, SchedulerAlarms(), lambda: 0.0)
    loop = Loop([], lambda *_: Next(), fetches, pace=Pace(), timing=timing)
    thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "secret")
        file.write_text(SECRET, encoding="utf-8")
        file.chmod(0o600)
        hooks = hooks_of({"farm": HookSettings(kind="github", secret_file=file)})
        web = Web(hooks, lambda _: loop.poll_now(), Standing(lambda: True, lambda: True), clock)
        with serving("127.0.0.1:0", web.app()) as where:
            line.send(where)
            while (asked := line.recv()) != "stop":
                line.send(_memory_kib() if asked == "memory" else None)
    loop.stop()
    line.send((fetches.count, fetches.most_at_once))


def main() -> None:
    """Send, wait, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--senders", type=int, default=16)
    options = parser.parse_args()
    line, other = multiprocessing.Pipe()
    receiver = multiprocessing.get_context("spawn").Process(target=receive, args=(other,))
    receiver.start()
    where = line.recv()
    warm = max(options.posts // 10, 1)
    _storm(where, range(-warm, 0), options.seconds / 10, options.senders)
    before = _ask(line, "memory")
    taken, statuses = _storm(where, range(options.posts), options.seconds, options.senders)
    after = _ask(line, "memory")
    line.send("stop")
    fetched, at_once = line.recv()
    receiver.join()
    _print(sorted(taken), statuses, f"{before:,} → {after:,} KiB", (fetched, at_once))


def _storm(
    where: str, numbers: range, seconds: float, senders: int
) -> tuple[list[float], Counter[int]]:
    """Each delivery at its moment; how long each took, and how it was answered."""
    began = time.monotonic()
    gap = seconds / len(numbers)

    def send(place: tuple[int, int]) -> tuple[float, int]:
        order, number = place
        wait = began + order * gap - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        return _post(where, number)

    with ThreadPoolExecutor(senders) as pool:
        results = list(pool.map(send, enumerate(numbers)))
    return [each for each, _ in results], Counter(status for _, status in results)


def _post(where: str, number: int) -> tuple[float, int]:
    payload = {"ref": "refs/heads/production", "after": f"{number:040}", "commits": COMMITS}
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /hooks/farm HTTP/1.1\r\nHost: farm\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: push\r\nX-GitHub-Delivery: d{number}\r\nConnection: close\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    parts = urlsplit(where)
    began = time.perf_counter()
    with socket.create_connection((parts.hostname, parts.port), PATIENCE_SECONDS) as line:
        line.sendall(head.encode() + body)
        answer = line.recv(4096)
    return time.perf_counter() - began, int(answer.split()[1]) if answer else 0


def _ask(line: Connection, what: str) -> int:
    line.send(what)
    answer: int = line.recv()
    return answer


def _memory_kib() -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("VmRSS"))


def _print(
    taken: list[float], statuses: Counter[int], memory: str, fetches: tuple[int, int]
) -> None:
    write = sys.stdout.write
    write(f"Python {platform.python_version()}, {os.cpu_count()} cores\n\n| | |\n|---|---|\n")
    for name, part in (("median", 0.5), ("p99", 0.99), ("slowest", 1.0)):
        value = taken[min(int(len(taken) * part), len(taken) - 1)]
        write(f"| {name} | {value * 1000:.1f} ms |\n")
    answered = ", ".join(f"{count:,} times {status}" for status, count in sorted(statuses.items()))
    write(f"| answers | {answered} |\n")
    write(f"| fetches of {FETCH_SECONDS:.0f} s | {fetches[0]}, at most {fetches[1]} at once |\n")
    write(f"| memory of the receiver, before and after | {memory} |\n")


if __name__ == "__main__":
    main()
