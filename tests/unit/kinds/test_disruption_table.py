"""What a change of each field of each spec costs. A field that is not in the table fails."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from reconciler.kinds import KIND_BY_NAME, KINDS
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, Interface
from tests.farms.specs import GIB, IMAGE, TIMERS, a_record, domain_spec, volume_spec, zone_spec

LIVE, RESTART, REPLACE, DATA_LOSS = Disruption
OWNER = Owner("production", "x", "d")
WWW = a_record("www")
SEEN: dict[str, Any] = {
    "domain": domain_spec(),
    "volume": volume_spec(),
    "zone": zone_spec(WWW),
}
DISK, INTERFACE = SEEN["domain"].disks[0], SEEN["domain"].interfaces[0]
OFF = {"running": False}
BY_HAND = {"pending_restart": None}

# kind, field, its new value, what the change costs; None: it is no change
TABLE: list[tuple[str, str, Any, Disruption | None]] = [
    ("domain", "host", "virt2", LIVE),
    ("domain", "libvirt_name", "web", REPLACE),
    ("domain", "uuid", "0" * 36, REPLACE),
    ("domain", "accelerator", "qemu", RESTART),
    ("domain", "vcpus", 1, RESTART),
    ("domain", "vcpus", 3, RESTART),
    ("domain", "memory_bytes", 1 * GIB, LIVE),
    ("domain", "memory_bytes", 3 * GIB, RESTART),
    ("domain", "running", False, RESTART),
    ("domain", "autostart", False, LIVE),
    ("domain", "disks", (), RESTART),
    ("domain", "disks", (DISK, Disk("data", "fast", "data")), RESTART),
    ("domain", "disks", (replace(DISK, pool="fast"),), RESTART),
    ("domain", "disks", (replace(DISK, volume="other"),), RESTART),
    ("domain", "interfaces", (), RESTART),
    ("domain", "interfaces", (Interface("52:54:00:00:00:01", "br-lan"),), RESTART),
    ("domain", "interfaces", (replace(INTERFACE, bridge="br-dmz"),), RESTART),
    ("domain", "pending_restart", None, None),
    ("volume", "host", "virt2", LIVE),
    ("volume", "pool", "fast", DATA_LOSS),
    ("volume", "name", "other", DATA_LOSS),
    ("volume", "format", "raw", DATA_LOSS),
    ("volume", "capacity_bytes", 9 * GIB, LIVE),
    ("volume", "capacity_bytes", 7 * GIB, DATA_LOSS),
    ("volume", "image", IMAGE, None),
    ("zone", "server", "ns2", REPLACE),
    ("zone", "timers", replace(TIMERS, retry_seconds=1), LIVE),
    ("zone", "timers", None, LIVE),
    ("zone", "records", zone_spec().records, LIVE),
    ("zone", "records", zone_spec(a_record("www", "10.0.0.1")).records, LIVE),
    ("zone", "serial", 9, None),
    ("zone", "stale", ("x",), None),
]
UNCHANGEABLE = {("zone", "name")}  # it is the zone's address


def cost(kind_name: str, desired: Any, observed: Any) -> Disruption | None:
    kind = KIND_BY_NAME[kind_name]
    changed = kind.diff(desired, observed)
    if not changed:
        return None
    return max(step.disruption for step in kind.update(desired, observed, changed, OWNER))


@pytest.mark.parametrize(("kind", "field", "value", "expected"), TABLE)
def test_what_a_change_costs(
    kind: str, field: str, value: Any, expected: Disruption | None
) -> None:
    assert cost(kind, replace(SEEN[kind], **{field: value}), SEEN[kind]) == expected


@pytest.mark.parametrize("row", [row for row in TABLE if row[3] is RESTART])
@pytest.mark.parametrize("why", [OFF, BY_HAND])
def test_a_restart_costs_nothing_when_it_is_off_or_waits_for_a_person(
    row: tuple[str, str, Any, Disruption | None], why: dict[str, Any]
) -> None:
    kind, field, value, _ = row
    desired = replace(SEEN[kind], **{field: value, **why})
    observed = replace(SEEN[kind], running=desired.running)
    assert cost(kind, desired, observed) in {LIVE, None}


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_field_of_a_spec_is_changed_by_some_row(kind: str) -> None:
    known = {field.name for field in fields(KIND_BY_NAME[kind].spec)}
    listed = {row[1] for row in TABLE if row[0] == kind}
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
    return ("10.0.0.1",) if isinstance(value, tuple) else value + 1
