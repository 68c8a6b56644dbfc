"""Loading reads what it must, once, and tells all problems at once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from reconciler.config.load import MODELS, ParseCache, environments_of, is_read, load
from reconciler.errors import ConfigError
from reconciler.model.position import Position
from tests.documents.corpus import FARM, FileTree, problems_in

PRODUCTION = "production"
VM = "kind: VirtualMachine\nname: {}\nmemory: {} MiB\n"


def farm(**files: str) -> FileTree:
    """The corpus' farm with further files: `vms__a` is `vms/a.yaml`."""
    more = {f"{path.replace('__', '/')}.yaml": text.encode() for path, text in files.items()}
    return FileTree({**FARM, **more})


def problems(**files: str) -> list[str]:
    return [str(problem) for problem in problems_in(farm(**files).files)]


def test_documents_are_given_by_name_and_complete() -> None:
    documents = load(farm(), PRODUCTION)
    assert documents.environment == PRODUCTION
    assert documents.farm.name == "farm"
    assert documents.policy.name == PRODUCTION
    assert list(documents.hosts) == ["virt1", "virt9"]
    assert list(documents.networks) == ["lan"]
    assert list(documents.zones) == ["farm.internal"]
    assert list(documents.images) == ["debian-12"]
    assert documents.machines["old"].image == "debian-12"
    assert documents.position("VirtualMachine", "old", "image") == Position(
        "stacks/linux.yaml", 3, 1
    )
    assert documents.position("VirtualMachine", "unknown") == Position("farm.yaml", 1, 1)


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("farm.yaml", True),
        ("vms/a.yml", True),
        ("vms/deep/down/a.yaml", True),
        ("environments/production/a.yaml", True),
        ("environments/production/vms/a.yaml", True),
        ("environments/staging/a.yaml", False),
        ("environments/production.yaml", False),
        ("secrets/a.sops.yaml", False),
        ("docs/a.yaml", False),
        ("schemas/a.yaml", False),
        (".github/a.yaml", False),
        ("vms/.a.yaml", False),
        ("vms/a.json", False),
        ("vms/a.yaml.bak", False),
        ("README.md", False),
    ],
)
def test_what_is_read(path: str, read: bool) -> None:
    assert is_read(path, PRODUCTION) is read


def test_environments_are_those_with_a_folder() -> None:
    tree = farm(environments__staging__a="", environments__b="")
    assert environments_of(tree) == ("production", "staging")


def test_a_blob_is_read_and_parsed_once() -> None:
    tree, cache = farm(), ParseCache()
    load(tree, PRODUCTION, cache)
    assert len(tree.reads) == len(FARM)
    tree.reads.clear()
    load(tree, PRODUCTION, cache)
    assert tree.reads == []


def test_a_changed_file_is_the_only_one_that_is_read_again() -> None:
    tree, cache = farm(vms__a=VM.format("a", 512)), ParseCache()
    assert load(tree, PRODUCTION, cache).machines["a"].memory == 512 * 2**20
    tree.reads.clear()
    tree.files["vms/a.yaml"] = VM.format("a", 1024).encode()
    assert load(tree, PRODUCTION, cache).machines["a"].memory == 1024 * 2**20
    assert tree.reads == [tree.entries()["vms/a.yaml"]]


def test_a_broken_file_is_remembered_and_still_told() -> None:
    tree, cache = farm(vms__a="a: [\n"), ParseCache()
    told = []
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            load(tree, PRODUCTION, cache)
        told.append(caught.value.problems)
        tree.reads.clear()
    assert told[0] == told[1]
    assert tree.reads == []


def test_a_mended_file_loads_with_the_same_cache() -> None:
    tree, cache = farm(vms__a="a: [\n"), ParseCache()
    with pytest.raises(ConfigError):
        load(tree, PRODUCTION, cache)
    tree.files["vms/a.yaml"] = VM.format("a", 512).encode()
    assert "a" in load(tree, PRODUCTION, cache).machines


def test_a_moved_file_has_its_new_positions() -> None:
    cache = ParseCache()
    load(farm(vms__a=VM.format("a", 512)), PRODUCTION, cache)
    documents = load(farm(vms__b=VM.format("a", 512)), PRODUCTION, cache)
    assert documents.position("VirtualMachine", "a").file == "vms/b.yaml"


