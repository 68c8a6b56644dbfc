"""What the benchmark reads out of its neighbour, and how it compares."""

from __future__ import annotations

import pytest

from benchmarks.hypervisor import Versus
from benchmarks.peer import changed

RECAP = "virt2 : ok=1    changed={changed}    unreachable=0    failed={failed}    skipped=0\n"


def test_the_recap_says_how_many_tasks_changed_something() -> None:
    assert changed(RECAP.format(changed=1, failed=0)) == 1
    assert changed(RECAP.format(changed=0, failed=0)) == 0


@pytest.mark.parametrize("said", ["", RECAP.format(changed=0, failed=1)])
def test_a_run_that_did_not_go_well_is_no_measurement(said: str) -> None:
    with pytest.raises(ValueError, match="all went well"):
        changed(said)


def test_runs_over_different_numbers_of_machines_are_compared_by_the_machine() -> None:
    row = Versus("nothing to do", ours_seconds=2, theirs_seconds=50)
    assert row.times_faster(ours=1000, theirs=100) == 250
