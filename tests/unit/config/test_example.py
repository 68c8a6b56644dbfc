"""The example farm loads, has room for what it describes, and says in its README what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.config.documents import Host
from reconciler.config.load import environments_of, load
from reconciler.config.owners import is_machine
from reconciler.config.repository import Documents
from reconciler.render.farm import claims_of, farm_problems
from tests.documents.corpus import FileTree, files_below

EXAMPLE = Path(__file__).resolve().parents[3] / "example-repo"
ENVIRONMENTS = ("development", "staging", "production")


@pytest.fixture(scope="module")
def farm() -> dict[str, Documents]:
    tree = FileTree(files_below(EXAMPLE))
    assert set(environments_of(tree)) == set(ENVIRONMENTS)
    return {environment: load(tree, environment) for environment in ENVIRONMENTS}


def servers(documents: Documents) -> list[Host]:
    """The hosts that run machines."""
    return [host for host in documents.hosts.values() if host.guests]


def test_each_server_has_its_intranet_machine_and_a_name_server_on_it(
    farm: dict[str, Documents],
) -> None:
    documents = farm["production"]
    inside = {name: host for name, host in documents.hosts.items() if not host.guests}
    assert len(inside) == len(servers(documents))
    assert all(is_machine(documents, host) for host in inside.values())
    ran = [documents.machines[name].host for name in inside]
    assert len(set(ran) - {None}) >= len(inside) - 1
    assert [place.name for place in documents.nameservers["ns"].hosts] == sorted(inside)


def test_the_environments_leave_each_other_alone(farm: dict[str, Documents]) -> None:
    claims = {each: claims_of(documents) for each, documents in farm.items()}
    for each, documents in farm.items():
        others = {name: other for name, other in farm.items() if name != each}
        assert farm_problems(documents, others, claims) == ()


def test_it_is_of_a_believable_size(farm: dict[str, Documents]) -> None:
    sizes = [len(farm[each].machines) for each in ENVIRONMENTS]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 12
    assert len(servers(farm["production"])) == 3
    memory = [sum(m.memory for m in farm[each].machines.values()) for each in ENVIRONMENTS]
    assert memory == sorted(memory)


def test_production_still_fits_when_its_largest_host_is_away(farm: dict[str, Documents]) -> None:
    documents = farm["production"]
    rooms = sorted(host.memory - host.reserved_memory for host in servers(documents))
    shared = sum(share.memory for host in servers(documents) for share in host.share.values())
    wanted = sum(machine.memory for machine in documents.machines.values())
    assert wanted + shared * 2 // 3 <= sum(rooms[:-1])


@pytest.mark.parametrize("environment", ["development", "staging"])
def test_guests_fit_into_what_is_shared_with_them(
    farm: dict[str, Documents], environment: str
) -> None:
    shares = [host.share[environment] for host in servers(farm["production"])]
    machines = farm[environment].machines.values()
    assert sum(machine.memory for machine in machines) <= sum(share.memory for share in shares)
    assert sum(machine.cpus for machine in machines) <= sum(share.cpus for share in shares)


def test_pools_hold_all_disks_of_all_environments(farm: dict[str, Documents]) -> None:
    disks = sum(
        disk.size
        for documents in farm.values()
        for machine in documents.machines.values()
        for disk in machine.disks
    )
    pools = [pool.size for host in farm["production"].hosts.values() for pool in host.pools]
    assert disks <= sum(pools) - max(pools)


def test_every_stack_and_image_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in EXAMPLE.rglob("*.yaml"))
    for folder, keys in (("stacks", ("stack", "inherits")), ("images", ("image",))):
        for path in (EXAMPLE / folder).glob("*.yaml"):
            assert any(f"\n{key}: {path.stem}\n" in text for key in keys), path


def test_what_its_readme_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 9
    assert [link for link in links if not (EXAMPLE / link).exists()] == []


def test_the_address_plan_in_its_readme_is_the_one_in_its_networks(
    farm: dict[str, Documents],
) -> None:
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for environment, documents in farm.items():
        assert f"| {environment} | {documents.networks['lan'].subnet} |" in readme
