from __future__ import annotations

import base64
import shlex
from pathlib import Path

import pytest

from reconciler.gitops.environment import Access, git_environment, shared_settings
from reconciler.gitops.url import check_url


def settings_of(environment: dict[str, str]) -> dict[str, str]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return {
        environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"]
        for n in range(count)
    }


def test_git_may_speak_the_protocol_of_its_remote_and_no_other() -> None:
    protocols = [
        git_environment(check_url(text))["GIT_ALLOW_PROTOCOL"]
        for text in ("https://h/x", "git@h:x", "/srv/x")
    ]
    assert protocols == ["https", "ssh", "file"]
    assert git_environment()["GIT_ALLOW_PROTOCOL"] == "none"


def test_a_password_goes_in_a_header_and_nowhere_else() -> None:
    environment = git_environment(check_url("https://bot:s3cret@h/x"))
    login = base64.b64encode(b"bot:s3cret").decode()
    settings = settings_of(environment)
    assert settings["http.extraHeader"] == f"Authorization: Basic {login}"
    assert settings["remote.origin.url"] == "https://h/x"
    assert settings["http.followRedirects"] == "false"
    assert not any("s3cret" in value for value in environment.values())


def test_nothing_asks_a_person() -> None:
    environment = git_environment()
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert "BatchMode=yes" in environment["GIT_SSH_COMMAND"]
    assert "StrictHostKeyChecking=yes" in environment["GIT_SSH_COMMAND"]


def test_files_for_ssh_are_quoted() -> None:
    access = Access(Path("/etc/my keys/id; touch x"), Path("/etc/100%/known hosts"))
    command = shlex.split(git_environment(access=access)["GIT_SSH_COMMAND"])
    assert "/etc/my keys/id; touch x" in command
    assert 'UserKnownHostsFile="/etc/100%%/known hosts"' in command


def test_hooks_are_off_and_objects_are_checked_and_synced() -> None:
    settings = settings_of(git_environment())
    assert settings["core.hooksPath"] == "/dev/null"
    assert settings["fetch.fsckObjects"] == settings["transfer.fsckObjects"] == "true"
    assert settings["core.fsync"] == "all"
    assert settings_of(git_environment(durable=False))["core.fsync"] == "committed"


def test_only_a_local_remote_has_settings_of_its_own() -> None:
    assert shared_settings(check_url("https://h/x")) == ""
    said = shared_settings(check_url('/srv/a "b"\\c'.replace(" ", "_")))
    assert 'directory = "/srv/a_\\"b\\"\\\\c"' in said


def test_certificates_to_trust_reach_every_build_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that is built with GnuTLS does not look at SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/farm/ca.pem")
    assert git_environment()["GIT_SSL_CAINFO"] == "/etc/farm/ca.pem"
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "GIT_SSL_CAINFO" not in git_environment()
