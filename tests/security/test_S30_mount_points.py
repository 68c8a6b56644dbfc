"""S30: a link in the place of a mount point leads no mount over what the host lives on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.drivers.ssh.onhost.ground import Ground, ground_in

MOUNT = {"act": "mount", "source": "tmpfs", "type": "tmpfs", "options": "defaults"}


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return ground_in(tmp_path)


@pytest.mark.parametrize("path", ["/home/alice/data", "/home/alice/data/below"])
def test_nothing_is_mounted_where_a_link_leads(ground: Ground, path: str) -> None:
    ground.path("/home/alice/data").symlink_to("/etc")
    if path.endswith("below"):
        ground.path("/home/alice/data").unlink()
        ground.path("/home/alice/data").mkdir()
        ground.path(path).symlink_to("/etc")
    assert "is no directory" in ground.refused({**MOUNT, "path": path})
    assert not ground.programs.called("mount")


def test_a_directory_is_mounted_on(ground: Ground) -> None:
    ground.path("/srv/data").mkdir()
    ground.done({**MOUNT, "path": "/srv/data"})
    assert len(ground.programs.called("mount")) == 1
