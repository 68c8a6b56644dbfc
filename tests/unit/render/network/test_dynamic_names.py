"""DHCP servers whose networks have names for clients get D2, its key, and no zone but those."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.config.check_dynamic_names import D2_FILE
from reconciler.kinds.base.kind import name_of
from reconciler.model.address import Address
from reconciler.render.render import render
from tests.golden.dynamic_names.dynamic_farms import FARMS, farm, written
from tests.unit.render.network.test_dhcp import HOSTS, NETWORK, SECOND

FILE = Address("file", name_of(D2_FILE), "virt1")
SERVICE = Address("service", "kea-dhcp-ddns-server", "virt1")
SUBNET = Address("subnet", "leased", "virt1")


def made(name: str = "plain", changes: dict[str, str] | None = None) -> dict[Address, Any]:
    return {each.address: each.spec for each in render(farm(name, changes))}


def test_the_subnet_has_the_zone_and_comes_after_the_server_that_is_told() -> None:
    found = made()
    assert found[SUBNET].names == "dyn.farm.internal"
    assert SERVICE in found[SUBNET].after
    assert FILE in found[SERVICE].after
    assert [read.path for read in found[SERVICE].reads] == [D2_FILE]


def test_the_key_is_a_reference_that_only_the_account_of_kea_reads() -> None:
    spec = made()[FILE]
    assert "secret://dns/dhcp" in spec.content
    assert (spec.mode, spec.owner, spec.group) == ("0640", "root", "_kea")
    assert [str(each.reference) for each in spec.sealed] == ["secret://dns/dhcp"]


@pytest.mark.parametrize("name", FARMS)
def test_it_knows_no_zone_that_dhcp_does_not_update(name: str) -> None:
    config = json.loads(written(name))["DhcpDdns"]
    domains = [*config["forward-ddns"]["ddns-domains"], *config["reverse-ddns"]["ddns-domains"]]
    names = {each["name"].rstrip(".") for each in domains}
    dynamic = {
        spec.name
        for spec in made(name).values()
        if hasattr(spec, "timers") and spec.name != "farm.internal"
    }
    assert names == dynamic
    assert {each["key-name"] for each in domains} == {each["name"] for each in config["tsig-keys"]}


def test_without_names_nothing_of_it_is_made() -> None:
    found = made("plain", {"networks/dhcp.yaml": NETWORK})
    assert not {FILE, SERVICE} & found.keys()
    assert found[SUBNET].names == ""


def test_a_service_that_the_host_describes_reads_the_file_too() -> None:
    host = f"{HOSTS}services: [{{name: kea-dhcp-ddns-server, enabled: true}}]\n"
    spec = made("plain", {"hosts.yaml": f"{host}---\n{SECOND}"})[SERVICE]
    assert [read.path for read in spec.reads] == [D2_FILE]
    assert FILE in spec.after
    assert spec.running is None
