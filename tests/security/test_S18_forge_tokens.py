"""The token of a forge is in one header, and nowhere else."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.config.settings_file import load_settings
from reconciler.errors import DriverError, Unreachable
from reconciler.gitops.forges.open import open_forge
from reconciler.gitops.forges.port import CommitStatus, State
from reconciler.gitops.forges.token import Token, TokenFile
from tests.forges.bench import opened, serving, settings_for, token_file
from tests.forges.misbehaving import answering
from tests.forges.project import TOKEN, Project
from tests.images.web import authority_pem, server_tls

COMMIT = "1" * 40
STATUS = CommitStatus("reconciler/production", State.SUCCESS, "Ready")


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 422, 429, 500])
def test_no_error_and_no_log_repeats_it(
    kind: str, status: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    encoded = base64.b64encode(TOKEN.encode()).decode()
    with serving(kind, Project(any_commit=True)) as fake:
        forge = opened(fake, tmp_path, monotonic=time.monotonic)
        said = {"message": f"bad token {TOKEN}, {encoded}", "errors": [TOKEN]}
        fake.fault = answering(status, said, {"X-Echo": "x"})
        errors = []
        for act in (
            lambda: forge.set_status(COMMIT, STATUS),
            lambda: forge.pull_requests(COMMIT),
        ):
            try:
                act()
            except DriverError as error:
                errors.append(f"{error} {error!r} {error.__cause__!r} {error.__context__!r}")
        assert fake.asked
        assert all(TOKEN not in f"{a.path} {a.query} {a.body}" for a in fake.asked)
        assert all(sum(TOKEN in v for v in a.headers.values()) == 1 for a in fake.asked)
    said_by_us = "\n".join([*errors, caplog.text, repr(forge), repr(vars(forge))])
    assert TOKEN not in said_by_us
    assert encoded not in said_by_us


def test_a_forge_with_a_certificate_of_nobody_we_trust_gets_no_token(tmp_path: Path) -> None:
    with serving("github", Project(any_commit=True), server_tls()) as fake:
        forge = opened(fake, tmp_path, monotonic=time.monotonic)
        with pytest.raises(Unreachable, match="certificate verify failed"):
            forge.set_status(COMMIT, STATUS)
        assert fake.asked == []


def test_a_forge_may_have_an_authority_of_its_own(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(authority_pem(), "ascii")
    with serving("github", Project(any_commit=True), server_tls()) as fake:
        settings = settings_for(fake, token_file(tmp_path), ca_file=authority)
        forge = open_forge(settings, time.monotonic)
        assert forge is not None
        forge.set_status(COMMIT, STATUS)
        assert len(fake.asked) == 1
        elsewhere = settings_for(fake, token_file(tmp_path), ca_file=authority).model_copy(
            update={"url": fake.url.replace("localhost", "127.0.0.1")}
        )
        other = open_forge(elsewhere, time.monotonic)
        assert other is not None
        with pytest.raises(Unreachable, match="certificate verify failed"):
            other.set_status(COMMIT, STATUS)
        assert len(fake.asked) == 1


def test_a_file_without_certificates_is_told_and_nothing_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("none", "ascii")
    with serving("github", Project(), server_tls()) as fake:
        settings = settings_for(fake, token_file(tmp_path), ca_file=authority)
        assert open_forge(settings, time.monotonic) is None
    assert "forge.ca_file" in caplog.text


def test_a_token_does_not_show_itself() -> None:
    token = Token(TOKEN)
    assert TOKEN not in f"{token} {token!r}"
    assert token.reveal() == TOKEN
    assert TOKEN not in token.masked(f"https://x/{TOKEN}?a={TOKEN}")


def test_a_file_that_holds_no_token_is_not_repeated(tmp_path: Path) -> None:
    for content in ("", "two words", "-----BEGIN KEY-----\nabc\n", "\x00" * 9, "x" * 9000):
        file = tmp_path / "token"
        file.write_text(content, "latin-1")
        with pytest.raises(Exception, match=r"must hold a token|is empty") as caught:
            TokenFile(file)
        assert content == "" or content not in str(caught.value)


def test_it_can_come_by_a_pipe(tmp_path: Path) -> None:
    pipe = f"/dev/fd/{_pipe_with(TOKEN)}"
    source = TokenFile(Path(pipe))
    assert source.read().reveal() == TOKEN
    assert source.read().reveal() == TOKEN  # a pipe is read once


def test_the_settings_do_not_hold_it(tmp_path: Path) -> None:
    token_file(tmp_path)
    file = tmp_path / "reconciler.yaml"
    file.write_text("forge: {kind: github, project: acme/farm, token_file: token}\n", "utf-8")
    settings = load_settings(file)
    assert settings.forge is not None
    assert settings.forge.token_file == tmp_path / "token"
    assert TOKEN not in repr(settings)


def _pipe_with(text: str) -> int:
    """The reading end of a pipe in which a text is."""
    process = subprocess.Popen(["printf", "%s", text], stdout=subprocess.PIPE)
    assert process.stdout is not None
    end = os.dup(process.stdout.fileno())
    process.stdout.close()
    process.wait(30)
    return end
