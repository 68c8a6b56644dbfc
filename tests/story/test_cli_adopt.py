"""`adopt`: from a machine that somebody made by hand to an empty plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.state import Volume
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from tests.remotes.origin import git
from tests.story.desk import Desk

GIB = 1 << 30
OLD = DomainDefinition(
    name="Old_Web",
    uuid="11111111-1111-4111-8111-111111111111",
    accelerator="kvm",
    vcpus=2,
    memory_bytes=2 * GIB,
    disks=(Disk("vda", "default", "old.qcow2"),),
    interfaces=(Interface("52:54:00:00:00:99", "br-lan", "openvswitch"),),
)
PLACE = "environments/production/vms/old-web.yaml"


@pytest.fixture
def clone(desk: Desk) -> Path:
    """A work tree of production, and a machine on virt1 that is nobody's."""
    by_hand.add_volume(desk.farm, "virt1", "default", "old.qcow2", Volume("qcow2", 8 * GIB))
    by_hand.add_domain(desk.farm, "virt1", OLD, running=True)
    tree = desk.root / "work"
    git(desk.root, "clone", "--quiet", "--branch=production", str(desk.remote), str(tree))
    return tree


def adopt(desk: Desk, clone: Path, *machines: str) -> tuple[int, str]:
    done = desk.run("adopt", "-e", "production", "--host", "virt1", "--into", str(clone), *machines)
    return done.exit_code, done.output


def merge(desk: Desk, clone: Path) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    git(clone, "add", "--all")
    git(clone, *identity, "commit", "--quiet", "--message=Adopt")
    git(clone, "push", "--quiet", "origin", "production")


def test_an_adopted_machine_is_ours_and_unchanged(desk: Desk, clone: Path) -> None:
    code, said = adopt(desk, clone)
    assert code == 0, said
    assert f"wrote {PLACE}" in said
    assert "write the address that old-web has on network lan" in said
    document = (clone / PLACE).read_text("utf-8")
    (clone / PLACE).write_text(
        document.replace("{network: lan,", "{network: lan, partition: guests,")
    )
    merge(desk, clone)
    plan = desk.run("plan", "-e", "production").output
    assert "reservations@virt1/lan.production" in plan, "its name, for DHCP"
    assert "domain/" not in plan
    assert "volume/" not in plan
    assert desk.run("sync", "-e", "production").exit_code == 0
    domain = desk.farm.state.hosts["virt1"].domains["Old_Web"]
    assert domain.owner is not None
    assert (domain.owner.environment, domain.owner.name) == ("production", "old-web")
    assert (domain.definition.vcpus, domain.definition.memory_bytes) == (2, 2 * GIB)
    assert domain.running
    volume = desk.farm.state.hosts["virt1"].pools["default"].volumes["old.qcow2"]
    assert volume.owner is not None


def test_nothing_is_touched_before_the_document_is_merged(desk: Desk, clone: Path) -> None:
    before = desk.farm.state
    adopt(desk, clone)
    assert desk.farm.state == before
    assert desk.run("sync", "-e", "production").exit_code == 0
    assert desk.farm.state.hosts["virt1"].domains["Old_Web"].owner is None


def test_a_machine_gets_the_name_it_is_given(desk: Desk, clone: Path) -> None:
    code, said = adopt(desk, clone, "Old_Web=shop")
    assert code == 0, said
    assert (clone / "environments/production/vms/shop.yaml").exists()


def test_a_machine_that_is_not_there_is_named_with_those_that_are(desk: Desk, clone: Path) -> None:
    code, said = adopt(desk, clone, "nobody")
    assert code == 1
    assert "no machine of nobody's is called nobody; there are: Old_Web" in said


def test_what_no_document_can_say_leaves_the_machine_alone(desk: Desk, clone: Path) -> None:
    by_hand.delete_volume(desk.farm, "virt1", "default", "old.qcow2")
    code, said = adopt(desk, clone)
    assert code == 1
    assert "old-web is left as it is: disk vda is default/old.qcow2, in no storage pool" in said
    assert not (clone / PLACE).exists()


def test_a_file_that_is_there_is_never_overwritten(desk: Desk, clone: Path) -> None:
    (clone / PLACE).parent.mkdir(parents=True, exist_ok=True)
    (clone / PLACE).write_text("# mine\n")
    code, said = adopt(desk, clone)
    assert code == 1
    assert f"{PLACE}: there already" in said
    assert (clone / PLACE).read_text() == "# mine\n"


def test_a_machine_that_is_described_already_is_no_name_for_another(
    desk: Desk, clone: Path
) -> None:
    code, said = adopt(desk, clone, "Old_Web=web-1")
    assert (code, "production has web-1 already; say MACHINE=NAME" in said) == (1, True)
    assert not (clone / "environments/production/vms/web-1.yaml").exists()


def test_a_repository_that_would_not_load_is_left_as_it_was(desk: Desk, clone: Path) -> None:
    patch = clone / "environments/production/vms/app-1.yaml"
    patch.parent.mkdir(parents=True, exist_ok=True)
    patch.write_text("kind: VirtualMachine\nname: app-1\nrenamed_from: old-web\n")
    code, said = adopt(desk, clone)
    assert code == 1, said
    assert "machine old-web still exists" in said
    assert not (clone / PLACE).exists()


def test_a_host_that_nobody_describes_is_named(desk: Desk, clone: Path) -> None:
    done = desk.run("adopt", "-e", "production", "--host", "virt9", "--into", str(clone))
    assert done.exit_code == 1
    assert (
        "no Host document describes virt9; there are: ns-1, ns-2, ns-3, virt1, virt2, virt3"
        in done.output
    )


def test_a_directory_that_is_no_config_repository_is_named(desk: Desk, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    done = desk.run("adopt", "-e", "production", "--host", "virt1", "--into", str(place))
    assert done.exit_code == 1
    assert "holds no environments/production" in done.output
