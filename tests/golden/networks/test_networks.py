"""The networks of five farms: what `allocate` writes into them, and the plan that comes of it.

Each folder has a `tree`, in which hosts and machines lack addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import unified_diff
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from lxml import etree

from reconciler.config.address_plan import address_plans, taken
from reconciler.config.load import environments_of, load
from reconciler.config.overlays import mtu_of
from reconciler.config.owners import owners
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.plan.show.network import network_lines
from reconciler.plan.show.network_svg import networks_svg
from reconciler.plan.show.text import plain
from reconciler.render.allocation import allocate, written
from reconciler.render.farm import claims_of, farm_problems
from tests.conftest import Golden
from tests.documents.corpus import FileTree, files_below

HERE = Path(__file__).parent
FARMS = sorted(path.name for path in HERE.iterdir() if path.is_dir() and path.name[0] != "_")
DRAWN = frozenset({"office", "overlay"})
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Files = dict[str, bytes]


def tree(farm: str) -> Files:
    return files_below(HERE / farm / "tree")


def loaded(files: Mapping[str, bytes], *, complete: bool = True) -> tuple[Documents, ...]:
    given = FileTree(files)
    return tuple(
        load(given, name, may_lack_addresses=not complete) for name in environments_of(given)
    )


def allocated(files: Files) -> Files:
    documents = loaded(files, complete=False)
    texts = written(
        allocate(documents, taken(documents, {}, NOW)), lambda path: files.get(path, b"").decode()
    )
    return files | {path: text.encode() for path, text in texts.items()}


def changes(before: Files, after: Files) -> Iterator[str]:
    for path in sorted(after):
        old, new = (each.get(path, b"").decode().splitlines(True) for each in (before, after))
        yield from unified_diff(old, new, path, path, n=1)


def refused(files: Files) -> str:
    with pytest.raises(ConfigError) as error:
        allocated(files)
    return str(error.value)


def test_there_are_five_farms() -> None:
    assert len(FARMS) == 5


@pytest.mark.parametrize("farm", FARMS)
def test_addresses_are_written_where_they_are_lacking(farm: str, golden: Golden) -> None:
    before = tree(farm)
    golden(HERE / farm / "allocate.diff", "".join(changes(before, allocated(before))))


@pytest.mark.parametrize("farm", FARMS)
def test_who_has_what(farm: str, golden: Golden) -> None:
    documents = loaded(allocated(tree(farm)))
    plans = address_plans(documents, taken(documents, {}, NOW))
    golden(HERE / farm / "plan.txt", plain(network_lines(plans, {})))
    picture = networks_svg(plans)
    if farm in DRAWN:
        golden(HERE / farm / "plan.svg", picture)
    assert etree.fromstring(picture.encode()).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("farm", FARMS)
def test_environments_keep_apart(farm: str) -> None:
    every = {each.environment: each for each in loaded(allocated(tree(farm)))}
    claims = {name: claims_of(each) for name, each in every.items()}
    for name, documents in every.items():
        others = {other: each for other, each in every.items() if other != name}
        assert farm_problems(documents, others, claims) == ()


def test_one_network_of_14_hosts_14_services_and_126_machines_is_full() -> None:
    (documents,) = loaded(allocated(tree("overlay")))
    network = documents.networks["lan"]
    in_it = {owner.address: owner.called for owner in owners(documents) if owner.network}
    runs = ((1, 14, "host virt"), (17, 30, "machine intranet-"), (129, 254, "machine vm-"))
    expected = {IPv4Address(f"192.168.1.{n}") for a, z, _ in runs for n in range(a, z + 1)}
    assert in_it.keys() == expected
    for first, last, who in runs:
        assert all(in_it[IPv4Address(f"192.168.1.{n}")].startswith(who) for n in (first, last))
    assert mtu_of(network, documents.networks) == 1462


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        (
            "vms.yaml",
            "kind: VirtualMachine\nname: vm-127\nstack: guest\n",
            "machine vm-127 on network lan: partition machines has 126, 126 used",
        ),
        (
            "intranet.yaml",
            "kind: VirtualMachine\nname: y\nnetworks: [{network: lan, partition: intranet}]\n",
            "machine y on network lan: partition intranet has 14, 14 used",
        ),
    ],
)
def test_and_not_one_more(path: str, more: str, said: str) -> None:
    files = allocated(tree("overlay"))
    files[path] += b"---\n" + more.encode()
    assert said in refused(files)


def test_and_not_one_more_host() -> None:
    files = allocated(tree("overlay"))
    host = "---\nkind: Host\nname: virt15\nenvironment: production\naddress: 198.51.100.15\n"
    files["hosts.yaml"] += f"{host}memory: 1 GiB\nreserved_memory: 0 B\n".encode()
    files["networks/lan.yaml"] += b"  - {name: virt15}\n"
    assert "host virt15 on network lan: partition hosts has 14, 14 used" in refused(files)


def test_not_even_at_the_edges_by_hand() -> None:
    files = allocated(tree("overlay"))
    machine = "kind: VirtualMachine\nname: x\nnetworks: [{network: lan, address: 192.168.1.128}]\n"
    files["vms.yaml"] += f"---\n{machine}".encode()
    with pytest.raises(ConfigError, match="network or broadcast address of partition machines"):
        loaded(files)
