"""S12: on a host that is shared, what nobody wrote down is its owner's and not the guest's."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand_base
from tests.scenes.scene import Scene

PLACE = "environments/{}/networks/more.yaml"
NETWORK = (
    b"kind: Network\nname: more\nsubnet: 10.99.0.0/24\nbridge: br-backup\n"
    b"hosts: [{name: virt1, address: 10.99.0.1}]\n"
)
ADDRESS = "172.16.0.1/24"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    by_hand_base.set_link(scene.farm, "virt1", "br-backup", type="bridge", addresses=(ADDRESS,))
    return scene


def addresses(scene: Scene) -> tuple[str, ...]:
    return scene.farm.state.hosts["virt1"].base.links["br-backup"].addresses


def test_a_guest_environment_does_not_adopt_a_bridge_that_somebody_made(scene: Scene) -> None:
    scene.origin.commit("development", {PLACE.format("development"): NETWORK})
    report = scene.sync("development")
    assert report.refusal is not None
    assert "br-backup" in str(report.refusal.error)
    assert "belongs to nobody we know" in str(report.refusal.error)
    assert addresses(scene) == (ADDRESS,)


def test_its_owner_does(scene: Scene) -> None:
    scene.origin.commit("production", {PLACE.format("production"): NETWORK})
    assert scene.sync().refusal is None
    assert addresses(scene) == ("10.99.0.1/24",)
