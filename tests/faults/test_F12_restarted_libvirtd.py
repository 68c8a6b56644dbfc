"""F12: libvirtd restarts. The next look finds it again; what runs is neither touched nor redefined.

The same with a real libvirtd, killed on a real host: tests/system/guests/test_reach.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.errors import Unreachable
from tests.unit.drivers.libvirt_.stores import storage_of

pytestmark = pytest.mark.libvirt
CHANGES = {"defineXML", "defineXMLFlags", "createXML", "storagePoolDefineXML"}


class Daemon:
    """Something like libvirtd: `test:///` behind connections that break when it restarts."""

    def __init__(self) -> None:
        self.world = libvirt.open("test:///default")
        self.generation = 0
        self.opened = 0
        self.called: list[str] = []

    def open(self, _uri: str) -> Any:
        self.opened += 1
        return Connection(self)

    def restart(self) -> None:
        self.generation += 1


class Connection:
    """What one opening gives; it is of no use after a restart."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._generation = daemon.generation

    def __getattr__(self, name: str) -> Any:
        if self._generation != self._daemon.generation:
            return broken
        self._daemon.called.append(name)
        return getattr(self._daemon.world, name)

    def close(self) -> None:
        return


def broken(*_arguments: Any) -> None:
    error = libvirt.libvirtError("internal error: client socket is closed")
    error.err = (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_RPC, str(error), 2) + (None,) * 5
    raise error


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    daemon = Daemon()
    yield daemon
    daemon.world.close()


@pytest.fixture
def port(daemon: Daemon) -> Iterator[LibvirtHypervisor]:
    connection = LibvirtConnection("virt1", "", opener=daemon.open)
    patience = Patience(lambda _seconds: None, lambda: 0.0)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"qemu": "test"})
    yield port
    port.close()


Call = Callable[[LibvirtHypervisor], object]
CALLS: dict[str, Call] = {
    "domains": lambda port: port.domains(),
    "volumes": lambda port: port.volumes(),
    "start": lambda port: port.start_domain("test"),
    "autostart": lambda port: port.set_autostart("test", autostart=True),
    "pools": lambda port: port.pools(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_on_a_broken_connection_is_unknown_and_the_next_is_answered(
    daemon: Daemon, port: LibvirtHypervisor, call: Call
) -> None:
    before = port.domains()
    daemon.restart()
    with pytest.raises(Unreachable, match="client socket is closed"):
        call(port)
    call(port)
    assert daemon.opened == 2
    assert [each.definition.uuid for each in port.domains()] == [
        each.definition.uuid for each in before
    ]


def test_what_runs_is_left_alone(daemon: Daemon, port: LibvirtHypervisor) -> None:
    before = port.domains()
    for _ in range(5):
        daemon.restart()
        with pytest.raises(Unreachable):
            port.domains()
        assert port.domains() == before
    assert not CHANGES.intersection(daemon.called)
    assert daemon.opened == 6


def test_nothing_is_tried_again_by_itself(daemon: Daemon, port: LibvirtHypervisor) -> None:
    port.domains()
    daemon.restart()
    with pytest.raises(Unreachable):
        port.start_domain("test")
    assert daemon.opened == 1
