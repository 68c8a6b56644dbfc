"""S31: a journal that somebody else wrote into stops its environment, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.errors import Stalled
from tests.scenes.scene import Scene


@pytest.mark.parametrize(
    "said",
    [
        {"environment": "staging"},
        {"environment": "production", "revision": "--upload-pack=x"},
        {"environment": "production", "ready_revision": "a" * 40 + "\n"},
        {"environment": "production", "refused": "HEAD"},
        {"environment": "production", "scopes": [{"kind": "host", "name": "../../x"}]},
        {"environment": "production", "scopes": [{"kind": "host", "name": ""}]},
    ],
)
def test_a_forged_status_is_told_and_not_followed(tmp_path: Path, said: dict[str, object]) -> None:
    scene = Scene(tmp_path)
    scene.sync()
    forged = json.dumps(said).encode()
    scene.origin.commit("reconciler/production", {"status.json": forged})
    scene.site.source.refresh()
    with pytest.raises(Stalled, match="restore"):
        scene.keep()
