"""Whatever happens, once it is quiet the farm becomes what git says, and nothing else changes."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st

from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore, Fault
from tests.farms.base_wishes import BASE_HANDS, some_base_wishes
from tests.farms.effort import examples
from tests.farms.town import HANDS, Edit, Hand, Rename, Step, Town, Trouble, Turn
from tests.farms.wishes import BASE_OWNER, ENVIRONMENTS, HOSTS, MACHINES, Wish, some_wishes, wishes

numbers = st.integers(0, 7)
calls = st.integers(1, 40)
faults = st.builds(
    Fault,
    where=st.sampled_from([*HOSTS, "ns1"]),
    operation=st.sampled_from(
        ["*", "define_*", "create_*", "mark_*", "start_*", "update_*", "put_*", "look", "restart_*"]
    ),
    mode=st.sampled_from(["unreachable", "fails-before", "fails-after"]),
    times=st.none() | st.integers(1, 3),
)
turns = st.builds(Turn, numbers)
steps = st.lists(
    st.one_of(
        turns,
        turns,
        st.sampled_from(ENVIRONMENTS).flatmap(wishes).map(Edit),
        st.builds(Rename, numbers, numbers, st.sampled_from(MACHINES)),
        st.builds(Hand, st.sampled_from(sorted(HANDS)), numbers),
        st.builds(Trouble, faults),
        st.builds(Turn, numbers, st.builds(CrashBefore, calls) | st.builds(CrashAfter, calls)),
    ),
    max_size=12,
)


@examples(200)
@given(some_wishes(), steps)
def test_after_everything_the_farm_is_as_wanted(
    begin: tuple[Wish, ...], happens: list[Step]
) -> None:
    town = Town(begin)
    for step in happens:
        town.live(step)
    note(f"rounds: {town.calm_down()}")
    assert town.misfits() == []


hosts_alone = st.builds(
    Wish,
    environment=st.just(BASE_OWNER),
    machines=st.just(()),
    own=st.just(()),
    shared=st.just(()),
    retry_seconds=st.just(900),
    bases=some_base_wishes,
)
at_bases = st.lists(
    st.one_of(
        turns,
        hosts_alone.map(Edit),
        st.builds(Hand, st.sampled_from(["reboot", *sorted(BASE_HANDS)]), numbers),
        st.builds(Hand, st.sampled_from(["reboot", *sorted(BASE_HANDS)]), numbers),
        st.builds(Trouble, faults),
        st.builds(Turn, numbers, st.builds(CrashBefore, calls) | st.builds(CrashAfter, calls)),
    ),
    max_size=16,
)


@examples(200)
@given(hosts_alone, at_bases)
def test_after_everything_the_bases_are_as_wanted(begin: Wish, happens: list[Step]) -> None:
    town = Town((begin,))
    for step in happens:
        town.live(step)
    note(f"rounds: {town.calm_down()}")
    assert town.misfits() == []
