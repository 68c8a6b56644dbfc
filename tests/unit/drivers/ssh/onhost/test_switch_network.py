"""What the dead man's switch puts back of a host's network, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.switch_network import (
    ROUNDS,
    let_tools_read,
    network_of,
    put_network_back,
)
from reconciler.drivers.ssh.onhost.switch_site import Site
from tests.scenes.ip_of_kernel import Kernel, Link, address

WAY = "10.0.0.2/24"
Change = Callable[[Kernel], None]


@pytest.fixture
def kernel() -> Kernel:
    bridge = {"stp_state": 0, "forward_delay": 1500, "ageing_time": 30000, "vlan_filtering": 0}
    return Kernel(
        {
            "lo": Link(addresses=[address("127.0.0.1/8", scope="host")]),
            "eth0": Link(addresses=[address(WAY), address("10.0.0.3/24"), address("fe80::1/64")]),
            "eth1": Link(master="br-lan", mac="02:00:00:00:00:02"),
            "eth2": Link(master="bond0"),
            "br-lan": Link("bridge", data=bridge, addresses=[address("10.0.8.1/24")]),
            "bond0": Link("bond", data={"mode": "active-backup", "miimon": 100}),
            "bond0.20": Link("vlan", parent="bond0", data={"protocol": "802.1Q", "id": 20}),
            "vnet0": Link("tun", master="br-lan"),
            "off": Link(is_up=False, mtu=9000),
        },
        routes={
            "-4": [
                "default via 10.0.0.1 dev eth0 proto 4",
                "10.0.0.0/24 dev eth0 proto 2 scope 253 src 10.0.0.2",
                "10.9.0.0/16 via 10.0.8.9 dev br-lan table 100",
                "10.7.0.0/16 via 10.0.8.9 dev br-lan proto 186 linkdown",
                "6 10.8.0.0/16 proto 201",
                "3 10.0.0.255 dev eth0 table 255 proto 2",
            ],
            "-6": ["default via fe80::2 dev eth0 proto 9 metric 1024 expires 99sec pref medium"],
        },
    )


@pytest.fixture
def site(tmp_path: Path, kernel: Kernel) -> Site:
    def answer(argv: list[str], *_: object) -> tuple[int, str]:
        return run(kernel, argv)

    return Site(answer, root=str(tmp_path), pause=lambda _: None)


def run(kernel: Kernel, argv: list[str]) -> tuple[int, str]:
    return kernel.ip(argv[1:]) if argv[0] == "ip" else (127, "no such program")


def back(
    site: Site, kept: dict[str, Any], *, about: str = "bridge@virt1/br-new"
) -> tuple[bool, list[str]]:
    return put_network_back(site, kept, [(about, "d")])


def plug(kernel: Kernel, port: str, into: str, kind: str = "bridge", **fields: Any) -> None:
    kernel.links[into] = Link(kind, **fields)
    kernel.links[port].master = into


def swallow(kernel: Kernel) -> None:
    """The case that there is all this for: the way in is plugged in, and its address moved."""
    plug(kernel, "eth0", "br-new", addresses=[address(WAY)])
    del kernel.links["eth0"].addresses[:]
    kernel.routes["-4"] = [
        line.replace("eth0", "br-new") for line in kernel.routes["-4"] if "proto 2" not in line
    ]


def join(kernel: Kernel) -> None:
    """Into a bridge that was there before, and so stays."""
    kernel.links["eth0"].master = "br-lan"
    kernel.links["eth1"].master = None


def unplug(kernel: Kernel) -> None:
    del kernel.links["br-lan"]
    for name in ("eth1", "vnet0"):
        kernel.links[name].master = None
    kernel.routes["-4"] = [line for line in kernel.routes["-4"] if "br-lan" not in line]


def rearrange(kernel: Kernel) -> None:
    kernel.links["bond0"].data["mode"] = "802.3ad"
    kernel.links["bond0.20"].data["id"] = 21
    kernel.links["br-lan"].data["vlan_filtering"] = 1
    kernel.links["br-lan"].mac = "02:00:00:00:00:77"


def turn(kernel: Kernel) -> None:
    eth0 = kernel.links["eth0"]
    eth0.is_up, eth0.mtu = False, 1400
    eth0.addresses.reverse()
    kernel.links["off"].is_up = True


def misroute(kernel: Kernel) -> None:
    kernel.routes["-4"] = ["7 default", *kernel.routes["-4"][1:3], *kernel.routes["-4"][5:]]
    kernel.rules["-4"] = ["5:\tfrom all unreachable", RULE]


RULE = "0:\tfrom all lookup local"
CHANGES: list[Change] = [swallow, join, unplug, rearrange, turn, misroute]


def told(kernel: Kernel) -> dict[str, Any]:
    """What counts: the order only of IPv4 addresses, and no routes that others see to."""
    for link in kernel.links.values():
        link.addresses.sort(key=lambda each: each["family"] == "inet6")
    return {
        "links": {name: each.told(name) for name, each in sorted(kernel.links.items())},
        "rules": {family: sorted(lines) for family, lines in kernel.rules.items()},
        "routes": {
            family: sorted(
                line.removesuffix(" linkdown")
                for line in lines
                if "186" not in line and "255" not in line
            )
            for family, lines in kernel.routes.items()
        },
    }


def test_a_network_that_is_as_it_was_is_not_touched(site: Site, kernel: Kernel) -> None:
    assert back(site, network_of(site)) == (False, [])
    assert not kernel.asked


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_was_changed_is_put_back_and_not_twice(
    site: Site, kernel: Kernel, change: Change
) -> None:
    kept, before = network_of(site), deepcopy(told(kernel))
    change(kernel)
    assert back(site, kept) == (True, [])
    assert told(kernel) == before
    kernel.asked.clear()
    assert back(site, kept) == (False, [])
    assert not kernel.asked


def test_changes_on_top_of_one_another_are_put_back(site: Site, kernel: Kernel) -> None:
    kept, before = network_of(site), deepcopy(told(kernel))
    for change in (turn, unplug, swallow, misroute):
        change(kernel)
    assert back(site, kept) == (True, [])
    assert told(kernel) == before


def test_only_what_differs_is_touched(site: Site, kernel: Kernel) -> None:
    kept = network_of(site)
    kernel.links["eth0"].mtu = 1400
    back(site, kept)
    assert kernel.asked == ["link set dev eth0 mtu 1500"]


@pytest.mark.parametrize("about", ["bridge@virt1/br-new", "vlan@virt1/br-new", "bond@virt1/br-new"])
def test_what_the_change_made_is_removed(site: Site, kernel: Kernel, about: str) -> None:
    kept = network_of(site)
    kernel.links["br-new"] = Link("bridge")
    assert back(site, kept, about=about) == (True, [])
    assert "br-new" not in kernel.links


@pytest.mark.parametrize(
    "link", [Link("bridge", addresses=[address("10.5.0.1/24")]), Link("tun"), Link("wireguard")]
)
def test_what_others_made_meanwhile_stays(site: Site, kernel: Kernel, link: Link) -> None:
    """A network of libvirt, a guest, a tunnel: they are in nobody's way."""
    kept = network_of(site)
    kernel.links["virbr0"] = link
    kernel.links["vnet1"] = Link("tun", master="virbr0")
    assert back(site, kept) == (False, [])
    assert {"virbr0", "vnet1"} <= kernel.links.keys()


