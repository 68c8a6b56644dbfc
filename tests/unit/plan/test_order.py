"""The order of changes in both tenses, whatever order they were found in."""

from __future__ import annotations

import itertools
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import DependencyLoop
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.plan.order import Ties, in_order
from reconciler.plan.plan import Cause, Change

VOLUME, OTHER_VOLUME = Address("volume", "web-root"), Address("volume", "web-data")
DOMAIN, OTHER_DOMAIN = Address("domain", "web"), Address("domain", "db")
ZONE = Address("zone", "farm")


def change(address: Address, action: Action = Action.CREATE) -> Change:
    return Change(address, action, Cause.PENDING, (), ())


def needs(*addresses: Address) -> Ties:
    return Ties(frozenset(addresses))


def claims(*names: str) -> Ties:
    return Ties(claims=frozenset(names))


def addresses(changes: tuple[Change, ...]) -> list[Address]:
    return [each.address for each in changes]


def test_nothing_is_in_order() -> None:
    assert in_order([], {}, {}) == ()


def test_what_is_needed_comes_first() -> None:
    ordered = in_order([change(DOMAIN), change(VOLUME)], {DOMAIN: needs(VOLUME)}, {})
    assert addresses(ordered) == [VOLUME, DOMAIN]
    assert [each.needs for each in ordered] == [frozenset(), {VOLUME}]


def test_what_is_needed_goes_last() -> None:
    ordered = in_order(
        [change(VOLUME, Action.DELETE), change(DOMAIN, Action.DELETE)],
        {},
        {DOMAIN: needs(VOLUME)},
    )
    assert addresses(ordered) == [DOMAIN, VOLUME]
    assert ordered[1].needs == {DOMAIN}


def test_a_thing_goes_only_when_nobody_needs_it_any_more() -> None:
    """A machine gets another volume: the new one first, then the machine, then the old one goes."""
    ordered = in_order(
        [change(VOLUME, Action.DELETE), change(DOMAIN, Action.UPDATE), change(OTHER_VOLUME)],
        {DOMAIN: needs(OTHER_VOLUME)},
        {DOMAIN: needs(VOLUME)},
    )
    assert addresses(ordered) == [OTHER_VOLUME, DOMAIN, VOLUME]


def test_what_stays_as_it_is_is_waited_for_by_nobody() -> None:
    (only,) = in_order([change(DOMAIN)], {DOMAIN: needs(VOLUME)}, {DOMAIN: needs(OTHER_VOLUME)})
    assert only.needs == frozenset()


def test_a_need_that_is_being_deleted_is_not_waited_for() -> None:
    """It is needed and unwanted at once: the deletion must not come before who needed it."""
    ordered = in_order(
        [change(DOMAIN, Action.UPDATE), change(VOLUME, Action.DELETE)],
        {DOMAIN: needs(VOLUME)},
        {DOMAIN: needs(VOLUME)},
    )
    assert addresses(ordered) == [DOMAIN, VOLUME]


def test_a_name_is_taken_after_it_was_given_free() -> None:
    ordered = in_order(
        [change(DOMAIN), change(OTHER_DOMAIN, Action.DELETE)],
        {DOMAIN: claims("mac 52:54:00:00:00:01")},
        {OTHER_DOMAIN: claims("mac 52:54:00:00:00:01")},
    )
    assert addresses(ordered) == [OTHER_DOMAIN, DOMAIN]
    assert ordered[1].needs == {OTHER_DOMAIN}


def test_a_name_that_it_has_already_is_not_waited_for() -> None:
    ordered = in_order(
        [change(DOMAIN, Action.UPDATE), change(OTHER_DOMAIN, Action.DELETE)],
        {DOMAIN: claims("mac")},
        {DOMAIN: claims("mac"), OTHER_DOMAIN: claims("mac")},
    )
    assert all(not each.needs for each in ordered)


def test_a_swap_of_names_makes_no_circle() -> None:
    ordered = in_order(
        [change(DOMAIN, Action.UPDATE), change(OTHER_DOMAIN, Action.UPDATE)],
        {DOMAIN: claims("b"), OTHER_DOMAIN: claims("a")},
        {DOMAIN: claims("a"), OTHER_DOMAIN: claims("b")},
    )
    assert addresses(ordered) == [OTHER_DOMAIN, DOMAIN]


