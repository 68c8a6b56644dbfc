"""What is done about a running guest: live, by a restart, later; snapshots; who starts first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.domain import DomainKind, DomainSpec
from reconciler.kinds.domain_changes import GuestChanges, class_of
from reconciler.kinds.domain_operations import DefineDomain
from reconciler.kinds.protocol import Operation
from reconciler.model.address import Address
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from tests.farms.specs import GIB, domain_spec

KIND = DomainKind()
OWNER = Owner("production", "web-1", "d" * 16)
NAME = "production-web-1"
SEEN = domain_spec(
    vcpus_maximum=4,
    memory_maximum_bytes=4 * GIB,
    cpu_model="qemu64",
    firmware="bios",
    tpm=False,
    title="",
)
RESTARTED = [f"shut down domain {NAME} on virt1", f"start domain {NAME} on virt1"]
DEFINED, MARKED = f"define domain {NAME} on virt1", f"mark domain {NAME} on virt1"
SNAPSHOT = f"snapshot {NAME} on virt1 as before-{OWNER.digest}"


def guest_of(spec: DomainSpec, **changes: Any) -> DomainDefinition:
    fields = {name: getattr(spec, name) for name in DomainDefinition.__slots__ if name != "name"}
    return DomainDefinition(name=spec.libvirt_name, **{**fields, **changes})


def waiting(spec: DomainSpec = SEEN, **changes: Any) -> DomainSpec:
    """Seen with a guest that differs in this from the stored definition."""
    return replace(spec, pending_restart=True, guest=guest_of(spec, **changes))


def update(desired: DomainSpec, observed: DomainSpec = SEEN) -> list[str]:
    steps: tuple[Operation, ...] = KIND.update(
        desired, observed, KIND.diff(desired, observed), OWNER
    )
    return [str(step) for step in steps]


def paths(desired: DomainSpec, observed: DomainSpec) -> list[str]:
    return [each.path for each in KIND.diff(desired, observed)]


def test_a_guest_that_waits_is_restarted_when_that_is_due() -> None:
    assert update(SEEN, waiting(tpm=True)) == [*RESTARTED, MARKED]


def test_a_guest_that_lacks_only_what_is_live_is_not_restarted() -> None:
    assert update(SEEN, waiting(memory_bytes=GIB, title="old")) == [
        f"change memory_bytes, title of the running {NAME} on virt1",
        MARKED,
    ]


def test_a_guest_that_is_seen_only_to_wait_is_restarted() -> None:
    """A world that was written down has no guests in it."""
    assert update(SEEN, replace(SEEN, pending_restart=True)) == [*RESTARTED, MARKED]


def test_a_guest_that_differs_in_what_is_not_managed_is_left_alone() -> None:
    """Somebody edited the stored definition; nobody here wants to know."""
    desired = replace(SEEN, tpm=None, cpu_model=None, vcpus_maximum=None, title=None)
    edited = waiting(tpm=True, cpu_model="host-model", vcpus_maximum=2, title="old")
    assert KIND.diff(desired, edited) == ()


@pytest.mark.parametrize("fields", [{"cpu_model": None}, {"vcpus": 2, "cpu_model": None}])
def test_what_is_not_managed_is_no_reason_beside_other_changes(fields: dict[str, Any]) -> None:
    desired = replace(SEEN, autostart=False, **fields)
    edited = waiting(cpu_model="host-model")
    assert update(desired, edited) == [f"disable autostart of {NAME} on virt1", MARKED]


BY_HAND = replace(SEEN, pending_restart=None)


def test_what_can_be_live_is_not_put_off_with_the_rest() -> None:
    observed = waiting(tpm=True, memory_bytes=GIB)
    assert KIND.diff(BY_HAND, observed) == (FieldChange("guest.memory_bytes", GIB, 2 * GIB),)
    assert update(BY_HAND, observed) == [
        f"change memory_bytes of the running {NAME} on virt1",
        MARKED,
    ]


def test_a_guest_that_waits_for_a_person_and_lacks_nothing_live_is_left_alone() -> None:
    assert KIND.diff(BY_HAND, waiting(tpm=True)) == ()


def test_nothing_is_live_before_a_host_is_chosen() -> None:
    desired = replace(BY_HAND, host=None, accelerator=None)
    assert KIND.diff(desired, waiting(memory_bytes=GIB)) == ()


def test_a_disk_under_another_name_is_neither_plugged_nor_a_restart() -> None:
    data = Disk("data", "default", "x")
    both = replace(SEEN, disks=(*SEEN.disks, data))
    renamed = replace(
        SEEN, disks=(replace(SEEN.disks[0], name="system"), replace(data, name="store"))
    )
    assert paths(renamed, both) == ["disks.data", "disks.root", "disks.store", "disks.system"]
    assert update(renamed, both) == [DEFINED, MARKED]


def test_disks_that_swap_their_volumes_are_a_restart() -> None:
    data = Disk("data", "default", "x")
    root = SEEN.disks[0]
    both = replace(SEEN, disks=(root, data))
    swapped = replace(SEEN, disks=(replace(root, volume="x"), replace(data, volume=root.volume)))
    assert update(swapped, both) == [DEFINED, *RESTARTED, MARKED]


def test_where_a_seed_is_among_the_disks_is_all_one() -> None:
    seed = Disk("seed", "default", "s", "cdrom")
    first, last = (seed, *SEEN.disks), (*SEEN.disks, seed)
    assert KIND.diff(replace(SEEN, disks=first), replace(SEEN, disks=last)) == ()


def test_an_interface_leaves_its_vlan() -> None:
    (plain,) = SEEN.interfaces
    tagged = replace(SEEN, interfaces=(replace(plain, vlan=42),))
    path = f"interfaces.{plain.mac}.vlan"
    assert KIND.diff(SEEN, tagged) == (FieldChange(path, 42, 0),)
    assert KIND.diff(tagged, SEEN) == (FieldChange(path, None, 42),)
    assert update(SEEN, tagged) == [
        DEFINED,
        f"change {path} of the running {NAME} on virt1",
        MARKED,
    ]


def test_a_field_that_the_table_does_not_know_is_an_error() -> None:
    guest = guest_of(SEEN)
    with pytest.raises(KeyError, match="colour"):
        class_of(FieldChange("colour", 1, 2), guest, guest)


def test_the_worst_change_says_what_all_cost() -> None:
    changes = GuestChanges.of(guest_of(SEEN), guest_of(SEEN, title="x", tpm=True, firmware="uefi"))
    assert [each.path for each in changes.live] == ["title"]
    assert {each.path for each in changes.others} == {"tpm", "firmware"}
    assert changes.disruption is Disruption.REPLACE


def careful(**changes: Any) -> DomainSpec:
    return replace(SEEN, snapshot_from=Disruption.RESTART, **changes)


def test_a_risky_change_is_made_after_a_snapshot() -> None:
    assert update(careful(tpm=True)) == [SNAPSHOT, DEFINED, *RESTARTED, MARKED]


@pytest.mark.parametrize(
    "desired",
    [
        careful(title="x"),
        careful(running=False),
        careful(tpm=True, pending_restart=None),
        careful(host="virt2"),
        replace(SEEN, tpm=True),
        replace(SEEN, tpm=True, snapshot_from=Disruption.REPLACE),
    ],
    ids=["live", "stopped", "put off", "moved", "never", "not that risky"],
)
def test_other_changes_are_made_without_one(desired: DomainSpec) -> None:
    assert not [step for step in update(desired) if step.startswith("snapshot")]


def test_a_snapshot_is_deleted_when_all_went_well() -> None:
    observed = replace(SEEN, snapshots=("before-a", "before-b"))
    assert KIND.is_untidy(observed)
    assert not KIND.is_untidy(SEEN)
    assert [str(step) for step in KIND.mark(observed, OWNER)] == [
        f"delete the snapshot before-a of {NAME} on virt1",
        f"delete the snapshot before-b of {NAME} on virt1",
        MARKED,
    ]


def test_a_domain_is_moved_without_its_snapshots() -> None:
    observed = replace(SEEN, snapshots=("before-a",))
    assert update(replace(SEEN, host="virt2"), observed) == [
        f"delete the snapshot before-a of {NAME} on virt1",
        f"migrate domain {NAME} from virt1 to virt2",
        f"mark domain {NAME} on virt2",
    ]


def test_going_back_to_a_snapshot_brings_autostart_back_too() -> None:
    observed = replace(SEEN, tpm=True, autostart=False, snapshots=("before-a",))
    desired = replace(SEEN, snapshots=("before-a",))
    assert update(desired, observed) == [
        f"revert {NAME} on virt1 to the snapshot before-a",
        f"enable autostart of {NAME} on virt1",
        MARKED,
    ]


def test_a_machine_needs_those_that_it_starts_after() -> None:
    spec = replace(SEEN, disks=(), interfaces=(), after=("db-1", "ns-1"))
    needs = KIND.needs(Address("domain", "web-1"), spec)
    assert needs == {Address("domain", "db-1"), Address("domain", "ns-1")}


def test_after_whom_it_starts_is_no_difference() -> None:
    assert KIND.diff(replace(SEEN, after=("db-1",)), SEEN) == ()


def test_an_interface_more_keeps_the_order_of_the_others() -> None:
    more = Interface("52:54:00:00:00:01", "br-lan")
    desired = replace(SEEN, interfaces=(more, *SEEN.interfaces))
    assert paths(desired, SEEN) == [f"interfaces.{more.mac}"]


@pytest.mark.parametrize(
    ("desired", "observed", "waits"),
    [
        (replace(BY_HAND, tpm=True), SEEN, "tpm"),
        (replace(BY_HAND, memory_bytes=8 * GIB, title="Web"), SEEN, "memory_bytes"),
        (replace(BY_HAND, title="Web"), SEEN, ""),
        (replace(SEEN, tpm=True), SEEN, ""),
        (replace(BY_HAND, tpm=True), replace(SEEN, running=False), ""),
    ],
)
def test_what_will_wait_for_a_restart_is_known(
    desired: DomainSpec, observed: DomainSpec, waits: str
) -> None:
    steps = KIND.update(desired, observed, KIND.diff(desired, observed), OWNER)
    assert [step.waits for step in steps if isinstance(step, DefineDomain)] == [waits]
