"""S30: what a host says of the changes that it took back counts for itself alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.engine.observe import observe
from reconciler.model.address import Address, Scope
from reconciler.ports.facts import Facts

MINE = Address("file", "etc-ntp.conf", "virt1")


@dataclass
class Liar:
    """Ports of a farm whose hosts all say the same."""

    undone: dict[Address, str]

    def machine(self, host: str) -> Any:
        del host
        return self

    def look(self, questions: Any) -> Facts:
        del questions
        return Facts({}, (), self.undone)


@pytest.mark.parametrize(
    "other",
    [Address("file", "etc-ntp.conf", "virt2"), Address("domain", "www"), Address("volume", "www")],
    ids=str,
)
def test_a_host_holds_back_no_change_of_another(other: Address) -> None:
    ports: Any = Liar({other: "digest", MINE: "digest"})
    world = observe([Scope("base", "virt1")], ports)
    assert world.undone == {MINE: "digest"}
