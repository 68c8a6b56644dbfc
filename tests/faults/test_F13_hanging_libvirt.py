"""F13: a libvirt call that hangs costs its host the deadline, and nobody else anything.

The same with a real libvirtd, frozen on a real host: tests/system/guests/test_reach.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.engine.observe import observe
from reconciler.errors import Unreachable
from reconciler.model.address import Scope
from reconciler.ports.nameserver import Nameserver
from tests.unit.drivers.libvirt_.stores import storage_of

pytestmark = pytest.mark.libvirt
DEADLINE = timedelta(seconds=0.5)
HANGS = 300


class Frozen:
    """A connection whose calls hang until what carries it is cut."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def open(self) -> Frozen:
        return self

    def cut(self) -> None:
        self.over.set()

    def clear(self) -> None:
        return

    def close(self) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return self._hang

    def _hang(self, *_arguments: Any) -> None:
        assert self.over.wait(30)
        raise libvirt.libvirtError("the connection was closed")


class Farm:
    """Hosts by name; those whose name begins with `frozen` never answer."""

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._hosts: dict[str, LibvirtHypervisor] = {}
        self._lock = threading.Lock()

    def hypervisor(self, host: str) -> LibvirtHypervisor:
        with self._lock:
            if host not in self._hosts:
                dial = Frozen if host.startswith("frozen") else None
                connection = LibvirtConnection(
                    host, "test:///default", deadline=DEADLINE, dial=dial
                )
                self._hosts[host] = LibvirtHypervisor(
                    connection,
                    storage_of(),
                    Patience(lambda _seconds: None, lambda: 0.0),
                    domain_types={"qemu": "test"},
                )
                self._closing.callback(connection.close)
            return self._hosts[host]

    def nameserver(self, server: str) -> Nameserver:
        raise AssertionError(server)

    def machine(self, host: str) -> Any:
        raise NotImplementedError(host)

    def close(self) -> None:
        self._closing.close()


@pytest.fixture
def farm() -> Iterator[Farm]:
    farm = Farm()
    yield farm
    farm.close()


def test_hosts_that_hang_cost_one_deadline_in_all(farm: Farm) -> None:
    gone = [Scope("host", f"frozen{number}") for number in range(40)]
    there = Scope("host", "virt1")
    observe([there, Scope("host", "virt2")], farm)
    begun = time.monotonic()
    world = observe([*gone, there], farm)
    waited = time.monotonic() - begun
    assert set(world.unknown) == set(gone)
    assert {each.address.host for each in world.observed} == {"virt1"}
    assert waited < DEADLINE.total_seconds() + 1


def test_threads_that_hung_are_not_left_behind() -> None:
    name = "libvirt-frozen"
    connection = LibvirtConnection("frozen", "", deadline=timedelta(milliseconds=2), dial=Frozen)
    for _ in range(HANGS):
        with pytest.raises(Unreachable):
            connection.run("look", lambda raw: raw.listAllDomains(0))
    ends = time.monotonic() + 20
    while any(each.name == name for each in threading.enumerate()):
        assert time.monotonic() < ends
        time.sleep(0.01)  # noqa: TID251 - bounded polling of threads
