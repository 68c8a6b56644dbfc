"""Networks of the example farm: an overlay, its servers, a firewall and a proxy, from git alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand_base
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.ports.network_facts import TunnelPort
from tests.story.desk import EXAMPLE, WEB, Desk

LAN = "environments/production/networks/lan.yaml"
THIRD = "  - {name: virt3, address: 192.168.1.3}\n"
FOURTH = "  - {name: virt4, address: 192.168.1.4}\n"
BRIDGE = "br-lan"
BACKSTAGE = """\
kind: Network
name: backstage
subnet: 10.10.70.0/24
bridge: br-back
switch: openvswitch
tunnel: {type: vxlan, key: 7}
hosts:
  - {name: virt1, address: 10.10.70.1}
  - {name: virt2, address: 10.10.70.2}
dhcp: {servers: [virt1]}
"""
STAGEHAND = """\
kind: VirtualMachine
name: stagehand
host: virt2
stack: linux
networks:
  - {network: backstage, address: 10.10.70.129}
"""
FIRST = ("virt1", "virt2", "virt3")
ALL = (*FIRST, "virt4")


def ends_of(desk: Desk, host: str, bridge: str = BRIDGE) -> tuple[TunnelPort, ...]:
    """The ends of tunnels of a host."""
    switch = desk.farm.state.hosts[host].base.switches.get(bridge)
    return switch.ends if switch else ()


def peers(desk: Desk, host: str) -> set[str]:
    """Whom the tunnels of a host lead to."""
    return {end.peer for end in ends_of(desk, host)}


def mesh(desk: Desk) -> dict[str, set[str]]:
    """Whom the tunnels of each host lead to, of those that have some."""
    found = {host: peers(desk, host) for host in desk.farm.state.hosts}
    return {host: others for host, others in found.items() if others}


def each_with_each(*hosts: str) -> dict[str, set[str]]:
    return {host: set(hosts) - {host} for host in hosts}


def sync(desk: Desk) -> str:
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 0, done.output
    return done.output


def changes(desk: Desk) -> dict[str, dict[str, Any]]:
    """What a sync would do, by address, in the order of doing."""
    return {each["address"]: each for each in desk.json("plan", "-e", "production")["changes"]}


def has_joined(farm: FarmState) -> FarmState:
    """The farm with a fourth host, as bare as the others were."""
    third = farm.hosts["virt3"]
    pools = {name: replace(pool, volumes={}) for name, pool in third.pools.items()}
    bare = Host(third.memory_bytes, third.cpus, third.accelerators, third.bridges, pools=pools)
    return replace(farm, hosts={**farm.hosts, "virt4": bare})


@pytest.fixture
def joined(desk: Desk) -> Desk:
    """A desk whose overlay has a fourth host, by one commit."""
    desk.farm.change(has_joined)
    third = (EXAMPLE / "hosts/virt3.yaml").read_text("utf-8")
    lan = (EXAMPLE / LAN).read_text("utf-8")
    assert THIRD in lan
    desk.put(
        {
            "hosts/virt4.yaml": third.replace("virt3", "virt4").replace("10.10.59.3", "10.10.59.4"),
            LAN: lan.replace(THIRD, THIRD + FOURTH),
        }
    )
    return desk


def test_the_overlay_of_three_hosts_stands_and_nothing_is_left_to_do(desk: Desk) -> None:
    assert mesh(desk) == each_with_each(*FIRST)
    for host in FIRST:
        link = desk.farm.state.hosts[host].base.links[BRIDGE]
        assert (link.mtu, link.is_up) == (1462, True)
    assert changes(desk) == {}


def test_a_fourth_host_is_one_commit(joined: Desk) -> None:
    wanted = changes(joined)
    ends = {address for address, each in wanted.items() if address.startswith("tunnel@")}
    assert ends == {f"tunnel@{host}/{BRIDGE}" for host in ALL}
    sync(joined)
    assert mesh(joined) == each_with_each(*ALL)
    assert changes(joined) == {}


def test_a_host_that_leaves_is_one_commit_too(joined: Desk) -> None:
    sync(joined)
    joined.edit(LAN, FOURTH, "")
    sync(joined)
    assert mesh(joined) == each_with_each(*FIRST)
    assert BRIDGE not in joined.farm.state.hosts["virt4"].base.switches
    assert changes(joined) == {}


def test_a_tunnel_that_was_cut_is_drift_and_is_healed(desk: Desk) -> None:
    by_hand_base.cut_tunnel(desk.farm, "virt2", BRIDGE, "virt3")
    assert peers(desk, "virt2") == {"virt1"}
    seen = desk.run("drift", "-e", "production")
    assert seen.exit_code == 2
    assert f"~ tunnel@virt2/{BRIDGE} (drift, live) {LAN}:" in seen.stdout
    assert "ports.virt3" in seen.stdout
    assert "1 updated, all of it drift" in sync(desk)
    assert mesh(desk) == each_with_each(*FIRST)


def test_what_the_network_needs_is_done_in_its_order(new_desk: Desk) -> None:
    order = list(changes(new_desk))
    for host in FIRST:
        in_order = [f"{kind}@{host}/{BRIDGE}" for kind in ("switch", "tunnel")]
        assert places(order, f"package@{host}/openvswitch-switch", *in_order) is not None


def test_a_machine_starts_when_its_network_and_its_reservations_stand(new_desk: Desk) -> None:
    wanted = changes(new_desk)
    order, machine = list(wanted), wanted["domain/web-1"]
    host = next(f["after"] for f in machine["fields"] if f["path"] == "host")
    first = {f"switch@{host}/{BRIDGE}", f"tunnel@{host}/{BRIDGE}"}
    first |= {f"reservations@{server}/lan.production" for server in ("virt1", "virt2")}
    assert first <= set(machine["needs"])
    assert all(order.index(each) < order.index("domain/web-1") for each in first)


def test_a_new_machine_has_its_reservation_before_its_first_boot(desk: Desk) -> None:
    web = (EXAMPLE / WEB).read_text("utf-8")
    new = web.replace("web-1", "web-9").replace("192.168.1.129", "192.168.1.200")
    desk.put({"environments/production/vms/web-9.yaml": new})
    order = list(changes(desk))
    for server in ("virt1", "virt2"):
        at = places(order, f"reservations@{server}/lan.production", "domain/web-9")
        assert at is not None
    sync(desk)
    for server in ("virt1", "virt2"):
        subnet = desk.farm.state.hosts[server].base.subnets["192.168.1.0/24"]
        assert "192.168.1.200" in str(subnet)


def test_a_machine_whose_network_cannot_be_made_is_not_started(new_desk: Desk) -> None:
    text = (EXAMPLE / "stacks/virthost.yaml").read_text("utf-8")
    lines = (line for line in text.splitlines(keepends=True) if "openvswitch" not in line)
    new_desk.put({"stacks/virthost.yaml": "".join(lines)})
    done = new_desk.run("sync", "-e", "production")
    assert done.exit_code == 1
    assert f"switch@virt1/{BRIDGE} failed" in done.stdout
    assert "domain/web-1 skipped" in done.stdout
    assert not any(host.domains for host in new_desk.farm.state.hosts.values())


def test_a_network_that_is_declared_no_more_goes_after_its_machines(desk: Desk) -> None:
    documents = {
        "environments/production/networks/backstage.yaml": BACKSTAGE,
        "environments/production/vms/stagehand.yaml": STAGEHAND,
    }
    ends = (
        "reservations@virt1/backstage.production",
        "switch@virt2/br-back",
        "tunnel@virt2/br-back",
    )
    desk.put(documents)
    order = list(changes(desk))
    assert all(places(order, end, "domain/stagehand") for end in ends)
    sync(desk)
    assert {end.name[:2] for end in ends_of(desk, "virt2", "br-back")} == {"vx"}
    desk.put(dict.fromkeys(documents))
    order = list(changes(desk))
    assert all(places(order, "domain/stagehand", end) for end in ends[1:])
    sync(desk)
    for host in ("virt1", "virt2"):
        base = desk.farm.state.hosts[host].base
        assert ("br-back" in base.switches, "10.10.70.0/24" in str(base.subnets)) == (False, False)
    assert mesh(desk) == each_with_each(*FIRST)
    assert changes(desk) == {}


def test_a_flushed_firewall_and_a_changed_site_are_drift(desk: Desk) -> None:
    by_hand_base.flush_rules(desk.farm, "virt1")
    by_hand_base.edit_file(desk.farm, "virt1", "/etc/nginx/conf.d/reconciler.conf", "server {}\n")
    assert {*changes(desk)} >= {
        "ruleset@virt1/reconciler",
        "file@virt1/etc-nginx-conf.d-reconciler.conf",
    }
    assert "all of it drift" in sync(desk)
    assert changes(desk) == {}


def places(order: list[str], *addresses: str) -> tuple[int, ...] | None:
    """Where they are done, if all are, and in this order."""
    found = tuple(map(order.index, addresses))
    return found if list(found) == sorted(found) else None


def test_nothing_of_a_network_is_anybody_elses(desk: Desk) -> None:
    for environment in ("development", "staging"):
        kinds = {address.partition("@")[0] for address in resources(desk, environment)}
        assert kinds.isdisjoint({"switch", "tunnel", "subnet", "ruleset"})


def resources(desk: Desk, environment: str) -> Iterator[str]:
    """What the journal says is applied for an environment."""
    status = json.loads(desk.git("show", f"reconciler/{environment}:status.json"))
    return iter(status["applied"])
