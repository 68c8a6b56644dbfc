"""The contract of name servers on real NSD, Knot and named, which read zone files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.drivers.farm import RealFarm
from tests.contract.name_bench import NameBench
from tests.contract.test_nameserver import *  # noqa: F403 - the tests of the contract
from tests.contract.test_nameserver_rules import *  # noqa: F403
from tests.system.driven import driven
from tests.system.lab import Lab, taken
from tests.system.names.zonefile_host import EVERY, NOON, ZoneFileHost, set_up

HOST = "virt8"


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    with taken(lab.directory, HOST), driven(lab, tmp_path_factory.mktemp("names")) as farm:
        yield farm


@pytest.fixture(scope="module", params=tuple(EVERY.values()), ids=list(EVERY))
def zone_files(request: pytest.FixtureRequest, lab: Lab, farm: RealFarm) -> Iterator[ZoneFileHost]:
    with set_up(lab.hosts[HOST], request.param, farm.shell(HOST)) as made:
        yield made


@pytest.fixture
def name_bench(zone_files: ZoneFileHost) -> Iterator[NameBench]:
    server = zone_files.server()
    yield NameBench(
        server=server,
        put_by_hand=lambda zone, record: zone_files.by_hand(zone, put=record),
        remove_by_hand=lambda zone, key: zone_files.by_hand(zone, remove=key),
        today=NOON.date,
    )
    for zone in server.zones():
        server.delete_zone(zone)
