"""The world as files of the journal, and back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from reconciler.drivers.simulated import by_hand
from reconciler.errors import ConfigError
from reconciler.gitops.stream import is_plain
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Observed, Owner, World
from reconciler.plan.inventory import load_world, path_of, scope_of, scopes_in, world_files
from reconciler.ports.hypervisor import Disk, Interface
from reconciler.ports.nameserver import Grant, RecordSet, Rules, Timers
from tests.farms.specs import (
    a_record,
    domain_spec,
    machine,
    seen,
    simulated_farm,
    want,
    zone_spec,
)

VIRT1, VIRT2 = Scope("host", "virt1"), Scope("host", "virt2")
ZONE = Scope("zone", "farm", "ns1")

texts = st.text(max_size=12)
labels = st.text("abc-019", min_size=1, max_size=6)
sizes = st.integers(0, 2**70)
owners = st.none() | st.builds(Owner, texts, labels, texts)
domain_specs = st.builds(
    DomainSpec,
    host=labels,
    libvirt_name=texts,
    uuid=texts,
    accelerator=st.sampled_from(["kvm", "qemu", None]),
    vcpus=st.integers(0, 512),
    memory_bytes=sizes,
    running=st.booleans(),
    autostart=st.booleans(),
    disks=st.lists(st.builds(Disk, texts, texts, texts), max_size=3).map(tuple),
    interfaces=st.lists(st.builds(Interface, texts, texts), max_size=2).map(tuple),
    pending_restart=st.none() | st.booleans(),
)
volume_specs = st.builds(
    VolumeSpec, labels, texts, texts, st.sampled_from(["qcow2", "raw"]), sizes, st.none()
)
zone_specs = st.builds(
    ZoneSpec,
    server=labels,
    name=labels,
    timers=st.none() | st.builds(Timers, texts, texts, sizes, sizes, sizes, sizes),
    records=st.lists(
        st.builds(RecordSet, texts, texts, sizes, st.lists(texts, max_size=3).map(tuple)),
        max_size=3,
    ).map(tuple),
    rules=st.none() | st.builds(Rules, st.tuples(st.builds(Grant, texts, texts))),
    serial=sizes,
    open=st.booleans(),
)


def observed_of(kind: str, specs: st.SearchStrategy[Any]) -> st.SearchStrategy[Observed[Any]]:
    names = st.text(min_size=1, max_size=12)
    addresses = st.builds(Address, st.just(kind), names, st.none() | labels)
    return st.builds(Observed, addresses, specs, owners)


scopes = st.builds(Scope, st.just("host"), labels) | st.builds(
    Scope, st.just("zone"), labels, labels
)
worlds = st.builds(
    World,
    st.lists(
        observed_of("domain", domain_specs)
        | observed_of("volume", volume_specs)
        | observed_of("zone", zone_specs),
        max_size=6,
    ).map(tuple),
    st.dictionaries(scopes, texts, max_size=2),
)


def in_any_order(world: World) -> Counter[str]:
    return Counter(map(repr, (replace(each, spec=_stable(each.spec)) for each in world.observed)))


def _stable(spec: Any) -> Any:
    return replace(spec, serial=1, marks=None) if isinstance(spec, ZoneSpec) else spec


@given(worlds)
def test_world_comes_back_as_it_was_but_for_serials(world: World) -> None:
    back = load_world(world_files(world))
    assert in_any_order(back) == in_any_order(world)
    assert back.unknown == world.unknown


@given(worlds)
def test_world_read_and_written_again_is_the_same_bytes(world: World) -> None:
    files = world_files(world)
    assert world_files(load_world(files), scopes_in(files)) == files


@given(worlds.flatmap(lambda world: st.tuples(st.just(world), st.permutations(world.observed))))
def test_order_of_looking_does_not_show(case: tuple[World, list[Observed[Any]]]) -> None:
    world, shuffled = case
    assert world_files(World(tuple(shuffled), world.unknown)) == world_files(world)


@given(scopes, st.text(min_size=1), st.text(min_size=1))
def test_scope_is_told_by_the_name_of_its_file(scope: Scope, name: str, server: str) -> None:
    odd = replace(scope, name=name, server=server)
    files = {path_of(each): b"{}\n" for each in (scope, odd)}
    assert scopes_in(files) == {scope, odd}
    assert load_world(files) == World()


@given(scopes, st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_the_journal_takes_the_file_of_every_scope(scope: Scope, name: str, server: str) -> None:
    assert is_plain(path_of(replace(scope, name=name, server=server)))


@pytest.mark.parametrize("server", ["ns", "ns/outside"])
@pytest.mark.parametrize("name", ["farm", "64/26.2.0.192.in-addr.arpa"])
def test_zones_and_servers_with_a_slash_come_back(name: str, server: str) -> None:
    farm = simulated_farm(servers=(server,))
    kind, owner = KIND_BY_NAME["zone"], Owner("production", zone_address(server, name).name, "00")
    rules = Rules((Grant("production"), Grant("dhcp", "dyn", types=("A",))), "date")
    for step in kind.create(zone_spec(server=server, name=name, rules=rules), owner):
        step.run(farm)
    by_hand.put_record(farm, server, name, a_record("by-hand"))
    scope = Scope("zone", name, server)
    world = World(tuple(kind.observe(scope, farm)))
    files = world_files(world, {scope})
    assert list(files) == [path_of(scope)]
    assert "/" not in path_of(scope).removeprefix("world/")
    back = load_world(files)
    assert in_any_order(back) == in_any_order(world)
    assert {str(each.address) for each in back.observed} == {
        f"zone/{owner.name}",
        f"zone@ns/{owner.name}",
    }


def test_each_scope_has_its_file() -> None:
    web, db = machine(), machine("db-1", host="virt2")
    world = World(tuple(map(seen, (*web, *db, want(zone_spec())))))
    assert list(world_files(world)) == [
        "world/host-virt1.yaml",
        "world/host-virt2.yaml",
        "world/zone-farm@ns1.yaml",
    ]


def test_scope_that_was_looked_at_and_is_empty_has_its_file_too() -> None:
    files = world_files(World(), {VIRT1, ZONE})
    assert files == {"world/host-virt1.yaml": b"{}\n", "world/zone-farm@ns1.yaml": b"{}\n"}
    assert scopes_in(files) == {VIRT1, ZONE}


def test_unknown_scope_says_why() -> None:
    files = world_files(World(unknown={VIRT2: 'no "answer"\n'}), {VIRT1, VIRT2})
    assert files["world/host-virt2.yaml"] == b'unknown: "no \\"answer\\"\\n"\n'
    assert load_world(files).unknown == {VIRT2: 'no "answer"\n'}


def test_foreign_things_and_those_of_other_environments_are_kept_apart() -> None:
    zone = want(zone_spec(a_record("web-1")))
    ours, theirs = seen(zone), seen(zone, environment="staging", timers=None)
    foreign = Observed(Address("zone", "farm", "ns1"), replace(ours.spec, timers=None))
    back = load_world(world_files(World((foreign, theirs, ours))))
    assert {each.owner.environment if each.owner else None for each in back.observed} == {
        *("production", "staging"),
        None,
    }
    assert Counter(map(repr, back.observed)) == Counter(map(repr, (foreign, theirs, ours)))


def test_serial_of_a_zone_makes_no_difference() -> None:
    zone = seen(want(zone_spec()))
    later = replace(zone, spec=replace(zone.spec, serial=2026010203))
    assert world_files(World((zone,))) == world_files(World((later,)))


def test_one_changed_field_is_one_changed_line() -> None:
    before, after = (
        world_files(World(tuple(map(seen, machine(memory_bytes=size)))))["world/host-virt1.yaml"]
        for size in (1024, 2048)
    )
    old, new = before.decode().split("\n"), after.decode().split("\n")
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b and "owner" not in a]
    assert changed == [("    memory_bytes: 1024", "    memory_bytes: 2048")]


def test_file_is_yaml_that_other_tools_read() -> None:
    content = world_files(World(tuple(map(seen, machine()))))["world/host-virt1.yaml"]
    document = YAML(typ="safe", pure=True).load(content.decode())
    assert document["domain/web-1"][0]["spec"]["memory_bytes"] == 2 * 1024**3
    assert document["domain/web-1"][0]["owner"]["environment"] == "production"


@pytest.mark.parametrize(
    "name",
    ["0123", "1e5", "no", "null", "52:54:00", "- x", "a: b", "a" * 3000, "\x7f\x85\u2028é😀"],
)
def test_text_is_never_read_as_anything_else(name: str) -> None:
    strange = Observed(Address("domain", name, "virt1"), domain_spec(libvirt_name=name))
    assert load_world(world_files(World((strange,)))).observed == (strange,)


def test_other_files_of_the_journal_are_skipped() -> None:
    assert load_world({"status.json": b"{", "drift.md": b"&"}) == World()


def test_scope_of_a_resource_is_where_it_is_looked_for() -> None:
    assert scope_of(seen(want(zone_spec()))) == ZONE
    assert [scope_of(seen(each)) for each in machine(host="virt2")] == [VIRT2, VIRT2]


GOOD = world_files(World(tuple(map(seen, machine()))))["world/host-virt1.yaml"].decode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (GOOD + "x", "not valid YAML"),
        (GOOD + GOOD, "not valid YAML"),
        ("- a\n", "not a mapping"),
        ("", "not a mapping"),
        ("a: &x [1]\nb: *x\n", "anchors, aliases and tags"),
        ("a: !!python/object:os.system x\n", "anchors, aliases and tags"),
        ("\x00", "cannot be read as YAML (ReaderError)"),
        ("domain: []\n", "'domain' is not an address"),
        ("5: []\n", "'5' is not an address"),
        ("moon/x: []\n", "moon is no kind of resource"),
        ("domain/x: {}\n", "domain/x: it is no list"),
        ("domain/x: [1]\n", "domain/x: it is no list"),
        ("domain/x: [{}]\n", "domain/x: Input should be"),
        (GOOD.replace("vcpus: 2", 'vcpus: "two"'), "domain/web-1: vcpus: "),
        (GOOD.replace('"name": "web-1", ', ""), "domain/web-1: name: "),
    ],
)
def test_file_that_is_not_ours_is_refused_with_the_reason(content: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_world({"world/host-virt1.yaml": content.encode()})
    (problem,) = caught.value.problems
    assert problem.position.file == "world/host-virt1.yaml"
    assert reason in problem.what
    assert "restore" in problem.remedy


def test_every_problem_of_every_file_is_named() -> None:
    bad = "moon/x: []\nsun/y: []\n"
    files = {"world/host-a.yaml": bad.encode(), "world/zone-b@c.yaml": b"[", "world/x.txt": b""}
    with pytest.raises(ConfigError) as caught:
        load_world(files)
    assert [problem.position.file for problem in caught.value.problems] == [
        *("world/host-a.yaml", "world/host-a.yaml"),
        *("world/x.txt", "world/zone-b@c.yaml"),
    ]


@pytest.mark.parametrize("path", ["world/moon-x.yaml", "world/host-.yaml", "world/a/b.yaml"])
def test_file_that_names_no_scope_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="no scope"):
        scopes_in({path: b"{}\n"})
