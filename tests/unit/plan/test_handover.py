"""A host that changes hands keeps what is on it."""

from __future__ import annotations

from reconciler.kinds.base.account import UserSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.model.change import Disruption
from reconciler.plan.handover import hand_over
from tests.farms.bases import HOST, base_farm, base_of, is_settled, plan_of, sync, wanted

GUARDED = FileSpec(HOST, "/etc/ssh/sshd_config.d/a.conf", "file", "0644", "root", "root", "x\n")
BASE = (
    wanted("package", PackageSpec(HOST, "tree")),
    wanted("file", GUARDED),
    wanted("user", UserSpec(HOST, "alice", sudo=True)),
)


def test_what_is_on_a_host_of_another_environment_now_only_loses_its_mark() -> None:
    farm = base_farm()
    sync(farm, *BASE)
    before = base_of(farm)
    plan = hand_over(plan_of(farm), {HOST})
    assert len(plan.changes) == len(BASE)
    for change in plan.changes:
        assert change.disruption is Disruption.LIVE
        for step in change.operations:
            step.run(farm)
    after = base_of(farm)
    assert (after.files, after.users, after.packages) == (
        before.files,
        before.users,
        before.packages,
    )
    assert is_settled(plan_of(farm))


def test_on_our_own_hosts_nothing_else_happens() -> None:
    farm = base_farm()
    sync(farm, *BASE)
    assert hand_over(plan_of(farm), {"virt2"}) == plan_of(farm)
