"""Which seen resource a desired one is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kinds.match import match
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Observed, Owner, World
from tests.farms.specs import domain_spec, machine, seen, volume_spec, want, world_of, zone_spec

WEB = want(domain_spec(), "web-1")


def marked(name: str, spec: Any, environment: str = "production") -> Observed[Any]:
    kind = WEB.address.kind
    return Observed(Address(kind, name), spec, Owner(environment, name, "d"))


def test_a_resource_is_found_by_its_name() -> None:
    another_uuid = marked("web-1", domain_spec(uuid="0" * 36))
    matches = match("production", [WEB], World((another_uuid,)))
    assert matches.found == {WEB.address: another_uuid}


def test_a_resource_is_found_by_its_former_name() -> None:
    renamed = want(domain_spec("web-2"), "web-2", formerly=WEB.address)
    matches = match("production", [renamed], world_of(WEB))
    assert matches.found == {renamed.address: seen(WEB)}
    assert matches.unwanted == ()


def test_a_resource_whose_mark_has_another_name_is_found_by_what_it_is() -> None:
    found = marked("web-9", domain_spec())
    assert match("production", [WEB], World((found,))).found == {WEB.address: found}


def test_what_it_is_counts_more_than_the_name_in_the_mark() -> None:
    """web-2 was called web-1; the old web-2 went in the same commit."""
    renamed = want(domain_spec("web-1"), "web-2", formerly=WEB.address)
    old = marked("web-2", domain_spec("web-2"))
    matches = match("production", [renamed], World((old, seen(WEB))))
    assert matches.found == {renamed.address: seen(WEB)}
    assert matches.unwanted == (replace(old, address=Address("domain", "web-2", "virt1")),)


def test_a_former_name_that_is_in_use_again_belongs_to_its_new_user() -> None:
    renamed = want(domain_spec("web-2"), "web-2", formerly=WEB.address)
    matches = match("production", [renamed, WEB], world_of(WEB))
    assert matches.found == {WEB.address: seen(WEB)}


def test_a_swap_of_names_moves_marks_only() -> None:
    one, two = want(domain_spec("a"), "b"), want(domain_spec("b"), "a")
    world = World((marked("a", domain_spec("a")), marked("b", domain_spec("b"))))
    found = match("production", [one, two], world).found
    assert found[one.address].spec == one.spec
    assert found[two.address].spec == two.spec


def test_what_nobody_wants_is_unwanted() -> None:
    old = seen(want(domain_spec("old"), "old"))
    matches = match("production", [WEB], World((seen(WEB), old)))
    assert matches.unwanted == (old,)
    assert matches.copies == ()


def test_a_copy_with_the_same_mark_is_told_from_the_original() -> None:
    """A clone that kept the mark has another UUID."""
    clone = marked("web-1", domain_spec(uuid="0" * 36, libvirt_name="clone", host="virt2"))
    for world in (World((clone, seen(WEB))), World((seen(WEB), clone))):
        matches = match("production", [WEB], world)
        assert matches.found == {WEB.address: seen(WEB)}
        assert matches.unwanted == ()
        assert [each.address for each in matches.copies] == [Address("domain", "web-1", "virt2")]


def test_of_two_equal_volumes_the_one_in_its_place_is_taken() -> None:
    desired = want(volume_spec(host="virt2"), "web-1-root")
    here, there = seen(desired, host="virt1"), seen(desired)
    matches = match("production", [desired], World((here, there)))
    assert matches.found == {desired.address: there}
    assert [each.address.host for each in matches.copies] == ["virt1"]


def test_unwanted_copies_are_not_unwanted_twice() -> None:
    matches = match("production", [], World((seen(WEB), seen(WEB, host="virt2"))))
    assert len(matches.unwanted) == len(matches.copies) == 1


def test_other_environments_and_nobody_match_nothing() -> None:
    theirs = seen(WEB, "staging")
    nobodys = replace(seen(WEB), owner=None)
    matches = match("production", [WEB], World((theirs, nobodys)))
    assert (matches.found, matches.unwanted, matches.copies) == ({}, (), ())


def test_kinds_are_not_mixed_up() -> None:
    zone = want(zone_spec(), "farm")
    desired: list[Desired[Any]] = [*machine("farm"), zone]
    found = match("production", desired, world_of(*desired)).found
    assert {address.kind: each.address.kind for address, each in found.items()} == {
        "volume": "volume",
        "domain": "domain",
        "zone": "zone",
    }
