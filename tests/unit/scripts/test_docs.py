"""The reference pages say what the program does."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from reconciler.config.settings import Settings
from reconciler.config.settings_file import load_settings
from reconciler.kinds.change_costs import BASE_COSTS, CHANGE_COSTS
from reconciler.kinds.domain_changes import CHANGE_CLASSES
from scripts import docs


@pytest.mark.parametrize("name", docs.PAGES)
def test_the_pages_in_docs_are_fresh(name: str) -> None:
    assert docs.is_fresh(docs.DOCS / name, docs.PAGES[name]())


def test_every_setting_has_its_row() -> None:
    page = docs.settings_page()
    names = [name for name, _ in docs.leaves(Settings)]
    assert "policy.ENVIRONMENT.max_deletions.machines_percent" in names
    for name in names:
        assert page.count(f"| `{name}` |") == 1


def test_the_file_of_defaults_is_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    _, _, after = docs.settings_page().partition("```yaml\n")
    file.write_text(after.partition("```")[0], "utf-8")
    assert load_settings(file) == Settings()


def test_a_stale_page_is_found(tmp_path: Path) -> None:
    page = tmp_path / "settings.md"
    assert not docs.is_fresh(page, "new")
    page.write_text("old", "utf-8")
    assert not docs.is_fresh(page, "new")
    page.write_text("new", "utf-8")
    assert docs.is_fresh(page, "new")


@pytest.fixture
def program() -> click.Group:
    @click.group()
    def root() -> None:
        """Do things."""

    @root.command()
    @click.option("--loud", is_flag=True, help="Say so.")
    def act() -> None:
        """Do one thing."""

    @root.command(hidden=True)
    def secret() -> None:
        """Do not look."""

    return root


def test_every_command_is_shown_with_its_help(program: click.Group) -> None:
    page = docs.commands_page(program, "tool")
    assert "## tool\n" in page
    assert "## tool act\n\n```text\nUsage: tool act [OPTIONS]" in page
    assert "--loud  Say so." in page
    assert "secret" not in page


def test_every_class_of_a_change_has_its_row() -> None:
    page = docs.changes_page()
    assert "| `cpus` | within `cpus_maximum` | `live` | processors are plugged |" in page
    assert "| `disks.size` | smaller | `data-loss` |" in page
    assert "| `package` | `state` | to `absent` | `restart` |" in page
    rows = len(CHANGE_CLASSES) + len(CHANGE_COSTS) + len(BASE_COSTS)
    assert page.count("\n| `") == 4 + rows
