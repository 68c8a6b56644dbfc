"""The real hosts: a driver for each, made when it is first asked for."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from reconciler.cli.repository import pause
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.manifest import FileManifest
from reconciler.errors import NotFound
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.nameserver import Nameserver

URI = "qemu+ssh://root@{host}/system"
MARKS = "marks"


class Hosts:
    """Finds the driver for a host by its name, which ssh must be able to resolve."""

    def __init__(self, state_directory: Path) -> None:
        """The marks of volumes, which libvirt does not keep, are files below the directory."""
        self._marks = state_directory / MARKS
        self._known: dict[str, LibvirtHypervisor] = {}
        self._lock = threading.Lock()

    def hypervisor(self, host: str) -> Hypervisor:
        """The libvirt of a host."""
        with self._lock:
            if host not in self._known:
                self._known[host] = self._driver(host)
            return self._known[host]

    def nameserver(self, server: str) -> Nameserver:
        """None yet.

        Raises:
            NotFound: always; there is no driver for real name servers yet.
        """
        cause = "there is no driver for real name servers yet; use farm.kind: simulated"
        raise NotFound(server, "find the name server", cause)

    def _driver(self, host: str) -> LibvirtHypervisor:
        self._marks.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LibvirtHypervisor(
            LibvirtConnection(host, URI.format(host=host)),
            FileManifest(self._marks / f"{host}.json", pause),
            Patience(pause, time.monotonic),
            domain_types={"kvm": "kvm", "qemu": "qemu"},
        )