def test_a_circle_is_explained_with_its_path() -> None:
    one, two, three = (Address("volume", name) for name in "abc")
    wanted = {one: needs(two), two: needs(three), three: needs(one)}
    with pytest.raises(DependencyLoop) as loop:
        in_order([change(each) for each in (one, two, three)], wanted, {})
    path = loop.value.path
    assert path[0] == path[-1]
    assert len(path) == 4
    for needy, needed in itertools.pairwise(path):
        assert needed in wanted[needy].needs
    assert re.search(r"circle: (volume/. -> ){3}volume/.; remove one", str(loop.value))


def test_a_resource_that_needs_itself_is_a_circle() -> None:
    with pytest.raises(DependencyLoop):
        in_order([change(DOMAIN)], {DOMAIN: needs(DOMAIN)}, {})


def test_kinds_come_in_the_order_of_the_registry_and_then_by_name() -> None:
    unknown = Address("strange", "br-lan")
    host_file = Address("volume", "web-root", "virt1")
    found = [unknown, ZONE, DOMAIN, OTHER_DOMAIN, host_file, VOLUME]
    ordered = in_order([change(each) for each in found], {}, {})
    assert addresses(ordered) == [VOLUME, host_file, OTHER_DOMAIN, DOMAIN, ZONE, unknown]


BRIDGE, SWITCH = Address("bridge", "br-lan", "virt1"), Address("switch", "br-lan", "virt1")


def test_what_makes_way_for_another_of_its_name_does_not_wait_for_who_needs_it() -> None:
    """Else they would wait in a circle: the bridge for the machine, that for the switch."""
    wanted = {DOMAIN: needs(SWITCH), SWITCH: claims("interface br-lan")}
    seen = {DOMAIN: needs(BRIDGE), BRIDGE: claims("interface br-lan")}
    found = [change(DOMAIN, Action.UPDATE), change(BRIDGE, Action.DELETE), change(SWITCH)]
    assert addresses(in_order(found, wanted, seen)) == [BRIDGE, SWITCH, DOMAIN]


def test_what_makes_way_for_nobody_waits_for_who_needs_it() -> None:
    wanted = {DOMAIN: needs(SWITCH), SWITCH: claims("interface br-new")}
    seen = {DOMAIN: needs(BRIDGE), BRIDGE: claims("interface br-lan")}
    found = [change(DOMAIN, Action.UPDATE), change(BRIDGE, Action.DELETE), change(SWITCH)]
    assert addresses(in_order(found, wanted, seen)) == [SWITCH, DOMAIN, BRIDGE]


names = st.text("abc", min_size=1, max_size=2)
resources = st.builds(Address, st.sampled_from(["volume", "domain", "zone"]), names)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Change], dict[Address, Ties], dict[Address, Ties]]:
    """Changes whose needs point from later to earlier ones, so that there is no circle."""
    found = sorted(draw(st.sets(resources, max_size=8)))
    action = st.sampled_from(Action)
    changes = [change(each, draw(action)) for each in found]
    wanted, seen = {}, {}
    for index, each in enumerate(found):
        earlier = st.frozensets(st.sampled_from(found[:index])) if index else st.just(frozenset())
        wanted[each], seen[each] = Ties(draw(earlier)), Ties(draw(earlier))
    return changes, wanted, seen


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_in_which_differences_are_found_never_matters(
    graph: tuple[list[Change], dict[Address, Ties], dict[Address, Ties]], random: Random
) -> None:
    changes, wanted, seen = graph
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert in_order(shuffled, wanted, seen) == in_order(changes, wanted, seen)


@given(graphs())
def test_each_change_comes_after_those_it_names(
    graph: tuple[list[Change], dict[Address, Ties], dict[Address, Ties]],
) -> None:
    done: set[Address] = set()
    for each in in_order(*graph):
        assert each.needs <= done
        done.add(each.address)
    assert len(done) == len(graph[0])
