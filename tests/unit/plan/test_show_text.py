"""A plan as people read it; how whole plans look is kept in tests/golden/plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.kinds.base.kind import ChangeBase
from reconciler.kinds.base.pool import RemovePool
from reconciler.kinds.domain_operations import DefineDomain, SnapshotDomain
from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.position import Position
from reconciler.model.resource import Owner
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Cause, Change, Plan, Unknown
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.notices import plan_notices
from reconciler.plan.show.text import LINES_AT_MOST, Line, LineKind, plain, plan_lines, plan_text
from reconciler.plan.show.view import View
from reconciler.ports.acts import Forget, LockUser, RestartService
from reconciler.ports.facts import Question
from reconciler.ports.hypervisor import DomainDefinition
from reconciler.ports.machine import Safety
from tests.golden.plan.cases import CASES

WEB = Address("domain", "web-1")
CHANGE = Change(
    WEB,
    Action.UPDATE,
    Cause.PENDING,
    (FieldChange("memory_bytes", 1024**3, 2 * 1024**3),),
    (),
    position=Position("vms/web-1.yaml", 6, 9),
)


def plan_of(*changes: Change, **fields: object) -> Plan:
    return replace(Plan("production", "", tuple(changes)), **fields)  # type: ignore[arg-type]


def test_change_says_what_where_and_what_it_costs() -> None:
    assert "  ~ domain/web-1 (pending, live) vms/web-1.yaml:6:9\n" in plan_text(plan_of(CHANGE))
    assert "      memory_bytes: 1 GiB → 2 GiB\n" in plan_text(plan_of(CHANGE))


def test_drift_and_pending_are_told_apart() -> None:
    drifted = replace(CHANGE, cause=Cause.DRIFT, address=Address("domain", "web-2"))
    text = plan_text(plan_of(CHANGE, drifted))
    assert "domain/web-1 (pending" in text
    assert "domain/web-2 (drift" in text


def test_drift_view_shows_only_drift_and_what_is_foreign() -> None:
    drifted = replace(CHANGE, cause=Cause.DRIFT, address=Address("domain", "web-2"))
    plan = plan_of(CHANGE, drifted, foreign=(Address("domain", "old", "virt1"),))
    text = plan_text(plan, view=View.DRIFT)
    assert "domain/web-1" not in text
    assert "domain/web-2" in text
    assert "domain@virt1/old" in text
    assert "Drift: 0 to create, 1 to update, 0 to move, 0 to delete, 1 foreign\n" in text
    assert "domain@virt1/old" not in plan_text(plan)


def test_held_change_says_why() -> None:
    text = plan_text(plan_of(replace(CHANGE, held="drift is only reported")))
    assert "      held: drift is only reported\n" in text
    assert "0 unchanged, 1 held\n" in text


def test_what_becomes_of_a_part_of_a_host_is_told() -> None:
    """Most of what is deleted from a document is not deleted from the host."""
    forget = Forget("package", Question("package", "ntp"))
    alice = Forget("user", Question("user", "alice"))
    left = replace(CHANGE, action=Action.DELETE, operations=(ChangeBase("virt1", (forget,)),))
    locked = replace(left, operations=(ChangeBase("virt1", (LockUser("alice"), alice)),))
    pool = replace(left, operations=(RemovePool("virt1", "fast"), *left.operations))
    assert "\n      leave package ntp to itself\n" in plan_text(plan_of(left))
    assert "\n      lock account alice\n" in plan_text(plan_of(locked))
    assert "\n      its data stay\n" in plan_text(plan_of(pool))


def test_a_way_back_is_told() -> None:
    step = ChangeBase("virt1", (RestartService("ssh"),), safety=Safety((), ("ssh",), ()))
    assert "      with the way back armed\n" in plan_text(
        plan_of(replace(CHANGE, operations=(step,)))
    )


def test_a_snapshot_and_what_waits_for_a_restart_are_told() -> None:
    definition = DomainDefinition("web", "u", "kvm", vcpus=2, memory_bytes=1024**3)
    steps = (
        SnapshotDomain("virt1", "web", "before-1"),
        DefineDomain("virt1", definition, Owner("production", "web-1", ""), waits="tpm, vcpus"),
    )
    plan = plan_of(replace(CHANGE, operations=steps))
    for text in (plan_text(plan), plan_markdown(plan)):
        assert "first a snapshot: before-1\n" in text
        assert "waits for a restart: tpm, vcpus\n" in text
    (notice,) = plan_notices(plan)
    assert "; first a snapshot: before-1; waits for a restart: tpm, vcpus" in notice.message


def test_renamed_resource_says_its_former_address() -> None:
    text = plan_text(plan_of(replace(CHANGE, formerly=Address("domain", "old"))))
    assert "(formerly domain/old, pending, live)" in text


def test_violation_comes_with_its_remedy_and_whom_it_is_about() -> None:
    addresses = tuple(Address("domain", f"web-{number}") for number in range(12))
    violation = Violation("mass-deletion", "12 would go", "delete fewer", addresses)
    lines = [str(each) for each in plan_lines(plan_of(), [violation])]
    start = lines.index("1 violation: the plan is not applied")
    assert lines[start + 1] == "  ! mass-deletion: 12 would go"
    assert lines[start + 2] == "      delete fewer"
    assert lines[start + 3].endswith("domain/web-9 and 2 more")


def test_unknown_resource_says_why() -> None:
    text = plan_text(plan_of(unknown=(Unknown(WEB, "virt1 does not answer"),)))
    assert "  ? domain/web-1: virt1 does not answer\n" in text


def test_summary_counts_everything() -> None:
    plan = plan_of(CHANGE, replace(CHANGE, action=Action.DELETE), unchanged=40)
    text = plan_text(plan)
    assert "Plan: 0 to create, 1 to update, 0 to move, 1 to delete, 40 unchanged\n" in text
    assert text.endswith(f"Digest: {plan.digest}\n")


def test_long_change_is_cut_and_says_how_much_is_left() -> None:
    fields = tuple(FieldChange(f"records.a{n}/A.ttl_seconds", n, n + 1) for n in range(100))
    lines = plan_lines(plan_of(replace(CHANGE, fields=fields)))
    shown = [each for each in lines if each.kind is LineKind.FIELD]
    assert len(shown) == LINES_AT_MOST
    more = [each.text for each in lines if each.kind is LineKind.MORE]
    assert more == [f"… {100 - LINES_AT_MOST} more lines; the JSON format has them all"]


def test_deletion_tells_what_goes_in_one_line() -> None:
    fields = (FieldChange("host", "virt1", None), FieldChange("disks", [{"name": "a"}], None))
    text = plan_text(plan_of(replace(CHANGE, action=Action.DELETE, fields=fields)))
    assert "      host: virt1, disks: 1\n" in text


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("view", list(View))
def test_every_line_prints_and_ends_where_it_should(name: str, view: View) -> None:
    case = CASES[name]()
    text = plan_text(case.plan(), case.violations(), view=view)
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line != line.rstrip() for line in text.split("\n"))


def test_a_line_of_text_is_never_a_command_to_a_runner() -> None:
    assert plain([Line(LineKind.HEADING, "::stop-commands::x", 1)]) == "  \\x3a:stop-commands::x\n"
