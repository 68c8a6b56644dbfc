"""Who gets which address, and which document says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest

from reconciler.config.address_plan import taken
from reconciler.config.load import load
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.render.allocation import Allocation, allocate, written
from tests.farms.repository import Tree

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LAN = (
    "kind: Network\nname: lan\nsubnet: 10.0.{}.0/24\nbridge: br-lan\nquarantine: 30d\n"
    "partitions:\n  - {{name: hosts, range: 10.0.{}.0/28, purpose: hosts}}\n"
    "  - {{name: services, range: 10.0.{}.16/28, purpose: services}}\n"
    "  - {{name: machines, range: 10.0.{}.32-10.0.{}.33, purpose: machines}}\n"
    "  - {{name: people, range: 10.0.{}.64/26, purpose: dynamic}}\n"
)
MACHINE = "kind: VirtualMachine\nname: {}\nmemory: 1 GiB\nnetworks:\n  - {{network: lan{}}}\n"
ZONE = (
    "---\nkind: Zone\nname: farm.internal\nserver: ns\nprimary: ns\nnameservers: [ns]\n"
    "records: [{name: ns, type: A, values: [10.0.1.32]}]\n"
)
PRODUCTION, STAGING = (f"environments/{name}/" for name in ("production", "staging"))


def lan(third: int) -> str:
    return LAN.format(*[third] * 6)


def machine(name: str, more: str = "") -> str:
    return MACHINE.format(name, more)


FARM = {
    "farm.yaml": "{kind: Farm, name: farm, domain: farm.internal, contact: j@farm.internal}",
    f"{PRODUCTION}e.yaml": "{kind: Environment, name: production, domain: farm.internal}",
    f"{PRODUCTION}lan.yaml": lan(1),
}
BOTH = FARM | {
    f"{STAGING}e.yaml": "{kind: Environment, name: staging, domain: stage.farm.internal}",
    f"{STAGING}lan.yaml": lan(2),
}


def loaded(files: Mapping[str, str]) -> tuple[Documents, ...]:
    names = [name for name in ("production", "staging") if f"environments/{name}/e.yaml" in files]
    return tuple(load(Tree(files), name, may_lack_addresses=True) for name in names)


def given(
    files: Mapping[str, str],
    given_up: Mapping[str, datetime] | None = None,
    others: tuple[str, ...] = (),
) -> tuple[Allocation, ...]:
    every = loaded(files)
    past = {IPv4Address(ip): when for ip, when in (given_up or {}).items()}
    return allocate(every, taken(every, past, NOW, map(IPv4Address, others)))


def addresses(allocations: tuple[Allocation, ...]) -> dict[str, str]:
    return {f"{each.environment}/{each.who}": str(each.address) for each in allocations}


def result(files: dict[str, str]) -> dict[str, str]:
    """The files that are written."""
    return dict(written(given(files), lambda path: files.get(path, "")))


def test_the_lowest_that_is_free_by_name() -> None:
    files = FARM | {"vms.yaml": "---\n".join([machine("web-10"), machine("web-2")])}
    assert addresses(given(files)) == {
        "production/machine web-2": "10.0.1.32",
        "production/machine web-10": "10.0.1.33",
    }


def test_who_has_one_keeps_it_and_who_asks_dhcp_gets_none() -> None:
    text = [
        machine("a", ", address: 10.0.1.32"),
        machine("b"),
        machine("c", ", partition: people"),
        machine("d", ", partition: services"),
    ]
    assert addresses(given(FARM | {"vms.yaml": "---\n".join(text)})) == {
        "production/machine b": "10.0.1.33",
        "production/machine d": "10.0.1.17",
    }


def test_what_another_branch_uses_is_not_free() -> None:
    files = FARM | {"vms.yaml": machine("a")}
    assert addresses(given(files, others=("10.0.1.32",))) == {"production/machine a": "10.0.1.33"}


def test_what_was_given_up_lately_is_not_free() -> None:
    files = FARM | {"vms.yaml": machine("a")}
    for days, address in ((29, "10.0.1.33"), (30, "10.0.1.32"), (-1, "10.0.1.33")):
        past = {"10.0.1.32": NOW - timedelta(days=days)}
        assert addresses(given(files, past)) == {"production/machine a": address}


@pytest.mark.parametrize(
    "more",
    [
        "nameservers: [10.0.1.32]\n",
        "routes:\n  - {to: 10.9.0.0/16, via: 10.0.1.32}\n",
        "gateway: 10.0.1.32\n",
        ZONE,
    ],
)
def test_what_something_speaks_of_is_given_to_nobody(more: str) -> None:
    files = FARM | {f"{PRODUCTION}lan.yaml": lan(1) + more, "vms.yaml": machine("a")}
    assert addresses(given(files)) == {"production/machine a": "10.0.1.33"}


def test_a_full_partition_is_told_with_its_numbers() -> None:
    text = "---\n".join(machine(name) for name in ("a", "b"))
    past = {"10.0.1.32": NOW - timedelta(days=10)}
    with pytest.raises(ConfigError) as refused:
        given(FARM | {"vms.yaml": text}, past)
    (problem,) = refused.value.problems
    assert str(problem) == (
        "vms.yaml:11:5: there is no address for machine b on network lan: partition machines has "
        "2, 1 used, 1 in quarantine; make the partition larger, name another `partition:`, or "
        "give some up; the first comes out of quarantine on 2026-01-21"
    )


def test_a_machine_of_one_environment_is_changed_where_it_is_described() -> None:
    files = FARM | {"vms.yaml": machine("a"), f"{PRODUCTION}b.yaml": machine("b")}
    assert result(files) == {
        "vms.yaml": machine("a", ", address: 10.0.1.32"),
        f"{PRODUCTION}b.yaml": machine("b", ", address: 10.0.1.33"),
    }


def test_a_machine_of_several_environments_gets_a_patch_in_each() -> None:
    patch = "kind: VirtualMachine\nname: a\nnetworks:\n  - {{network: lan, address: {}}}\n"
    assert result(BOTH | {"vms.yaml": machine("a")}) == {
        f"{PRODUCTION}vms/a.yaml": patch.format("10.0.1.32"),
        f"{STAGING}vms/a.yaml": patch.format("10.0.2.32"),
    }


def test_a_patch_goes_into_one_that_is_there() -> None:
    there = "# smaller\nkind: VirtualMachine\nname: a\nmemory: 2 GiB\n"
    files = BOTH | {"vms.yaml": machine("a"), f"{STAGING}patches.yaml": there}
    assert result(files)[f"{STAGING}patches.yaml"] == there.replace(
        "name: a\n", "name: a\nnetworks:\n  - {network: lan, address: 10.0.2.32}\n"
    )


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_patch_goes_behind_what_is_in_the_file_of_its_name(end: str) -> None:
    other = machine("other", ", partition: people").rstrip("\n") + end
    files = BOTH | {"vms.yaml": machine("a"), f"{STAGING}vms/a.yaml": other}
    text = result(files)[f"{STAGING}vms/a.yaml"]
    assert text.startswith(other.rstrip("\n") + "\n---\nkind: VirtualMachine\nname: a\n")


def test_what_a_stack_gives_is_written_into_the_machine() -> None:
    files = FARM | {
        "stacks.yaml": "kind: Stack\nname: s\nmemory: 1 GiB\nnetworks:\n  - {network: lan}\n",
        "vms.yaml": "kind: VirtualMachine\nname: a\nstack: s\n",
    }
    assert result(files) == {
        "vms.yaml": files["vms.yaml"] + "networks:\n  - {network: lan, address: 10.0.1.32}\n"
    }


def test_hosts_get_theirs_and_one_that_is_in_the_network_has_it() -> None:
    host = "kind: Host\nname: {}\nenvironment: production\naddress: {}\nmemory: 1 GiB\n"
    hosts = "---\n".join([host.format("h1", "192.0.2.1"), host.format("h2", "10.0.1.1")])
    place = "hosts:\n  - {name: h2}\n  - {name: h1}  # far away\n"
    files = FARM | {"hosts.yaml": hosts, f"{PRODUCTION}lan.yaml": lan(1) + place}
    assert result(files) == {
        f"{PRODUCTION}lan.yaml": lan(1) + place.replace("h1}", "h1, address: 10.0.1.2}")
    }


def test_a_host_of_a_shared_network_gets_one_address() -> None:
    host = "kind: Host\nname: h1\nenvironment: production\naddress: 192.0.2.1\nmemory: 1 GiB\n"
    files = BOTH | {"hosts.yaml": host, "lan.yaml": lan(1) + "hosts:\n  - {name: h1}\n"}
    del files[f"{PRODUCTION}lan.yaml"], files[f"{STAGING}lan.yaml"]
    (allocation,) = given(files)
    assert (allocation.place.file, str(allocation.address)) == ("lan.yaml", "10.0.1.1")


def test_only_the_chosen_environments_get_any() -> None:
    every = loaded(BOTH | {"vms.yaml": machine("a")})
    (only,) = allocate(every, taken(every, {}, NOW), ("staging",))
    assert only.environment == "staging"


def test_what_cannot_be_written_is_left_to_people() -> None:
    text = "kind: VirtualMachine\nname: a\nmemory: 1 GiB\nnetworks:\n  - &x {network: lan}\n"
    broken = {"vms.yaml": text}
    with pytest.raises(ConfigError, match="write the addresses by hand"):
        written(given(FARM | broken), lambda _: text.replace("name: a", "name: b"))
