"""S34: keys that others may read, and a state directory that others may use, are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.settings_file import check_private, load_settings
from reconciler.daemon.lock import state_lock
from reconciler.errors import Denied, SettingsError

PRIVATE = [0o600, 0o400, 0o700]
OPEN = [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o660, 0o666, 0o444, 0o777]
PASSWORD = "repository: {url: 'https://bot:canary@git.farm.internal/farm.git'}\n"


def settings_file(directory: Path, text: str, mode: int = 0o600) -> Path:
    file = directory / "reconciler.yaml"
    file.write_text(text, "utf-8")
    file.chmod(mode)
    return file


def named_file(directory: Path, mode: int) -> Path:
    file = directory / "named"
    file.touch()
    file.chmod(mode)
    return file


@pytest.mark.parametrize("mode", PRIVATE)
def test_a_key_for_its_owner_only_is_used(tmp_path: Path, mode: int) -> None:
    key = named_file(tmp_path, mode)
    settings = load_settings(settings_file(tmp_path, f"repository: {{ssh_key: {key}}}\n"))
    assert settings.repository.ssh_key == key


@pytest.mark.parametrize("mode", OPEN)
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    key = named_file(tmp_path, mode)
    with pytest.raises(SettingsError) as caught:
        load_settings(settings_file(tmp_path, f"repository: {{ssh_key: {key}}}\n"))
    (reason,) = caught.value.reasons
    assert reason == (f"repository.ssh_key: others may read it (mode {mode:04o}); chmod 600 {key}")


@pytest.mark.parametrize("mode", OPEN)
def test_a_link_to_a_key_is_judged_by_the_key(tmp_path: Path, mode: int) -> None:
    link = tmp_path / "link"
    link.symlink_to(named_file(tmp_path, mode))
    assert "others may read it" in check_private(link)


def test_a_key_that_is_absent_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in check_private(tmp_path / "absent")
    tmp_path.chmod(0o700)
    assert "is not a file" in check_private(tmp_path)


@pytest.mark.parametrize(
    ("mode", "good"), [(0o644, True), (0o600, True), (0o664, False), (0o646, False)]
)
def test_host_keys_may_be_read_by_all_and_written_by_nobody_else(
    tmp_path: Path, mode: int, good: bool
) -> None:
    known = named_file(tmp_path, mode)
    file = settings_file(tmp_path, f"repository: {{known_hosts: {known}}}\n")
    if good:
        load_settings(file)
    else:
        with pytest.raises(SettingsError, match="others may write it"):
            load_settings(file)


@pytest.mark.parametrize("mode", OPEN)
def test_settings_with_a_password_are_a_secret_themselves(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SettingsError, match="holds a password") as caught:
        load_settings(settings_file(tmp_path, PASSWORD, mode))
    assert "canary" not in str(caught.value)


def test_settings_without_a_secret_may_be_read_by_all(tmp_path: Path) -> None:
    load_settings(settings_file(tmp_path, "interval: 5m\n", 0o644))


@pytest.mark.parametrize("mode", [0o710, 0o701, 0o750, 0o705, 0o755, 0o770, 0o777, 0o1777])
def test_a_state_directory_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    with pytest.raises(Denied, match="others may use it"), state_lock(state):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    victim = named_file(tmp_path, 0o600)
    (state / "lock").symlink_to(victim)
    with pytest.raises(Denied), state_lock(state):
        pass
    assert victim.read_bytes() == b""
