"""F19: a DHCP server that refuses what it is told goes on as before, and its file says as before.

The same on a real Kea is in tests/system/networks/test_dhcp_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.host import Ran
from tests.unit.drivers.ssh.onhost.ground import Ground, ground_in
from tests.unit.drivers.ssh.onhost.kea import Kea, kea, without_ours
from tests.unit.drivers.ssh.onhost.test_act_dhcp import CHECK, FILE, SERVE, WEB, given, reserve

Break = Callable[[Kea, Ground], None]


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return ground_in(tmp_path)


@pytest.fixture
def server(ground: Ground) -> Iterator[Kea]:
    """A Kea that serves a subnet of ours and has a reservation in it."""
    with kea(without_ours()) as found:
        given(ground, found.path)
        ground.done(SERVE, reserve(WEB))
        yield found


def refuse(server: Kea, ground: Ground) -> None:
    del ground
    server.refuses = lambda _config: "subnet configuration failed: no"


def fail_the_check(server: Kea, ground: Ground) -> None:
    del server
    ground.programs.answers[CHECK] = Ran(1, "", "Syntax check failed")


def refuse_at_last(server: Kea, ground: Ground) -> None:
    """What was found good is refused all the same when it is to be in force."""
    del ground
    tested: list[Any] = []

    def judge(config: dict[str, Any]) -> str | None:
        tested.append(config)
        return "no memory" if len(tested) > 1 else None

    server.refuses = judge


def end(server: Kea, ground: Ground) -> None:
    """It ends while it is asked."""
    del ground
    server.drops = "config-test"


BREAKS: dict[str, Break] = {
    "the server refuses it": refuse,
    "the file is not good": fail_the_check,
    "the server refuses it at last": refuse_at_last,
    "the server ends": end,
}
CHANGES: dict[str, dict[str, Any]] = {
    "a subnet": {**SERVE, "lease_seconds": 1200},
    "reservations": reserve({**WEB, "address": "10.213.8.60"}),
    "none any more": reserve(),
}


@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_refused_changes_neither_the_server_nor_its_file(
    change: dict[str, Any], breaks: Break, server: Kea, ground: Ground
) -> None:
    before, written = server.config, ground.path(FILE).read_bytes()
    breaks(server, ground)
    assert "cannot" in ground.refused(change)
    assert server.config == before
    assert ground.path(FILE).read_bytes() == written
    assert not list(ground.path(FILE).parent.glob(".reconciler-new-*"))


def test_the_reason_is_told_in_the_words_of_the_server(server: Kea, ground: Ground) -> None:
    refuse(server, ground)
    said = ground.refused(CHANGES["a subnet"])
    assert "kea-dhcp4 says: subnet configuration failed: no" in said


def test_after_it_all_can_be_done_as_before(server: Kea, ground: Ground) -> None:
    refuse(server, ground)
    ground.refused(CHANGES["a subnet"])
    server.refuses = lambda _config: None
    ground.done(*CHANGES.values())
    assert server.config["subnet4"][1]["valid-lifetime"] == 1200