def test_the_cache_forgets_what_no_tree_has_any_more() -> None:
    cache = ParseCache()
    for number in range(1200):
        cache.keep([("vms/a.yaml", str(number))])
        cache.files["vms/a.yaml", str(number)] = ()
        cache.broken["vms/b.yaml", str(number)] = ()
    assert len(cache.files) + len(cache.broken) < 1100


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("just text", "a document must be a mapping with kind and name"),
        ("name: x", "kind is missing; kinds are Environment, Farm, Firewall, Host"),
        ("kind: Hots\nname: x", "there is no kind Hots; did you mean Host?"),
        ("kind: [Host]\nname: x", "there is no kind ['Host']; kinds are"),
        ("kind: {a: b}\nname: x", "there is no kind {'a': 'b'}; kinds are"),
        ("kind:\nname: x", "there is no kind None; kinds are"),
        ("kind: Host", "name is missing; write `name: …`"),
        ("kind: Host\nname: 5", "name must be text; write `name: …`"),
    ],
)
def test_a_document_without_kind_and_name_is_told(text: str, problem: str) -> None:
    (told,) = problems(vms__a=text)
    assert told.startswith(f"vms/a.yaml:{1 + ('name: 5' in text)}:1: {problem}")


def test_a_second_farm_is_told() -> None:
    (told,) = problems(other="{kind: Farm, name: b, domain: b.internal, contact: a@b.internal}")
    assert told.startswith("farm.yaml:1:1: there are 2 Farm documents, there must be one")


def test_checks_go_on_where_farm_and_environment_are_wrong() -> None:
    told = problems(
        farm="kind: Farm\nname: farm\n",
        environments__production__environment="kind: Environment\nname: production\nx: 1\n",
        vms__a=VM.format("a", 512) + "host: virt7\n",
    )
    assert [each.split(":")[0] for each in told] == [
        *["environments/production/environment.yaml"] * 2,
        *["farm.yaml"] * 2,
        "vms/a.yaml",
    ]


def test_what_is_wrong_in_a_stack_is_told_once_for_all_its_machines() -> None:
    machines = "---\n".join(f"kind: VirtualMachine\nname: m{i}\nstack: bad\n" for i in range(9))
    known = ", ".join(sorted(MODELS["Stack"].model_fields))
    stack = "kind: Stack\nname: bad\nmemory: 5\nsise: 1\ndisks:\n  - {name: a, sise: 1 GiB}\n"
    assert problems(stacks__bad=stack, vms__many=machines) == [
        "stacks/bad.yaml:3:1: memory must be a size with a unit, such as 4 GiB",
        f"stacks/bad.yaml:4:1: Stack has no key 'sise'; known keys are {known}",
        "stacks/bad.yaml:6:5: disks.a.size is missing; add it",
        "stacks/bad.yaml:6:15: disks.a has no key 'sise'; did you mean size?",
    ]


def test_what_is_wrong_in_the_farm_s_defaults_is_told_there_alone() -> None:
    farm = FARM["farm.yaml"].decode() + "defaults:\n  cpus: two\n"
    assert problems(farm=farm) == ["farm.yaml:6:3: defaults.cpus must be a whole number"]


def test_a_wrong_network_is_not_missed_by_its_machines() -> None:
    network = "kind: Network\nname: lab\nsubnet: wrong\nbridge: br\n"
    machine = VM.format("a", 512) + "networks:\n  - {network: lab}\n"
    (told,) = problems(networks__lab=network, vms__a=machine)
    assert told.startswith("networks/lab.yaml:3:1: subnet must be")


def test_other_environments_folders_are_not_read() -> None:
    assert problems(environments__staging__broken="a: [") == []


def test_the_order_of_files_does_not_matter() -> None:
    tree = farm(vms__a="a: [", stacks__b="kind: Stack\nname: b\nx: 1\n")
    turned = dict(reversed(tree.files.items()))
    assert problems_in(tree.files) == problems_in(turned)


@pytest.mark.parametrize("odd", [None, 5, 1.5, True, "text", [], {}, [None], [[]], {"": None}])
@pytest.mark.parametrize("kind", MODELS)
def test_any_field_of_any_type_gives_problems_and_nothing_else(kind: str, odd: Any) -> None:
    for field in MODELS[kind].model_fields:
        document = {"kind": kind, "name": "x", field: odd}
        assert all(": " in told for told in problems(new=orjson.dumps(document).decode()))
