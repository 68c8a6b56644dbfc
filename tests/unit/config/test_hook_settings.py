"""Where to listen, and webhooks by name: what may be written."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from reconciler.config.hook_settings import TcpAddress, parse_listen
from reconciler.config.settings import Settings
from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("127.0.0.1:8080", TcpAddress(ip_address("127.0.0.1"), 8080)),
        ("192.0.2.9:1", TcpAddress(ip_address("192.0.2.9"), 1)),
        ("[::1]:65535", TcpAddress(ip_address("::1"), 65535)),
        ("unix:/run/reconciler/web.sock", Path("/run/reconciler/web.sock")),
    ],
)
def test_what_can_be_listened_at(text: str, meant: object) -> None:
    assert parse_listen(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.256:80",
        "::1:80",
        "[127.0.0.1]:80",
        "[::1]",
        "[fe80::1%eth0]:80",
        "http://127.0.0.1:80",
        "127.0.0.1:80\n",
        "unix:",
        "unix:web.sock",
        "unix:/run/",
        "unix:/run/\x00",
        "unix:/" + "x" * 107,
    ],
)
def test_what_cannot_be_listened_at_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"listen|Unix socket"):
        parse_listen(text)


def problems(tmp_path: Path, text: str) -> str:
    file = tmp_path / "reconciler.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    return str(caught.value)


def test_mistakes_are_told_with_their_place(tmp_path: Path) -> None:
    said = problems(
        tmp_path,
        "listen: localhost:80\n"
        "hooks:\n"
        "  Bad_Name: {kind: github, secret_file: a}\n"
        "  b: {kind: sourcehut, secret_file: a}\n"
        "  c: {kind: github}\n"
        "  d: {kind: github, secret_file: a, secret: plain}\n",
    )
    for expected in (
        "line 1",
        "127.0.0.1:8080",
        "line 3",
        "a-z, 0-9 and -",
        "line 4",
        "line 5",
        "line 6",
    ):
        assert expected in said


def test_there_are_not_too_many_webhooks(tmp_path: Path) -> None:
    lines = [f"  h{number}: {{kind: github, secret_file: a}}\n" for number in range(65)]
    assert "at most 64" in problems(tmp_path, "hooks:\n" + "".join(lines))


def test_a_secret_file_is_found_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("hooks: {a: {kind: generic, secret_file: keys/a}}\n", encoding="utf-8")
    assert load_settings(file).hooks["a"].secret_file == tmp_path / "keys/a"
    assert Settings().hooks == {}
