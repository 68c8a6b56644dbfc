"""What holds for every kind of a base."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated.base.state import Base
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base import BASE_KINDS
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import ServiceSpec
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VolumeGroupSpec, ZpoolSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.change import Action, Disruption
from reconciler.model.plain import digest_of
from reconciler.model.resource import Owner
from reconciler.plan.make import UNDONE, make_plan
from reconciler.plan.plan import Cause
from tests.farms.bases import (
    ENVIRONMENT,
    HOST,
    base_farm,
    base_of,
    is_settled,
    look,
    only_change,
    plan_of,
    sync,
    wanted,
)

# Each of them is not so on a fresh simulated host.
EXAMPLES: dict[str, tuple[str, Any]] = {
    "package": ("package", PackageSpec(HOST, "tree")),
    "package at a version": ("package", PackageSpec(HOST, "tree", version="1.0", held=True)),
    "no package": ("package", PackageSpec(HOST, "sudo", "absent")),
    "setting": ("setting", SettingSpec(HOST, "timezone", "Europe/Berlin")),
    "group": ("group", GroupSpec(HOST, "ops", 1500)),
    "no group": ("group", GroupSpec(HOST, "users", state="absent")),
    "user": ("user", UserSpec(HOST, "alice", groups=("sudo", "kvm"), keys=("b", "a"), sudo=True)),
    "system user": ("user", UserSpec(HOST, "backup", description="for backups")),
    "no user": ("user", UserSpec(HOST, "nobody", state="absent")),
    "module": ("module", ModuleSpec(HOST, "br_netfilter", "")),
    "module with options": ("module", ModuleSpec(HOST, "nbd", "max_part=8")),
    "sysctl": ("sysctl", SysctlSpec(HOST, "net.ipv4.ip_forward", "1", "1")),
    "file": ("file", FileSpec(HOST, "/etc/motd", "file", "0640", "root", "adm", "hello\n")),
    "directory": ("file", FileSpec(HOST, "/srv/data", "directory", "0750", "root", "root")),
    "link": ("file", FileSpec(HOST, "/etc/localtime.d", "link", target="/srv")),
    "mount": ("mount", MountSpec(HOST, "/mnt", "nas:/export", "nfs", "ro,nofail")),
    "volume group": ("volume_group", VolumeGroupSpec(HOST, "all", ("/dev/sdb", "/dev/sda2"))),
    "zpool": ("zpool", ZpoolSpec(HOST, "z0", ("mirror", "/dev/sda3", "/dev/sdb3"))),
    "pool": ("pool", PoolSpec(HOST, "default", "directory", "/var/lib/libvirt/images")),
    "service": ("service", ServiceSpec(HOST, "cron", running=False, enabled=False)),
    "command": ("command", CommandSpec(HOST, "puppet", ("touch", "/srv/done"), ("has", "run"))),
}
# Of the others all stays when nobody wants them any more.
TAKEN_BACK = {
    "group",
    "user",
    "system user",
    "module",
    "module with options",
    "sysctl",
    "file",
    "directory",
    "link",
    "mount",
    "pool",
}
every = pytest.mark.parametrize("example", EXAMPLES)


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _ in EXAMPLES.values()} == {kind.name for kind in BASE_KINDS}


@every
def test_what_is_wanted_is_made_and_the_second_plan_is_empty(example: str) -> None:
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    change = only_change(sync(farm, want))
    assert change.cause is Cause.PENDING
    assert str(change.operations[-1]).endswith(f"on {HOST}")
    assert is_settled(plan_of(farm, want))


@every
def test_what_is_so_already_is_adopted_without_a_change(example: str) -> None:
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    sync(farm, want)
    bare = base_farm(base_of(farm), marks={}, originals={})
    bare.hypervisor(HOST).define_pool("default", "dir", "/var/lib/libvirt/images")
    before = base_of(bare)
    plan = sync(bare, want)
    assert not [*plan.changes, *plan.foreign, *plan.obstacles]
    assert len(base_of(bare).marks) == 1
    assert base_of(bare).files == before.files
    assert is_settled(plan_of(bare, want))


@every
def test_what_is_not_wanted_any_more_is_forgotten(example: str) -> None:
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    sync(farm, want)
    change = only_change(sync(farm))
    assert change.action is Action.DELETE
    assert change.disruption <= Disruption.RESTART
    assert base_of(farm).marks == {}
    assert is_settled(plan_of(farm))
    taken_back = " to itself" not in str(change.operations[0])
    assert taken_back is (example in TAKEN_BACK)


@every
def test_what_was_adopted_stays_when_it_is_not_wanted_any_more(example: str) -> None:
    """All but what we wrote down for the next boot, and the pools of libvirt."""
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    sync(farm, want)
    bare = base_farm(base_of(farm), marks={}, originals={})
    sync(bare, want)
    before = base_of(bare)
    sync(bare)
    after = base_of(bare)
    for field in ("files", "packages", "services", "users", "groups", "mounts", "settings"):
        assert getattr(after, field) == getattr(before, field), field


@every
def test_what_is_wanted_is_made_again_when_all_of_it_is_gone(example: str) -> None:
    """The mark is still there: so it is known for drift without any memory."""
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    sync(farm, want)
    fresh = base_farm(Base(), marks=base_of(farm).marks)
    plan = sync(fresh, want)
    assert only_change(plan).cause is Cause.DRIFT
    assert is_settled(plan_of(fresh, want))


@every
def test_a_mark_of_what_is_gone_is_forgotten_and_nothing_else_done(example: str) -> None:
    farm, want = base_farm(), wanted(*EXAMPLES[example])
    sync(farm, want)
    fresh = base_farm(Base(), marks=base_of(farm).marks)
    before = base_of(fresh)
    sync(fresh)
    after = base_of(fresh)
    assert after.marks == {}
    assert (after.files, after.packages, after.users) == (
        before.files,
        before.packages,
        before.users,
    )


@every
def test_what_was_undone_is_held(example: str) -> None:
    kind, spec = EXAMPLES[example]
    farm, want = base_farm(), wanted(kind, spec)
    world = replace(look(farm, [want]), undone={want.address: digest_of(spec)})
    assert only_change(make_plan(ENVIRONMENT, [want], world)).held == UNDONE


@every
def test_operations_are_told_in_words(example: str) -> None:
    kind, spec = EXAMPLES[example]
    first, *_ = KIND_BY_NAME[kind].create(spec, Owner(ENVIRONMENT, "x", "d"))
    assert str(first).endswith(f" on {HOST}")
    assert "mark" not in str(first)
