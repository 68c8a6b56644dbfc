"""What a commit asks for has one name, wherever and whenever it is asked."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.address import Address
from reconciler.model.resource import Applied, owner_of
from reconciler.plan.asked import asked_for
from tests.farms.specs import PRODUCTION, machine, volume_spec, want

MACHINE = machine()
RULES = "rules"


def name_of(*desired: object, applied: dict[Address, Applied] | None = None) -> str:
    return asked_for(PRODUCTION, desired, applied or {}, RULES)  # type: ignore[arg-type] # short


def applied_of(*desired: object) -> dict[Address, Applied]:
    return {each.address: Applied(owner_of(PRODUCTION, each).digest) for each in desired}  # type: ignore[attr-defined, arg-type] # short


def test_what_was_applied_is_not_asked_for_again() -> None:
    other = want(volume_spec(), "other")
    alone = name_of(other)
    assert name_of(*MACHINE, other, applied=applied_of(*MACHINE)) == alone
    assert name_of(*MACHINE, applied=applied_of(*MACHINE)) == name_of()


def test_what_is_changed_made_or_given_up_is_told_apart() -> None:
    bigger = want(volume_spec(capacity_bytes=1 << 40), "web-1-root")
    was = applied_of(*MACHINE)
    names = {
        name_of(applied=was),
        name_of(*MACHINE, applied=was),
        name_of(*MACHINE),
        name_of(bigger, MACHINE[1], applied=was),
    }
    assert len(names) == 4


def test_other_rules_are_another_thing_to_approve_of() -> None:
    assert asked_for(PRODUCTION, MACHINE, {}, "a") != asked_for(PRODUCTION, MACHINE, {}, "b")
    assert asked_for("staging", MACHINE, {}, "a") != asked_for(PRODUCTION, MACHINE, {}, "a")


def test_where_a_thing_stands_in_a_file_does_not_matter() -> None:
    moved = tuple(replace(each, position=None, locate=None) for each in MACHINE)
    assert name_of(*reversed(moved)) == name_of(*MACHINE)
