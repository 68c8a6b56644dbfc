"""Which key decrypts for which environment, and that nobody else may read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError


def settings_file(directory: Path, text: str, *keys: str, mode: int = 0o600) -> Path:
    for key in keys:
        (directory / key).touch()
        (directory / key).chmod(mode)
    file = directory / "reconciler.yaml"
    file.write_text(text, "utf-8")
    return file


def test_one_key_may_serve_all_environments(tmp_path: Path) -> None:
    found = load_settings(settings_file(tmp_path, "secrets: {identity: age.txt}\n", "age.txt"))
    assert set(found.secrets.by_environment().values()) == {tmp_path / "age.txt"}
    assert set(found.secrets.by_environment()) == {"development", "staging", "production"}


def test_an_environment_with_a_key_of_its_own_uses_no_other(tmp_path: Path) -> None:
    text = "secrets: {identity: age.txt, production: live.txt}\n"
    found = load_settings(settings_file(tmp_path, text, "age.txt", "live.txt")).secrets
    assert found.by_environment()["production"] == tmp_path / "live.txt"
    assert found.by_environment()["staging"] == tmp_path / "age.txt"


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    assert load_settings(settings_file(tmp_path, "")).secrets.by_environment() == {}
    only = settings_file(tmp_path, "secrets: {staging: s.txt}\n", "s.txt")
    assert set(load_settings(only).secrets.by_environment()) == {"staging"}


@pytest.mark.parametrize("name", ["identity", "production"])
def test_a_key_that_others_may_read_or_that_is_not_there_is_refused(
    tmp_path: Path, name: str
) -> None:
    text = f"secrets: {{{name}: age.txt}}\n"
    with pytest.raises(SettingsError, match=rf"secrets\.{name}: .*No such file"):
        load_settings(settings_file(tmp_path, text))
    with pytest.raises(SettingsError, match=rf"secrets\.{name}: others may read it"):
        load_settings(settings_file(tmp_path, text, "age.txt", mode=0o640))
