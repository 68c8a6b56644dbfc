"""A receiver with a webhook of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.webhooks.receiver import Receiver, settings_of


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(settings_of(tmp_path))
