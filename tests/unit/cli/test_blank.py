"""A simulated farm with the hosts that documents describe."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.blank import blank_farm
from reconciler.config.load import load
from reconciler.config.repository import Documents
from reconciler.gitops.directory import DirectoryTree

EXAMPLE = Path(__file__).parents[3] / "example-repo"


@pytest.fixture(scope="module")
def environments() -> list[Documents]:
    tree = DirectoryTree(EXAMPLE)
    return [load(tree, name) for name in ("development", "staging", "production")]


def test_it_has_the_hosts_with_their_memory_pools_and_accelerator(
    environments: list[Documents],
) -> None:
    farm = blank_farm(environments)
    documents = environments[-1].hosts
    assert farm.hosts.keys() == documents.keys()
    for name, host in farm.hosts.items():
        assert host.memory_bytes == documents[name].memory
        assert host.accelerators == (documents[name].accelerator,)
        assert {n: p.capacity_bytes for n, p in host.pools.items()} == {
            pool.name: pool.size for pool in documents[name].pools
        }


def test_every_host_has_the_bridges_that_nobody_makes(environments: list[Documents]) -> None:
    farm = blank_farm(environments)
    assert {host.bridges for host in farm.hosts.values()} == {("br-dev", "br-stg")}


def test_nothing_is_on_it(environments: list[Documents]) -> None:
    farm = blank_farm(environments)
    assert not any(host.domains for host in farm.hosts.values())
    assert not any(pool.volumes for host in farm.hosts.values() for pool in host.pools.values())
    assert {name: server.zones for name, server in farm.nameservers.items()} == {"ns": {}}
