"""S17: what a Network document says cannot end a value in the configuration of Kea.

What is written is read back as Kea reads it, and must be the document and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from reconciler.drivers.ssh.onhost.dhcp import config_of, text_of
from reconciler.drivers.ssh.onhost.dhcp_config import (
    entries_of,
    subnet_in,
    told_of_subnet,
    with_reservations,
    with_subnet,
)
from reconciler.drivers.ssh.onhost.dhcp_sound import unsound_entries, unsound_subnet
from reconciler.render.network.dhcp import dhcp_resources
from tests.documents.corpus import problems_of
from tests.documents.specimens import PLACES, SPECIMENS, Path, as_yaml, at, changed, texts
from tests.unit.drivers.ssh.onhost.kea import without_ours
from tests.unit.render.network.test_dhcp import NETWORK, farm, machine

ENDINGS: Mapping[str, str] = {
    "a text": '"}, "hooks-libraries": [{"library": "/tmp/x.so"}], "x": {"y": "',
    "an escape": "\\",
    "a value": ", 10.66.6.6",
    "a line": "\n",
    "a comment": " // x",
    "an include": '<?include "/etc/shadow"?>',
    "a variable": "${x}",
    "a NUL": "\x00",
}
ABOUT_DHCP = ("dhcp", "gateway", "nameservers", "bridge", "subnet", "partitions")
SUBNET: dict[str, Any] = {
    "network": "lan",
    "environment": "production",
    "subnet": "10.8.0.0/24",
    "interface": "br-lan",
    "pools": ["10.8.0.5-10.8.0.9"],
    "options": [("domain-name", "x")],
    "lease_seconds": 600,
    "next_server": "",
    "boot_file": "",
    "names": "dyn.farm",
}
ENTRY = {"mac": "52:54:00:00:00:01", "address": "10.8.0.2", "hostname": "web"}
anything = some.text(max_size=40)


def paths() -> list[Path]:
    """The texts of a Network document that Kea is told of."""
    return [path for path in texts(SPECIMENS["Network"]) if path[0] in ABOUT_DHCP]


def test_the_specimen_says_all_of_it() -> None:
    assert {path[0] for path in paths()} == {*ABOUT_DHCP}


@pytest.mark.parametrize("path", paths(), ids=str)
def test_no_value_of_a_document_ends_what_it_stands_in(path: Path) -> None:
    network = SPECIMENS["Network"]
    for ending in ENDINGS.values():
        document = as_yaml(changed("Network", path, at(network, path) + ending))
        assert problems_of(PLACES["Network"], document), (path, ending)


@settings(max_examples=200)
@given(anything, anything, anything, anything)
def test_whatever_is_written_is_read_back_as_it_was(
    network: str, value: str, file: str, name: str
) -> None:
    """Also what no document can say: a text is a text in JSON, and stays one."""
    before = without_ours()
    wanted = {
        **SUBNET,
        "network": network,
        "options": [("tftp", value)],
        "boot_file": file,
        "names": "",
    }
    entry = {**ENTRY, "hostname": name}
    served = with_subnet(before, wanted, 7)
    after = with_reservations(served, SUBNET["subnet"], "production", [entry])
    assert after is not None
    again = config_of(text_of(after)) if "<?include" not in text_of(after) else after
    assert json.loads(text_of(after)) == {"Dhcp4": again}
    found = subnet_in(again, network, SUBNET["subnet"])
    assert found is not None
    assert told_of_subnet(found)["boot_file"] == file
    assert entries_of(found, "production") == [entry]
    rest = {key: each for key, each in again.items() if key not in {"subnet4", "interfaces-config"}}
    assert rest.items() <= before.items()
    assert again["subnet4"][:-1] == before["subnet4"]


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_value_that_got_past_the_document_is_not_told_to_the_server(ending: str) -> None:
    assert not [*unsound_subnet(SUBNET), *unsound_entries([ENTRY])]
    for key in ("subnet", "interface", "boot_file", "next_server", "names"):
        assert list(unsound_subnet({**SUBNET, key: SUBNET[key] + ending}))
    assert list(unsound_subnet({**SUBNET, "pools": [SUBNET["pools"][0] + ending]}))
    for key, value in ENTRY.items():
        assert list(unsound_entries([{**ENTRY, key: value + ending}]))
    if ending not in {", 10.66.6.6", " // x"}:  # which are values of some options
        assert list(unsound_subnet({**SUBNET, "options": [("routers", "10.8.0.1" + ending)]}))


def test_all_that_is_rendered_may_be_told_to_the_server() -> None:
    more = "  routes: [{to: 10.9.0.0/16, via: 10.0.0.7}]\n  boot_server: 10.0.0.9\n"
    found = farm(f"{NETWORK}{more}  boot_file: pxe/boot.0\n", machines=(machine(),))
    specs = {each.address.kind: asdict(each.spec) for each in dhcp_resources(found)}
    specs["subnet"]["options"] = [(o["name"], o["value"]) for o in specs["subnet"]["options"]]
    assert not list(unsound_subnet(specs["subnet"]))
    assert not list(unsound_entries(specs["reservations"]["entries"]))
