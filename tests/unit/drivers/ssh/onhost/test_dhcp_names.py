"""Kea sends names of clients for the subnets that we say, and is as before when there are none."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.dhcp_config import (
    is_whole,
    told_of_subnet,
    with_subnet,
    without_subnet,
)
from reconciler.drivers.ssh.onhost.dhcp_names import with_sending
from tests.unit.drivers.ssh.onhost.kea import SUBNET, without_ours
from tests.unit.drivers.ssh.onhost.test_dhcp_config import NUMBER, WANTED, entry

ZONE = "dyn.farm"


def served(config: dict[str, Any] | None = None, names: str = ZONE) -> dict[str, Any]:
    return with_subnet(config or without_ours(), {**WANTED, "names": names}, NUMBER)


def is_right(config: dict[str, Any]) -> bool:
    return is_whole(config, entry(config), "production", "lan")


def test_a_subnet_with_names_sends_them_into_its_zone_and_no_other_subnet_does() -> None:
    after = served()
    ours = entry(after)
    assert (ours["ddns-send-updates"], ours["ddns-qualifying-suffix"]) == (True, "dyn.farm.")
    assert after["dhcp-ddns"]["enable-updates"] is True
    assert after["ddns-send-updates"] is False
    assert "ddns-send-updates" not in after["subnet4"][0]
    assert told_of_subnet(ours)["names"] == ZONE
    assert is_right(after)


def test_names_that_are_held_stay_their_holders_and_dots_make_no_longer_name() -> None:
    ours = entry(served())
    assert ours["ddns-use-conflict-resolution"] is True
    assert ours["hostname-char-set"] == "[^A-Za-z0-9-]"


@pytest.mark.parametrize("without", [(), ("ddns-send-updates",), ("dhcp-ddns",)])
def test_all_is_as_before_when_no_subnet_has_names_any_more(without: tuple[str, ...]) -> None:
    before = {key: each for key, each in without_ours().items() if key not in without}
    assert served(served(before), names="") == served(before, names="")
    gone = without_subnet(served(before), "lan", SUBNET)
    assert {**gone, "interfaces-config": 0} == {**before, "interfaces-config": 0}


def test_a_second_subnet_with_names_keeps_it_sending() -> None:
    more = {**WANTED, "names": ZONE, "network": "two", "subnet": "10.9.0.0/24"}
    both = with_subnet(served(), more, 9)
    assert without_subnet(both, "two", "10.9.0.0/24")["dhcp-ddns"]["enable-updates"] is True


def test_who_sends_already_decides_for_their_own_subnets() -> None:
    before = without_ours()
    before["dhcp-ddns"]["enable-updates"] = True
    after = served(before)
    assert {key: after[key] for key in ("dhcp-ddns", "ddns-send-updates")} == {
        key: before[key] for key in ("dhcp-ddns", "ddns-send-updates")
    }
    assert served(after, names="")["dhcp-ddns"]["enable-updates"] is True


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        ("subnet", "ddns-qualifying-suffix", "farm."),
        ("subnet", "ddns-use-conflict-resolution", False),
        ("subnet", "hostname-char-set", ""),
        ("all", "ddns-send-updates", True),
        ("sending", "enable-updates", False),
    ],
)
def test_what_is_changed_by_hand_is_no_more_as_wanted_and_set_right(
    where: str, key: str, value: object
) -> None:
    config = served()
    {"subnet": entry(config), "all": config, "sending": config["dhcp-ddns"]}[where][key] = value
    assert not is_right(config)
    assert is_right(served(config))


def test_names_by_hand_in_a_subnet_without_names_are_left_alone_and_not_told() -> None:
    config = served(names="")
    entry(config)["ddns-qualifying-suffix"] = "theirs."
    assert told_of_subnet(entry(config))["names"] == ""
    assert served(config, names="") == config
    assert is_right(config)


def test_notes_of_others_beside_ours_stay() -> None:
    before = without_ours()
    before["dhcp-ddns"]["user-context"] = {"by": "hand"}
    assert with_sending(served(before), is_wanted=False) == before | {
        key: served(before)[key] for key in ("subnet4", "interfaces-config")
    }
