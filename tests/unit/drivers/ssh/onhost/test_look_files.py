"""What the look says of files and of those who may lead it elsewhere, on a root of its own."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.look_files import LARGEST_TEXT_BYTES, files
from reconciler.drivers.ssh.onhost.remembered import Remembered


def sum_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def mark_of(path: str, seal: str) -> dict[str, Any]:
    return {"kind": "file", "question": {"name": path}, "seal": seal}


def look(root: Path, path: str, *details: str, seal: str = "") -> Any:
    marks = [mark_of(path, seal)] if seal else []
    known = Remembered(marks, str(root / "remembered"), str(root))
    question = {"about": "file", "name": path, "details": list(details)}
    known.consider([question])
    return next(files([question], known))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text(f"me:x:{os.getuid()}:0:::\n")
    (tmp_path / "etc/group").write_text(f"mine:x:{os.getgid()}:\n")
    return tmp_path


def test_a_file_with_all_that_is_known_of_it(root: Path) -> None:
    (root / "etc/motd").write_text("hello\n")
    (root / "etc/motd").chmod(0o640)
    assert look(root, "/etc/motd") == {
        "type": "file",
        "mode": "0640",
        "owner": "me",
        "group": "mine",
        "size_bytes": 6,
        "content": "hello\n",
        "sum": sum_of(b"hello\n"),
        "is_sealed": False,
    }


def test_nothing_where_there_is_nothing(root: Path) -> None:
    assert look(root, "/etc/no") is None
    assert look(root, "/no/such/directory") is None
    assert look(root, "/etc/passwd/below") is None


def test_the_bits_beyond_the_permissions_are_told(root: Path) -> None:
    (root / "srv").mkdir()
    (root / "srv").chmod(0o2775)
    found = look(root, "/srv")
    assert (found["type"], found["mode"]) == ("directory", "2775")


def test_a_link_is_told_and_not_followed(root: Path) -> None:
    (root / "etc/link").symlink_to("passwd")
    found = look(root, "/etc/link")
    assert (found["type"], found["target"]) == ("link", "passwd")
    assert "content" not in found


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "etc/pipe")
    assert look(root, "/etc/pipe")["type"] == "other"


@pytest.mark.parametrize(
    ("content", "is_text"),
    [
        (b"x" * LARGEST_TEXT_BYTES, True),
        (b"x" * (LARGEST_TEXT_BYTES + 1), False),
        (b"x" * 3_000_000, False),
        (b"\xff", False),
        ("ü\0\n".encode(), True),
        (b"", True),
    ],
)
def test_what_is_long_or_no_text_has_a_sum_only(root: Path, content: bytes, is_text: bool) -> None:
    (root / "etc/it").write_bytes(content)
    found = look(root, "/etc/it")
    assert found["sum"] == sum_of(content)
    assert ("content" in found) is is_text


def test_a_secret_content_stays_there_and_its_sum_says_nothing(root: Path) -> None:
    (root / "etc/key").write_text("1234")
    found = look(root, "/etc/key", "secret", seal=sum_of(b"1234"))
    assert "content" not in found
    assert found["sum"] != sum_of(b"1234")
    assert found["is_sealed"]
    assert look(root, "/etc/key", "secret")["sum"] == found["sum"]


def test_the_key_of_sums_is_root_s_alone(root: Path) -> None:
    (root / "etc/key").write_text("1234")
    look(root, "/etc/key", "secret")
    assert (root / "remembered").stat().st_mode & 0o777 == 0o700
    assert [each.name for each in (root / "remembered").iterdir()] == ["secret.key"]
    assert (root / "remembered/secret.key").stat().st_mode & 0o777 == 0o600


def test_what_one_question_calls_secret_is_secret_in_all(root: Path) -> None:
    (root / "etc/key").write_text("1234")
    asked = [
        {"about": "file", "name": "/etc/key", "details": list(details)}
        for details in ((), ("secret",))
    ]
    known = Remembered([], str(root / "remembered"), str(root))
    known.consider(asked)
    first, second = files(asked, known)
    assert first == second
    assert "1234" not in str(first)


def test_a_seal_is_broken_by_another_content(root: Path) -> None:
    (root / "etc/motd").write_text("ours")
    assert look(root, "/etc/motd", seal=sum_of(b"ours"))["is_sealed"]
    (root / "etc/motd").write_text("theirs")
    assert not look(root, "/etc/motd", seal=sum_of(b"ours"))["is_sealed"]


def test_root_s_links_on_the_way_are_followed_below_the_root(root: Path) -> None:
    (root / "usr/lib").mkdir(parents=True)
    (root / "usr/lib/unit").write_text("there")
    (root / "lib").symlink_to("/usr/lib")
    (root / "usr/up").symlink_to("../lib/../lib")
    assert look(root, "/lib/unit")["content"] == "there"
    assert look(root, "/usr/up/unit")["content"] == "there"


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a link of another account")
def test_another_account_s_link_on_the_way_is_not_followed(root: Path) -> None:
    (root / "home").mkdir()
    (root / "home/link").symlink_to("/etc")
    os.chown(root / "home/link", 1234, 1234, follow_symlinks=False)
    found = look(root, "/home/link/passwd")
    assert found["type"] == "other"
    assert "content" not in found


@pytest.mark.parametrize("path", ["/etc/../etc/passwd", "/", "/etc/loop/x"])
def test_a_path_that_leads_nowhere_is_of_no_kind(root: Path, path: str) -> None:
    (root / "etc/loop").symlink_to("/etc/loop")
    found = look(root, path)
    assert found is None or found["type"] == "other"
