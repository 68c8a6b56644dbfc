"""The contract of name servers on a real BIND, changed by dynamic updates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.contract.name_bench import NameBench
from tests.contract.test_nameserver import *  # noqa: F403 - the tests of the contract
from tests.system.lab import Lab, taken
from tests.system.names.bind_host import HOST, Bind, bind_on


@pytest.fixture(scope="module")
def bind(lab: Lab) -> Iterator[Bind]:
    with taken(lab.directory, HOST), bind_on(lab) as bind:
        yield bind


@pytest.fixture
def name_bench(bind: Bind) -> Iterator[NameBench]:
    server = bind.server()
    yield NameBench(
        server=server,
        put_by_hand=bind.put,
        remove_by_hand=bind.remove,
        today=lambda: date.fromisoformat(bind.host.run("date", "+%F").strip()),
    )
    for zone in server.zones():
        server.delete_zone(zone)
