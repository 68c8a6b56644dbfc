"""S30: a host that lies about what it has moves, marks and deletes nothing on other hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kinds.domain_operations import MigrateDomain
from reconciler.model.resource import Observed, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from tests.farms.specs import GIB, machine, seen

WEB = machine()
ROOT, DOMAIN = WEB


def elsewhere(found: Observed[Any], **fields: Any) -> Observed[Any]:
    """What virt2 says it has, with the mark of what is on virt1."""
    return replace(found, spec=replace(found.spec, host="virt2", **fields))


def operations(plan: Plan) -> list[Any]:
    steps = [step for change in plan.changes for step in change.operations]
    return steps + [step for remark in plan.remarks for step in remark.operations]


def test_a_false_copy_is_not_moved_over_a_machine_that_waits_for_changes() -> None:
    """The copy has all that is wanted but the host, and so differs in less."""
    due = seen(DOMAIN, memory_bytes=GIB, vcpus=1, autostart=False)
    for copies in ((due, elsewhere(seen(DOMAIN))), (elsewhere(seen(DOMAIN)), due)):
        made = make_plan("production", WEB, World((seen(ROOT), *copies)))
        assert not [each for each in operations(made) if isinstance(each, MigrateDomain)]
        assert made.obstacles


def test_the_rest_of_a_move_cannot_have_the_name_of_another_machine() -> None:
    false = elsewhere(seen(DOMAIN), libvirt_name="production-db-1", moving_to="virt1")
    made = make_plan("production", WEB, World((seen(ROOT), seen(DOMAIN), false)))
    assert not [each for each in operations(made) if isinstance(each, MigrateDomain)]
