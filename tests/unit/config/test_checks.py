"""Checks between documents find what clashes, and nothing where nothing does.

What each of them says is in the corpus; here is what they must leave alone, and their finer points.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from reconciler.config.addresses import range_of
from reconciler.config.fields import MOST_TEXT
from reconciler.config.networks import PartitionField
from tests.documents.corpus import FARM, problems_in

MACHINE = "kind: VirtualMachine\nname: {}\nstack: linux\n"
HOST = "kind: Host\nname: {}\nenvironment: {}\naddress: {}\nmemory: {} GiB\n"
POOLS = "pools:\n  - {name: default, size: 1 TiB, target: /srv}\n"
ZONE = "kind: Zone\nname: z\nserver: ns\nprimary: ns\nnameservers: [ns]\nrecords:\n"
STAGING = {
    "environments/staging/environment.yaml": (
        b"kind: Environment\nname: staging\ndomain: staging.farm.internal\n"
    )
}


def told(
    *documents: str, environment: str = "production", more: Mapping[str, bytes] | None = None
) -> list[str]:
    new = {"new.yaml": "---\n".join(documents).encode()}
    files = {**FARM, **STAGING, **new, **(more or {})}
    return [str(problem).removeprefix("new.yaml:") for problem in problems_in(files, environment)]


def at(address: str, name: str = "x", more: str = "") -> str:
    return MACHINE.format(name) + f"networks:\n  - {{network: lan, address: {address}{more}}}\n"


@pytest.mark.parametrize("address", ["192.168.1.17", "192.168.1.100", "192.168.1.254"])
def test_an_address_in_no_partition_or_one_for_machines_is_fine(address: str) -> None:
    assert told(at(address)) == []


def test_two_machines_on_two_networks_may_have_what_the_other_has_not() -> None:
    lab = "kind: Network\nname: lab\nsubnet: 10.0.0.0/24\nbridge: br-lab\n"
    second = at("192.168.1.140", "b").replace("lan", "lab").replace("192.168.1.140", "10.0.0.9")
    assert told(lab, at("192.168.1.140", "a"), second) == []


def test_one_machine_has_an_address_once() -> None:
    lab = "kind: Network\nname: lab\nsubnet: 10.0.0.0/24\nbridge: br-lab\n"
    both = at("10.0.0.1") + "  - {network: lab, address: 10.0.0.1}\n"
    assert len(told(lab, both)) == 2, "it is outside of lan, and there twice"


def test_a_hardware_address_has_one_owner() -> None:
    mac = ", mac: '52:54:00:00:00:01'"
    (problem,) = told(at("192.168.1.140", "a", mac), at("192.168.1.141", "b", mac))
    assert problem == (
        "11:44: machine b has 52:54:00:00:00:01, which machine a has (new.yaml:5:44); "
        "choose another hardware address"
    )


def test_a_guest_may_take_what_is_shared_with_its_environment() -> None:
    share = "share:\n  staging: {memory: 4 GiB, cpus: 2}\n"
    host = HOST.format("virt5", "production", "192.168.1.5", 64) + POOLS + share
    pinned = MACHINE.format("a") + "host: virt5\nmemory: {} GiB\n"
    unpinned = "kind: VirtualMachine\nname: old\nhost: null\n"
    staging = {"environments/staging/old.yaml": unpinned.encode()}
    assert told(host, pinned.format(4), environment="staging", more=staging) == []
    (problem,) = told(host, pinned.format(5), environment="staging", more=staging)
    assert "machine a wants 5 GiB, more than host virt5 has; at most 4 GiB" in problem


def test_without_any_host_nothing_is_said_of_room() -> None:
    files = {path: text for path, text in FARM.items() if not path.startswith("hosts/")}
    files["vms/old.yaml"] = b"kind: VirtualMachine\nname: old\nstack: linux\nmemory: 9 TiB\n"
    assert problems_in(files) == ()


def test_room_is_not_counted_while_a_host_is_wrong() -> None:
    host = HOST.format("virt5", "production", "192.168.1.5", "many")
    problems = told(host, MACHINE.format("a") + "memory: 40 GiB\n")
    assert [problem for problem in problems if "machine a" in problem] == []
    assert len(problems) == 1


def test_a_pool_of_any_host_will_do_for_a_machine_that_is_not_pinned() -> None:
    other = HOST.format("virt5", "production", "192.168.1.5", 8)
    pool = "pools:\n  - {name: huge, size: 9 TiB, target: /huge}\n"
    disk = "disks:\n  - {name: root, pool: huge}\n"
    assert told(other + pool, MACHINE.format("a") + disk) == []
    (problem,) = told(other + pool, MACHINE.format("a") + disk + "host: virt1\n")
    assert "there is no pool huge" in problem


def test_a_format_that_a_pool_of_that_name_on_another_host_holds_is_fine() -> None:
    other = HOST.format("virt5", "production", "192.168.1.5", 8)
    pool = "pools:\n  - {name: fast, size: 9 TiB, target: /fast}\n"
    assert told(other + pool, MACHINE.format("a") + "disks:\n  - {name: root, pool: fast}\n") == []


def test_several_records_of_one_name_and_of_several_names_are_fine() -> None:
    records = (
        "  - {name: a, type: A, values: [192.0.2.1, 192.0.2.2]}\n"
        '  - {name: a, type: AAAA, values: ["2001:db8::1"]}\n'
        "  - {name: a, type: TXT, values: [some text, \"with 'quotes' in it\"]}\n"
        "  - {name: b, type: CNAME, values: [a]}\n"
        '  - {name: "@", type: MX, values: [0 A.Example.COM.]}\n'
    )
    assert told(ZONE + records) == []


@pytest.mark.parametrize(
    ("text", "networks"),
    [
        ("10.0.0.0/30", ["10.0.0.0/30"]),
        ("10.0.0.1-10.0.0.4", ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/32"]),
        ("10.0.0.7-10.0.0.7", ["10.0.0.7/32"]),
    ],
)
def test_a_partition_is_a_network_or_first_and_last(text: str, networks: list[str]) -> None:
    partition = PartitionField(name="a", range=text, purpose="machines")
    assert [str(network) for network in range_of(partition).networks()] == networks


@pytest.mark.parametrize("text", ["10.0.0.1/24", "10.0.0.9-10.0.0.1", "10.0.0.1-", "1.2.3-4.5.6"])
def test_other_ranges_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        range_of(PartitionField(name="a", range=text, purpose="machines"))


def test_the_files_of_a_machine_are_small_in_all() -> None:
    files = [{"path": f"/f{number}", "content": "x" * MOST_TEXT} for number in range(4)]
    document = MACHINE.format("x") + f"first_boot: {json.dumps({'files': files})}\n"
    assert told(document) == []
    files.append({"path": "/more", "content": "x"})
    document = MACHINE.format("x") + f"first_boot: {json.dumps({'files': files})}\n"
    (problem,) = told(document)
    assert problem == (
        "4:14: the files of machine x have 262145 letters, 262144 may be; "
        "put them into the image or a package"
    )


def test_a_circle_within_other_machines_is_told_once_and_not_of_those_outside() -> None:
    after = {"a": "b", "b": "c", "c": "b", "d": "a"}
    machines = [MACHINE.format(name) + f"starts_after: [{x}]\n" for name, x in after.items()]
    (problem,) = told(*machines)
    assert "in a circle: b -> c -> b;" in problem
