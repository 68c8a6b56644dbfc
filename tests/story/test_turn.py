"""Whole turns over a real repository and the simulated farm: what a farm lives through."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.apply import Result
from reconciler.engine.consequence import Consequence
from reconciler.engine.verify import Look
from reconciler.errors import (
    ConfigError,
    GuardRefused,
    HistoryRewritten,
    ReconcilerError,
    Stalled,
)
from reconciler.gitops.report import Report
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as Is
from tests.remotes.origin import git
from tests.scenes.scene import ENVIRONMENTS, GIB, Scene

WEB = "vms/web-1.yaml"
MAKERS_FIRST = tuple(reversed(ENVIRONMENTS))  # production makes zones that the others write into
DISKS = b"disks:\n  - {name: data, size: 8 GiB}\n"
ADDRESS = b"networks:\n  - {network: lan, address: 192.168.1.129}\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def web(*lines: str) -> dict[str, bytes]:
    """The document of web-1 with other fields."""
    head = "kind: VirtualMachine\nname: web-1\nstack: debian-web\n"
    return {WEB: head.encode() + "".join(f"{line}\n" for line in lines).encode() + DISKS + ADDRESS}


def refusal(report: Report) -> ReconcilerError:
    assert report.refusal is not None
    return report.refusal.error


def looked(look: Look | None) -> Look:
    assert look is not None
    return look


def ready(scene: Scene, environment: str = "production") -> Is:
    found = {each.type: each.status for each in scene.status(environment).conditions}
    return found[ConditionType.READY]


def test_three_environments_converge_side_by_side_on_the_same_hosts(scene: Scene) -> None:
    for environment in MAKERS_FIRST:
        report = scene.sync(environment)
        assert {each.result for each in report.outcomes} == {Result.DONE}
    before = scene.farm.state
    for environment in ENVIRONMENTS:
        assert scene.sync(environment).outcomes == ()
        assert scene.events(environment) == ["sync"]
    assert scene.farm.state == before
    domains = [name for host in before.hosts.values() for name in host.domains]
    assert len(domains) == len(set(domains)) == 12 + 5 + 4


def test_a_hand_change_is_recorded_as_drift_and_then_healed(scene: Scene) -> None:
    scene.sync()
    host, domain = scene.domain("production-web-1")
    by_hand.set_memory(scene.farm, host, "production-web-1", GIB)
    report = scene.sync()
    assert [str(change) for change in looked(report.before).plan.drifted] == ["update domain/web-1"]
    assert scene.domain("production-web-1")[1].definition == domain.definition
    assert scene.events() == ["sync", "drift", "heal"]
    shown = scene.origin.git("show", "refs/heads/reconciler/production~1")
    assert "memory_bytes: 1 GiB -> 2 GiB" in shown
    assert ready(scene) is Is.TRUE


def test_a_commit_that_does_not_load_keeps_the_last_good_one_in_force(scene: Scene) -> None:
    scene.sync()
    good = scene.status().revision
    bad = scene.origin.commit("production", web("memori: 3 GiB"), message="Mistype")
    host, _ = scene.domain("production-db-1")
    by_hand.stop_domain(scene.farm, host, "production-db-1")
    report = scene.sync()
    assert isinstance(refusal(report), ConfigError)
    assert report.consequence is Consequence.STALL
    assert str(refusal(report)).startswith(f"{WEB}:4:1: ")
    assert "did you mean memory" in str(refusal(report))
    status = scene.status()
    assert (status.revision, status.refused) == (good, bad)
    assert scene.domain("production-db-1")[1].running, "drift is healed all the same"
    assert ready(scene) is Is.FALSE
    note = scene.origin.git("notes", "--ref=reconciler/production", "show", bad)
    assert f"{bad[:7]} refused" in note
    scene.sync()
    assert scene.events() == ["sync", "refuse", "drift", "heal"], "a refusal is said once"
    scene.origin.commit("production", web("memory: 3 GiB"), message="Mend")
    scene.sync()
    assert ready(scene) is Is.TRUE
    assert scene.domain("production-web-1")[1].definition.memory_bytes == 3 * GIB


def test_a_plan_that_deletes_too_much_is_refused_until_it_is_acknowledged(scene: Scene) -> None:
    scene.sync()
    names = ("backup", "app-2", "db-2")
    gone = {f"environments/production/vms/{name}.yaml": None for name in names}
    scene.origin.commit("production", gone, message="Remove three machines")
    strict = scene.sync()
    assert isinstance(refusal(strict), GuardRefused)
    assert "mass-deletion: 3 of 12 machines" in str(refusal(strict))
    assert scene.events() == ["sync", "refuse"]
    message = "Mean it\n\nReconciler-Allow: mass-deletion\nReconciler-Allow: mass-record-change"
    scene.origin.commit("production", {"README.md": b"on purpose\n"}, message=message)
    assert scene.sync().refusal is None
    assert scene.sync().outcomes == ()
    with pytest.raises(ValueError, match="not enough values"):
        scene.domain("production-backup")


def test_a_promotion_is_a_merge(scene: Scene) -> None:
    for environment in MAKERS_FIRST:
        scene.sync(environment)
    commit = scene.origin.commit("development", web("cpus: 3"), message="Three processors")
    for environment in ("staging", "production"):
        scene.origin.git("update-ref", f"refs/heads/{environment}", commit)
        report = scene.sync(environment)
        paths = [
            field.path for change in looked(report.before).plan.changes for field in change.fields
        ]
        assert paths == ["vcpus"]
    assert scene.domain("staging-web-1")[1].live.vcpus == 3
    assert scene.domain("production-web-1")[1].live.vcpus == 3


def test_an_unchanged_turn_writes_nothing(scene: Scene) -> None:
    scene.sync()
    head = scene.origin.head("reconciler/production")
    for _ in range(3):
        scene.sync()
    assert scene.origin.head("reconciler/production") == head


def test_F05_the_commit_in_force_is_kept_up_while_the_remote_is_away(scene: Scene) -> None:
    scene.sync()
    scene.origin.path.rename(scene.root / "away.git")
    host, _ = scene.domain("production-web-1")
    by_hand.stop_domain(scene.farm, host, "production-web-1")
    scene.keep()
    assert scene.domain("production-web-1")[1].running
    (scene.root / "away.git").rename(scene.origin.path)
    scene.sync()
    assert scene.events() == ["sync", "drift", "heal"], "what happened meanwhile is pushed"


@pytest.mark.parametrize("rewrite", ["back", "orphan"])
def test_F08_a_rewritten_branch_holds_the_environment_and_drift_is_still_healed(
    scene: Scene, rewrite: str
) -> None:
    first = scene.origin.head("production")
    scene.origin.commit("production", web("memory: 3 GiB"), message="Grow")
    scene.sync()
    applied = scene.status().revision
    if rewrite == "back":
        scene.origin.git("update-ref", "refs/heads/production", str(first))
    else:
        scene.origin.commit("production", {"farm.yaml": b"x"}, message="New world", parents=())
    host, _ = scene.domain("production-db-1")
    by_hand.stop_domain(scene.farm, host, "production-db-1")
    report = scene.sync()
    assert isinstance(refusal(report), HistoryRewritten)
    assert report.consequence is Consequence.HOLD
    assert scene.status().hold
    assert scene.status().revision == applied
    assert scene.domain("production-db-1")[1].running
    assert scene.domain("production-web-1")[1].definition.memory_bytes == 3 * GIB
    scene.origin.git("update-ref", "refs/heads/production", applied)
    scene.sync()
    assert scene.status().hold is None
    assert ready(scene) is Is.TRUE


def test_F08_a_rewritten_branch_can_be_accepted(scene: Scene) -> None:
    first = scene.origin.head("production")
    scene.origin.commit("production", web("memory: 3 GiB"), message="Grow")
    scene.sync()
    scene.origin.git("update-ref", "refs/heads/production", str(first))
    scene.sync()
    assert scene.sync(accept_history=True).refusal is None
    assert scene.status().revision == first
    assert scene.domain("production-web-1")[1].definition.memory_bytes == 2 * GIB


def test_S25_a_branch_that_is_gone_is_not_an_empty_one(scene: Scene) -> None:
    scene.sync()
    before = scene.farm.state
    scene.origin.git("update-ref", "-d", "refs/heads/production")
    report = scene.sync()
    assert isinstance(refusal(report), HistoryRewritten)
    assert scene.farm.state == before
    scene.origin.git("tag", "production", str(scene.origin.head("staging")))
    scene.sync()
    assert scene.farm.state == before, "a tag of that name is no branch"


def test_an_environment_that_never_had_a_branch_says_so(scene: Scene) -> None:
    scene.origin.git("update-ref", "-d", "refs/heads/staging")
    report = scene.sync("staging")
    assert isinstance(refusal(report), Stalled)
    assert "no branch" in str(refusal(report))


def test_F10_a_host_that_is_away_is_unknown_and_the_others_converge(scene: Scene) -> None:
    scene.sync()
    host, _ = scene.domain("production-web-1")
    scene.farm.add_fault(Fault(where=host, mode="unreachable"))
    others = [
        (at, name)
        for at, each in scene.farm.state.hosts.items()
        for name in each.domains
        if at != host
    ]
    by_hand.stop_domain(scene.farm, *others[0])
    report = scene.sync()
    assert scene.domain(others[0][1])[1].running, "the others converge"
    assert report.consequence is Consequence.RETRY
    unknown = {str(each.address) for each in looked(report.after).plan.unknown}
    assert "domain/web-1" in unknown
    assert scene.domain("production-web-1")[0] == host, "it is started nowhere else"
    scene.restart()
    scene.sync()
    assert scene.domain("production-web-1")[0] == host
    scene.farm.remove_faults()
    scene.sync()
    assert ready(scene) is Is.TRUE


def test_two_branches_with_one_address_clash_in_the_plan_of_the_second(scene: Scene) -> None:
    scene.sync()
    taken = b"kind: VirtualMachine\nname: thief\nstack: linux\nmemory: 1 GiB\nnetworks:\n"
    network = b"  - {network: lan, address: 192.168.0.151, mac: '52:54:00:00:00:01'}\n"
    path = "environments/development/vms/thief.yaml"
    scene.origin.commit("development", {path: taken + network})
    scene.sync("development")
    other = network.replace(b"192.168.0.151", b"10.10.60.151")
    path = "environments/staging/vms/thief.yaml"
    scene.origin.commit("staging", {path: taken + other})
    report = scene.sync("staging")
    assert isinstance(refusal(report), ConfigError)
    text = str(refusal(report))
    assert "mac 52:54:00:00:00:01" in text
    assert "development" in text


def test_a_failed_change_is_reported_and_tried_again(scene: Scene) -> None:
    scene.farm.add_fault(Fault(where="*", operation="create_volume", mode="fails-before", times=1))
    report = scene.sync()
    assert len(report.failed) == 2, "the volume, and the machine that needs it"
    assert report.consequence is Consequence.RETRY
    assert scene.events() == ["fail"]
    scene.sync()
    assert scene.events() == ["fail", "sync"]
    assert ready(scene) is Is.TRUE


def test_the_journal_alone_can_be_planned_against(scene: Scene) -> None:
    scene.sync()
    listed = git(scene.origin.path, "ls-tree", "-r", "--name-only", "reconciler/production")
    assert "status.json" in listed
    assert "world/host-virt1.yaml" in listed
    assert "world/zone-farm.internal@ns.yaml" in listed


def test_a_change_points_at_the_line_that_decided_it(scene: Scene) -> None:
    for environment in MAKERS_FIRST:
        scene.sync(environment)
    path = "environments/development/vms/web-1.yaml"
    patch = b"kind: VirtualMachine\nname: web-1\ncpus: 3\nmemory: 1 GiB\nnetworks:\n"
    address = b"  - {network: lan, address: 192.168.0.129}\n"
    scene.origin.commit("development", {path: patch + address})
    report = scene.sync("development")
    [change] = looked(report.before).plan.changes
    assert [str(each) for each in change.fields] == ["vcpus: 1 -> 3"]
    assert str(change.position) == f"{path}:3:1"


@pytest.mark.parametrize("line", [b"suspend: true\n", b"prune: false\n"])
def test_what_the_policy_holds_back_is_not_called_ready(scene: Scene, line: bytes) -> None:
    scene.sync("development")
    policy = "environments/development/environment.yaml"
    before = scene.origin.git("show", f"development:{policy}").encode()
    gone = {"environments/development/vms/sandbox.yaml": None}
    scene.origin.commit("development", {policy: before + b"\n" + line, **gone})
    report = scene.sync("development")
    assert report.refusal is None
    assert ready(scene, "development") is Is.FALSE
    finding = report.finding
    assert finding is not None
    assert finding.reason == "ChangesHeld"
    assert "held" in scene.origin.messages("refs/heads/reconciler/development")[-1]
    assert scene.domain("development-sandbox")[1].running
