"""The doors to the world, by the name of the host or server behind them."""

from __future__ import annotations

from typing import Protocol

from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.machine import Machine
from reconciler.ports.nameserver import Nameserver


class Ports(Protocol):
    """Finds the driver for a name. Asking is cheap: connections are kept, made when first used."""

    def hypervisor(self, host: str) -> Hypervisor:
        """The virtualization host of that name.

        Raises:
            NotFound: no such host is configured.
        """
        ...

    def nameserver(self, server: str) -> Nameserver:
        """The name server of that name.

        Raises:
            NotFound: no such server is configured.
        """
        ...

    def machine(self, host: str) -> Machine:
        """The base of the host of that name.

        Raises:
            NotFound: no such host is configured.
        """
        ...
