"""F17, the farm's side: a name server that does not answer holds up its zones and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.consequence import Consequence
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as Is
from reconciler.ports.nameserver import RecordSet
from tests.scenes.scene import Scene

SERVER, ZONE = "ns", "farm.internal"
STOLEN = RecordSet("www", "CNAME", 3600, ("mail.farm.internal.",))
NEW = b"kind: VirtualMachine\nname: web-9\nstack: debian-web\n"
ADDRESS = b"networks:\n  - {network: lan, address: 192.168.1.250}\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.sync()
    return made


def is_ready(scene: Scene) -> bool:
    found = {each.type: each.status for each in scene.status().conditions}
    return found[ConditionType.READY] is Is.TRUE


def names(scene: Scene) -> set[str]:
    records = scene.farm.state.nameservers[SERVER].zones[ZONE].records
    return {record.key for record in records}


def test_machines_are_made_while_their_names_wait(scene: Scene) -> None:
    scene.farm.add_fault(Fault(where=SERVER, mode="unreachable"))
    scene.origin.commit("production", {"vms/web-9.yaml": NEW + ADDRESS})
    report = scene.sync()
    assert report.consequence is Consequence.RETRY
    assert scene.domain("production-web-9")[1].running
    assert report.after is not None
    assert f"zone/{ZONE}" in {str(each.address) for each in report.after.plan.unknown}
    assert not is_ready(scene)
    assert "web-9/A" not in names(scene)
    scene.farm.remove_faults()
    scene.sync()
    assert "web-9/A" in names(scene)
    assert is_ready(scene)


def test_a_change_by_hand_is_healed_when_the_server_is_back(scene: Scene) -> None:
    before = names(scene)
    by_hand.put_record(scene.farm, SERVER, ZONE, STOLEN)
    scene.farm.add_fault(Fault(where=SERVER, mode="unreachable"))
    for _ in range(2):
        assert scene.sync().consequence is Consequence.RETRY
    scene.farm.remove_faults()
    scene.sync()
    assert names(scene) == before
    assert scene.events()[-2:] == ["drift", "heal"], scene.events()
