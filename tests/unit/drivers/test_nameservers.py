"""The doors to name servers. Nothing here is connected to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.described import DescribedServer
from reconciler.config.nameserver import Nameserver
from reconciler.drivers.nameserver_access import ServerAccess
from reconciler.drivers.nameservers import NameserverDoors, NameserverMeans
from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell
from reconciler.errors import Denied, NotFound
from reconciler.model.secret import SealedSecret, SecretReference

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
TOKEN = "c2VjcmV0"
SEALED = SealedSecret(SecretReference("dns", "key"), ("key",), "ENC[...]", ())


@dataclass(frozen=True)
class Driver:
    """A driver that does nothing but remember how it is to reach its server."""

    access: ServerAccess
    closed: list[str]

    def close(self) -> None:
        self.closed.append(self.access.server)


class Bench:
    """Doors, what the branches describe behind them, and what became of the drivers."""

    def __init__(self, directory: Path) -> None:
        self.servers: dict[str, DescribedServer] = {}
        self.shells = {"virt1": self._shell(directory, "192.0.2.1")}
        self.closed: list[str] = []
        self.revealed: list[str] = []
        self.refusal: Exception | None = None
        means = NameserverMeans(
            self._host,
            self._reveal,
            timedelta(seconds=5),
            lambda: NOON,
            lambda: 0.0,
            lambda _seconds: None,
        )
        self.doors = NameserverDoors(lambda: self.servers, means, self._drive)

    def describe(self, **fields: Any) -> None:
        document = {"kind": "Nameserver", "name": "ns", "hosts": [{"name": "virt1"}], **fields}
        server = Nameserver.model_validate(document)
        self.servers["ns"] = DescribedServer(server, "production", {"staging": SEALED})

    def access(self, door: str = "ns") -> ServerAccess:
        opened: Any = self.doors.open(door)
        access: ServerAccess = opened.access
        return access

    def _shell(self, directory: Path, address: str) -> Shell:
        return Shell("virt1", address, Access(directory / "key", directory / "known_hosts"))

    def _host(self, name: str) -> Shell:
        if name not in self.shells:
            raise NotFound(name, "find", "no Host document of any branch describes this host")
        return self.shells[name]

    def _reveal(self, environment: str, sealed: SealedSecret) -> str:
        self.revealed.append(f"{environment} {sealed.reference}")
        if self.refusal is not None:
            raise self.refusal
        return f"{TOKEN}\n"

    def _drive(self, access: ServerAccess) -> Any:
        return Driver(access, self.closed)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_who_asks_for_a_server_that_nobody_describes_is_told_what_to_write(bench: Bench) -> None:
    with pytest.raises(NotFound, match=r"ns: .*write one with kind: Nameserver, name: ns"):
        bench.doors.open("ns")


def test_a_server_is_reached_at_its_host_unless_it_has_an_address(bench: Bench) -> None:
    bench.describe()
    assert bench.access().address == "192.0.2.1"
    assert bench.access().shell is bench.shells["virt1"]
    bench.describe(hosts=[{"name": "virt1", "address": "192.0.2.53"}])
    assert bench.access().address == "192.0.2.53"
    bench.describe(hosts=[], address="2001:db8::53")
    assert (bench.access().address, bench.access().shell) == ("2001:db8::53", None)


def test_a_host_that_nobody_describes_is_not_found(bench: Bench) -> None:
    bench.describe(hosts=[{"name": "virt9"}])
    with pytest.raises(NotFound, match="virt9"):
        bench.doors.open("ns")


def test_one_driver_serves_as_long_as_the_document_stays(bench: Bench) -> None:
    bench.describe()
    kept = bench.doors.open("ns")
    bench.describe()
    assert bench.doors.open("ns") is kept
    bench.describe(port=5353)
    assert bench.doors.open("ns") is not kept
    assert bench.closed == ["ns"]


def test_a_key_that_was_replaced_makes_a_new_driver(bench: Bench) -> None:
    bench.describe()
    kept = bench.doors.open("ns")
    sealed = {"staging": replace(SEALED, ciphertext="ENC[other]")}
    bench.servers["ns"] = replace(bench.servers["ns"], sealed=sealed)
    assert bench.doors.open("ns") is not kept


def test_a_host_with_another_address_makes_a_new_driver(bench: Bench, tmp_path: Path) -> None:
    bench.describe()
    kept = bench.doors.open("ns")
    bench.shells["virt1"] = bench._shell(tmp_path, "192.0.2.2")
    assert bench.doors.open("ns") is not kept
    assert bench.access().address == "192.0.2.2"


def test_each_view_is_a_server_of_its_own(bench: Bench) -> None:
    bench.describe(outside=True, keys={"staging": "secret://dns/key"})
    inside, outside = bench.access("ns"), bench.access("ns/outside")
    assert (inside.configured_view, outside.configured_view) == ("inside", "outside")
    assert inside.key("staging").name == "reconciler-staging"
    assert outside.key("staging").name == "reconciler-staging-outside"


@pytest.mark.parametrize("door", ["ns/outside", "ns/inside", "ns/elsewhere"])
def test_a_view_that_the_document_does_not_have_is_not_found(bench: Bench, door: str) -> None:
    bench.describe()
    with pytest.raises(NotFound, match="no such view"):
        bench.doors.open(door)


def test_a_key_is_revealed_when_it_is_used_and_shown_nowhere(bench: Bench) -> None:
    bench.describe(keys={"algorithm": "hmac-sha512", "staging": "secret://dns/key"})
    access = bench.access()
    assert bench.revealed == []
    key = access.key("staging")
    assert bench.revealed == ["production secret://dns/key"]
    assert (key.algorithm, key.secret) == ("hmac-sha512", TOKEN)
    assert TOKEN not in repr(key)
    assert TOKEN not in repr(access)


def test_a_key_that_cannot_be_had_is_told_of_without_a_value(bench: Bench) -> None:
    bench.describe(keys={"staging": "secret://dns/key", "production": "secret://dns/none"})
    with pytest.raises(NotFound, match=r"write keys: \{development: secret://FILE/KEY\}"):
        bench.access().key("development")
    with pytest.raises(NotFound, match="branch of production has no secret://dns/none"):
        bench.access().key("production")
    bench.refusal = Denied("secrets/dns.sops.yaml", "decrypt key", "it was changed")
    with pytest.raises(Denied) as caught:
        bench.access().key("staging")
    assert TOKEN not in str(caught.value)


def test_all_drivers_are_let_go_of_in_the_end(bench: Bench) -> None:
    bench.describe(outside=True)
    bench.doors.open("ns")
    bench.doors.open("ns/outside")
    bench.doors.close()
    assert sorted(bench.closed) == ["ns", "ns/outside"]