def test_a_guest_that_has_gone_is_not_waited_for(site: Site, kernel: Kernel) -> None:
    kept = network_of(site)
    del kernel.links["vnet0"]
    assert back(site, kept) == (False, [])


def test_what_cannot_be_made_anew_is_told(site: Site, kernel: Kernel) -> None:
    kept = network_of(site)
    del kernel.links["off"]
    assert back(site, kept) == (False, ["off: it is not there any more"])


def test_what_fails_keeps_nothing_else_from_coming_back(site: Site, kernel: Kernel) -> None:
    kept = network_of(site)
    swallow(kernel)
    kernel.links["br-lan"].mac = "02:00:00:00:00:77"
    kernel.refuses = ("br-lan address",)
    is_touched, problems = back(site, kept)
    assert is_touched
    assert len(problems) == 1
    assert "br-lan address 02:00:00:00:00:01: RTNETLINK" in problems[0]
    assert kernel.links["eth0"].addresses[0]["local"] == WAY.partition("/")[0]
    assert kernel.asked.count("link set dev br-lan address 02:00:00:00:00:01") == ROUNDS - 1


def test_routes_of_daemons_are_theirs(site: Site, kernel: Kernel) -> None:
    kept = network_of(site)
    kernel.routes["-4"] = [line for line in kernel.routes["-4"] if "186" not in line]
    kernel.routes["-4"].append("10.77.0.0/16 via 10.0.0.9 dev eth0 proto 12")
    kernel.routes["-6"] = [kernel.routes["-6"][0].replace("99sec", "77sec")]
    assert back(site, kept) == (False, [])


def test_what_nobody_can_tell_is_said_before_anything_is_done(site: Site) -> None:
    site.run = lambda *_: (1, "ip: no")
    with pytest.raises(OSError, match="ip address: ip: no"):
        network_of(site)


def test_a_tool_that_runs_is_told_of_its_files(site: Site) -> None:
    asked = list[str]()

    def run(argv: list[str], *_: object) -> tuple[int, str]:
        asked.append(argv[0])
        return 0, ""

    site.run = run
    let_tools_read(site, ["/etc/network/interfaces.d/reconciler-br0"])
    assert not asked
    let_tools_read(site, ["/etc/netplan/90-reconciler-br0.yaml"])
    assert asked == ["netplan", "systemctl", "networkctl"]
