"""Environments with networks on one host: what a guest may not do to its owner."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.config.repository import Documents
from reconciler.render.farm import Claims, claims_of, farm_problems
from tests.farms.repository import documents

SHARE = "share: {staging: {memory: 1 GiB, cpus: 1}}\n"
HOSTS = """\
kind: Host
name: virt8
environment: production
address: 10.99.0.8
memory: 8 GiB
share: {staging: {memory: 1 GiB, cpus: 1}}
---
kind: Host
name: virt9
environment: production
address: 10.99.0.9
memory: 8 GiB
share: {staging: {memory: 1 GiB, cpus: 1}}
"""


def net(name: str = "guests", **fields: str) -> str:
    said = {
        "subnet": "10.77.0.0/24",
        "bridge": "br-guests",
        "hosts": "[{name: virt8, address: 10.77.0.8}, {name: virt9, address: 10.77.0.9}]",
        **fields,
    }
    return f"kind: Network\nname: {name}\n" + "".join(f"{k}: {v}\n" for k, v in said.items())


def problems(mine: str, theirs: str = "", hosts: str = HOSTS) -> list[str]:
    shared = {"hosts/more.yaml": hosts}
    staging = documents({**shared, "environments/staging/net.yaml": mine}, "staging")
    extra = {"environments/production/net.yaml": theirs} if theirs else {}
    production = documents({**shared, **extra})
    claims = {each.environment: claims_of(each) for each in (staging, production)}
    return told(staging, production, claims)


def told(mine: Documents, other: Documents, claims: Mapping[str, Claims]) -> list[str]:
    found = map(str, farm_problems(mine, {other.environment: other}, claims))
    return [each for each in found if "machine web-1" not in each]  # both have it


def test_a_network_of_its_own_on_a_shared_host_is_fine() -> None:
    assert problems(net()) == []
    assert problems(net(), net("lan2", subnet="10.78.0.0/24", bridge="br-two", hosts="[]")) == []


def test_a_host_must_be_shared() -> None:
    found = problems(net(), hosts=HOSTS.replace(SHARE.strip(), "share: {}"))
    assert len(found) == 2
    assert "production does not share the host" in found[0]


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ({"hosts": "[{name: virt8, ports: [eth0]}]"}, "would plug in eth0"),
        ({"routes": "[{to: 0.0.0.0/0, via: 10.77.0.66}]"}, "where the host's packets go"),
        ({"routes": "[{to: 10.78.0.0/24, type: blackhole}]"}, "where the host's packets go"),
        (
            {"subnet": "10.99.0.0/24", "hosts": "[{name: virt8, address: 10.99.0.88}]"},
            "holds the address of host virt9",
        ),
        (
            {
                "switch": "openvswitch",
                "tunnel": "{ipsec: {certificate: /a, private_key: /b, authority: /c}}",
            },
            "would set the host's certificate",
        ),
    ],
)
def test_a_guest_leaves_the_hosts_own_network_alone(mine: dict[str, str], said: str) -> None:
    found = problems(net(**mine))
    assert any(said in each for each in found), found


def test_without_an_address_the_host_looks_for_nobody_in_the_network() -> None:
    assert problems(net(subnet="10.99.0.0/24", hosts="[{name: virt8}]")) == []


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ({"bridge": "br-two", "hosts": "[]"}, "overlaps network lan2 of production"),
        ({"subnet": "10.78.0.0/24", "hosts": "[]"}, "would use br-guests, as network lan2"),
    ],
)
def test_networks_of_two_environments_do_not_meet(theirs: dict[str, str], said: str) -> None:
    found = problems(net(), net("lan2", **theirs))
    assert any(said in each for each in found), found
    assert all("environments/production/net.yaml" in each for each in found if said in each)


def test_ends_of_two_overlays_are_told_apart_and_their_tunnels_are_not_the_same() -> None:
    overlay = {
        "switch": "openvswitch",
        "tunnel": "{type: gre}",
        "hosts": "[{name: virt8}, {name: virt9}]",
    }
    theirs = {**overlay, "subnet": "10.78.0.0/24", "bridge": "br-two"}
    found = problems(net(**overlay), net("guests", **theirs))
    assert len(found) == 2
    assert all("gre tunnel from host virt" in each for each in found)
    keyed = {**overlay, "tunnel": "{type: gre, key: 7}"}
    assert problems(net(**keyed), net("guests", **theirs)) == []
