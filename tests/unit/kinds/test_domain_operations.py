"""Each operation on a domain is one call of the port, and says in words what it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.kinds import KIND_BY_NAME, KINDS
from reconciler.kinds.domain_operations import (
    AdjustGuest,
    DefineDomain,
    ForgetSnapshot,
    MarkDomain,
    MigrateDomain,
    RevertDomain,
    SetAutostart,
    SnapshotDomain,
    StartDomain,
    StopDomain,
    UndefineDomain,
)
from reconciler.kinds.protocol import Operation, fields_of
from reconciler.model.change import FieldChange
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition
from tests.farms.specs import GIB, simulated_farm, uuid_of

OWNER = Owner("production", "web-1", "d")
DEFINITION = DomainDefinition("web", uuid_of("production", "web-1"), "kvm", 1, GIB)
ROWS: list[tuple[Operation, str, str]] = [
    (DefineDomain("virt1", DEFINITION, OWNER), "define_domain", "define domain web on virt1"),
    (MarkDomain("virt1", "web", OWNER), "mark_domain", "mark domain web on virt1"),
    (StartDomain("virt1", "web"), "start_domain", "start domain web on virt1"),
    (
        AdjustGuest("virt1", "web", "memory_bytes, vcpus"),
        "adjust_guest",
        "change memory_bytes, vcpus of the running web on virt1",
    ),
    (
        SnapshotDomain("virt1", "web", "before-d"),
        "snapshot_domain",
        "snapshot web on virt1 as before-d",
    ),
    (
        RevertDomain("virt1", "web", "before-d"),
        "revert_domain",
        "revert web on virt1 to the snapshot before-d",
    ),
    (
        ForgetSnapshot("virt1", "web", "before-d"),
        "forget_snapshot",
        "delete the snapshot before-d of web on virt1",
    ),
    (
        SetAutostart("virt1", "web", autostart=True),
        "set_autostart",
        "enable autostart of web on virt1",
    ),
    (
        SetAutostart("virt1", "web", autostart=False),
        "set_autostart",
        "disable autostart of web on virt1",
    ),
    (
        MigrateDomain("virt1", "web", "virt2"),
        "migrate_domain",
        "migrate domain web from virt1 to virt2",
    ),
    (StopDomain("virt2", "web"), "stop_domain", "shut down domain web on virt2"),
    (UndefineDomain("virt2", "web"), "undefine_domain", "undefine domain web on virt2"),
]


def test_each_operation_is_one_call_of_its_host() -> None:
    farm = simulated_farm()
    for operation, call, _ in ROWS:
        operation.run(farm)
        assert (farm.log[-1].operation, farm.log[-1].machines[0]) == (call, operation.host)  # type: ignore[attr-defined]
    assert len(farm.log) == len(ROWS)


@pytest.mark.parametrize(("operation", "words"), [(row[0], row[2]) for row in ROWS])
def test_each_operation_in_words(operation: Operation, words: str) -> None:
    assert str(operation) == words


def test_a_migration_keeps_both_hosts_busy() -> None:
    assert MigrateDomain("virt1", "web", "virt2").machines == {"virt1", "virt2"}
    assert StartDomain("virt1", "web").machines == {"virt1"}


def test_operations_are_values() -> None:
    start = StartDomain("virt1", "web")
    assert start == StartDomain("virt1", "web")
    assert replace(start, host="virt2") != start


def test_fields_are_known_by_their_first_name() -> None:
    changes = [FieldChange("disks.root.pool", 1, 2), FieldChange("vcpus", 1, 2)]
    assert fields_of(changes) == {"disks", "vcpus"}


def test_kinds_are_registered_under_their_names() -> None:
    assert [kind.name for kind in KINDS if not kind.is_bound] == ["volume", "domain", "zone"]
    assert all(KIND_BY_NAME[kind.name] is kind for kind in KINDS)
