"""Which hosts there are, as the branches change under a program that runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from reconciler.cli.command import Given
from reconciler.cli.hosts import FRESH_SECONDS, FarmBook
from reconciler.cli.repository import Repository, open_repository, settings_of
from tests.scenes.scene import Clock
from tests.sealed.sealing import Reader, seal
from tests.story.desk import Desk

VIRT1, VIRT3 = "hosts/virt1.yaml", "hosts/virt3.yaml"
SERVER = "nameservers/ns9.yaml"


@pytest.fixture
def repository(desk: Desk) -> Iterator[Repository]:
    with open_repository(settings_of(Given(config=desk.settings))) as repository:
        repository.fetch()
        yield repository


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(repository: Repository, clock: Clock) -> FarmBook:
    return FarmBook(repository, clock.monotonic)


def later(repository: Repository, clock: Clock) -> None:
    repository.fetch()
    clock.sleep(FRESH_SECONDS)


def server(environment: str | None, address: str) -> str:
    document = {"kind": "Nameserver", "name": "ns9", "address": address}
    keys = {"staging": "secret://names/staging"} if environment else {}
    return json.dumps({**document, "environment": environment, "keys": keys})


def test_every_host_of_every_branch_is_known(book: FarmBook) -> None:
    assert {name: str(host.address) for name, host in book.hosts().items()} == {
        "virt1": "10.10.59.1",
        "virt2": "10.10.59.2",
        "virt3": "10.10.59.3",
        "ns-1": "192.168.1.17",
        "ns-2": "192.168.1.18",
        "ns-3": "192.168.1.19",
    }


def test_a_host_that_moves_while_the_program_runs_is_followed(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    book.hosts()
    desk.edit(VIRT1, "address: 10.10.59.1", "address: 10.10.59.9")
    later(repository, clock)
    assert str(book.hosts()["virt1"].address) == "10.10.59.9"


def test_only_the_branch_of_its_own_environment_describes_a_host(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    desk.edit(VIRT1, "address: 10.10.59.1", "address: 10.10.59.9", branch="development")
    later(repository, clock)
    assert str(book.hosts()["virt1"].address) == "10.10.59.1"


def test_a_branch_that_does_not_load_describes_its_hosts_as_it_did(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    desk.edit(VIRT3, "kind: Host", "kind: Horse")
    later(repository, clock)
    assert set(book.hosts()) == {"virt1", "virt2", "virt3", "ns-1", "ns-2", "ns-3"}


def test_a_name_server_counts_as_its_own_branch_says(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    reader = Reader()
    sealed = seal({"staging": "c2VjcmV0"}, [reader.recipient])
    desk.put({"secrets/names.sops.yaml": sealed, SERVER: server("production", "10.10.59.1")})
    desk.put({SERVER: server("production", "10.10.59.66")}, branch="development")
    later(repository, clock)
    found = book.nameservers()["ns9"]
    assert (found.environment, str(found.document.address)) == ("production", "10.10.59.1")
    assert [*found.sealed] == ["staging"]
    assert found.sealed["staging"].ciphertext in sealed


def test_a_name_server_of_no_environment_counts_as_the_highest_has_it(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    desk.put({SERVER: server(None, "10.10.59.66")}, branch="development")
    later(repository, clock)
    assert book.nameservers()["ns9"].environment == "development"
    desk.put({SERVER: server(None, "10.10.59.1")})
    later(repository, clock)
    assert book.nameservers()["ns9"].environment == "production"


@pytest.mark.parametrize(("branch", "counts"), [("production", True), ("development", False)])
def test_a_name_server_leads_to_no_host_of_another_environment(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook, branch: str, counts: bool
) -> None:
    """A branch can say that a host is its own; the head is refused for it, and still describes."""
    mine = f"name: virt1\nenvironment: {branch}"
    if branch != "production":
        desk.edit(VIRT1, "name: virt1\nenvironment: production", mine, branch=branch)
        desk.edit(VIRT1, f"  {branch}:", "  production:", branch=branch)
    document = {
        "kind": "Nameserver",
        "name": "ns8",
        "environment": branch,
        "software": "knot",
        "hosts": [{"name": "virt1"}],
    }
    desk.put({"nameservers/ns8.yaml": json.dumps(document)}, branch=branch)
    later(repository, clock)
    assert ("ns8" in book.nameservers()) is counts
    assert book.hosts()["virt1"].environment == "production"


def test_the_branches_are_looked_at_once_a_second_at_most(
    desk: Desk, repository: Repository, clock: Clock, book: FarmBook
) -> None:
    before = book.hosts()
    desk.edit(VIRT1, "address: 10.10.59.1", "address: 10.10.59.9")
    repository.fetch()
    clock.sleep(FRESH_SECONDS / 2)
    assert book.hosts() is before
    clock.sleep(FRESH_SECONDS / 2)
    assert book.hosts() is not before


def test_a_repository_that_cannot_be_read_leaves_the_hosts_as_they_were(
    repository: Repository, clock: Clock, book: FarmBook
) -> None:
    before = book.hosts()
    clock.sleep(FRESH_SECONDS)
    for generation in repository.settings.state_directory.glob("mirror-*/generation-*"):
        shutil.rmtree(generation)
    assert book.hosts() == before
