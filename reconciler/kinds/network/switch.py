"""Kind `switch`: a bridge of Open vSwitch, with the host's own interface on it.

Open vSwitch keeps the bridge over boots; its interface gets its addresses from files. What others
plugged into it, guests above all, is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reconciler.kinds.base.kind import MADE, NOTHING_CHANGED, BaseKind
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.network_acts import PutSwitch, RemoveSwitch, Tool
from reconciler.ports.network_facts import Route, SwitchFact, TextFile

Datapath = Literal["system", "netdev"]


@dataclass(frozen=True, slots=True)
class SwitchSpec:
    """A switch. `addresses`, `routes` and `mtu` are those of the host's own interface on it.

    `files` set that up at boot, and `tool` reads them. `is_made`: it was not there before us.
    """

    host: str
    name: str
    datapath: str
    ports: tuple[str, ...] = ()
    mtu: int | None = None
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    is_up: bool = True
    files: tuple[TextFile, ...] = ()
    tool: Tool = field(default="networkd", compare=False)
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: SwitchSpec) -> Question:
    """The tool is told too: who takes the switch away must know who reads the files."""
    paths = (file.path for file in spec.files)
    return Question("switch", spec.name, (spec.tool, *sorted(paths), *sorted(spec.ports)))
