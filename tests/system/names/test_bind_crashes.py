"""named or the reconciler is killed in the middle of 100 updates: nothing torn, nothing lost."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from reconciler.drivers.dns.server import DynamicNameserver
from reconciler.ports.nameserver import NewZone, RecordSet
from tests.contract.name_bench import BASE, OURS, TIMERS, ZONE
from tests.system.lab import CHECKOUT, Lab, taken
from tests.system.names.bind_host import HOST, PORT, Bind, bind_on, key_of
from tests.system.names.updating import GROUP, group

PROGRAM = Path(__file__).with_name("updating.py")
TIMES = 8
UPDATES = 100


@pytest.fixture(scope="module")
def bind(lab: Lab) -> Iterator[Bind]:
    with taken(lab.directory, HOST), bind_on(lab) as bind:
        yield bind


@pytest.fixture
def server(bind: Bind) -> Iterator[DynamicNameserver]:
    server = bind.server()
    server.create_zone(NewZone(ZONE, TIMERS, 1, BASE, "production", OURS))
    yield server
    server.delete_zone(ZONE)


def updating(bind: Bind, first: int = 0) -> subprocess.Popen[str]:
    key = key_of("production")
    words = (bind.host.address, str(PORT), key.name, key.secret, str(first))
    return subprocess.Popen(
        [sys.executable, "-u", PROGRAM, *words], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def check_whole(server: DynamicNameserver, done: set[int]) -> None:
    """Each group is there wholly or not at all, and each that was acknowledged is there."""
    records: set[RecordSet] = {*server.zone(ZONE).records} - {*BASE}
    counted = Counter(int(record.name[1:].partition("-")[0]) for record in records)
    assert set(counted.values()) <= {GROUP}
    assert done <= counted.keys()
    assert all(set(group(number)) <= records for number in counted)


def test_named_is_killed_in_the_middle_of_100_updates(
    bind: Bind, server: DynamicNameserver
) -> None:
    chance, done = Random(7), set[int]()
    with updating(bind) as process:
        kills = sorted(chance.sample(range(UPDATES - 1), TIMES))
        while line := said(process):
            done.add(int(line))
            if kills and int(line) >= kills[0]:
                kills.pop(0)
                bind.stop(by="-KILL")
                bind.start()
                check_whole(bind.server(), done)
    assert process.returncode == 0
    assert not kills
    assert done == set(range(UPDATES))
    check_whole(bind.server(), done)


def test_the_reconciler_is_killed_in_the_middle_of_100_updates(
    bind: Bind, server: DynamicNameserver
) -> None:
    done: set[int] = set()
    for turn in range(TIMES):
        with updating(bind, max(done, default=-1) + 1) as process:
            for _ in range(turn + 3):
                done.add(int(said(process)))
            process.kill()
            done |= {int(line) for line in process.communicate()[0].split()}
        check_whole(bind.server(), done)
    with updating(bind, max(done) + 1) as process:
        done |= {int(line) for line in process.communicate()[0].split()}
    assert done == set(range(UPDATES))
    check_whole(bind.server(), done)
