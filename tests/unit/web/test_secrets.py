"""Secrets of webhooks: in private files, good enough, never shown."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reconciler.config.hook_settings import HookSettings
from reconciler.errors import SettingsError
from reconciler.web.hooks import hooks_of
from reconciler.web.secrets import read_keys
from tests.webhooks.receiver import Receiver, settings_of
from tests.webhooks.senders import SECRET, TOKEN, push_of


def hook(
    directory: Path, text: str | bytes, kind: str = "github", mode: int = 0o600
) -> HookSettings:
    file = directory / "secret"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return HookSettings.model_validate({"kind": kind, "secret_file": file})


def test_each_line_is_a_secret(tmp_path: Path) -> None:
    text = f"  {SECRET} \r\n\n\tanother secret of mine\n"
    assert read_keys(hook(tmp_path, text)) == (SECRET.encode(), b"another secret of mine")


def test_a_signing_token_is_decoded(tmp_path: Path) -> None:
    assert read_keys(hook(tmp_path, TOKEN, "gitlab-signed"))[0].startswith(b"thirty-two")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no secret"),
        ("\n \n", "holds no secret"),
        (f"{SECRET}\nshort one\n", "line 2: the secret is shorter than 16 letters"),
        (b"\xff" * 40, "is not text"),
        (f"{SECRET}\n" * 9, "more than 8 secrets"),
        ("x" * 20_000, "more than 16384 bytes"),
    ],
)
def test_what_is_no_good_secret_is_said(text: str | bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=why) as caught:
        read_keys(hook(tmp_path, text))
    assert SECRET not in str(caught.value)


def test_a_token_of_another_form_is_said_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="line 1: is no signing token") as caught:
        read_keys(hook(tmp_path, SECRET, "gitlab-signed"))
    assert SECRET not in str(caught.value)


def test_a_file_that_others_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="others may read it"):
        read_keys(hook(tmp_path, SECRET, mode=0o640))


def test_without_a_secret_there_is_no_such_webhook(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_of(tmp_path)
    settings["github"].secret_file.unlink()
    settings["gitea"].secret_file.write_text("")
    receiver = Receiver(settings)
    assert receiver.send(push_of("github")) == 404
    assert receiver.send(push_of("gitea")) == 404
    assert receiver.send(push_of("gitlab")) == 202
    assert "webhook github is off" in caplog.text
    assert "webhook gitea is off" in caplog.text


def test_new_settings_keep_what_was_seen(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    receiver = Receiver(settings)
    receiver.send(push_of("github"))
    settings["github"].secret_file.write_text("the next secret of ours")
    receiver.web.hooks = hooks_of(settings, receiver.web.hooks)
    assert receiver.send(push_of("github"), "d-2") == 401
    assert receiver.send(push_of("github"), "d-2", secret="the next secret of ours") == 202
    assert receiver.asked == 1


def test_secrets_are_in_no_text_of_a_hook(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = Receiver(settings_of(tmp_path))
    receiver.send(push_of("gitlab"))
    assert SECRET not in repr(receiver.web.hooks) + caplog.text
