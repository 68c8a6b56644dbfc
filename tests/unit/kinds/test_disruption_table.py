"""What a change of each field costs: every row of the tables that the docs print is proved here."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from reconciler.kinds import KIND_BY_NAME, KINDS
from reconciler.kinds.change_costs import CHANGE_COSTS
from reconciler.kinds.domain_changes import CHANGE_CLASSES, class_of, definition_changes
from reconciler.kinds.domain_operations import DefineDomain
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, Seed
from reconciler.ports.nameserver import Grant, Rules
from tests.farms.specs import GIB, IMAGE, TIMERS, a_record, domain_spec, volume_spec, zone_spec

LIVE, RESTART, REPLACE, DATA_LOSS = Disruption
OWNER = Owner("production", "x", "d")
WWW = a_record("www")
ROOM: dict[str, Any] = {"vcpus_maximum": 4, "memory_maximum_bytes": 4 * GIB}
OPEN: dict[str, Any] = {
    "cpu_model": "Nehalem",
    "firmware": "bios",
    "tpm": False,
    "title": "",
    "first_boot": "a",
}
SEED = volume_spec("web-1-seed", format="iso", content="a", seed=Seed("m", "u", "n"))
SEED_FIELDS = {each.name: getattr(SEED, each.name) for each in fields(SEED)}
SEEN: dict[str, Any] = {
    "domain": domain_spec(**ROOM, **OPEN),
    "volume": volume_spec(content="a"),
    "zone": zone_spec(WWW),
}
DISK, INTERFACE = SEEN["domain"].disks[0], SEEN["domain"].interfaces[0]
DATA, MORE = Disk("data", "fast", "data"), Disk("more", "fast", "more")
CDROM = Disk("seed", "default", "seed", "cdrom")
SECOND = Interface("52:54:00:00:00:01", "br-lan")
OFF = {"running": False}
BY_HAND = {"pending_restart": None}
Row = tuple[str, str, str]
Example = tuple[dict[str, Any], dict[str, Any]]

# By kind, field and case: what is seen, and what is wanted.
EXAMPLES: dict[Row, list[Example]] = {
    ("domain", "vcpus", "within `cpus_maximum`"): [
        ({}, {"vcpus": 4}),
        ({}, {"vcpus": 1}),
        ({}, {"vcpus": 3, "vcpus_maximum": None}),
    ],
    ("domain", "vcpus", "else"): [
        ({"accelerator": "qemu"}, {"accelerator": "qemu", "vcpus": 1}),
        ({}, {"vcpus": 1, "vcpus_maximum": None}),
        ({}, {"vcpus": 5, "vcpus_maximum": None}),
        ({"vcpus_maximum": None}, {"vcpus": 3, "vcpus_maximum": None}),
    ],
    ("domain", "memory_bytes", "within `memory_maximum`"): [
        ({}, {"memory_bytes": 4 * GIB}),
        ({}, {"memory_bytes": 1 * GIB}),
        ({}, {"memory_bytes": 1 * GIB, "memory_maximum_bytes": None}),
    ],
    ("domain", "memory_bytes", "else"): [
        ({}, {"memory_bytes": 5 * GIB, "memory_maximum_bytes": None}),
    ],
    ("domain", "disks", "a data disk comes or goes"): [
        ({}, {"disks": (DISK, DATA)}),
        ({"disks": (DISK, DATA, MORE)}, {"disks": (DISK, MORE)}),
        ({"disks": (DISK, MORE)}, {"disks": (DISK, DATA, MORE)}),
    ],
    ("domain", "disks", "the root disk, a seed, another order"): [
        ({}, {"disks": ()}),
        ({}, {"disks": (DATA, DISK)}),
        ({}, {"disks": (replace(DISK, pool="fast"),)}),
        ({}, {"disks": (replace(DISK, volume="other"),)}),
        ({}, {"disks": (DISK, CDROM)}),
        ({"disks": (DISK, CDROM)}, {"disks": (DISK,)}),
        ({"disks": (DISK, DATA, MORE)}, {"disks": (DISK, MORE, DATA)}),
        ({"disks": (DISK, DATA)}, {"disks": (DISK, replace(DATA, volume="other"))}),
    ],
    ("domain", "interfaces", "one comes, goes or changes"): [
        ({}, {"interfaces": ()}),
        ({}, {"interfaces": (SECOND,)}),
        ({}, {"interfaces": (INTERFACE, SECOND)}),
        ({}, {"interfaces": (replace(INTERFACE, bridge="br-dmz"),)}),
        ({}, {"interfaces": (replace(INTERFACE, link="down"),)}),
        ({}, {"interfaces": (replace(INTERFACE, vlan=7),)}),
        ({"interfaces": (replace(INTERFACE, vlan=7),)}, {"interfaces": (INTERFACE,)}),
        ({}, {"interfaces": (replace(INTERFACE, switch="libvirt", portgroup="x"),)}),
    ],
    ("domain", "interfaces", "another order"): [
        ({"interfaces": (INTERFACE, SECOND)}, {"interfaces": (SECOND, INTERFACE)}),
    ],
    ("domain", "title", "always"): [({}, {"title": "web"}), ({"title": "web"}, {"title": ""})],
    ("domain", "vcpus_maximum", "always"): [({}, {"vcpus_maximum": 8})],
    ("domain", "memory_maximum_bytes", "always"): [({}, {"memory_maximum_bytes": 8 * GIB})],
    ("domain", "cpu_model", "always"): [({}, {"cpu_model": "host-model"})],
    ("domain", "tpm", "always"): [({}, {"tpm": True}), ({"tpm": True}, {"tpm": False})],
    ("domain", "first_boot", "`on_change: rerun`"): [
        ({}, {"first_boot": "b"}),
        ({"first_boot": None}, {"first_boot": "b"}),
    ],
    ("domain", "accelerator", "always"): [({}, {"accelerator": "qemu"})],
    ("domain", "firmware", "always"): [({}, {"firmware": "uefi"})],
    ("domain", "running", "to `true`"): [({"running": False}, {})],
    ("domain", "running", "to `false`"): [({}, {"running": False})],
    ("domain", "autostart", "always"): [({}, {"autostart": False})],
    ("domain", "host", "always"): [({}, {"host": "virt2"})],
    ("domain", "host", "and the new host only emulates"): [
        ({}, {"host": "virt2", "accelerator": "qemu"})
    ],
    ("domain", "libvirt_name", "always"): [({}, {"libvirt_name": "web"})],
    ("domain", "uuid", "always"): [({}, {"uuid": "0" * 36})],
    ("domain", "after", "always"): [({}, {"after": ("db",)})],
    ("volume", "capacity_bytes", "larger"): [({}, {"capacity_bytes": 9 * GIB})],
    ("volume", "capacity_bytes", "smaller"): [({}, {"capacity_bytes": 7 * GIB})],
    ("volume", "pool", "always"): [({}, {"pool": "fast"})],
    ("volume", "format", "always"): [({}, {"format": "raw"})],
    ("volume", "name", "always"): [({}, {"name": "other"})],
    ("volume", "host", "always"): [({}, {"host": "virt2"})],
    ("volume", "image", "always"): [({}, {"image": IMAGE}), ({}, {"overlay": True})],
    ("volume", "content", "`on_change: replace`"): [({}, {"content": "b"})],
    ("volume", "content", "else"): [(SEED_FIELDS, {"content": "b"})],
}
TAKEN_AWAY: dict[Row, Any] = {
    ("domain", "name", "it is taken away"): SEEN["domain"],
    ("volume", "disks", "one is taken away"): SEEN["volume"],
}
ROWS: dict[Row, Disruption | None] = {
    **{("domain", row.field, row.when): row.disruption for row in CHANGE_CLASSES},
    **{(row.kind, row.field, row.when): row.disruption for row in CHANGE_COSTS},
}
CASES = [(row, *example) for row, examples in EXAMPLES.items() for example in examples]
PUT_OFF = [
    (*case, why)
    for case in CASES
    for why in (OFF, BY_HAND)
    if ROWS[case[0]] is RESTART and case[0][1] != "running"
    if case[0][1] != "host" or why is OFF  # a move is not put off
]

# Of what no document speaks by itself: kind, field, its new value, what the change costs.
OTHERS: list[tuple[str, str, Any, Disruption | None]] = [
    ("domain", "pending_restart", None, None),
    ("domain", "guest", None, None),
    ("domain", "snapshots", ("before",), None),
    ("domain", "snapshot_from", RESTART, None),
    ("domain", "moving_to", "virt2", None),
    ("domain", "networks", (Address("reservations", "lan.x", "virt1"),), None),
    ("volume", "is_back", True, None),
    ("volume", "seed", SEED.seed, None),
    ("volume", "overlay", True, None),
    ("zone", "server", "ns2", REPLACE),
    ("zone", "timers", replace(TIMERS, retry_seconds=1), LIVE),
    ("zone", "timers", None, LIVE),
    ("zone", "records", zone_spec().records, LIVE),
    ("zone", "records", zone_spec(a_record("www", "10.0.0.1")).records, LIVE),
    ("zone", "serial", 9, None),
    ("zone", "rules", Rules((Grant("production"),)), LIVE),
    ("zone", "open", True, LIVE),
    ("zone", "marks", (a_record("x"),), None),
    ("zone", "after", (Address("service", "named", "virt1"),), None),
]
UNCHANGEABLE = {("zone", "name")}  # it is the zone's address


def cost(kind_name: str, desired: Any, observed: Any) -> Disruption | None:
    kind = KIND_BY_NAME[kind_name]
    changed = kind.diff(desired, observed)
    if not changed:
        return None
    return max(step.disruption for step in kind.update(desired, observed, changed, OWNER))


def definition_of(spec: Any) -> DomainDefinition:
    (step, *_) = KIND_BY_NAME["domain"].create(spec, OWNER)
    assert isinstance(step, DefineDomain)
    return step.definition


def test_every_row_of_the_tables_is_proved() -> None:
    assert EXAMPLES.keys() | TAKEN_AWAY.keys() == ROWS.keys()


@pytest.mark.parametrize(("row", "observed"), TAKEN_AWAY.items())
def test_taking_away_costs_what_its_row_says(row: Row, observed: Any) -> None:
    steps = KIND_BY_NAME[row[0]].delete(observed, OWNER)
    assert max(step.disruption for step in steps) == ROWS[row]


@pytest.mark.parametrize(("row", "before", "after"), CASES)
def test_a_change_costs_what_its_row_says(
    row: Row, before: dict[str, Any], after: dict[str, Any]
) -> None:
    observed = replace(SEEN[row[0]], **before)
    desired = replace(observed, **after) if after else SEEN[row[0]]
    assert cost(row[0], desired, observed) == ROWS[row]


@pytest.mark.parametrize("number", range(len(CHANGE_CLASSES)))
def test_a_change_of_a_guest_falls_into_the_row_that_it_is_an_example_of(number: int) -> None:
    row = CHANGE_CLASSES[number]
    for before, after in EXAMPLES["domain", row.field, row.when]:
        guest = definition_of(replace(SEEN["domain"], **before))
        wanted = definition_of(replace(SEEN["domain"], **{**before, **after}))
        changes = definition_changes(wanted, guest)
        assert row in {class_of(change, guest, wanted) for change in changes}


@pytest.mark.parametrize(("kind", "field", "value", "expected"), OTHERS)
def test_what_else_can_differ(
    kind: str, field: str, value: Any, expected: Disruption | None
) -> None:
    assert cost(kind, replace(SEEN[kind], **{field: value}), SEEN[kind]) == expected


@pytest.mark.parametrize(("row", "before", "after", "why"), PUT_OFF)
def test_a_restart_costs_nothing_when_it_is_off_or_waits_for_a_person(
    row: Row, before: dict[str, Any], after: dict[str, Any], why: dict[str, Any]
) -> None:
    desired = replace(SEEN[row[0]], **{**before, **after, **why})
    observed = replace(SEEN[row[0]], **{**before, "running": desired.running})
    assert cost(row[0], desired, observed) in {LIVE, None}


@pytest.mark.parametrize("why", [{}, OFF, BY_HAND])
def test_a_system_that_may_not_boot_is_told_of_before_it_is_started(why: dict[str, Any]) -> None:
    desired = replace(SEEN["domain"], firmware="uefi", **why)
    observed = replace(SEEN["domain"], running=desired.running)
    assert cost("domain", desired, observed) == REPLACE


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if not kind.is_bound])
def test_every_field_of_a_spec_is_changed_by_some_row(kind: str) -> None:
    known = {field.name for field in fields(KIND_BY_NAME[kind].spec)}
    listed = {row[1] for row in (*EXAMPLES, *OTHERS) if row[0] == kind}
    listed |= {field for name, field in UNCHANGEABLE if name == kind}
    assert listed == known


@pytest.mark.parametrize("part", [Disk, Interface, type(WWW), type(TIMERS)])
def test_every_field_of_a_part_makes_a_difference(part: type[Any]) -> None:
    """All but the one that names the part."""
    whole: dict[Any, Any] = {
        Disk: (SEEN["domain"], "disks", DISK, "domain"),
        Interface: (SEEN["domain"], "interfaces", INTERFACE, "domain"),
        type(WWW): (SEEN["zone"], "records", WWW, "zone"),
        type(TIMERS): (SEEN["zone"], "timers", TIMERS, "zone"),
    }
    spec, field, value, kind = whole[part]
    for each in fields(part):
        old = getattr(value, each.name)
        new = replace(value, **{each.name: f"{old}x" if isinstance(old, str) else _other(old)})
        changed = replace(
            spec, **{field: (new,) if isinstance(getattr(spec, field), tuple) else new}
        )
        assert cost(kind, changed, spec) is not None, each.name


def _other(value: Any) -> Any:
    return ("10.0.0.1",) if isinstance(value, tuple) else (value or 0) + 1
