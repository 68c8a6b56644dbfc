"""In which zone clients may get names, and in which they may not."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigError
from reconciler.render.network.dynamic_names import names_file
from tests.golden.dynamic_names.dynamic_farms import (
    FARM,
    FARMS,
    LEASED,
    SECOND_NETWORK,
    farm,
    server,
    zone,
)

NETWORKS, ZONES, SERVERS = "networks/dhcp.yaml", "zones/all.yaml", "nameservers.yaml"
D2_FILE = "files: [{path: /etc/kea/kea-dhcp-ddns.conf, content: x}]\n"
OTHER = server("ns2").replace("dns/dhcp", "dns/other")
BOTH = f"{FARM}---\n{zone()}---\n{zone('more.farm.internal').replace('server: ns', 'server: ns2')}"


def problems(changes: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        farm("plain", changes)
    return [f"{problem.position.file}: {problem.what}" for problem in caught.value.problems]


@pytest.mark.parametrize("name", FARMS)
def test_a_zone_that_dhcp_updates_may_have_names_of_clients(name: str) -> None:
    assert farm(name).networks["leased"].dhcp


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({ZONES: f"{FARM}---\n{zone().replace('dhcp', 'reconciler')}"}, "clients would get its"),
        ({NETWORKS: LEASED.replace("dyn.farm.internal", "dny.farm.internal")}, "there is no zone"),
        ({NETWORKS: LEASED.replace("dyn.farm.internal", "farm.internal")}, "clients would get its"),
        ({SERVERS: server().replace(', dhcp: "secret://dns/dhcp"', "")}, "has no key for DHCP"),
        ({SERVERS: server(more="software: nsd\n")}, "takes no updates: it is nsd"),
        ({SERVERS: ""}, "nothing tells where zone dyn.farm.internal is updated"),
        ({"hosts.yaml": FARMS["plain"]["hosts.yaml"] + D2_FILE}, "is written for network leased"),
        (
            {"hosts.yaml": FARMS["plain"]["hosts.yaml"].replace("t: production", "t: staging")},
            "is of environment staging",
        ),
        (
            {
                NETWORKS: f"{LEASED}---\n{SECOND_NETWORK}",
                ZONES: BOTH,
                SERVERS: f"{server()}---\n{OTHER}",
            },
            "two keys of one name",
        ),
    ],
)
def test_no_other_has(changes: dict[str, str], told: str) -> None:
    assert any(told in each for each in problems(changes)), problems(changes)


def test_a_network_of_libvirt_has_no_names() -> None:
    network = LEASED.replace("  servers: [virt1, virt2]\n", "").replace(
        "bridge:", "switch: libvirt\nbridge:"
    )
    assert any("of libvirt" in each for each in problems({NETWORKS: network}))


def test_addresses_of_all_networks_of_a_host_have_names_or_of_none() -> None:
    """D2 drops what it has no reverse zone for as soon as it has any."""
    zones = f"{zone(more='reverse: [leased]')}\n---\n{zone('more.farm.internal')}"
    networks = f"{LEASED}---\n{SECOND_NETWORK}"
    found = farm("plain", {ZONES: f"{FARM}---\n{zones}", NETWORKS: networks})
    with pytest.raises(ConfigError, match="list other in `reverse:`") as caught:
        names_file(found, found.hosts["virt1"])
    assert "dhcp.yaml" in str(caught.value)
    assert names_file(found, found.hosts["virt2"])
