from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.gitops.url import check_url, mask


@pytest.mark.parametrize(
    ("text", "protocol"),
    [
        ("ssh://git@git.farm.internal:2222/farm.git", "ssh"),
        ("ssh://git@[fd00::1]/farm.git", "ssh"),
        ("git@git.farm.internal:farm/config.git", "ssh"),
        ("git.farm.internal:farm/config.git", "ssh"),
        ("https://git.farm.internal/farm/config.git", "https"),
        ("https://bot@git.farm.internal/farm/config.git", "https"),
    ],
)
def test_addresses_of_other_machines_are_taken_as_they_are(text: str, protocol: str) -> None:
    remote = check_url(text, allow_file=False)
    assert (remote.url, remote.protocol, remote.directory) == (text, protocol, None)


@pytest.mark.parametrize("text", ["/srv/git/farm.git", "file:///srv/git/farm.git"])
def test_a_directory_of_this_machine_has_a_path(text: str) -> None:
    remote = check_url(text)
    assert remote.directory == Path("/srv/git/farm.git")
    assert remote.url == "file:///srv/git/farm.git"
    assert remote.protocol == "file"


def test_a_relative_path_is_made_full() -> None:
    assert check_url("./farm.git").directory == Path.cwd() / "farm.git"


def test_directories_can_be_disallowed() -> None:
    with pytest.raises(SettingsError, match="directories of this machine"):
        check_url("/srv/git/farm.git", allow_file=False)


def test_a_password_is_taken_out_of_the_address() -> None:
    remote = check_url("https://bot:s3cr%40t@git.farm.internal/farm.git")
    assert remote.url == "https://git.farm.internal/farm.git"
    assert (remote.user, remote.password) == ("bot", "s3cr@t")
    assert "s3cr" not in repr(remote)
    assert "s3cr" not in str(remote)


def test_a_refusal_says_why_and_shows_no_password() -> None:
    with pytest.raises(SettingsError, match="http is not allowed") as caught:
        check_url("http://bot:s3cret@git.farm.internal/farm.git")
    assert "s3cret" not in str(caught.value)


def test_logins_are_masked_in_any_text() -> None:
    text = "fatal: unable to access 'https://bot:p@ss@host/x': and ssh://git@host/y"
    assert mask(text) == "fatal: unable to access 'https://***@host/x': and ssh://***@host/y"
