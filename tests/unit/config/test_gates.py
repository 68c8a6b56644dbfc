"""Gates as people write them: in the Environment document, and in the operator's settings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from reconciler.config.gates import FreezeField, GateFields
from reconciler.config.settings_file import load_settings
from reconciler.errors import SettingsError


def settings(directory: Path, text: str) -> Path:
    file = directory / "reconciler.yaml"
    file.write_text(text, "utf-8")
    return file


def problem(**fields: object) -> str:
    with pytest.raises(ValidationError) as raised:
        GateFields.model_validate(fields)
    return str(raised.value.errors()[0]["msg"])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sign_off_by": ["a@b.example"]}, "no effect without sign_offs"),
        ({"approvals": 2, "approved_by": ["alice", "alice"]}, "approved_by names only 1"),
        ({"freezes": [{"from": "2026-12-24", "until": "2026-12-20", "reason": "x"}]}, "after from"),
        (
            {"freezes": [{"from": "2026-02-30", "until": "2026-12-20", "reason": "x"}]},
            "no such day",
        ),
        ({"freezes": [{"from": "tomorrow", "until": "2026-12-20", "reason": "x"}]}, "a day"),
        ({"approvals": 21}, "less than or equal to 20"),
    ],
)
def test_gates_that_nobody_can_pass_are_told(fields: dict[str, object], said: str) -> None:
    assert said in problem(**fields)


def test_a_freeze_may_end_within_a_day_and_knows_its_time_zone() -> None:
    written = {"from": "2026-07-01", "until": "2026-07-01 08:00", "reason": "Move"}
    berlin = FreezeField.model_validate({**written, "timezone": "Europe/Berlin"})
    begins, ends = berlin.span()
    assert begins == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert ends == datetime(2026, 7, 1, 6, tzinfo=UTC)


def test_gates_of_the_operator_are_found_by_environment(tmp_path: Path) -> None:
    text = "gates: {production: {approvals: 2, soak: 1d}}\n"
    found = load_settings(settings(tmp_path, text)).gates
    assert found.floor("production").approvals == 2
    assert found.floor("staging").approvals == 0


def test_a_mistake_in_a_gate_has_its_place(tmp_path: Path) -> None:
    text = "gates:\n  production:\n    windows:\n      - {opens: at night, duration: 1h}\n"
    with pytest.raises(SettingsError, match=r"line 4, column 10: .*crontab"):
        load_settings(settings(tmp_path, text))


def test_who_asks_for_signatures_says_whose(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"production\.signatures is head, but nobody"):
        load_settings(settings(tmp_path, "gates: {production: {signatures: head}}\n"))


def test_only_its_owner_may_write_the_file_of_allowed_keys(tmp_path: Path) -> None:
    text = "signers: {ssh: allowed, revoked: old}\n"
    (tmp_path / "allowed").touch(mode=0o644)
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o664)
    with pytest.raises(SettingsError) as raised:
        load_settings(settings(tmp_path, text))
    [reason] = raised.value.reasons
    assert reason.startswith("signers.revoked: others may write it (mode 0664)")
    (tmp_path / "old").chmod(0o644)
    found = load_settings(settings(tmp_path, text)).signers
    assert found.ssh == tmp_path / "allowed"


def test_revoked_keys_without_allowed_ones_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no effect without ssh"):
        load_settings(settings(tmp_path, "signers: {revoked: old}\n"))
