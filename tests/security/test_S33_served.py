"""S33: nothing listens unless it was written, and what is served tells nothing of the farm."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.settings import Settings
from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError
from tests.webhooks.receiver import Receiver, settings_of


def test_nothing_listens_unless_it_is_written() -> None:
    assert Settings().listen is None
    assert Settings().hooks == {}


def test_what_is_served_is_words(tmp_path: Path) -> None:
    receiver = Receiver(settings_of(tmp_path))
    for path in ("/healthz", "/readyz", "/", "/hooks/nobody", "/<script>alert(1)</script>"):
        reply = receiver.request("GET", path)
        assert reply.headers["content-type"].startswith("text/plain")
        assert b"<" not in reply.body
        assert len(reply.body) < 30


def test_nothing_of_a_request_comes_back(tmp_path: Path) -> None:
    receiver = Receiver(settings_of(tmp_path))
    marked = {"X-Mark": "canary", "Origin": "https://canary.example"}
    for method, path in (("GET", "/canary"), ("POST", "/hooks/canary"), ("OPTIONS", "/healthz")):
        reply = receiver.request(method, path, marked, (b"canary",))
        assert "canary" not in f"{reply.headers}{reply.body!r}"
        assert not any(name.startswith("access-control") for name in reply.headers)


def test_a_secret_that_others_read_stops_the_program(tmp_path: Path) -> None:
    secret, file = tmp_path / "secret", tmp_path / "reconciler.yaml"
    secret.write_text("a secret that is long enough\n")
    secret.chmod(0o644)
    file.write_text("hooks: {a: {kind: github, secret_file: secret}}\n")
    with pytest.raises(SettingsError, match=r"hooks\.a\.secret_file: others may read it"):
        load_settings(file)
    secret.chmod(0o600)
    assert load_settings(file).hooks["a"].secret_file == secret
