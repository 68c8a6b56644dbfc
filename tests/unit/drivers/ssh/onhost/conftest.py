"""A host that is a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.drivers.ssh.onhost.ground import Ground, ground_in


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return ground_in(tmp_path)
