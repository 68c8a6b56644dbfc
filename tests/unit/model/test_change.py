from __future__ import annotations

import pytest

from reconciler.model.change import Disruption, FieldChange


def test_disruptions_are_ordered_by_what_they_cost() -> None:
    assert [each.label for each in sorted(Disruption, reverse=True)] == [
        "data-loss",
        "replace",
        "restart",
        "live",
    ]


@pytest.mark.parametrize("disruption", Disruption)
def test_a_disruption_is_found_by_its_label(disruption: Disruption) -> None:
    assert Disruption.of(disruption.label) is disruption


def test_no_disruption_has_an_unknown_label() -> None:
    with pytest.raises(KeyError):
        Disruption.of("gentle")


def test_a_field_change_says_when_there_is_nothing_on_one_side() -> None:
    assert str(FieldChange("memory_bytes", 1, 2)) == "memory_bytes: 1 -> 2"
    assert str(FieldChange("host", None, "virt1")) == "host: (none) -> virt1"
