"""S12: whoever may push to one environment can neither stop another nor take what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.errors import ConfigError
from tests.scenes.scene import Scene

HOST = "environments/development/hosts/virt1.yaml"

THIEF = {
    HOST.replace("virt1", "thief"): (
        b"kind: Host\nname: thief\nenvironment: development\naddress: 192.168.1.129\n"
        b"memory: 64 GiB\npools:\n  - {name: default, size: 1 GiB, target: /srv}\n"
    )
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.sync()
    scene.sync("development")
    return scene


def test_a_claim_of_another_environment_does_not_stop_what_is_in_force(scene: Scene) -> None:
    scene.origin.commit("development", THIEF)
    report = scene.sync("development")
    assert report.refusal is not None
    assert isinstance(report.refusal.error, ConfigError)
    host, _ = scene.domain("production-web-1")
    by_hand.stop_domain(scene.farm, host, "production-web-1")
    assert scene.sync().refusal is None
    assert scene.domain("production-web-1")[1].running, "drift is healed all the same"


def test_a_host_cannot_be_taken_over_by_saying_so_on_another_branch(scene: Scene) -> None:
    mine = (
        b"kind: Host\nname: virt1\nenvironment: development\naddress: 192.168.7.7\n"
        b"reserved_memory: 0 B\nshare: null\n"
    )
    scene.origin.commit("development", {HOST: mine})
    report = scene.sync("development")
    assert report.refusal is not None
    assert "host virt1 is development's here, and production has it" in str(report.refusal.error)


def test_a_lower_head_does_not_hold_up_a_higher_one(scene: Scene) -> None:
    scene.origin.commit("development", THIEF, message="Take web-1's address")
    scene.sync("development")
    more = {"README.md": b"unrelated\n"}
    head = scene.origin.commit("production", more, message="Go on")
    report = scene.sync("production")
    assert report.refusal is None
    assert scene.status("production").revision == head


def test_what_is_in_force_counts_while_its_head_does_not_load(scene: Scene) -> None:
    scene.origin.commit("production", {"farm.yaml": b"kind: Fram\n"}, message="Mistype")
    scene.sync("production")
    scene.origin.commit("development", THIEF, message="Take web-1's address")
    report = scene.sync("development")
    assert report.refusal is not None
    assert "192.168.1.129" in str(report.refusal.error)


def test_a_host_is_in_maintenance_when_its_owner_says_so(scene: Scene) -> None:
    closed = {}
    for number in (1, 2, 3):
        path = f"hosts/virt{number}.yaml"
        before = scene.origin.git("show", f"production:{path}").encode()
        closed[path] = before + b"\nmaintenance: true\n"
    scene.origin.commit("production", closed, message="Close the hosts")
    more = b"kind: VirtualMachine\nname: more\nstack: linux\nmemory: 1 GiB\n"
    scene.origin.commit("development", {"environments/development/vms/more.yaml": more})
    report = scene.sync("development")
    assert report.refusal is not None
    assert "virt1 is in maintenance" in str(report.refusal.error)


@pytest.mark.parametrize("thief", ["development", "staging"])
def test_nobody_leads_us_to_another_machine_by_a_push_to_another_branch(
    scene: Scene, thief: str
) -> None:
    mine = f"kind: Host\nname: virt1\nenvironment: {thief}\naddress: 192.168.7.7\nshare: null\n"
    scene.origin.commit(thief, {HOST.replace("development", thief): mine.encode()})
    scene.site.source.refresh()
    virt1 = scene.site.source.hosts({"production": scene.status().revision})["virt1"]
    assert (virt1.environment, str(virt1.address)) != (thief, "192.168.7.7")
    assert virt1.environment == "production"
