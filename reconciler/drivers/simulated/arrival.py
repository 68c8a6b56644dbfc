"""What happens whenever somebody comes to a simulated host: time has passed there meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.base.switch import fired
from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import CutOff
from reconciler.drivers.simulated.moves import host_named, on_host
from reconciler.drivers.simulated.state import FarmState, Host


def arrive(cell: Cell, name: str, is_past: Callable[[datetime], bool]) -> None:
    """Let a dead man's switch fire whose time has come, and get in, or not.

    Raises:
        Missing: there is no such host.
        CutOff: it lets nobody in.
    """
    base = host_named(cell.state, name).base
    if base.switch is not None and is_past(base.switch.fires):
        cell.change(lambda farm: on_base(farm, name, fired))
        base = host_named(cell.state, name).base
    if base.cut:
        message = f"it lets nobody in since {', '.join(base.cut)} changed"
        raise CutOff(message)


def on_base(farm: FarmState, name: str, change: Callable[[Base], Base]) -> FarmState:
    """The farm after a change of one host's base; the same farm if that changed nothing.

    Raises:
        Missing: there is no such host.
    """

    def changed(host: Host) -> Host:
        after = change(host.base)
        return host if after is host.base else replace(host, base=after)

    return on_host(farm, name, changed)
