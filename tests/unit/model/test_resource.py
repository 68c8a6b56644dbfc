from __future__ import annotations

from dataclasses import replace

from reconciler.model.address import Address, Scope
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, Observed, Owner, World, owner_of
from tests.farms.specs import machine, seen, volume_spec, want

SPEC = volume_spec()
OURS = seen(want(SPEC, "web-1-root"))
THEIRS = seen(want(volume_spec(environment="staging"), "web-1-root"), "staging")
NOBODYS = Observed(Address("volume", "default/old", "virt1"), SPEC)
WORLD = World((OURS, THEIRS, NOBODYS), {Scope("host", "virt2"): "no answer"})


def test_the_world_of_an_environment_is_what_carries_its_mark() -> None:
    assert WORLD.of("production") == {OURS.address: OURS}
    assert WORLD.of("staging") == {THEIRS.address: THEIRS}


def test_the_others_are_other_environments_and_nobody() -> None:
    assert WORLD.others("production") == (THEIRS, NOBODYS)


def test_hosts_that_could_not_be_looked_at_are_known_by_name() -> None:
    zone = Scope("zone", "farm", "ns1")
    assert World((), {**WORLD.unknown, zone: "no answer"}).unknown_hosts == {"virt2"}


def test_the_mark_names_environment_resource_and_spec() -> None:
    desired = Desired(Address("volume", "web-1-root"), SPEC)
    assert owner_of("production", desired) == Owner("production", "web-1-root", digest_of(SPEC))


def test_the_mark_has_the_digest_of_an_earlier_spec_if_one_is_given() -> None:
    desired = Desired(Address("volume", "web-1-root"), SPEC, digest="")
    assert owner_of("production", desired).digest == ""


def test_an_unfinished_mark_has_the_digest_of_no_spec() -> None:
    owner = owner_of("production", machine()[0])
    assert owner.unfinished == replace(owner, digest="")
