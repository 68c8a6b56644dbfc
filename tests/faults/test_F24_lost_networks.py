"""F24, F25, F36: a change of its network that cuts a host off is taken back there by itself."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.switch import guarded
from reconciler.errors import Conflict
from reconciler.kinds.base.management import safety_of_network
from reconciler.model.address import Address
from tests.scenes.ip_of_kernel import Kernel
from tests.scenes.switched_host import SwitchedHost, Way, put_file, set_up

BRIDGE = Address("bridge", "br-new", "virt1")
FILE = "/etc/systemd/network/50-reconciler-br-new.netdev"
CUT_OFF = 108.0  # seconds: nine tenths of the deadline
SWALLOW = (
    "link add name br-new type bridge",
    "link set dev br-new up",
    "link set dev eth0 master br-new",
    "address delete 10.0.0.2/24 dev eth0",
)
MOVE = (*SWALLOW, "address add 10.0.0.2/24 dev br-new")


@pytest.fixture
def host(tmp_path: Path) -> SwitchedHost:
    host = SwitchedHost(tmp_path)
    (tmp_path / FILE[1:]).parent.mkdir(parents=True)
    return host


@pytest.fixture
def way(host: SwitchedHost) -> Way:
    return Way(host)


def change(way: Way, *commands: str, digest: str = "d-1") -> None:
    host = way.switched
    acts = [put_file(FILE, "[NetDev]\n"), *set_up(*commands)]
    safety = safety_of_network(BRIDGE, digest, [FILE])
    guarded(way, acts, safety, sleep=host.wait, monotonic=lambda: host.now)


def links(kernel: Kernel) -> dict[str, Any]:
    return {name: link.told(name) for name, link in kernel.links.items()}


def has_file(host: SwitchedHost) -> bool:
    return (host.root / FILE[1:]).exists()


def undone(host: SwitchedHost) -> Any:
    return host.own("undone.json")


def test_a_bridge_that_swallows_the_way_in_is_gone_again(host: SwitchedHost, way: Way) -> None:
    before = deepcopy(links(host.kernel))
    with pytest.raises(Conflict, match=r"cut the host off.*the network"):
        change(way, *SWALLOW)
    assert links(host.kernel) == before
    assert host.now <= CUT_OFF + 60
    assert not has_file(host)
    assert undone(host) == {str(BRIDGE): "d-1"}


def test_a_way_in_that_is_moved_well_stays(host: SwitchedHost, way: Way) -> None:
    change(way, *MOVE)
    host.wait(1000)
    assert host.kernel.links["eth0"].master == "br-new"
    assert has_file(host)
    assert not undone(host)


def test_what_was_kept_is_let_go_of_when_all_is_well(host: SwitchedHost, way: Way) -> None:
    change(way, *MOVE)
    assert host.own("settled.json")["network"] is None


def test_an_act_that_fails_takes_those_before_it_back_at_once(host: SwitchedHost, way: Way) -> None:
    before = deepcopy(links(host.kernel))
    with pytest.raises(Conflict, match="nowhere"):
        change(way, *MOVE[:2], "link set dev nowhere up")
    assert host.now < CUT_OFF
    assert links(host.kernel) == before
    assert not undone(host)


def test_a_host_whose_network_cannot_be_told_is_not_changed(host: SwitchedHost, way: Way) -> None:
    answer = host.kernel.ip
    host.kernel.ip = lambda words: (1, "no") if "-json" in words else answer(words)  # type: ignore[method-assign]
    with pytest.raises(Conflict, match=r"way back.*nothing was changed"):
        change(way, *MOVE)
    assert not has_file(host)


def test_a_boot_while_on_trial_puts_the_files_back_and_makes_nothing(
    host: SwitchedHost, way: Way
) -> None:
    """What they set up is made of them afterwards, by whose task that is."""
    way.at_exchange[2] = host.restart
    with pytest.raises(Conflict, match="started anew"):
        change(way, *MOVE)
    assert not has_file(host)
    assert host.kernel.links.keys() == {"eth0"}
    assert not any("add" in line or "delete" in line for line in host.kernel.asked[5:])


def test_what_outlives_a_boot_goes_all_the_same(host: SwitchedHost, way: Way) -> None:
    """A container is started anew among the interfaces that it had."""
    before = deepcopy(links(host.kernel))

    def boot_among_them() -> None:
        host.boot_id("boot-2")
        host.start_switch()

    way.at_exchange[2] = boot_among_them
    with pytest.raises(Conflict, match="started anew"):
        change(way, *MOVE)
    assert links(host.kernel) == before


def test_what_cannot_be_put_back_does_not_keep_the_rest(host: SwitchedHost, way: Way) -> None:
    host.kernel.links["eth9"] = deepcopy(host.kernel.links["eth0"])
    host.kernel.links["eth9"].addresses.clear()
    commands = ("link set dev eth9 mtu 1400", *SWALLOW)
    host.kernel.refuses = ("eth9 mtu 1500",)
    with pytest.raises(Conflict, match=r"not well: .*eth9 mtu 1500"):
        change(way, *commands)
    assert host.lets_in
