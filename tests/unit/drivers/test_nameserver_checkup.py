"""What a checkup says of name servers. Nothing here is connected to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.config.described import DescribedServer
from reconciler.config.nameserver import Nameserver
from reconciler.drivers.nameserver_access import ServerAccess
from reconciler.drivers.nameserver_checkup import examine
from reconciler.drivers.nameservers import NameserverMeans
from reconciler.errors import Denied, DriverError, NotFound, Unreachable
from reconciler.model.secret import SealedSecret, SecretReference
from reconciler.plan.checkup.finding import Level, is_sound
from reconciler.plan.checkup.nameservers import judge_server

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SEALED = SealedSecret(SecretReference("names", "key"), ("key",), "ENC[...]", ())
KEYS = {"production": "secret://names/key", "development": "secret://names/key"}


@dataclass
class Host:
    """The host of a primary, and the programs that are not there."""

    lacking: str = ""
    host: str = "virt1"
    address: str = "192.0.2.1"

    def output(self, argv: Iterable[str]) -> bytes:
        assert "rndc" in argv
        return self.lacking.encode()


@dataclass
class Bench:
    """A server that answers to a key with an error, or well."""

    errors: Mapping[str, DriverError]
    host: Any

    def drive(self, access: ServerAccess) -> Any:
        return _Server(self.errors.get(access.reader))

    def examined(self, **fields: Any) -> dict[str, tuple[Level, str]]:
        document = {"kind": "Nameserver", "name": "ns", "hosts": [{"name": "virt1"}], "keys": KEYS}
        server = Nameserver.model_validate({**document, **fields})
        described = DescribedServer(server, "production", dict.fromkeys(KEYS, SEALED))
        means = NameserverMeans(
            lambda _name: self.host,
            lambda _environment, _sealed: "",
            timedelta(seconds=5),
            lambda: NOON,
            lambda: 0.0,
            lambda _seconds: None,
        )
        found = list(judge_server("ns", examine(described, means, self.drive)))
        assert is_sound(found) is all(each.level is Level.OK for each in found)
        return {each.name: (each.level, each.text) for each in found}


@dataclass
class _Server:
    error: DriverError | None

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        assert list(names)
        if self.error is not None:
            raise self.error
        return {}


def test_a_server_that_takes_every_key_is_sound() -> None:
    found = Bench({}, Host()).examined()
    assert [*found] == ["tools", "key production", "key development"]
    assert {level for level, _ in found.values()} == {Level.OK}


def test_a_key_that_is_not_known_there_is_told_by_its_holder() -> None:
    refused = Denied("ns", "ask for serials", "it does not know key reconciler-development")
    found = Bench({"development": refused}, Host()).examined()
    assert found["key production"][0] is Level.OK
    assert found["key development"] == (Level.BAD, str(refused))


def test_a_server_that_does_not_answer_is_asked_once() -> None:
    lost = Unreachable("ns", "ask for serials", "connection refused")
    found = Bench({"production": lost, "development": lost}, Host()).examined()
    assert [*found] == ["tools", "address"]
    assert found["address"] == (Level.BAD, str(lost))


def test_programs_that_are_missing_are_named() -> None:
    found = Bench({}, Host("named-checkzone\n")).examined()
    assert found["tools"] == (Level.BAD, "named-checkzone missing on virt1")


def test_each_view_is_asked_with_its_own_keys() -> None:
    found = Bench({}, Host()).examined(outside=True)
    assert "key production outside" in found
    assert "key development" in found


def test_a_server_that_is_not_ours_has_no_programs_of_ours() -> None:
    found = Bench({}, None).examined(hosts=[], address="192.0.2.53")
    assert [*found] == ["key production", "key development"]


@pytest.mark.parametrize("software", ["bind-files"])
def test_a_server_of_zone_files_is_asked_without_keys(software: str) -> None:
    found = Bench({}, Host()).examined(software=software)
    assert [*found] == ["tools", "answers"]


def test_a_host_that_nobody_describes_is_in_the_way_of_all_else() -> None:
    def nowhere(name: str) -> Any:
        raise NotFound(name, "find", "no Host document of any branch describes this host")

    server = Nameserver.model_validate(
        {"kind": "Nameserver", "name": "ns", "hosts": [{"name": "virt1"}]}
    )
    means = NameserverMeans(
        nowhere,
        lambda _environment, _sealed: "",
        timedelta(seconds=5),
        lambda: NOON,
        lambda: 0.0,
        lambda _seconds: None,
    )
    (answer,) = examine(DescribedServer(server, "production"), means)
    assert "virt1" in answer.problem
