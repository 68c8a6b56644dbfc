"""What a change of each field of a base costs: every row of the table of the docs is proved."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base import BASE_KINDS
from reconciler.kinds.base.account import GroupSpec, UserSpec
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.base.module import ModuleSpec
from reconciler.kinds.base.mount import MountSpec
from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.pool import PoolSpec
from reconciler.kinds.base.service import Read, ServiceSpec
from reconciler.kinds.base.setting import SettingSpec
from reconciler.kinds.base.storage import VolumeGroupSpec, ZpoolSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.kinds.change_costs import BASE_COSTS, ChangeCost
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner

OWNER = Owner("production", "x", "d")
FILE = FileSpec("virt1", "/x", "file", "0644", "root", "root", "a", secrets=("a/b@1",))
SEEN: dict[str, Any] = {
    "package": PackageSpec("virt1", "ntp", "present", "1", held=False),
    "setting": SettingSpec("virt1", "hostname", "a"),
    "group": GroupSpec("virt1", "ops", 1, is_made=True),
    "user": UserSpec("virt1", "a", 1, "A", (), "/bin/sh", (), sudo=False, is_made=True),
    "module": ModuleSpec("virt1", "nbd", ""),
    "sysctl": SysctlSpec("virt1", "vm.swappiness", "1", "1"),
    "file": replace(FILE, before="other"),
    "mount": MountSpec("virt1", "/mnt", "nas:/a", "nfs", "ro", is_made=True),
    "volume_group": VolumeGroupSpec("virt1", "all", ("/dev/sda",)),
    "zpool": ZpoolSpec("virt1", "z0", ("/dev/sda",)),
    "pool": PoolSpec("virt1", "default", "directory", "/srv"),
    "service": ServiceSpec("virt1", "ntp", True, True, False, (Read("/x", "a"),)),
    "command": CommandSpec("virt1", "puppet", ("puppet",), ("true",)),
}
# Which value a field of a wish has that differs from what is seen; True differs from False.
VALUES: dict[tuple[str, str], Any] = {
    ("package", "version"): "2",
    ("group", "gid"): 2,
    ("user", "uid"): 2,
    ("user", "groups"): ("kvm",),
    ("user", "keys"): ("k",),
    ("file", "type"): "directory",
    ("file", "secrets"): ("a/b@2",),
    ("volume_group", "devices"): ("/dev/sdb",),
    ("zpool", "layout"): ("mirror", "/dev/sda", "/dev/sdb"),
    ("pool", "type"): "zfs",
    ("service", "reads"): (Read("/x", "b"),),
}
# What is seen where that is not as it should be, for what is only ever wished to be true.
NOT_SO: set[tuple[str, str]] = {
    ("module", "loaded"),
    ("module", "persisted"),
    ("mount", "mounted"),
    ("mount", "persisted"),
    ("pool", "running"),
    ("pool", "autostart"),
    ("pool", "backed"),
    ("command", "done"),
}
TAKEN_AWAY = "it is taken away"
CHANGES = [row for row in BASE_COSTS if row.when != TAKEN_AWAY]
REMOVALS = [row for row in BASE_COSTS if row.when == TAKEN_AWAY]


def other(row: ChangeCost, value: Any) -> Any:
    if row.field == "state":
        return "absent" if row.when == "always" else row.when.removeprefix("to ").strip("`")
    if (row.kind, row.field) in VALUES:
        return VALUES[row.kind, row.field]
    return not value if isinstance(value, bool) else f"{value or ''}x"


def cost(kind_name: str, wanted: Any, seen: Any) -> Disruption:
    kind = KIND_BY_NAME[kind_name]
    changed = kind.diff(wanted, seen)
    assert changed
    return max(step.disruption for step in kind.update(wanted, seen, changed, OWNER))


def test_every_field_that_can_differ_has_a_row_and_no_other() -> None:
    known = {
        (kind.name, field.name)
        for kind in BASE_KINDS
        for field in fields(kind.spec)
        if field.compare and field.name not in {"host", "name", "path", "unit"}
    }
    assert {(row.kind, row.field) for row in CHANGES} == known


def test_what_is_taken_away_of_every_kind_has_a_row() -> None:
    assert sorted(row.kind for row in REMOVALS) == sorted(SEEN)


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: f"{row.kind}-{row.field}-{row.when}")
def test_a_change_costs_what_its_row_says(row: ChangeCost) -> None:
    seen = SEEN[row.kind]
    if (row.kind, row.field) in NOT_SO:
        wanted, seen = seen, replace(seen, **{row.field: False})
    elif row.when == "to `present`":
        wanted, seen = seen, replace(seen, state="absent")
    else:
        wanted = replace(seen, **{row.field: other(row, getattr(seen, row.field))})
    assert cost(row.kind, wanted, seen) == row.disruption


@pytest.mark.parametrize("row", REMOVALS, ids=lambda row: row.kind)
def test_taking_away_costs_what_its_row_says(row: ChangeCost) -> None:
    steps = KIND_BY_NAME[row.kind].delete(SEEN[row.kind], OWNER)
    assert max(step.disruption for step in steps) == row.disruption


def test_nothing_of_a_base_ever_costs_data() -> None:
    assert {row.disruption for row in BASE_COSTS} <= {Disruption.LIVE, Disruption.RESTART}
