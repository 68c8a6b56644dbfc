"""One host's line in a known_hosts file is replaced; everything else stays as it is."""

from __future__ import annotations

import threading
from pathlib import Path

import paramiko
import pytest

from reconciler.drivers.ssh.pins import pin, pinned

NEW = "10.0.0.1 ssh-ed25519 NEW"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("10.0.0.1 ssh-ed25519 OLD\n", ""),
        ("10.0.0.1 ssh-ed25519 OLD\n10.0.0.1 ssh-rsa OLD\n", ""),
        ("virt1,10.0.0.1 ssh-ed25519 OLD\n", "virt1 ssh-ed25519 OLD\n"),
        ("10.0.0.10 ssh-ed25519 K\n", "10.0.0.10 ssh-ed25519 K\n"),
        ("[10.0.0.1]:2222 ssh-ed25519 K\n", "[10.0.0.1]:2222 ssh-ed25519 K\n"),
        ("# 10.0.0.1 ssh-ed25519 K\n\n", "# 10.0.0.1 ssh-ed25519 K\n\n"),
        ("@cert-authority * ssh-rsa K", "@cert-authority * ssh-rsa K\n"),
        ("|1|broken ssh-rsa K\n", "|1|broken ssh-rsa K\n"),
    ],
)
def test_only_the_host_s_own_lines_are_replaced(before: str, after: str) -> None:
    assert pinned(before, "10.0.0.1", NEW) == f"{after}{NEW}\n"


def test_a_hashed_name_is_recognised() -> None:
    hashed = paramiko.HostKeys.hash_host("10.0.0.1")
    other = paramiko.HostKeys.hash_host("10.0.0.2")
    text = f"{hashed} ssh-rsa OLD\n{other} ssh-rsa K\n"
    assert pinned(text, "10.0.0.1", NEW) == f"{other} ssh-rsa K\n{NEW}\n"


def test_the_file_is_made_and_not_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    pin(file, "10.0.0.1", NEW, lambda _: None)
    before = file.stat()
    assert (file.read_text(), before.st_mode & 0o777) == (f"{NEW}\n", 0o644)
    pin(file, "10.0.0.1", NEW, lambda _: None)
    assert file.stat().st_ino == before.st_ino


def test_several_at_once_lose_no_line(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"

    def sleep(seconds: float) -> None:
        threading.Event().wait(seconds)

    def add(number: int) -> None:
        pin(file, f"10.0.0.{number}", f"10.0.0.{number} ssh-ed25519 K", sleep)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file.read_text().splitlines()) == 8
