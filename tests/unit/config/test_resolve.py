"""Patches and stacks give one complete document each, by one table of precedence."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.config.documents import MachineDefaults
from reconciler.config.merge import Located, locate
from reconciler.config.names import Names
from reconciler.config.parse import parse
from reconciler.config.resolve import LONGEST_CHAIN, Key, completed, level_of, patched
from reconciler.model.position import Problem

MACHINE = ("VirtualMachine", "web-1")


def read(*documents: str, file: str = "f.yaml") -> list[tuple[Key, Located]]:
    text = "\n---\n".join(documents)
    located = [locate(each) for each in parse(file, text.encode())]
    return [((each.value["kind"], each.value["name"]), each) for each in located]


def resolve(
    shared: list[tuple[Key, Located]], own: list[tuple[Key, Located]] | None = None
) -> tuple[Mapping[Key, Any], list[str]]:
    problems: list[Problem] = []
    layers = patched(level_of(shared, problems), level_of(own or [], problems), problems)
    resolved = completed(layers, Names(frozenset(layers)), problems)
    values = {key: located.value for key, located in resolved.documents.items()}
    return values, [str(problem) for problem in problems]


FARM = "{kind: Farm, name: farm, defaults: {memory: farm, cpus: farm, image: farm, host: farm}}"
LINUX = "{kind: Stack, name: linux, memory: linux, cpus: linux, image: linux}"
WEB = "{kind: Stack, name: web, inherits: linux, memory: web, cpus: web}"
VM = "{kind: VirtualMachine, name: web-1, stack: web, memory: document}"


def test_each_level_beats_those_before_it() -> None:
    values, problems = resolve(read(FARM, LINUX, WEB, VM))
    assert problems == []
    assert values[MACHINE] == {
        "kind": "VirtualMachine",
        "name": "web-1",
        "stack": "web",
        "host": "farm",
        "image": "linux",
        "cpus": "web",
        "memory": "document",
    }


def test_first_boot_data_merges_by_key_name_and_path() -> None:
    linux = (
        "{kind: Stack, name: linux, first_boot: {grow: false, packages: [a], accounts: "
        "[{name: ops, sudo: true}, {name: guest}], files: [{path: /a, content: x}, {path: /b}]}}"
    )
    machine = (
        "{kind: VirtualMachine, name: web-1, stack: linux, first_boot: {packages: [b], accounts: "
        "[{name: ops, shell: /bin/sh}, {name: guest, absent: true}], files: "
        "[{path: /b, absent: true}, {path: /a, mode: x}, {path: /c}]}}"
    )
    values, problems = resolve(read(linux, machine))
    assert problems == []
    assert values[MACHINE]["first_boot"] == {
        "grow": False,
        "packages": ["b"],
        "accounts": [{"name": "ops", "sudo": True, "shell": "/bin/sh"}],
        "files": [{"path": "/a", "content": "x", "mode": "x"}, {"path": "/c"}],
    }


def test_a_patch_beats_all() -> None:
    patch = read("{kind: VirtualMachine, name: web-1, memory: patch, cpus: null, host: null}")
    values, problems = resolve(read(FARM, LINUX, WEB, VM), patch)
    assert problems == []
    assert values[MACHINE]["memory"] == "patch"
    assert not {"cpus", "host"} & values[MACHINE].keys(), "null removes what the stack gave"


def test_a_patch_may_choose_another_stack() -> None:
    patch = read("{kind: VirtualMachine, name: web-1, stack: linux}")
    values, _ = resolve(read(FARM, LINUX, WEB, VM), patch)
    assert values[MACHINE]["cpus"] == "linux"


def test_a_patch_may_leave_the_stack() -> None:
    patch = read("{kind: VirtualMachine, name: web-1, stack: null}")
    values, problems = resolve(read(FARM, LINUX, WEB, VM), patch)
    assert values[MACHINE]["cpus"] == "farm"
    assert problems == []


def test_a_patched_stack_gives_what_the_patch_says_to_all_who_inherit() -> None:
    patch = read("{kind: Stack, name: linux, image: patch, inherits: null}")
    values, _ = resolve(read(FARM, LINUX, WEB, VM), patch)
    assert values[MACHINE]["image"] == "patch"


def test_stacks_pass_on_the_fields_of_machines_only() -> None:
    stack = "{kind: Stack, name: web, description: mine, unknown: key, memory: web}"
    values, _ = resolve(read(stack, VM))
    assert values[MACHINE].keys() - {"kind", "name", "stack"} <= MachineDefaults.model_fields.keys()
    assert values["Stack", "web"]["unknown"] == "key", "to be complained about there"


def test_a_stack_is_completed_by_what_it_inherits() -> None:
    linux = "{kind: Stack, name: linux, disks: [{name: root, size: big}]}"
    web = "{kind: Stack, name: web, inherits: linux, disks: [{name: root, pool: fast}]}"
    values, _ = resolve(read(linux, web))
    assert values["Stack", "web"]["disks"] == [{"name": "root", "size": "big", "pool": "fast"}]


def test_an_absent_document_is_left_out() -> None:
    values, problems = resolve(read(VM), read("{kind: VirtualMachine, name: web-1, absent: true}"))
    assert values == {}
    assert problems == []


@pytest.mark.parametrize(
    ("shared", "own", "problem"),
    [
        (["{kind: Stack, name: a, absent: true}"], [], "cannot be absent from all"),
        ([], ["{kind: Stack, name: a, absent: true}"], "there is no shared Stack a"),
        (["{kind: Stack, name: a}"], ["{kind: Stack, name: a, absent: false}"], "must be true"),
        (["{kind: Stack, name: a}"], ["{kind: Stack, name: a, absent: yes}"], "must be true"),
    ],
)
def test_absent_is_for_patches_of_what_is_shared(
    shared: list[str], own: list[str], problem: str
) -> None:
    values, problems = resolve(
        read(*shared) if shared else [], read(*own, file="patch.yaml") if own else []
    )
    assert len(problems) == 1
    assert problem in problems[0]
    assert all("absent" not in value for value in values.values())


def test_a_document_of_one_level_is_there_once() -> None:
    _, problems = resolve(read(WEB.replace(", inherits: linux", ""), "{kind: Stack, name: web}"))
    assert problems == [
        "f.yaml:3:1: Stack web is there twice, first at f.yaml:1:1; rename or remove one of them"
    ]


def test_an_unknown_stack_is_told_once_and_its_machine_is_incomplete() -> None:
    problems: list[Problem] = []
    layers = patched(level_of(read(VM), problems), level_of([], problems), problems)
    resolved = completed(layers, Names(frozenset(layers)), problems)
    assert [str(problem) for problem in problems] == [
        "f.yaml:1:37: there is no stack web; write the stack, or name another"
    ]
    assert resolved.incomplete == {MACHINE}


def test_a_stack_is_not_missed_while_something_could_not_be_read() -> None:
    problems: list[Problem] = []
    layers = patched(level_of(read(VM), problems), level_of([], problems), problems)
    resolved = completed(layers, Names(frozenset(layers), some_unread=True), problems)
    assert problems == []
    assert resolved.incomplete == {MACHINE}


def test_a_circle_is_told_with_its_way_at_each_of_its_stacks() -> None:
    circle = [f"{{kind: Stack, name: {a}, inherits: {b}}}" for a, b in ("ab", "bc", "ca")]
    outside = "{kind: Stack, name: d, inherits: a}"
    _, problems = resolve(read(*circle, outside, VM.replace("web,", "d,")))
    assert [problem.split(": ", 1)[1] for problem in problems] == [
        "stacks inherit in a circle: a -> b -> c -> a; break it",
        "stacks inherit in a circle: b -> c -> a -> b; break it",
        "stacks inherit in a circle: c -> a -> b -> c; break it",
    ]


def chain(length: int) -> list[str]:
    stacks = [f"{{kind: Stack, name: s{i}, inherits: s{i + 1}}}" for i in range(length)]
    return [*stacks, f"{{kind: Stack, name: s{length}, memory: last}}"]


def test_a_chain_may_be_as_long_as_its_limit() -> None:
    values, problems = resolve(read(*chain(LONGEST_CHAIN - 1)))
    assert problems == []
    assert values["Stack", "s0"]["memory"] == "last"


def test_a_longer_chain_is_refused_and_however_long_does_no_harm() -> None:
    stacks = read(*chain(5000))
    start = time.thread_time()
    _, problems = resolve(stacks)
    assert time.thread_time() - start < 4
    assert len(problems) == 5000 - LONGEST_CHAIN + 1
    assert problems[0] == (
        "f.yaml:1:25: stack s0 is built on more than 16 others; inherit over fewer levels"
    )


@pytest.mark.parametrize("odd", ["5", "[]", "{}", "[web]", "{a: b}", "true", "1.5"])
@pytest.mark.parametrize(
    "document", ["VirtualMachine, name: web-1, stack", "Stack, name: a, inherits"]
)
def test_a_reference_of_an_odd_type_is_left_to_the_model(odd: str, document: str) -> None:
    values, problems = resolve(read(f"{{kind: {document}: {odd}}}"))
    assert problems == []
    assert len(values) == 1


@pytest.mark.parametrize("odd", ["5", "[]", "text", "null"])
def test_defaults_of_an_odd_type_give_nothing(odd: str) -> None:
    values, _ = resolve(read(f"{{kind: Farm, name: farm, defaults: {odd}}}", VM, WEB, LINUX))
    assert values[MACHINE]["cpus"] == "web"


HOST = ("Host", "virt1")
BOX = "{kind: Stack, name: box, memory: 1 GiB, timezone: UTC, packages: [{name: a}, {name: b}]}"


def test_hosts_inherit_what_hosts_may_have_and_machines_the_rest() -> None:
    """A stack says both, and the memory of a machine is not that of a host."""
    farm = "{kind: Farm, name: f, defaults: {cpus: 2}, host_defaults: {locale: C, timezone: CET}}"
    host = "{kind: Host, name: virt1, stack: box, packages: [{name: b, absent: true}, {name: c}]}"
    values, problems = resolve(
        read(farm, BOX, host, "{kind: VirtualMachine, name: web-1, stack: box}")
    )
    assert problems == []
    assert values[HOST] == {
        "kind": "Host",
        "name": "virt1",
        "stack": "box",
        "locale": "C",
        "timezone": "UTC",
        "packages": [{"name": "a"}, {"name": "c"}],
    }
    machine = {"kind": "VirtualMachine", "name": "web-1", "stack": "box"}
    assert values[MACHINE] == {**machine, "cpus": 2, "memory": "1 GiB"}
    assert values["Stack", "box"]["locale"] == "C"
    assert values["Stack", "box"]["cpus"] == 2


def test_an_unknown_stack_of_a_host_is_told() -> None:
    _, problems = resolve(read(BOX, "{kind: Host, name: virt1, stack: bax}"))
    assert problems == ["f.yaml:3:27: there is no stack bax; did you mean box?"]


@pytest.mark.parametrize(("hosts", "fits"), [(3, True), (400, False)])
def test_what_few_hosts_inherit_may_be_more(hosts: int, *, fits: bool) -> None:
    files = ", ".join(f"{{path: /etc/{number}, content: x}}" for number in range(2000))
    stack = f"{{kind: Stack, name: box, files: [{files}]}}"
    boxes = [f"{{kind: Host, name: virt{number}, stack: box}}" for number in range(hosts)]
    values, problems = resolve(read(stack, *boxes))
    assert (problems == []) is fits
    assert ("files" in values[HOST]) is fits
    if not fits:
        (problem,) = problems
        assert "stack box gives each host 6002 values, 5000 may be" in problem
