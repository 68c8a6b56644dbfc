"""Desks for stories: a new one, and one whose farm is what its branches say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.story.desk import Desk


@pytest.fixture
def new_desk(tmp_path: Path) -> Desk:
    """Nothing was ever applied."""
    return Desk.new(tmp_path)


@pytest.fixture(scope="session")
def synced_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a sync of all environments makes, done once."""
    desk = Desk.new(tmp_path_factory.mktemp("synced"))
    done = desk.run("sync", "--all")
    assert done.exit_code == 0, done.output
    return desk.root


@pytest.fixture
def desk(tmp_path: Path, synced_once: Path) -> Desk:
    """The farm is what the branches say. The reconciler's machine is a new one each time."""
    shutil.copytree(synced_once / "origin.git", tmp_path / "origin.git")
    shutil.copy(synced_once / "world.yaml", tmp_path)
    return Desk(tmp_path)
