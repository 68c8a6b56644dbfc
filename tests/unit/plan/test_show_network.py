"""Address plans as text, for programs, and as a picture; what is in them acts on nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

import pytest
from lxml import etree

from reconciler.config.address_plan import AddressPlan, Claimed, PartitionUse
from reconciler.config.addresses import Range
from reconciler.config.owners import Owner
from reconciler.model.position import Position
from reconciler.plan.show.json import json_text
from reconciler.plan.show.network import network_lines, networks_json
from reconciler.plan.show.network_svg import networks_svg
from reconciler.plan.show.text import plain

SVG = "{http://www.w3.org/2000/svg}"
UNTIL = {IPv4Address("10.0.0.7"): datetime(2026, 3, 1, tzinfo=UTC)}


def owner(
    address: str, name: str = "web", file: str = "vms.yaml", sort: str = "machine"
) -> Claimed:
    position = Position(file, 4, 20)
    return Claimed(Owner(IPv4Address(address), sort, name, position, "lan"), ("production",))


def use(
    first: str, last: str, *claimed: Claimed, purpose: str = "machines", free: int = 5
) -> PartitionUse:
    ends = Range(IPv4Address(first), IPv4Address(last))
    able = Range(ends.first + 1, ends.last - 1)
    resting = tuple(each for each in UNTIL if each in able)
    kept = (IPv4Address("10.0.0.9"),) if IPv4Address("10.0.0.9") in able else ()
    return PartitionUse("part", purpose, ends, able, claimed, resting, kept, free, ends.first + 3)


def plan(*uses: PartitionUse, elsewhere: tuple[Claimed, ...] = ()) -> AddressPlan:
    gateway = IPv4Address("10.0.0.254")
    subnet = IPv4Network("10.0.0.0/8")
    return AddressPlan("lan", ("production",), subnet, gateway, uses, elsewhere)


SMALL = plan(
    use("10.0.0.0", "10.0.0.15", owner("10.0.0.1"), owner("10.0.0.2", "virt1", sort="host")),
    use("10.0.0.16", "10.0.0.20", purpose="dynamic"),
    elsewhere=(owner("10.0.0.254", "lan", "lan.yaml", "gateway"),),
)


def picture(*plans: AddressPlan) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return etree.fromstring(networks_svg(plans).encode(), parser)


def said(*plans: AddressPlan) -> list[str]:
    return [str(each.text) for each in picture(*plans).iter(f"{SVG}title")][1:]


def test_a_table_of_partitions_and_one_of_addresses() -> None:
    assert plain(network_lines([SMALL], UNTIL)) == (
        "lan 10.0.0.0/8, gateway 10.0.0.254 (production)\n"
        "\n"
        "  PARTITION  FOR       RANGE                USED  FREE  QUARANTINED  NEXT FREE\n"
        "  part       machines  10.0.0.0/28          2     5     1            10.0.0.3\n"
        "  part       dynamic   10.0.0.16-10.0.0.20  0     5     0            by DHCP\n"
        "\n"
        "  ADDRESS     WHO                             PARTITION  ENVIRONMENT  WRITTEN AT\n"
        "  10.0.0.1    machine web                     part       production   vms.yaml:4:20\n"
        "  10.0.0.2    host virt1                      part       production   vms.yaml:4:20\n"
        "  10.0.0.7    in quarantine until 2026-03-01  part\n"
        "  10.0.0.9    kept                            part\n"
        "  10.0.0.254  gateway lan                                production   lan.yaml:4:20\n"
    )


def test_no_networks_are_said_to_be_none() -> None:
    assert plain(network_lines([], {})) == "No networks\n"
    assert said() == []


def test_the_same_for_programs() -> None:
    (document,) = networks_json([SMALL], UNTIL)["networks"]
    first, second = document["partitions"]
    assert (first["size"], first["free"], first["next_free"]) == (14, 5, "10.0.0.3")
    assert second["next_free"] is None, "DHCP gives it"
    assert first["quarantined"] == [{"address": "10.0.0.7", "until": "2026-03-01T00:00:00+00:00"}]
    assert first["owners"][0]["source"] == {"file": "vms.yaml", "line": 4, "column": 20}
    assert document["elsewhere"][0]["owner"] == "gateway lan"
    assert json.loads(json_text(networks_json([SMALL], UNTIL)))


def test_a_cell_for_each_address_says_who_has_it() -> None:
    cells = said(SMALL)
    assert len(cells) == 16 + 5 + 1
    assert cells[0] == "10.0.0.0: nobody's: network and broadcast address"
    assert cells[1] == "10.0.0.1: machine web of production, vms.yaml:4:20"
    assert cells[3] == "10.0.0.3: free"
    assert cells[7] == "10.0.0.7: in quarantine"
    assert cells[9].startswith("10.0.0.9: kept")
    assert cells[17] == "10.0.0.17: given out by DHCP"
    assert cells[-1] == "10.0.0.254: gateway lan of production, lan.yaml:4:20"


@pytest.mark.parametrize("last", ["10.0.2.255", "10.255.255.255"])
def test_a_large_partition_is_drawn_in_blocks(last: str) -> None:
    cells = said(plan(use("10.0.0.0", last, owner("10.0.0.1"), owner("10.0.2.200"))))
    assert len(cells) == 256
    assert sum(int(each.rpartition(": ")[2].split()[0]) for each in cells) == 4, "2 are kept back"
    assert cells[-1].split(":")[0].endswith(f"-{last}")


def test_every_square_is_inside_the_picture() -> None:
    root = picture(SMALL, plan(use("10.0.0.0", "10.255.255.255", owner("10.0.0.1"))))
    width, height = (float(root.get(key, "0")) for key in ("width", "height"))
    for each in root.iter(f"{SVG}rect"):
        left, top, wide, high = (float(each.get(key, "0")) for key in ("x", "y", "width", "height"))
        assert left + wide <= width
        assert top + high <= height


def test_what_is_named_acts_neither_on_a_terminal_nor_on_a_browser() -> None:
    file = 'a"><script>alert(1)</script>&\x1b[2J\u202e.yaml'
    hostile = plan(use("10.0.0.0", "10.0.0.15", owner("10.0.0.1", file=file)))
    text = plain(network_lines([hostile], UNTIL))
    drawn = networks_svg([hostile])
    assert "\x1b" not in text + drawn
    assert "\u202e" not in text + drawn
    assert {each.tag for each in picture(hostile).iter()} == {
        f"{SVG}{name}" for name in ("svg", "title", "rect", "text", "g")
    }
    assert any("<script>" in each for each in said(hostile)), "as text"
