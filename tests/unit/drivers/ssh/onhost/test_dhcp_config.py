"""The configuration of Kea as data: what is ours in it becomes what is wanted, the rest stays."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.dhcp import Broken, config_of, socket_of, text_of
from reconciler.drivers.ssh.onhost.dhcp_config import (
    Clash,
    are_plain,
    entries_of,
    is_whole,
    number_of,
    pools_of,
    subnet_in,
    told_of_subnet,
    with_reservations,
    with_subnet,
    without_subnet,
)
from tests.unit.drivers.ssh.onhost.kea import CAPTURED, SUBNET, captured, without_ours

WANTED: dict[str, Any] = {
    "network": "lan",
    "environment": "production",
    "subnet": SUBNET,
    "interface": "br-lan",
    "pools": ["10.213.8.100-10.213.8.120"],
    "options": [("domain-name", "lab.internal"), ("routers", "10.213.8.1")],
    "lease_seconds": 600,
    "next_server": "10.213.8.9",
    "boot_file": "pxe.0",
    "names": "",
}
NUMBER = 181733376
WEB = {"mac": "52:54:00:00:00:50", "address": "10.213.8.50", "hostname": "web-1"}
DYNAMIC = {"mac": "52:54:00:00:00:51", "address": "", "hostname": "dyn-1"}


def served(**changes: Any) -> dict[str, Any]:
    return with_subnet(without_ours(), {**WANTED, **changes}, NUMBER)


def entry(config: dict[str, Any], network: str = "lan", subnet: str = SUBNET) -> dict[str, Any]:
    found = subnet_in(config, network, subnet)
    assert found is not None
    return found


def reserved(config: dict[str, Any], *wanted: dict[str, str], by: str = "production") -> Any:
    return with_reservations(config, SUBNET, by, wanted)


def test_the_file_of_debian_is_read_in_spite_of_its_comments() -> None:
    config = config_of((CAPTURED / "kea-dhcp4.conf").read_text())
    assert [each["subnet"] for each in config["subnet4"]] == ["192.0.2.0/24"]
    assert socket_of(config) == "/run/kea/kea4-ctrl-socket"
    assert config_of(text_of(config)) == config


def test_what_looks_like_a_comment_in_a_text_is_none() -> None:
    text = '{"Dhcp4": {"a": "x // \\" # /* y", # one\n "b": [1, /* two\n */ 2,], // ],\n },}'
    assert config_of(text) == {"a": 'x // " # /* y', "b": [1, 2]}


@pytest.mark.parametrize("text", ["", "[]", '{"Dhcp6": {}}', '{"Dhcp4": []}', '{"Dhcp4": {"a": }}'])
def test_what_is_no_file_of_kea_is_told(text: str) -> None:
    with pytest.raises(Broken, match=r"kea-dhcp4\.conf"):
        config_of(text)


def test_a_file_of_several_parts_is_left_alone() -> None:
    with pytest.raises(Broken, match="put them all into it"):
        config_of('{"Dhcp4": {<?include "other.json"?>}}')


@pytest.mark.parametrize(
    "config",
    [
        {"control-socket": {"socket-type": "unix", "socket-name": "/run/kea/a"}},
        {"control-sockets": [{"socket-type": "http"}, {"socket-type": "unix", "socket-name": "a"}]},
    ],
)
def test_the_control_socket_is_found_by_both_names_of_it(config: dict[str, Any]) -> None:
    assert socket_of(config) == "/run/kea/a"
    assert socket_of({}) is None


def test_what_a_real_kea_tells_of_a_subnet_of_ours_is_all_of_it() -> None:
    config = captured()
    found = entry(config, "leased")
    told = told_of_subnet(found)
    routes = "10.213.100.0/24 via 10.213.99.1, 0.0.0.0/0 via 10.213.99.1"
    assert {"name": "classless-static-route", "value": routes} in told["options"]
    assert told["pools"] == ["10.213.8.128-10.213.8.142"]
    assert is_whole(config, found, "production", "leased")


def test_a_new_subnet_is_wholly_as_it_is_wanted_and_all_else_stays() -> None:
    before = without_ours()
    after = served()
    told = told_of_subnet(entry(after))
    told["options"] = [(each["name"], each["value"]) for each in told["options"]]
    assert told == {key: WANTED[key] for key in told}
    assert is_whole(after, entry(after), "production", "lan")
    assert entry(after)["id"] == NUMBER
    assert after["subnet4"][0] == before["subnet4"][0]
    assert after["interfaces-config"]["interfaces"] == ["br-lan"]
    rest = {key for key in before if key not in {"subnet4", "interfaces-config"}}
    assert {key: after[key] for key in rest} == {key: before[key] for key in rest}
    assert before == without_ours()


def test_to_do_it_twice_changes_nothing() -> None:
    after = served()
    assert with_subnet(after, WANTED, NUMBER) == after


@pytest.mark.parametrize(
    "key", ["valid-lifetime", "renew-timer", "match-client-id", "user-context", "interface"]
)
def test_a_subnet_that_lacks_something_of_ours_is_not_whole(key: str) -> None:
    config = served()
    found = entry(config)
    found[key] = {} if key == "user-context" else 7
    assert not is_whole(config, found, "production", "lan")


def test_a_server_that_does_not_listen_there_does_not_serve_wholly() -> None:
    config = served()
    config["interfaces-config"]["interfaces"] = []
    assert not is_whole(config, entry(config), "production", "lan")
    config["interfaces-config"] = {"interfaces": ["*"]}
    assert is_whole(config, entry(config), "production", "lan")


def test_a_subnet_of_somebody_elses_becomes_ours_with_its_number_and_its_reservations() -> None:
    config = without_ours()
    before = config["subnet4"][0]
    after = with_subnet(config, {**WANTED, "subnet": "192.0.2.0/24"}, before["id"])
    found = entry(after, subnet="192.0.2.0/24")
    assert found["reservations"] == before["reservations"]
    assert found["id"] == before["id"]
    assert len(after["subnet4"]) == 1


def test_another_subnet_of_the_network_takes_the_place_of_the_one_until_now() -> None:
    config = reserved(served(), WEB)
    after = with_subnet(config, {**WANTED, "subnet": "10.9.0.0/24"}, 5)
    assert [each["subnet"] for each in after["subnet4"]] == ["192.0.2.0/24", "10.9.0.0/24"]
    assert entry(after, subnet="10.9.0.0/24")["reservations"] == []


def test_it_does_not_while_somebody_has_reserved_something_there_by_hand() -> None:
    config = served()
    entry(config)["reservations"] = [
        {"hw-address": "aa:00:00:00:00:01", "ip-address": "10.213.8.9"}
    ]
    with pytest.raises(Clash, match=r"10\.213\.8\.9 of nobody"):
        with_subnet(config, {**WANTED, "subnet": "10.9.0.0/24"}, 5)


def test_a_subnet_goes_with_the_interface_that_was_there_for_it() -> None:
    config = served()
    assert without_subnet(config, "lan", SUBNET) == without_ours()
    assert without_subnet(config, "other", SUBNET) == config
    config["interfaces-config"]["interfaces"].append("eth9")
    gone = without_subnet(config, "lan", SUBNET)
    assert gone["interfaces-config"]["interfaces"] == ["eth9"]


def test_that_the_server_looks_again_goes_with_the_last_interface_of_ours() -> None:
    config = with_subnet(without_ours(), WANTED, NUMBER, retries=True)
    assert config["interfaces-config"]["service-sockets-max-retries"] == 900
    assert without_subnet(config, "lan", SUBNET) == without_ours()


def test_an_interface_that_others_chose_stays() -> None:
    config = without_ours()
    config["interfaces-config"]["interfaces"] = ["br-lan/10.213.8.1"]
    after = with_subnet(config, WANTED, NUMBER)
    assert after["interfaces-config"] == config["interfaces-config"]
    assert without_subnet(after, "lan", SUBNET) == config


def test_a_subnet_in_which_somebody_has_reserved_something_stays() -> None:
    with pytest.raises(Clash, match=r"10\.213\.8\.50 of staging"):
        without_subnet(reserved(served(), WEB, by="staging"), "lan", SUBNET)


def test_numbers_are_the_same_again_and_nobody_elses() -> None:
    config = {"subnet4": [{"id": 7}, {"id": 8}]}
    assert number_of(9, config, None) == 9
    assert number_of(7, config, {"subnet4": [{"id": 9}]}) == 10
    assert number_of(0, None) == 1
    assert number_of(0xFFFFFFFF, {"subnet4": [{"id": 0xFFFFFFFE}]}) == 1


def test_reservations_are_told_as_they_were_made_and_by_environment() -> None:
    config = reserved(
        reserved(served(), WEB, DYNAMIC),
        {**WEB, "mac": "52:54:00:00:00:60", "address": "10.213.8.60"},
        by="staging",
    )
    assert entries_of(entry(config), "production") == [WEB, DYNAMIC]
    assert [each["address"] for each in entries_of(entry(config), "staging")] == ["10.213.8.60"]
    assert "ip-address" not in entry(config)["reservations"][1]
    assert reserved(config, WEB, DYNAMIC)["subnet4"][1]["reservations"][0]["hostname"] == "web-1"


def test_nobody_elses_reservations_are_touched() -> None:
    config = served()
    theirs = [{"duid": "01:02", "ip-address": "10.213.8.70"}, {"client-id": "01", "hostname": "x"}]
    entry(config)["reservations"] = deepcopy(theirs)
    assert entry(reserved(reserved(config, WEB)))["reservations"] == theirs


def test_one_that_says_the_same_by_hand_becomes_ours() -> None:
    config = served()
    entry(config)["reservations"] = [
        {"hw-address": WEB["mac"].upper(), "ip-address": WEB["address"], "hostname": "by-hand"}
    ]
    assert entries_of(entry(reserved(config, WEB)), "production") == [WEB]
    assert len(entry(reserved(config, WEB))["reservations"]) == 1


@pytest.mark.parametrize(
    "theirs",
    [
        {"hw-address": WEB["mac"], "ip-address": "10.213.8.99"},
        {"hw-address": "aa:00:00:00:00:01", "ip-address": WEB["address"]},
    ],
)
@pytest.mark.parametrize("whose", [None, "staging"])
def test_nothing_is_reserved_twice(theirs: dict[str, Any], whose: str | None) -> None:
    config = served()
    if whose:
        theirs = {**theirs, "user-context": {"reconciler": {"environment": whose}}}
    entry(config)["reservations"] = [theirs]
    with pytest.raises(Clash, match=whose or "by hand"):
        reserved(config, WEB)


def test_what_another_environment_reserved_is_not_taken_even_if_it_says_the_same() -> None:
    with pytest.raises(Clash, match="environment staging"):
        reserved(reserved(served(), WEB, by="staging"), WEB)


def test_more_in_a_reservation_than_we_wrote_is_seen_and_goes() -> None:
    config = reserved(served(), WEB)
    entry(config)["reservations"][0]["option-data"] = [{"name": "routers", "data": "10.66.6.6"}]
    assert not are_plain(entry(config), "production")
    after = reserved(config, WEB)
    assert are_plain(entry(after), "production")


def test_without_the_subnet_nothing_can_be_reserved() -> None:
    assert reserved(without_ours(), WEB) is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("10.0.0.0/30", "10.0.0.0-10.0.0.3"),
        ("10.0.0.9 - 10.0.0.10", "10.0.0.9-10.0.0.10"),
        ("nonsense/99", "nonsense/99"),
    ],
)
def test_pools_are_told_in_one_way(written: str, told: str) -> None:
    assert pools_of({"pools": [{"pool": written}]}) == [told]


def test_ten_thousand_reservations_are_no_matter() -> None:
    many = [
        {
            "mac": f"52:54:00:00:{n >> 8:02x}:{n & 255:02x}",
            "address": f"10.8.{n >> 8}.{n & 255}",
            "hostname": f"m{n}",
        }
        for n in range(10_000)
    ]
    config = with_subnet(without_ours(), {**WANTED, "subnet": "10.8.0.0/16"}, 5)
    after = with_reservations(config, "10.8.0.0/16", "production", many)
    assert after is not None
    again = json.loads(json.dumps(after))
    assert with_reservations(again, "10.8.0.0/16", "production", many) == after
